//! Signing key files in the settings: a list of paths, a list of tables, or a comma-separated variable.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// A file with a signing key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// Path of the file; it contains PEM or an HMAC secret.
    pub file: PathBuf,
    /// Key id (`kid`); the thumbprint of the key by default.
    #[serde(default)]
    pub kid: Option<String>,
}

/// Deserialises a list of files or `{ file, kid }` tables. In a variable, it is a comma-separated list of files.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<KeyFile>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        File(PathBuf),
        Table(KeyFile),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entries {
        Text(String),
        List(Vec<Entry>),
    }
    let key_file = |file| KeyFile { file, kid: None };
    Ok(match Entries::deserialize(deserializer)? {
        Entries::Text(text) => {
            text.split(',').map(str::trim).filter(|file| !file.is_empty()).map(|file| key_file(file.into())).collect()
        }
        Entries::List(entries) => entries
            .into_iter()
            .map(|entry| match entry {
                Entry::File(file) => key_file(file),
                Entry::Table(table) => table,
            })
            .collect(),
    })
}
