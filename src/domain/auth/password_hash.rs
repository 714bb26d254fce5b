//! Password hashes: new ones are `bcrypt_sha256` version 2 of passlib, and bcrypt hashes of other systems are understood.
//!
//! `$bcrypt-sha256$v=2,t=2b,r=12$<salt>$<digest>` is bcrypt of an HMAC-SHA-256 of the password, keyed with the salt: so
//! passwords of any length fit into the 72 bytes of bcrypt, and no hash of another system can be tried against it. The
//! format depends on no key of this service.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use entity::PasswordHash;
use zeroize::Zeroizing;

use crate::domain::auth::password::Password;
use crate::error::{Error, Result};

const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";

/// Length of an encoded salt.
const SALT_CHARS: usize = 22;

/// Bytes that bcrypt reads of a password; the last of 72 is the terminating NUL.
const BCRYPT_BYTES: usize = 71;

const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

/// A stored hash, taken apart.
struct Parts {
    cost: u32,
    /// The hash as bcrypt writes it.
    bcrypt: String,
    /// Salt as text, if the password is first reduced to an HMAC.
    hmac_key: Option<String>,
}

/// Outcome of a comparison.
pub(super) struct Comparison {
    /// Whether the password is right.
    pub(super) is_right: bool,
    /// Cost of the hash; none if it is malformed, so that no time was spent.
    pub(super) cost: Option<u32>,
    /// Whether the hash has an older format, and should be renewed.
    pub(super) is_outdated: bool,
}

/// Hashes a new password.
pub(super) fn hash(password: &Password, cost: u32) -> Result<PasswordHash> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(Error::internal)?;
    let salt = BCRYPT_BASE64.encode(random);
    let key = reduce(&password.normalized(), &salt);
    let hashed = bcrypt::non_truncating_hash_with_salt(key.as_bytes(), cost, random).map_err(Error::internal)?;
    let hashed = hashed.format_for_version(bcrypt::Version::TwoB);
    let digest = hashed.get(hashed.len() - 31..).unwrap_or_default();
    Ok(PasswordHash(format!("{PREFIX}{cost}${salt}${digest}")))
}

/// Compares a password with a stored hash: one bcrypt. A second one follows only if the hash has the older format and
/// the password is written otherwise after normalisation.
pub(super) fn compare(password: &Password, stored: &str) -> Comparison {
    let malformed = Comparison { is_right: false, cost: None, is_outdated: false };
    let Some(parts) = parse(stored) else { return malformed };
    let verify = |text: &str| bcrypt::non_truncating_verify(text.as_bytes(), &parts.bcrypt);
    let outcome = match &parts.hmac_key {
        Some(salt) => verify(&reduce(&password.normalized(), salt)),
        None => verify_plain(password, verify),
    };
    match outcome {
        Ok(is_right) => Comparison { is_right, cost: Some(parts.cost), is_outdated: parts.hmac_key.is_none() },
        Err(_) => malformed,
    }
}

/// Compares with a plain bcrypt hash: the password as it is, then normalised.
fn verify_plain(
    password: &Password,
    verify: impl Fn(&str) -> bcrypt::BcryptResult<bool>,
) -> bcrypt::BcryptResult<bool> {
    // A password that is too long or has a NUL was never hashed; another text is verified to take the same time.
    let fits = |text: &str| text.len() <= BCRYPT_BYTES && !text.contains('\0');
    let (raw, normalized) = (password.as_str(), password.normalized());
    let is_right = if fits(raw) { verify(raw)? } else { verify("does not fit").map(|_| false)? };
    if is_right || raw == normalized.as_str() || !fits(&normalized) {
        return Ok(is_right);
    }
    verify(&normalized)
}

/// A well-formed hash of the given cost that matches no known password.
pub(super) fn unmatchable(cost: u32) -> String {
    format!("{PREFIX}{cost}$abcdefghijklmnopqrstuu$ABCDEFGHIJKLMNOPQRSTUVWXYZ01232")
}

fn parse(stored: &str) -> Option<Parts> {
    let Some(rest) = stored.strip_prefix(PREFIX) else {
        let cost = stored.starts_with("$2").then(|| stored.split('$').nth(2)?.parse().ok())??;
        return Some(Parts { cost, bcrypt: stored.to_owned(), hmac_key: None });
    };
    let mut parts = rest.split('$');
    let (cost, salt, digest) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    let is_complete = salt.len() == SALT_CHARS && parts.next().is_none();
    is_complete.then(|| Parts {
        cost,
        bcrypt: format!("$2b${cost:02}${salt}{digest}"),
        hmac_key: Some(salt.to_owned()),
    })
}

/// Reduces a password of any length to 44 characters.
fn reduce(password: &str, salt: &str) -> Zeroizing<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
    Zeroizing::new(STANDARD.encode(hmac::sign(&key, password.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `passlib.hash.bcrypt_sha256.using(rounds=4)` of passlib 1.7.4, of normalised passwords.
    const OF_PASSLIB: [(&str, usize, &str); 4] = [
        (
            "correct horse battery",
            1,
            "$bcrypt-sha256$v=2,t=2b,r=4$xO0yibgKxmu122GgrfJbI.$rrpvUbBqZUSw.j91My382fghqJ62pYG",
        ),
        ("ি", 64, "$bcrypt-sha256$v=2,t=2b,r=4$xcbqJdz21hfoWAfoh0FF/u$QxZ1ca0JrLbwPVkoBcMtDMAY6fq.nqK"),
        ("পাসওয়ার্ড", 20, "$bcrypt-sha256$v=2,t=2b,r=4$nRboBqd26vzxxUOx/H2/ye$659uJ0ylRNSAf.z1cPNwescGd9.Os/m"),
        ("a", 256, "$bcrypt-sha256$v=2,t=2b,r=4$xj01M.VON07Ahf4m1RkUKO$OW1UYCSrcsZzowWmpRBw4ms2pENJP6G"),
    ];

    #[test]
    fn hashes_of_passlib_are_verified() {
        for (part, times, stored) in OF_PASSLIB {
            let right = compare(&Password::presented(&part.repeat(times)), stored);
            assert!(right.is_right && right.cost == Some(4) && !right.is_outdated, "{part}");
            assert!(!compare(&Password::presented(&(part.repeat(times) + "x")), stored).is_right, "{part}");
        }
    }

    #[test]
    fn a_hash_has_the_format_of_passlib_and_a_salt_of_its_own() {
        let password = Password::parse("correct horse battery").unwrap();
        let (one, other) = (hash(&password, 4).unwrap().0, hash(&password, 4).unwrap().0);
        assert_ne!(one, other);
        assert_eq!(one.len(), OF_PASSLIB[0].2.len());
        assert!(compare(&password, &one).is_right);
    }

    #[test]
    fn the_spelling_of_a_character_does_not_matter() {
        let stored = hash(&Password::parse("stra\u{df}e Ame\u{301}lie \u{ff21}").unwrap(), 4).unwrap().0;
        assert!(compare(&Password::presented("stra\u{df}e Am\u{e9}lie A"), &stored).is_right);
        // An older hash, of the password as it was typed: both spellings of the other device.
        let older = bcrypt::hash("Am\u{e9}lie in Rome", 4).unwrap();
        for typed in ["Am\u{e9}lie in Rome", "Ame\u{301}lie in Rome"] {
            let comparison = compare(&Password::presented(typed), &older);
            assert!(comparison.is_right && comparison.is_outdated);
        }
        let older = bcrypt::hash("Ame\u{301}lie in Rome", 4).unwrap();
        assert!(compare(&Password::presented("Ame\u{301}lie in Rome"), &older).is_right);
    }
}
