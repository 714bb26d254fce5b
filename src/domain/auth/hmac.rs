//! HMAC of stored secrets and throttle keys, with a key derived from the signing key. Without that key, a six-digit
//! code or an e-mail address cannot be found by trying all values against the hashes of a stolen database.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::auth::keys::Keyring;

impl Keyring {
    /// HMAC of these parts in URL-safe Base64. Each part is preceded by its length, so that parts cannot be shifted.
    #[must_use]
    pub fn hmac(&self, parts: &[&[u8]]) -> String {
        self.hmacs(parts).next().map(|hmac| URL_SAFE_NO_PAD.encode(hmac)).unwrap_or_default()
    }

    /// Whether `hmac` is the HMAC of these parts, by any key on the ring. Takes the same time for every `hmac`.
    #[must_use]
    pub fn is_hmac(&self, hmac: &str, parts: &[&[u8]]) -> bool {
        let hmac = URL_SAFE_NO_PAD.decode(hmac).unwrap_or_default();
        let is_equal = |tag: hmac::Tag| constant_time::verify_slices_are_equal(tag.as_ref(), &hmac).is_ok();
        self.hmacs(parts).filter(|tag| is_equal(*tag)).count() > 0
    }

    /// HMACs of these parts in URL-safe Base64 by every key on the ring, that of [`hmac`](Self::hmac) first. What is
    /// looked up by all of them is found while its key is on the ring.
    #[must_use]
    pub fn hmac_texts(&self, parts: &[&[u8]]) -> Vec<String> {
        self.hmacs(parts).map(|hmac| URL_SAFE_NO_PAD.encode(hmac)).collect()
    }

    /// HMACs of these parts by every key on the ring, in the same order.
    #[must_use]
    pub fn hmac_bytes(&self, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        let bytes = |tag: hmac::Tag| tag.as_ref().first_chunk::<32>().copied().unwrap_or_default();
        self.hmacs(parts).map(bytes).collect()
    }

    /// HMACs of these parts by every key on the ring, truncated to 128 bits. What is counted under all of them survives an
    /// exchange of keys.
    #[must_use]
    pub fn hmac_ids(&self, parts: &[&[u8]]) -> Vec<Uuid> {
        let half = |tag: hmac::Tag| tag.as_ref().first_chunk::<16>().copied().unwrap_or_default();
        self.hmacs(parts).map(|tag| Uuid::from_bytes(half(tag))).collect()
    }

    fn hmacs(&self, parts: &[&[u8]]) -> impl Iterator<Item = hmac::Tag> {
        self.iter().filter_map(|key| key.hmac.as_ref()).map(move |key| {
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
    fn an_hmac_is_valid_while_its_key_is_on_the_ring() {
        let (old, new) = ("the old secret of 32 bytes or more", "the new secret of 32 bytes or more");
        let hmac = ring(&[old]).hmac(&[b"one", b"two"]);
        assert!(ring(&[old]).is_hmac(&hmac, &[b"one", b"two"]));
        assert!(ring(&[new, old]).is_hmac(&hmac, &[b"one", b"two"]));
        assert!(!ring(&[new]).is_hmac(&hmac, &[b"one", b"two"]));
        assert!(!ring(&[old]).is_hmac(&hmac, &[b"onet", b"wo"]));
        assert!(!ring(&[old]).is_hmac("", &[b"one", b"two"]));
    }

    #[test]
    fn hmacs_by_every_key_come_in_the_order_of_the_ring() {
        let (old, new) = ("the old secret of 32 bytes or more", "the new secret of 32 bytes or more");
        let parts: &[&[u8]] = &[b"one", b"two"];
        let (both, only) = (ring(&[new, old]), ring(&[old]));
        assert_eq!(both.hmac_texts(parts), [both.hmac(parts), only.hmac(parts)]);
        assert_eq!(both.hmac_bytes(parts).last(), only.hmac_bytes(parts).first());
    }
}
