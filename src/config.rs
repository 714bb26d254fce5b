//! Configuration: layers, types and validation of the settings.
//!
//! Each layer overrides the ones before: `config/default.toml` (compiled in) ← `config/<profile>.toml` ←
//! `CARE4U__SECTION__KEY` ← `DATABASE_URL`.

mod key_file;
mod secret;
mod sections;

use std::ffi::OsString;
use std::path::Path;

use config::{Config, ConfigError, Environment, File, FileFormat};
use serde::Deserialize;

use crate::domain::auth::limits::Limits;
use crate::mail::SmtpTls;

pub use key_file::KeyFile;
pub use secret::Secret;
pub use sections::{
    Auth, Codes, Contacts, Database, Log, LogFormat, Mail, MailTransport, OnDuplicate, Registration, Server,
};

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
    /// Mail.
    pub mail: Mail,
    /// Logging.
    pub log: Log,
    /// Unknown keys, most likely misspelt.
    #[serde(skip)]
    pub unknown: Vec<String>,
}

/// Configuration error.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value of the wrong type.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(ConfigError),
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
    OutOfRange(&'static str),
}

impl From<ConfigError> for SettingsError {
    fn from(error: ConfigError) -> Self {
        let ConfigError::FileParse { uri, cause } = error else { return Self::Unreadable(error) };
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
    pub fn from_variables(variables: std::collections::HashMap<String, String>) -> Result<Self, SettingsError> {
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
        let mut settings: Self = serde_ignored::deserialize(merged, |path| unknown.push(path.to_string()))?;
        settings.profile = profile;
        settings.unknown = unknown;
        settings.validated()
    }

    /// Sets the default database of development, and rejects missing settings and those that cannot work.
    fn validated(mut self) -> Result<Self, SettingsError> {
        if self.profile == Profile::Production {
            self.require_production_settings()?;
        }
        if self.database.url.is_empty() {
            self.database.url = Secret::new(migration::DEFAULT_URL);
        }
        if !(4..=31).contains(&self.auth.bcrypt_cost) {
            return Err(SettingsError::OutOfRange("auth.bcrypt_cost must be from 4 to 31"));
        }
        if self.auth.access_ttl_seconds == 0 || self.auth.refresh_idle_seconds == 0 {
            return Err(SettingsError::OutOfRange("auth.*_seconds must be above 0"));
        }
        if self.auth.refresh_idle_seconds > self.auth.refresh_absolute_seconds {
            return Err(SettingsError::OutOfRange(
                "auth.refresh_idle_seconds must not be above auth.refresh_absolute_seconds",
            ));
        }
        if self.codes.ttl_seconds == 0 {
            return Err(SettingsError::OutOfRange("codes.ttl_seconds must be above 0"));
        }
        if self.throttle.first_wait_seconds == 0 {
            return Err(SettingsError::OutOfRange("throttle.first_wait_seconds must be above 0"));
        }
        if self.throttle.longest_wait_seconds > self.throttle.forget_after_seconds {
            return Err(SettingsError::OutOfRange(
                "throttle.longest_wait_seconds must not be above throttle.forget_after_seconds",
            ));
        }
        let is_local = matches!(self.mail.smtp_host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.mail.smtp_tls == SmtpTls::None && !self.mail.smtp_username.is_empty() && !is_local {
            return Err(SettingsError::OutOfRange(
                "mail.smtp_password requires TLS, unless the mail server is on this machine",
            ));
        }
        if self.database.max_connections < 2 {
            return Err(SettingsError::OutOfRange("database.max_connections must be at least 2"));
        }
        Ok(self)
    }

    fn require_production_settings(&self) -> Result<(), SettingsError> {
        if self.database.url.is_empty() {
            return Err(SettingsError::Missing("a database: set DATABASE_URL"));
        }
        if self.auth.secret.is_empty() && self.auth.keys.is_empty() {
            return Err(SettingsError::Missing("a signing key: set CARE4U__AUTH__SECRET or CARE4U__AUTH__KEYS"));
        }
        if self.mail.transport.is_none() {
            return Err(SettingsError::Missing("a mail transport: set CARE4U__MAIL__TRANSPORT to smtp or file"));
        }
        Ok(())
    }
}

fn development() -> Profile {
    Profile::Development
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_variables(variables.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
    }

    const PRODUCTION: [(&str, &str); 4] = [
        ("CARE4U_PROFILE", "production"),
        ("DATABASE_URL", "postgres://db/care4u"),
        ("CARE4U__AUTH__SECRET", "0123456789abcdef0123456789abcdef"),
        ("CARE4U__MAIL__TRANSPORT", "smtp"),
    ];

    #[test]
    fn development_starts_without_any_setting() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.database.url.expose(), migration::DEFAULT_URL);
        assert_eq!(settings.server.port, 8080);
        assert_eq!(settings.unknown, Vec::<String>::new());
    }

    #[test]
    fn variables_override_files_and_database_url_overrides_all() {
        let settings = load(&[
            ("CARE4U__SERVER__PORT", "0"),
            ("CARE4U__AUTH__PASSWORD_GRANT", "false"),
            ("CARE4U__DATABASE__URL", "sqlite://a.db"),
            ("DATABASE_URL", "sqlite://b.db"),
        ])
        .unwrap();
        assert_eq!(settings.server.port, 0);
        assert!(!settings.auth.password_grant);
        assert_eq!(settings.database.url.expose(), "sqlite://b.db");
    }

    #[test]
    fn a_setting_missing_in_production_is_named() {
        assert!(load(&PRODUCTION).is_ok());
        for (missing, variable) in [(1, "DATABASE_URL"), (2, "CARE4U__AUTH__SECRET"), (3, "CARE4U__MAIL__TRANSPORT")] {
            let mut variables = PRODUCTION.to_vec();
            variables.remove(missing);
            let error = load(&variables).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn a_misspelt_key_is_reported_as_unknown() {
        let settings = load(&[("CARE4U__SERVER__PROT", "80")]).unwrap();
        assert_eq!(settings.unknown, ["server.prot"]);
    }

    #[test]
    fn a_value_of_the_wrong_type_is_an_error_that_names_the_key() {
        let error = load(&[("CARE4U__SERVER__PORT", "eighty")]).unwrap_err().to_string();
        assert!(error.contains("server.port"), "{error}");
    }

    #[test]
    fn signing_keys_can_be_a_comma_separated_variable() {
        let settings = load(&[("CARE4U__AUTH__KEYS", "a.pem, b.pem")]).unwrap();
        let files: Vec<_> = settings.auth.keys.iter().map(|key| key.file.to_str().unwrap()).collect();
        assert_eq!(files, ["a.pem", "b.pem"]);
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let debug = format!("{:?}", load(&PRODUCTION).unwrap());
        assert!(!debug.contains("0123456789abcdef") && !debug.contains("postgres://"), "{debug}");
    }
}
