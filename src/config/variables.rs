//! Environment variables: those whose name is nearly right, and secrets that are read from a file (`…_FILE`).

use std::collections::HashMap;

use super::SettingsError;

/// Passwords for commands, which can be in a file, too.
const PASSWORDS: [&str; 3] = ["CARE4U_ADMIN_PASSWORD", "CARE4U_USER_PASSWORD", "CARE4U_DEMO_PASSWORD"];

/// Secrets, which can be in a file that the variable with the suffix `_FILE` names.
const SECRETS: [&str; 4] =
    ["DATABASE_URL", "CARE4U__DATABASE__URL", "CARE4U__AUTH__SECRET", "CARE4U__MAIL__SMTP_PASSWORD"];

/// Replaces each `…_FILE` variable of a secret by the content of the file, without the white space around it.
///
/// # Errors
/// Returns an error if a file cannot be read, or if the secret is set in both ways.
pub(super) fn read_secret_files(variables: &mut HashMap<String, String>) -> Result<(), SettingsError> {
    for name in SECRETS {
        let by_file = format!("{name}_FILE");
        let Some(path) = variables.remove(&by_file).filter(|path| !path.is_empty()) else { continue };
        if variables.get(name).is_some_and(|value| !value.is_empty()) {
            return Err(SettingsError::Refused(format!("{name} and {by_file} are both set; remove one of them")));
        }
        variables.insert(name.to_owned(), secret_in(&by_file, &path)?);
    }
    Ok(())
}

/// Reads a password for a command, from a variable or from the file that the variable with the suffix `_FILE` names.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn secret_variable(name: &str) -> Result<Option<String>, SettingsError> {
    if let Ok(secret) = std::env::var(name) {
        return Ok(Some(secret));
    }
    let by_file = format!("{name}_FILE");
    std::env::var(&by_file).ok().map(|path| secret_in(&by_file, &path)).transpose()
}

fn secret_in(variable: &str, path: &str) -> Result<String, SettingsError> {
    let content = std::fs::read_to_string(path);
    let content = content.map_err(|error| {
        // The path is not shown: the secret itself may have been written there.
        SettingsError::Refused(format!("the file in {variable} cannot be read: {error}"))
    })?;
    Ok(content.trim().to_owned())
}

/// Describes the variables that begin like settings but are none: they would be ignored.
pub(super) fn ignored(variables: &HashMap<String, String>) -> Vec<String> {
    let is_password = |name: &str| PASSWORDS.contains(&name.strip_suffix("_FILE").unwrap_or(name));
    let mut ignored: Vec<String> = variables
        .iter()
        .filter(|(name, _)| name.to_ascii_uppercase().starts_with("CARE4U_"))
        .filter(|(name, _)| !name.to_ascii_uppercase().starts_with("CARE4U__"))
        .filter(|(name, value)| *name != "CARE4U_PROFILE" && !is_password(name) && !is_service_link(name, value))
        .map(|(name, _)| match spelling_of(name) {
            Some(spelling) => format!("the variable {name} has no effect; write {spelling}"),
            None => format!("the variable {name} has no effect; settings are CARE4U__SECTION__KEY"),
        })
        .collect();
    ignored.sort();
    ignored
}

/// Whether Kubernetes has set a variable, for a service whose name begins with `care4u`.
fn is_service_link(name: &str, value: &str) -> bool {
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
        || ["_TCP_", "_UDP_", "_SCTP_"].iter().any(|protocol| name.contains(&format!("_PORT{protocol}")))
        || ["_PROTO", "_ADDR", "_PORT"].iter().any(|end| name.contains("_PORT_") && name.ends_with(end))
}

/// The setting that a variable with single underscores most likely means.
fn spelling_of(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let rest = upper.strip_prefix("CARE4U_")?.trim_matches('_');
    let (section, key) = rest.split_once('_')?;
    let sections = ["SERVER", "DATABASE", "AUTH", "REGISTRATION", "CODES", "THROTTLE", "CONTACTS", "MAIL", "LOG"];
    sections.contains(&section).then(|| format!("CARE4U__{section}__{}", key.trim_start_matches('_')))
}
