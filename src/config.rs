//! Configuration: layers, types and validation of the settings.
//!
//! Each layer overrides the ones before: `config/default.toml` (compiled in) ← `config/<profile>.toml` ←
//! `CARE4U__SECTION__KEY` ← `DATABASE_URL`.

mod checks;
mod key_file;
mod secret;
mod sections;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use config::{Config, ConfigError, Environment, File, FileFormat, ValueKind};
use serde::Deserialize;

use crate::domain::auth::limits::Limits;

pub use checks::{check_log_filter, is_guessable};
pub use key_file::KeyFile;
pub use secret::Secret;
pub use sections::{
    Auth, Booking, Codes, Contacts, Database, Docs, Log, LogFormat, Mail, MailTransport, OnDuplicate, Registration,
    RegistrationMode, RequestReview, Requests, Server,
};
pub use variables::secret_variable;

const DEFAULT: &str = include_str!("../config/default.toml");
const PRODUCTION: &str = include_str!("../config/production.toml");

/// Configuration profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Missing settings get a default value.
    Development,
    /// Missing database, signing key or mail transport are errors.
    Production,
}

/// All settings.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// Profile, from `CARE4U_PROFILE`.
    #[serde(skip, default = "development")]
    pub profile: Profile,
    /// HTTP server.
    pub server: Server,
    /// Documentation.
    pub docs: Docs,
    /// Database.
    pub database: Database,
    /// Tokens and passwords.
    pub auth: Auth,
    /// Registration of accounts.
    pub registration: Registration,
    /// Mailed codes.
    pub codes: Codes,
    /// Limits of throttles and quotas.
    pub throttle: Limits,
    /// Limits of imports of contacts.
    pub contacts: Contacts,
    /// Review of vaccine requests.
    pub requests: Requests,
    /// Limits of bookings.
    pub booking: Booking,
    /// Mail.
    pub mail: Mail,
    /// Logging.
    pub log: Log,
    /// Unknown keys, most likely misspelt.
    #[serde(skip)]
    pub unknown: Vec<String>,
    /// Settings that have no effect or are dangerous, each a sentence to be logged. Production refuses them.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Configuration error.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A configuration file that cannot be read.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// A value of the wrong type. It is not shown: it may be a secret.
    #[error("{key} must be {expected}")]
    WrongType {
        /// Section and key.
        key: String,
        /// What to write.
        expected: &'static str,
    },
    /// A file that is not valid TOML. Its text is not shown: the line with the error may contain a secret.
    #[error("{file} is not valid TOML{position}")]
    NotToml {
        /// Path of the file.
        file: String,
        /// Line and column, if known, after a colon.
        position: String,
    },
    /// Unknown value of `CARE4U_PROFILE`.
    #[error("CARE4U_PROFILE must be development or production, not {0:?}")]
    UnknownProfile(String),
    /// A setting that production requires is missing.
    #[error("production requires {0}")]
    Missing(&'static str),
    /// A value out of range, or a combination that is not allowed.
    #[error("{0}")]
    Refused(String),
}

impl From<ConfigError> for SettingsError {
    fn from(error: ConfigError) -> Self {
        let ConfigError::FileParse { uri, cause } = error else {
            return Self::Unreadable("a file or a variable is malformed".to_owned());
        };
        // The first line of the cause is "TOML parse error at line 4, column 9"; the lines below it quote the file.
        let cause = cause.to_string();
        let position = cause.lines().next().and_then(|line| line.split_once(" at "));
        let position = position.map(|(_, position)| format!(": {position}"));
        Self::NotToml {
            file: uri.unwrap_or_else(|| "a configuration file".into()),
            position: position.unwrap_or_default(),
        }
    }
}

impl Settings {
    /// Loads the settings, with the environment variables of this process.
    ///
    /// # Errors
    /// Returns a [`SettingsError`], whose text is one sentence that names the key.
    pub fn load() -> Result<Self, SettingsError> {
        // Variables that are not UTF-8 are not settings of care4u.
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::from_variables(std::env::vars_os().filter_map(text).collect())
    }

    /// Loads the settings, with the given environment variables instead of those of the process.
    ///
    /// # Errors
    /// Returns a [`SettingsError`], whose text is one sentence that names the key.
    pub fn from_variables(mut variables: HashMap<String, String>) -> Result<Self, SettingsError> {
        variables::read_secret_files(&mut variables)?;
        let mut ignored = variables::ignored(&variables);
        ignored.extend(checks::log_variable(variables.get("RUST_LOG")));
        let profile = match variables.get("CARE4U_PROFILE").map_or("", String::as_str) {
            "" | "development" => Profile::Development,
            "production" => Profile::Production,
            other => return Err(SettingsError::UnknownProfile(other.to_owned())),
        };
        let database_url = variables.get("DATABASE_URL").filter(|url| !url.is_empty()).cloned();
        let (name, compiled_in) = match profile {
            Profile::Development => ("development", ""),
            Profile::Production => ("production", PRODUCTION),
        };
        let merged = Config::builder()
            .add_source(File::from_str(DEFAULT, FileFormat::Toml))
            .add_source(File::from_str(compiled_in, FileFormat::Toml))
            .add_source(File::from(Path::new("config").join(format!("{name}.toml"))).required(false))
            .add_source(
                Environment::with_prefix("CARE4U").prefix_separator("__").separator("__").source(Some(variables)),
            )
            .set_override_option("database.url", database_url)?
            .build()?;
        let mut unknown = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
        let known = serde_ignored::Deserializer::new(merged, &mut note);
        let settings = Self::deserialize(serde_path_to_error::Deserializer::new(known, &mut track));
        let mut settings = settings.map_err(|_| {
            let key = track.path().to_string();
            SettingsError::WrongType { expected: expected(&key), key }
        })?;
        settings.profile = profile;
        settings.unknown = unknown;
        settings.warnings = ignored;
        settings.validated()
    }

    /// Sets the default database of development, and rejects missing settings and those that cannot work.
    fn validated(mut self) -> Result<Self, SettingsError> {
        if self.profile == Profile::Production {
            checks::require_production_settings(&self)?;
        }
        if self.database.url.is_empty() {
            self.database.url = Secret::new(migration::DEFAULT_URL);
        }
        checks::reject_impossible(&self)?;
        let found = checks::warnings(&self);
        self.warnings.extend(found);
        if self.profile == Profile::Production && !self.warnings.is_empty() {
            return Err(SettingsError::Refused(self.warnings.swap_remove(0)));
        }
        if checks::check_log_filter(&self.log.level).is_err() {
            "info".clone_into(&mut self.log.level);
        }
        Ok(self)
    }
}

/// What to write for a key, for an error message.
fn expected(key: &str) -> &'static str {
    match key.split('[').next().unwrap_or(key) {
        "server.port" => "a port number from 0 to 65535",
        "server.trusted_proxies" => "a list of networks such as 10.0.0.0/8, or of addresses",
        "auth.keys" => "a list of files, or of tables such as { file = \"key.pem\", kid = \"2026\" }",
        "server.cors_origins" => "a list of origins such as https://clinic.example",
        "registration.mode" => "open or closed",
        "registration.allowed_domains" => "a list of domains such as clinic.example",
        "registration.on_duplicate" => "conflict or silent",
        "requests.review" => "staff or rules",
        "mail.transport" => "file or smtp",
        "mail.smtp_tls" => "starttls, tls or none",
        "log.format" => "text or json",
        key => {
            let default = Config::builder().add_source(File::from_str(DEFAULT, FileFormat::Toml)).build();
            let default = default.ok().and_then(|defaults| defaults.get::<config::Value>(key).ok());
            match default.map(|value| value.kind) {
                Some(ValueKind::Boolean(_)) => "true or false",
                Some(ValueKind::I64(_)) => "a whole number, not negative and not too large",
                Some(ValueKind::Array(_)) => "a list",
                _ if !key.contains('.') => "a section with keys",
                _ => "a text",
            }
        }
    }
}

fn development() -> Profile {
    Profile::Development
}
