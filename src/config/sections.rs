//! The sections of the settings, as they stand in the files. `config/default.toml` says what each key is for.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::key_file::{self, KeyFile};
use super::secret::Secret;
use crate::mail::SmtpTls;

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 for any.
    pub port: u16,
    /// Threads; 0 for one a core.
    pub workers: usize,
    /// Patience with requests in flight at the end.
    pub shutdown_seconds: u64,
    /// Networks whose word on the client's address is taken.
    #[serde(default, deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
pub struct Database {
    /// Never empty once settings are loaded.
    #[serde(default)]
    pub url: Secret,
    /// For all workers together.
    pub max_connections: u32,
    /// Whether pending migrations are applied first.
    pub migrate_on_start: bool,
}

/// `[auth]`
#[derive(Clone, Debug, Deserialize)]
pub struct Auth {
    /// An HS256 secret.
    #[serde(default)]
    pub secret: Secret,
    /// Files with keys, which take the place of `secret`.
    #[serde(default, deserialize_with = "key_file::list")]
    pub keys: Vec<KeyFile>,
    /// `iss`
    pub issuer: String,
    /// `aud`
    pub audience: String,
    /// Life of an access token.
    pub access_ttl_seconds: u32,
    /// Life of a session without a refresh.
    pub refresh_idle_seconds: u32,
    /// Life of a session.
    pub refresh_absolute_seconds: u32,
    /// For how long a repeated refresh gets the same answer.
    pub refresh_grace_seconds: u32,
    /// Work factor of bcrypt.
    pub bcrypt_cost: u32,
    /// Whether the token endpoint takes passwords.
    pub password_grant: bool,
    /// Whether signing in takes a confirmed address.
    pub require_verified_email: bool,
}

/// `[registration]`
#[derive(Clone, Debug, Deserialize)]
pub struct Registration {
    /// What somebody hears who registers with an address that is taken.
    pub on_duplicate: OnDuplicate,
}

/// What somebody hears who registers with an address that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// 409.
    Conflict,
    /// What everybody hears: that a mail is on its way.
    Silent,
}

/// `[codes]`
#[derive(Clone, Debug, Deserialize)]
pub struct Codes {
    /// Life of a code, and of a reset token.
    pub ttl_seconds: u32,
}

/// `[contacts]`
#[derive(Clone, Debug, Deserialize)]
pub struct Contacts {
    /// Bytes of a file.
    pub import_max_bytes: u64,
    /// Contacts of a file.
    pub import_max_rows: u64,
}

/// `[mail]`
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Must be chosen in production.
    #[serde(default)]
    pub transport: Option<MailTransport>,
    /// For `file`.
    pub dir: PathBuf,
    /// Whom mails come from.
    pub from: String,
    /// Which set of texts.
    pub language: String,
    /// The mail server.
    pub smtp_host: String,
    /// Its port; 0 for the usual one.
    pub smtp_port: u16,
    /// How the connection is kept private.
    pub smtp_tls: SmtpTls,
    /// Empty for none.
    pub smtp_username: String,
    /// With `smtp_username`.
    #[serde(default)]
    pub smtp_password: Secret,
    /// How long sending one mail may take.
    pub smtp_timeout_seconds: u32,
    /// Another certificate authority to trust, in PEM.
    #[serde(default)]
    pub smtp_ca_file: Option<PathBuf>,
}

/// How mail leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// As files in a folder.
    File,
    /// To a mail server.
    Smtp,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
pub struct Log {
    /// As in `RUST_LOG`.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A list of networks or addresses; in a variable, separated by commas.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entries {
        Text(String),
        List(Vec<String>),
    }
    let network = |text: &str| {
        let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(address).ok_or_else(|| {
            serde::de::Error::custom("server.trusted_proxies must be networks such as 10.0.0.0/8, or addresses")
        })
    };
    match Entries::deserialize(deserializer)? {
        Entries::Text(text) => text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(network).collect(),
        Entries::List(texts) => texts.iter().map(|text| network(text)).collect(),
    }
}
