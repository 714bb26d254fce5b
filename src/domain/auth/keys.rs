//! Signing keys of tokens. The algorithm is determined by the key, never by the header of a token.

use aws_lc_rs::hmac;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// Minimum size of an HMAC secret in bytes: the size of the hash (RFC 7518 §3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// Minimum size of an RSA modulus in bits (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// Marker of a PEM file, which may be anywhere in it.
const PEM_MARKER: &[u8] = b"-----BEGIN";

/// Key that signs and verifies tokens. A public key only verifies: the remaining tokens of a key that was replaced.
pub struct Key {
    pub(in crate::domain) id: String,
    pub(in crate::domain) algorithm: Algorithm,
    pub(in crate::domain) signing: Option<EncodingKey>,
    pub(in crate::domain) verifying: DecodingKey,
    public: Option<Jwk>,
    /// Key of HMACs, derived from the private key or the secret.
    pub(in crate::domain) hmac: Option<hmac::Key>,
}

/// Reason why a key cannot be used. Never contains any part of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The secret is short enough to be guessed.
    #[error("an HMAC secret needs at least {MIN_SECRET_BYTES} bytes")]
    SecretTooShort,
    /// The secret looks like a public key, which an attacker may know.
    #[error("an HMAC secret must not be a key in PEM, JWK or SSH form")]
    LooksPublic,
    /// The RSA key is too weak.
    #[error("an RSA key needs at least {MIN_RSA_BITS} bits")]
    RsaTooSmall,
    /// The file contains neither PEM with an Ed25519 or RSA key, nor text.
    #[error("the file holds neither an Ed25519 nor an RSA key in PEM (PKCS#8, PKCS#1 or SPKI), nor a printable secret")]
    Unsupported,
    /// Two keys have the same id.
    #[error("the key id {0} is used twice")]
    DuplicateId(String),
    /// The first key cannot sign.
    #[error("the first key must be able to sign: a secret or a private key")]
    CannotSign,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Key {
    /// Creates an HS256 key.
    ///
    /// # Errors
    /// Returns an error if the secret has fewer than [`MIN_SECRET_BYTES`], or looks like a public key.
    pub fn from_secret(secret: &[u8], id: Option<String>) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::SecretTooShort);
        }
        let is_public = [&b"{"[..], b"ssh-", b"ecdsa-"].iter().any(|start| secret.starts_with(start));
        if is_public || contains_pem(secret) {
            return Err(KeyError::LooksPublic);
        }
        let signing = EncodingKey::from_secret(secret);
        let jwk = Jwk::from_encoding_key(&signing, Algorithm::HS256).map_err(|_| KeyError::Unsupported)?;
        let id = key_id(id, &jwk)?;
        let verifying = DecodingKey::from_secret(secret);
        let hmac = Some(hmac_key(secret));
        Ok(Self { id, algorithm: Algorithm::HS256, signing: Some(signing), verifying, public: None, hmac })
    }

    /// Reads the key in a file: PEM with an Ed25519 (EdDSA) or RSA (RS256) key, private or public. Printable text
    /// is an HMAC secret (HS256), without the white space around it. Without `id`, the id is the JWK thumbprint
    /// (RFC 7638).
    ///
    /// # Errors
    /// Returns the reason why the key cannot be used.
    pub fn from_file(content: &[u8], id: Option<String>) -> Result<Self, KeyError> {
        if !contains_pem(content) {
            // Anything else, such as DER, may be a public key, which must not be used as a secret.
            let secret = content.trim_ascii();
            let printable = secret.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            return if printable { Self::from_secret(secret, id) } else { Err(KeyError::Unsupported) };
        }
        let (algorithm, signing, jwk) = read_pem(content)?;
        let verifying = DecodingKey::from_jwk(&jwk).map_err(|_| KeyError::Unsupported)?;
        let id = key_id(id, &jwk)?;
        let mut public = jwk;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let hmac = signing.is_some().then(|| hmac_key(content.trim_ascii()));
        Ok(Self { id, algorithm, signing, verifying, public: Some(public), hmac })
    }
}

/// Derives the HMAC key. It differs from the signing key, so that no HMAC is a valid signature.
fn hmac_key(secret: &[u8]) -> hmac::Key {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"care4u keyed hashes");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

fn contains_pem(content: &[u8]) -> bool {
    content.windows(PEM_MARKER.len()).any(|window| window == PEM_MARKER)
}

fn key_id(id: Option<String>, jwk: &Jwk) -> Result<String, KeyError> {
    id.map_or_else(|| jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyError::Unsupported), Ok)
}

/// Reads the algorithm, the private key if there is one, and the public key.
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

/// All keys. The first one signs; each verifies the tokens that it has signed.
#[derive(Debug)]
pub struct Keyring(Vec<Key>);

impl Keyring {
    /// Creates a key ring. The first key signs.
    ///
    /// # Errors
    /// Returns an error if there is no key, if the first one cannot sign, or if two have the same id.
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

    /// The keys. The first one signs.
    pub fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.0.iter()
    }

    /// The public keys as a JWK set (RFC 7517 §5). Shared secrets are not in it.
    #[must_use]
    pub fn public(&self) -> JwkSet {
        JwkSet { keys: self.iter().filter_map(|key| key.public.clone()).collect() }
    }
}
