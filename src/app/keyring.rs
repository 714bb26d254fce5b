//! The signing keys, from wherever the settings say.

use super::StartError;
use crate::config::{Profile, Secret, Settings};
use crate::domain::auth::keys::{Key, Keyring};

/// Where development keeps the signing key that it makes for itself.
const DEVELOPMENT_KEY: &str = "data/signing.key";

pub(super) fn keyring(settings: &Settings) -> Result<Keyring, StartError> {
    let refused = |file: &str, reason: &dyn ToString| StartError::Key { file: file.into(), reason: reason.to_string() };
    let mut keys = Vec::new();
    for key in &settings.auth.keys {
        let file = key.file.display().to_string();
        let content = zeroize::Zeroizing::new(std::fs::read(&key.file).map_err(|error| refused(&file, &error))?);
        keys.push(Key::from_file(&content, key.kid.clone()).map_err(|error| refused(&file, &error))?);
    }
    if keys.is_empty() {
        let (source, secret) = if settings.auth.secret.is_empty() && settings.profile == Profile::Development {
            (DEVELOPMENT_KEY, development_secret().map_err(|error| refused(DEVELOPMENT_KEY, &error))?)
        } else {
            ("auth.secret", settings.auth.secret.clone())
        };
        let key = Key::from_secret(secret.expose().as_bytes(), None);
        keys.push(key.map_err(|error| refused(source, &error))?);
    }
    Keyring::new(keys).map_err(|error| refused("auth.keys", &error))
}

/// The secret that development made for itself, readable by its owner alone.
fn development_secret() -> std::io::Result<Secret> {
    use base64::Engine as _;
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::create_dir_all("data")?;
    if let Ok(kept) = std::fs::read_to_string(DEVELOPMENT_KEY) {
        return Ok(Secret::new(kept.trim()));
    }
    let mut random = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(std::io::Error::other)?;
    let made = base64::engine::general_purpose::STANDARD.encode(random.as_slice());
    // Written whole before it gets its name, and never over one that is there.
    let unnamed = format!("{DEVELOPMENT_KEY}.{}", std::process::id());
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unnamed)?;
    file.write_all(made.as_bytes())?;
    file.sync_all()?;
    let named = std::fs::hard_link(&unnamed, DEVELOPMENT_KEY);
    std::fs::remove_file(&unnamed)?;
    match named {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(Secret::new(std::fs::read_to_string(DEVELOPMENT_KEY)?.trim())),
    }
}
