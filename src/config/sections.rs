//! Sections of the settings, with the keys of the files. `config/default.toml` documents each key.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::key_file::{self, KeyFile};
use super::secret::Secret;
use crate::mail::SmtpTls;

/// HTTP server: `[server]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 for any free port.
    pub port: u16,
    /// Number of worker threads; 0 for one per core.
    pub workers: usize,
    /// Graceful-shutdown timeout: time for requests in flight after SIGTERM.
    pub shutdown_seconds: u64,
    /// Proxy networks whose `Forwarded` and `X-Forwarded-For` headers are trusted.
    #[serde(default, deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may send requests (CORS).
    #[serde(default, deserialize_with = "list")]
    pub cors_origins: Vec<String>,
    /// Address of the service for clients, if it is not that on which it listens.
    #[serde(default)]
    pub public_url: String,
}

/// Documentation: `[docs]`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Docs {
    /// Whether Swagger UI and the OpenAPI document are served.
    pub enabled: bool,
}

/// Database: `[database]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Database {
    /// Database URL; never empty after loading.
    #[serde(default)]
    pub url: Secret,
    /// Maximum number of connections of this instance.
    pub max_connections: u32,
    /// Whether pending migrations are applied at the start.
    pub migrate_on_start: bool,
}

/// Authentication: `[auth]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Auth {
    /// HS256 secret that signs tokens.
    #[serde(default)]
    pub secret: Secret,
    /// Files with signing keys, used instead of `secret`.
    #[serde(default, deserialize_with = "key_file::list")]
    pub keys: Vec<KeyFile>,
    /// Issuer: the `iss` claim of tokens.
    pub issuer: String,
    /// Audience: the `aud` claim of access tokens.
    pub audience: String,
    /// Lifetime of an access token.
    pub access_ttl_seconds: u32,
    /// Idle timeout: lifetime of a session without a refresh.
    pub refresh_idle_seconds: u32,
    /// Maximum lifetime of a session.
    pub refresh_absolute_seconds: u32,
    /// Grace period: time in which a repeated refresh gets the same token pair.
    pub refresh_grace_seconds: u32,
    /// Time after a refresh in which it may be repeated if no token of its answer was seen; 0 to refuse it.
    pub refresh_retry_seconds: u32,
    /// Maximum age of the list of revoked sessions. While it is older, requests with an access token are refused.
    pub revocations_max_age_seconds: u32,
    /// bcrypt cost, from 4 to 31.
    pub bcrypt_cost: u32,
    /// Whether the token endpoint accepts `grant_type=password`.
    pub password_grant: bool,
    /// Whether a log-in requires a verified e-mail.
    pub require_verified_email: bool,
}

/// Registration: `[registration]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Registration {
    /// Whether anyone can register.
    pub mode: RegistrationMode,
    /// Domains of the addresses that can be registered; empty for all.
    #[serde(default, deserialize_with = "list")]
    pub allowed_domains: Vec<String>,
    /// Response to a registration with an e-mail that is taken.
    pub on_duplicate: OnDuplicate,
}

/// Whether anyone can register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Anyone can.
    Open,
    /// Nobody can; operators and admins create accounts.
    Closed,
}

/// Response to a registration with an e-mail that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// 409: the e-mail is taken.
    Conflict,
    /// 202 for every registration; the outcome is sent by mail to the address.
    Silent,
}

/// Mailed codes: `[codes]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Codes {
    /// Lifetime of a code, and of a reset token.
    pub ttl_seconds: u32,
}

/// Imports of contacts: `[contacts]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Contacts {
    /// Maximum size of an import file in bytes.
    pub import_max_bytes: u64,
    /// Maximum number of contacts in an import file.
    pub import_max_rows: u64,
}

/// Vaccine requests: `[requests]`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Requests {
    /// Who reviews requests.
    pub review: RequestReview,
}

/// Who reviews requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestReview {
    /// Staff.
    Staff,
    /// The rules: requests of people who are eligible are approved at once.
    Rules,
}

/// Bookings: `[booking]`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Booking {
    /// Hours before the start of a slot until which its owner may move, unbook or cancel a booking.
    pub change_until_hours: u32,
    /// How often the owner may move a booking.
    pub max_moves: u32,
    /// Minutes before the start of a slot until which patients can book it; the staff of the centre can until the start.
    pub notice_minutes: u32,
    /// Minutes for which a place is held for somebody on the waitlist.
    pub offer_minutes: u32,
    /// Minutes before the start of a slot until which its places are offered to people on the waitlist.
    pub offer_until_minutes: u32,
    /// Hours before the start of a slot at which people are reminded of it; 0: no reminders.
    pub reminder_hours: u32,
    /// Hours after a dose was given within which it can be undone.
    pub undo_hours: u32,
    /// Number of people for whom one account may request vaccines.
    pub patients_per_account: u32,
}

/// Mail: `[mail]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Transport; required in production.
    #[serde(default)]
    pub transport: Option<MailTransport>,
    /// Folder for the transport `file`.
    pub dir: PathBuf,
    /// Sender, as `name <address>`.
    pub from: String,
    /// Language of the texts (RFC 5646 tag).
    pub language: String,
    /// Host name of the mail server.
    pub smtp_host: String,
    /// Port of the mail server; 0 for the default port of `smtp_tls`.
    pub smtp_port: u16,
    /// Encryption of the connection.
    pub smtp_tls: SmtpTls,
    /// User name; empty for no authentication.
    pub smtp_username: String,
    /// Password of `smtp_username`.
    #[serde(default)]
    pub smtp_password: Secret,
    /// Timeout for sending one mail.
    pub smtp_timeout_seconds: u32,
    /// PEM file with an additional trusted certificate authority.
    #[serde(default)]
    pub smtp_ca_file: Option<PathBuf>,
}

/// Transport of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// Files in a folder.
    File,
    /// Mail server (SMTP).
    Smtp,
}

/// Logging: `[log]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Log {
    /// Log filter, in the format of `RUST_LOG`.
    pub level: String,
    /// Format of a line.
    pub format: LogFormat,
}

/// Format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text, for people.
    Text,
    /// JSON, for programs.
    Json,
}

/// Deserialises a list of texts. In a variable, it is comma-separated.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entries {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Entries::deserialize(deserializer)? {
        Entries::Text(text) => {
            text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
        }
        Entries::List(texts) => texts,
    })
}

/// Deserialises a list of networks or addresses. In a variable, it is comma-separated.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(address).ok_or_else(|| serde::de::Error::custom("not a network"))
    };
    list(deserializer)?.iter().map(network).collect()
}
