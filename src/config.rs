//! Configuration: layers, types and validation of the settings.
//!
//! Each layer overrides the ones before: `config/default.toml` (compiled in) ← `config/<profile>.toml` ←
//! `CARE4U__SECTION__KEY` ← `DATABASE_URL`.

mod checks;
mod key_file;
mod secret;
mod sections;
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
    Auth, Codes, Contacts, Database, Log, LogFormat, Mail, MailTransport, OnDuplicate, Registration, RegistrationMode,
    Server,
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
    fn settings_without_effect_are_warnings_in_development_and_refused_in_production() {
        for (variable, value, part) in [
            ("CARE4U__SERVER__PROT", "80", "unknown setting server.prot"),
            ("CARE4U_AUTH_SECRET", "hunter2", "write CARE4U__AUTH__SECRET"),
            ("CARE4U_MAIL__SMTP_HOST", "hunter2", "write CARE4U__MAIL__SMTP_HOST"),
            ("CARE4U_HOST", "hunter2", "CARE4U__SECTION__KEY"),
            ("CARE4U_PROFILE_FILE", "hunter2", "CARE4U__SECTION__KEY"),
            ("CARE4U_SERVER_PORT", "8080", "write CARE4U__SERVER__PORT"),
            ("RUST_LOG", "warning", "RUST_LOG must be"),
            ("CARE4U__LOG__LEVEL", "warning", "log.level must be off, error, warn"),
            (
                "CARE4U__AUTH__SECRET",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "auth.secret is a known placeholder",
            ),
            ("CARE4U__AUTH__SECRET", "please-change-me-please-change-me-please", "auth.secret is a known placeholder"),
        ] {
            let settings = load(&[(variable, value)]).unwrap();
            let warnings = settings.warnings.join("\n");
            assert!(warnings.contains(part) && !warnings.contains("hunter2"), "{variable}: {warnings}");
            assert_ne!(settings.log.level, "warning");
            let mut production = PRODUCTION.to_vec();
            production.retain(|(name, _)| *name != variable);
            production.push((variable, value));
            let error = load(&production).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{variable}: {error}");
        }
    }

    #[test]
    fn variables_of_kubernetes_and_empty_ones_are_no_settings() {
        let variables = [
            ("CARE4U_SERVICE_HOST", "10.0.0.1"),
            ("CARE4U_SERVICE_PORT_HTTP", "8080"),
            ("CARE4U_PORT", "tcp://10.0.0.1:8080"),
            ("CARE4U_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("CARE4U_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("CARE4U_ADMIN_PASSWORD_FILE", "/run/secrets/admin"),
            ("RUST_LOG", ""),
        ];
        assert!(load(&[&PRODUCTION[..], &variables].concat()).is_ok());
    }

    #[test]
    fn values_that_cannot_work_are_refused() {
        for (variable, value, part) in [
            ("CARE4U__SERVER__WORKERS", "5000", "server.workers must be from 0 to 256"),
            ("CARE4U__SERVER__SHUTDOWN_SECONDS", "0", "server.shutdown_seconds must be above 0"),
            ("CARE4U__MAIL__SMTP_TIMEOUT_SECONDS", "0", "mail.smtp_timeout_seconds must be above 0"),
            ("CARE4U__AUTH__REFRESH_GRACE_SECONDS", "2592001", "auth.refresh_grace_seconds must not be above"),
            ("CARE4U__THROTTLE__LONGEST_WAIT_SECONDS", "0", "throttle.first_wait_seconds must not be above"),
            ("CARE4U__SERVER__CORS_ORIGINS", "https://[", "server.cors_origins must be origins"),
            ("CARE4U__SERVER__CORS_ORIGINS", "https://clinic.example/", "server.cors_origins must be origins"),
            ("CARE4U__SERVER__CORS_ORIGINS", "clinic.example", "server.cors_origins must be origins"),
            ("CARE4U__REGISTRATION__ALLOWED_DOMAINS", "a@b", "registration.allowed_domains must be domains"),
            ("DATABASE_URL", "postgresql+asyncpg://user:hunter2@host/db", "write postgres:// instead"),
            ("DATABASE_URL_FILE", "/nowhere/hunter2", "DATABASE_URL_FILE cannot be read"),
        ] {
            let error = load(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{variable}: {error}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_an_error_that_says_what_to_write() {
        for (variable, message) in [
            ("CARE4U__SERVER__PORT", "server.port must be a port number from 0 to 65535"),
            ("CARE4U__AUTH__PASSWORD_GRANT", "auth.password_grant must be true or false"),
            ("CARE4U__AUTH__BCRYPT_COST", "auth.bcrypt_cost must be a whole number, not negative and not too large"),
            ("CARE4U__LOG__FORMAT", "log.format must be text or json"),
            ("CARE4U__MAIL__TRANSPORT", "mail.transport must be file or smtp"),
            ("CARE4U__REGISTRATION__ON_DUPLICATE", "registration.on_duplicate must be conflict or silent"),
            ("CARE4U__AUTH__SECRET__X", "auth.secret must be a text"),
            ("CARE4U__AUTH__KEYS__X", "auth.keys must be a list of files, or of tables"),
            ("CARE4U__SERVER__TRUSTED_PROXIES", "server.trusted_proxies must be a list of networks"),
            ("CARE4U__AUTH", "auth must be a section with keys"),
        ] {
            let error = load(&[(variable, "hunter2")]).unwrap_err().to_string();
            assert!(error.starts_with(message), "{variable}: {error}");
        }
    }

    #[test]
    fn secrets_can_be_read_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "sqlite://b.db\n").unwrap();
        let path = file.to_str().unwrap();
        assert_eq!(load(&[("DATABASE_URL_FILE", path)]).unwrap().database.url.expose(), "sqlite://b.db");
        let settings = load(&[("CARE4U__MAIL__SMTP_PASSWORD_FILE", path)]).unwrap();
        assert_eq!((settings.mail.smtp_password.expose(), settings.warnings), ("sqlite://b.db", Vec::new()));
        let both = [("DATABASE_URL_FILE", path), ("DATABASE_URL", "sqlite://a.db")];
        assert!(load(&both).unwrap_err().to_string().contains("both set"));
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
