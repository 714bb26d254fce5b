//! Signing keys as settings: which files hold them, in any of the forms in which people write that.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// A file with a key in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// PEM, or an HMAC secret.
    pub file: PathBuf,
    /// The `kid`; without it the key's thumbprint.
    #[serde(default)]
    pub kid: Option<String>,
}

/// A list of files or `{ file, kid }` tables; in a variable, files separated by commas.
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
    let unnamed = |file| KeyFile { file, kid: None };
    Ok(match Entries::deserialize(deserializer)? {
        Entries::Text(text) => {
            text.split(',').map(str::trim).filter(|file| !file.is_empty()).map(|file| unnamed(file.into())).collect()
        }
        Entries::List(entries) => entries
            .into_iter()
            .map(|entry| match entry {
                Entry::File(file) => unnamed(file),
                Entry::Table(table) => table,
            })
            .collect(),
    })
}
