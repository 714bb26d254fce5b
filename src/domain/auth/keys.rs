//! The keys that sign and verify tokens. The algorithm follows from the key; what a token says of itself is not asked.

use aws_lc_rs::hmac;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// The fewest bytes of an HMAC secret: the length of the hash (RFC 7518 §3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// The fewest bits of an RSA modulus (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// What makes a file PEM, wherever in it.
const PEM_MARK: &[u8] = b"-----BEGIN";

/// One key. A public key can only verify: it serves out the tokens of a key that was taken out of use.
pub struct Key {
    pub(in crate::domain) id: String,
    pub(in crate::domain) algorithm: Algorithm,
    pub(in crate::domain) signing: Option<EncodingKey>,
    pub(in crate::domain) verifying: DecodingKey,
    public: Option<Jwk>,
    /// For hashes that only those who hold the signing key can make.
    pub(in crate::domain) hashing: Option<hmac::Key>,
}

/// Why a key cannot be used. Never holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Too little to guess.
    #[error("an HMAC secret needs at least {MIN_SECRET_BYTES} bytes")]
    SecretTooShort,
    /// What may be known to everybody is no secret.
    #[error("an HMAC secret must not be a key in PEM, JWK or SSH form")]
    LooksPublic,
    /// RSA, but too weak.
    #[error("an RSA key needs at least {MIN_RSA_BITS} bits")]
    RsaTooSmall,
    /// Neither PEM with an Ed25519 or RSA key, nor text.
    #[error("the file holds neither an Ed25519 nor an RSA key in PEM (PKCS#8, PKCS#1 or SPKI), nor a printable secret")]
    Unsupported,
    /// Two keys with one name.
    #[error("the key id {0} is used twice")]
    DuplicateId(String),
    /// No key that signs.
    #[error("the first key must be able to sign: a secret or a private key")]
    CannotSign,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Key {
    /// An HS256 key.
    ///
    /// # Errors
    /// Refuses fewer than [`MIN_SECRET_BYTES`].
    pub fn from_secret(secret: &[u8], id: Option<String>) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::SecretTooShort);
        }
        let starts = [&b"{"[..], b"ssh-", b"ecdsa-"].iter().any(|start| secret.starts_with(start));
        if starts || contains_pem(secret) {
            return Err(KeyError::LooksPublic);
        }
        let signing = EncodingKey::from_secret(secret);
        let jwk = Jwk::from_encoding_key(&signing, Algorithm::HS256).map_err(|_| KeyError::Unsupported)?;
        let id = named(id, &jwk)?;
        let verifying = DecodingKey::from_secret(secret);
        let hashing = Some(hashing_key(secret));
        Ok(Self { id, algorithm: Algorithm::HS256, signing: Some(signing), verifying, public: None, hashing })
    }

    /// The key in a file: PEM with an Ed25519 (EdDSA) or RSA (RS256) key, private or public; printable text
    /// is an HMAC secret (HS256), less white space around it. Without `id` the key is named by its JWK thumbprint
    /// (RFC 7638).
    ///
    /// # Errors
    /// Tells what is wrong with the key.
    pub fn from_file(content: &[u8], id: Option<String>) -> Result<Self, KeyError> {
        if !contains_pem(content) {
            // Anything else, such as DER, may be a public key, which as a secret would be none.
            let secret = content.trim_ascii();
            let printable = secret.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            return if printable { Self::from_secret(secret, id) } else { Err(KeyError::Unsupported) };
        }
        let (algorithm, signing, jwk) = read_pem(content)?;
        let verifying = DecodingKey::from_jwk(&jwk).map_err(|_| KeyError::Unsupported)?;
        let id = named(id, &jwk)?;
        let mut public = jwk;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let hashing = signing.is_some().then(|| hashing_key(content.trim_ascii()));
        Ok(Self { id, algorithm, signing, verifying, public: Some(public), hashing })
    }
}

/// A key of its own, so that no hash is ever a signature.
fn hashing_key(secret: &[u8]) -> hmac::Key {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"care4u keyed hashes");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

fn contains_pem(content: &[u8]) -> bool {
    content.windows(PEM_MARK.len()).any(|window| window == PEM_MARK)
}

fn named(id: Option<String>, jwk: &Jwk) -> Result<String, KeyError> {
    id.map_or_else(|| jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyError::Unsupported), Ok)
}

/// The algorithm, the private key if there is one, and the public one.
fn read_pem(pem: &[u8]) -> Result<(Algorithm, Option<EncodingKey>, Jwk), KeyError> {
    for algorithm in [Algorithm::EdDSA, Algorithm::RS256] {
        let (private, public) = match algorithm {
            Algorithm::EdDSA => (EncodingKey::from_ed_pem(pem), DecodingKey::from_ed_pem(pem)),
            _ => (EncodingKey::from_rsa_pem(pem), DecodingKey::from_rsa_pem(pem)),
        };
        let private = private.ok().and_then(|key| Some((Jwk::from_encoding_key(&key, algorithm).ok()?, key)));
        let found = match private {
            Some((jwk, key)) => Some((Some(key), jwk)),
            None => public.ok().and_then(|key| Some((None, Jwk::from_decoding_key(&key, Some(algorithm)).ok()?))),
        };
        if let Some((signing, jwk)) = found {
            if algorithm == Algorithm::RS256 && rsa_bits(&jwk) < MIN_RSA_BITS {
                return Err(KeyError::RsaTooSmall);
            }
            return Ok((algorithm, signing, jwk));
        }
    }
    Err(KeyError::Unsupported)
}

fn rsa_bits(jwk: &Jwk) -> usize {
    use base64::Engine as _;
    let jsonwebtoken::jwk::AlgorithmParameters::RSA(parameters) = &jwk.algorithm else { return 0 };
    let modulus = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&parameters.n).unwrap_or_default();
    modulus.iter().position(|byte| *byte != 0).map_or(0, |zeros| (modulus.len() - zeros) * 8)
}

/// All keys: the first signs, each verifies what it signed.
#[derive(Debug)]
pub struct Keyring(Vec<Key>);

impl Keyring {
    /// Puts keys on a ring, the one that signs first.
    ///
    /// # Errors
    /// Refuses an empty ring, a first key that cannot sign, and two keys of one name.
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        if keys.first().is_none_or(|key| key.signing.is_none()) {
            return Err(KeyError::CannotSign);
        }
        for (position, key) in keys.iter().enumerate() {
            if keys.iter().take(position).any(|other| other.id == key.id) {
                return Err(KeyError::DuplicateId(key.id.clone()));
            }
        }
        Ok(Self(keys))
    }

    /// The keys, the one that signs first.
    pub fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.0.iter()
    }

    /// The public keys as a JWK set (RFC 7517 §5), or nothing when every key is a shared secret.
    #[must_use]
    pub fn public(&self) -> Option<JwkSet> {
        let keys: Vec<_> = self.iter().filter_map(|key| key.public.clone()).collect();
        (!keys.is_empty()).then_some(JwkSet { keys })
    }
}
