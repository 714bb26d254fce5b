//! Checks of the settings: values that cannot work, and values that would be ignored or are dangerous.

use super::{Profile, Settings, SettingsError};
use crate::domain::auth::keys::MIN_SECRET_BYTES;
use crate::domain::values::email::Email;
use crate::mail::SmtpTls;

/// Maximum number of worker threads. More of them than cores are no faster.
const MAX_WORKERS: usize = 256;

/// Fragments of secrets in examples and tutorials, which attackers try first. In lower case, without separators.
const PLACEHOLDERS: [&str; 15] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "your256bitsecret",
    "mysecret",
    "supersecret",
    "secretkey",
    "notasecret",
    "insecure",
    "default",
    "example",
    "stringsecretatleast",
];

/// The secret of the tutorial of FastAPI.
const FASTAPI_SECRET: &str = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7";

/// Rejects settings that production requires and that are missing.
pub(super) fn require_production_settings(settings: &Settings) -> Result<(), SettingsError> {
    if settings.database.url.is_empty() {
        return Err(SettingsError::Missing("a database: set DATABASE_URL"));
    }
    if settings.auth.secret.is_empty() && settings.auth.keys.is_empty() {
        return Err(SettingsError::Missing("a signing key: set CARE4U__AUTH__SECRET or CARE4U__AUTH__KEYS"));
    }
    if settings.mail.transport.is_none() {
        return Err(SettingsError::Missing("a mail transport: set CARE4U__MAIL__TRANSPORT to smtp or file"));
    }
    Ok(())
}

/// Rejects values that cannot work in any profile.
pub(super) fn reject_impossible(settings: &Settings) -> Result<(), SettingsError> {
    let (auth, throttle) = (&settings.auth, &settings.throttle);
    let is_local = matches!(settings.mail.smtp_host.as_str(), "localhost" | "127.0.0.1" | "::1");
    let rules = [
        ((4..=31).contains(&auth.bcrypt_cost), "auth.bcrypt_cost must be from 4 to 31"),
        (auth.access_ttl_seconds > 0, "auth.access_ttl_seconds must be above 0"),
        (auth.refresh_idle_seconds > 0, "auth.refresh_idle_seconds must be above 0"),
        (
            auth.refresh_idle_seconds <= auth.refresh_absolute_seconds,
            "auth.refresh_idle_seconds must not be above auth.refresh_absolute_seconds",
        ),
        (
            auth.refresh_grace_seconds <= auth.refresh_idle_seconds,
            "auth.refresh_grace_seconds must not be above auth.refresh_idle_seconds",
        ),
        (auth.revocations_max_age_seconds >= 3, "auth.revocations_max_age_seconds must be at least 3"),
        (settings.codes.ttl_seconds > 0, "codes.ttl_seconds must be above 0"),
        (settings.booking.change_until_hours <= 8760, "booking.change_until_hours must be at most 8760, a year"),
        (settings.booking.notice_minutes <= 525_600, "booking.notice_minutes must be at most 525600, a year"),
        (
            (1..=10_080).contains(&settings.booking.offer_minutes),
            "booking.offer_minutes must be from 1 to 10080, a week",
        ),
        (settings.booking.offer_until_minutes <= 525_600, "booking.offer_until_minutes must be at most 525600, a year"),
        (settings.booking.reminder_hours <= 8760, "booking.reminder_hours must be at most 8760, a year"),
        (settings.booking.undo_hours <= 8760, "booking.undo_hours must be at most 8760, a year"),
        (settings.booking.patients_per_account > 0, "booking.patients_per_account must be above 0"),
        (throttle.first_wait_seconds > 0, "throttle.first_wait_seconds must be above 0"),
        (
            throttle.first_wait_seconds <= throttle.longest_wait_seconds,
            "throttle.first_wait_seconds must not be above throttle.longest_wait_seconds",
        ),
        (
            throttle.longest_wait_seconds <= throttle.forget_after_seconds,
            "throttle.longest_wait_seconds must not be above throttle.forget_after_seconds",
        ),
        (throttle.availability_per_minute > 0, "throttle.availability_per_minute must be above 0"),
        (settings.mail.smtp_timeout_seconds > 0, "mail.smtp_timeout_seconds must be above 0"),
        (
            settings.mail.smtp_tls != SmtpTls::None || settings.mail.smtp_username.is_empty() || is_local,
            "mail.smtp_password requires TLS, unless the mail server is on this machine",
        ),
        (settings.server.shutdown_seconds > 0, "server.shutdown_seconds must be above 0"),
        (settings.server.workers <= MAX_WORKERS, "server.workers must be from 0 to 256"),
        (
            settings.server.cors_origins.iter().all(|origin| is_origin(origin)),
            "server.cors_origins must be origins such as https://clinic.example:8443, without a path, or *",
        ),
        (
            settings.server.public_url.is_empty() || is_base_url(&settings.server.public_url),
            "server.public_url must be an address such as https://clinic.example/care4u, without a slash at the end",
        ),
        (
            settings.registration.allowed_domains.iter().all(|domain| is_domain(domain)),
            "registration.allowed_domains must be domains such as clinic.example",
        ),
        (settings.database.max_connections >= 2, "database.max_connections must be at least 2"),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, rule)) => Err(SettingsError::Refused(rule.to_owned())),
        None => migration::check_url(settings.database.url.expose())
            .map_err(|reason| SettingsError::Refused(format!("cannot open the database: {reason}"))),
    }
}

/// Whether a text is an origin (RFC 6454 §6.2) as browsers send it.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<actix_web::http::Uri>() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_plain = !text.ends_with('/') && !text.contains(['@', '?', '#']) && !text.chars().any(char::is_uppercase);
    text == "*" || (is_web && is_plain && uri.path() == "/" && uri.authority().is_some())
}

/// Whether a text is the address of a service: an origin, with or without a path.
fn is_base_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<actix_web::http::Uri>() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    is_web && uri.authority().is_some() && !text.ends_with('/') && !text.contains(['@', '?', '#', '"', '<', '>'])
}

fn is_domain(text: &str) -> bool {
    Email::parse(&format!("a@{text}")).is_ok()
}

/// Describes settings that would be ignored or are dangerous: production refuses them, development warns.
pub(super) fn warnings(settings: &Settings) -> Vec<String> {
    let mut warnings: Vec<String> =
        settings.unknown.iter().map(|key| format!("unknown setting {key}; it has no effect")).collect();
    if let Err(reason) = check_log_filter(&settings.log.level) {
        warnings.push(format!("log.level {reason}"));
    }
    if is_guessable(settings.auth.secret.expose()) {
        warnings.push(
            "auth.secret is a known placeholder or repeats a few characters; generate one with \
                       `openssl rand -base64 48`"
                .to_owned(),
        );
    }
    if settings.profile == Profile::Production && !settings.auth.secret.is_empty() && !settings.auth.keys.is_empty() {
        warnings.push("auth.secret has no effect, because auth.keys is set; remove one of them".to_owned());
    }
    warnings
}

/// Describes a misspelt `RUST_LOG`.
pub(super) fn log_variable(filter: Option<&String>) -> Option<String> {
    let filter = filter.filter(|filter| !filter.is_empty())?;
    check_log_filter(filter).err().map(|reason| format!("RUST_LOG {reason}"))
}

/// Whether a secret is known to attackers: a placeholder, or a few repeated characters.
pub fn is_guessable(secret: &str) -> bool {
    // A shorter one is refused in any case.
    if secret.len() < MIN_SECRET_BYTES {
        return false;
    }
    let plain: String = secret.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let distinct: std::collections::BTreeSet<char> = secret.chars().collect();
    distinct.len() < 8 || plain == FASTAPI_SECRET || PLACEHOLDERS.iter().any(|known| plain.contains(known))
}

/// Checks a log filter. The logger would take a misspelt level for the name of a module, and log nothing else.
///
/// # Errors
/// What to write instead.
pub fn check_log_filter(filter: &str) -> Result<(), &'static str> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |level: &str| levels.contains(&level.to_ascii_lowercase().as_str());
    let is_module = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
    };
    let directives = filter.split('/').next().unwrap_or_default().split(',').map(str::trim);
    let mut directives = directives.filter(|directive| !directive.is_empty()).peekable();
    let is_good = directives.peek().is_some()
        && directives.all(|directive| match directive.split_once('=') {
            Some((module, level)) => is_module(module.trim()) && is_level(level.trim()),
            None => is_level(directive) || directive == "care4u" || directive.starts_with("care4u::"),
        });
    let message = "must be off, error, warn, info, debug or trace, or a list such as info,care4u::mail=debug";
    if is_good { Ok(()) } else { Err(message) }
}

#[cfg(test)]
mod tests {
    use super::{check_log_filter, is_guessable};

    #[test]
    fn a_misspelt_level_is_refused() {
        for good in ["info", "WARN", "off", "info,care4u::mail=debug", "warn, sqlx=trace", "care4u", "debug/needle"] {
            assert!(check_log_filter(good).is_ok(), "{good}");
        }
        for bad in ["warning", "", "verbose", "infos", "care4u=warning", "=info", "info,mail", "5", "a b=info", ","] {
            assert!(check_log_filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn placeholders_and_repeated_characters_are_guessable() {
        for secret in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababab",
            "change-me-change-me-change-me-change-me",
            "CHANGE_ME_IN_PRODUCTION_0123456789abcdef",
            "your-256-bit-secret-your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            super::FASTAPI_SECRET,
        ] {
            assert!(is_guessable(secret), "{secret}");
        }
        for secret in ["", "K5l1rCqEGZrTCPNmbLgnLrrgLzLQXzSNsyHs0IV2", "0123456789abcdef0123456789abcdef"] {
            assert!(!is_guessable(secret), "{secret}");
        }
    }
}
