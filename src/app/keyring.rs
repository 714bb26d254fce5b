//! Signing keys: loads them from key files or from a secret, as configured.

use super::StartError;
use crate::config::{self, Profile, Secret, Settings};
use crate::domain::auth::keys::{Key, Keyring};

/// File with the signing key that development generates at its first start.
const DEVELOPMENT_KEY: &str = "data/signing.key";

/// Loads the signing keys. Without any in the settings, development generates one.
pub fn keyring(settings: &Settings) -> Result<Keyring, StartError> {
    let key_error =
        |file: &str, reason: &dyn ToString| StartError::Key { file: file.into(), reason: reason.to_string() };
    let mut keys = Vec::new();
    for key in &settings.auth.keys {
        let file = key.file.display().to_string();
        let content = zeroize::Zeroizing::new(std::fs::read(&key.file).map_err(|error| key_error(&file, &error))?);
        let is_guessable = std::str::from_utf8(&content).is_ok_and(|text| config::is_guessable(text.trim()));
        if is_guessable && settings.profile == Profile::Production {
            return Err(key_error(&file, &"it is a known placeholder or repeats a few characters"));
        }
        keys.push(Key::from_file(&content, key.kid.clone()).map_err(|error| key_error(&file, &error))?);
    }
    if keys.is_empty() {
        let (source, secret) = if settings.auth.secret.is_empty() && settings.profile == Profile::Development {
            (DEVELOPMENT_KEY, development_secret().map_err(|error| key_error(DEVELOPMENT_KEY, &error))?)
        } else {
            ("auth.secret", settings.auth.secret.clone())
        };
        let key = Key::from_secret(secret.expose().as_bytes(), None);
        keys.push(key.map_err(|error| key_error(source, &error))?);
    }
    Keyring::new(keys).map_err(|error| key_error("auth.keys", &error))
}

/// Returns the signing secret of development; generates it at the first start. Only the owner of the file can read it.
fn development_secret() -> std::io::Result<Secret> {
    use base64::Engine as _;
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::create_dir_all("data")?;
    if let Ok(existing) = std::fs::read_to_string(DEVELOPMENT_KEY) {
        return Ok(Secret::new(existing.trim()));
    }
    let mut random = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(std::io::Error::other)?;
    let generated = base64::engine::general_purpose::STANDARD.encode(random.as_slice());
    // Written to a temporary file and then linked: nobody reads a partial file, and an existing one is not overwritten.
    let temporary = format!("{DEVELOPMENT_KEY}.{}", std::process::id());
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(generated.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, DEVELOPMENT_KEY);
    std::fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(Secret::new(std::fs::read_to_string(DEVELOPMENT_KEY)?.trim())),
    }
}
