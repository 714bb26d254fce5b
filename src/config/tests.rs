//! Tests of the settings: layers, checks, messages.

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
        ("CARE4U__AUTH__SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "auth.secret is a known placeholder"),
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
        ("CARE4U__BOOKING__CHANGE_UNTIL_HOURS", "8761", "booking.change_until_hours must be at most 8760"),
        ("CARE4U__BOOKING__NOTICE_MINUTES", "525601", "booking.notice_minutes must be at most 525600"),
        ("CARE4U__BOOKING__UNDO_HOURS", "8761", "booking.undo_hours must be at most 8760, a year"),
        ("CARE4U__BOOKING__PATIENTS_PER_ACCOUNT", "0", "booking.patients_per_account must be above 0"),
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
        ("CARE4U__REQUESTS__REVIEW", "requests.review must be staff or rules"),
        ("CARE4U__BOOKING__MAX_MOVES", "booking.max_moves must be a whole number, not negative and not too large"),
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
