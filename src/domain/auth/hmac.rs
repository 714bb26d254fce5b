//! Hashes that only those who hold the signing key can make: a six-digit code cannot be found from its hash in a stolen
//! database, nor an e-mail address.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::auth::keys::Keyring;

impl Keyring {
    /// The hash of these parts, each of which counts as a whole.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> String {
        self.hashes(parts).next().map(|hash| URL_SAFE_NO_PAD.encode(hash)).unwrap_or_default()
    }

    /// Whether `hash` is the hash of these parts, by any key on the ring. Takes the same time for every `hash`.
    #[must_use]
    pub fn is_hash(&self, hash: &str, parts: &[&[u8]]) -> bool {
        let hash = URL_SAFE_NO_PAD.decode(hash).unwrap_or_default();
        let equal = |made: hmac::Tag| constant_time::verify_slices_are_equal(made.as_ref(), &hash).is_ok();
        self.hashes(parts).filter(|made| equal(*made)).count() > 0
    }

    /// The hash of these parts, cut to the size of a UUID.
    #[must_use]
    pub fn id(&self, parts: &[&[u8]]) -> Uuid {
        let hash = self.hashes(parts).next();
        let half = hash.and_then(|hash| hash.as_ref().first_chunk::<16>().copied());
        Uuid::from_bytes(half.unwrap_or_default())
    }

    fn hashes(&self, parts: &[&[u8]]) -> impl Iterator<Item = hmac::Tag> {
        self.iter().filter_map(|key| key.hashing.as_ref()).map(move |key| {
            let mut context = hmac::Context::with_key(key);
            for part in parts {
                context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                context.update(part);
            }
            context.sign()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::auth::keys::{Key, Keyring};

    fn ring(secrets: &[&str]) -> Keyring {
        Keyring::new(secrets.iter().map(|secret| Key::from_secret(secret.as_bytes(), None).unwrap()).collect()).unwrap()
    }

    #[test]
    fn a_hash_is_known_again_until_its_key_leaves_the_ring() {
        let (old, new) = ("the old secret of 32 bytes or more", "the new secret of 32 bytes or more");
        let hash = ring(&[old]).hash(&[b"one", b"two"]);
        assert!(ring(&[old]).is_hash(&hash, &[b"one", b"two"]));
        assert!(ring(&[new, old]).is_hash(&hash, &[b"one", b"two"]));
        assert!(!ring(&[new]).is_hash(&hash, &[b"one", b"two"]));
        assert!(!ring(&[old]).is_hash(&hash, &[b"onet", b"wo"]));
        assert!(!ring(&[old]).is_hash("", &[b"one", b"two"]));
    }
}
