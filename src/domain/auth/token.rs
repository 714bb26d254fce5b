//! The token pair: what an access token and a refresh token say, how they are made, and when one is believed.
//!
//! Access tokens have the shape of RFC 9068. A pair is a pure function of the session's row, the role and the key, so
//! the answer to a repeated refresh is the same pair again and nothing secret needs to be stored.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use entity::{Role, refresh_tokens};
use jsonwebtoken::crypto::verify;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::auth::keys::{Key, KeyError, Keyring};
use crate::domain::values::actor::Actor;
use crate::domain::values::value::{Shape, Value};
use crate::error::{Error, Result, Violation};

/// No token of ours is longer; anything that is gets refused unread.
const MAX_BYTES: usize = 4096;

/// How long tokens live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// An access token.
    pub access: Duration,
    /// A session in which nothing is refreshed.
    pub idle: Duration,
    /// A session, whatever happens.
    pub absolute: Duration,
    /// After a refresh: how long the old refresh token still gets the same answer.
    pub grace: Duration,
}

/// An access token and the refresh token for the next one.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// JWT, `typ: at+jwt`.
    pub access_token: String,
    /// When the access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// JWT, `typ: rt+jwt`.
    pub refresh_token: String,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair(…)")
    }
}

/// A token as a client presents it, not yet verified.
pub struct PresentedToken(String);

impl PresentedToken {
    /// The text of the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for PresentedToken {
    const SHAPE: Shape = Shape::Text { min: 0, max: None, format: None, pattern: None };

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresentedToken(…)")
    }
}

/// What an access token says of its bearer.
#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    sub: Uuid,
    sid: Uuid,
    role: Role,
    iat: i64,
    exp: i64,
    jti: String,
}

/// What a refresh token says of its session.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// The account.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// Which refresh token of the session's chain this is.
    pub generation: i32,
    /// When the session was opened, in seconds.
    pub auth_time: i64,
    iat: i64,
    exp: i64,
}

/// Claims with who made them and for whom.
#[derive(Serialize)]
struct Addressed<'a, C> {
    #[serde(flatten)]
    address: Address<'a>,
    #[serde(flatten)]
    claims: C,
}

#[derive(Serialize, Deserialize)]
struct Address<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
}

/// How one key makes and checks one kind of token.
#[derive(Debug)]
struct Stamp {
    header: Header,
    /// The encoded header of every such token, dot included. No other header is even parsed, so nothing that a token
    /// says of itself (`alg`, `kid`, `jku`, `crit`, …) is ever acted upon.
    prefix: String,
    verifying: DecodingKey,
}

/// Makes and checks tokens.
#[derive(Debug)]
pub struct Tokens {
    keys: Keyring,
    signing: EncodingKey,
    issuer: String,
    audience: String,
    lifetimes: Lifetimes,
    access: Vec<Stamp>,
    refresh: Vec<Stamp>,
}

impl Tokens {
    /// Tokens by `issuer` for `audience`. Refresh tokens are addressed to the issuer itself.
    ///
    /// # Errors
    /// Fails when the first key cannot sign.
    pub fn new(
        keys: Keyring,
        issuer: String,
        audience: String,
        lifetimes: Lifetimes,
    ) -> std::result::Result<Self, KeyError> {
        let signing = keys.iter().next().and_then(|key| key.signing.clone()).ok_or(KeyError::CannotSign)?;
        let stamps = |kind| keys.iter().map(|key| Stamp::new(key, kind)).collect();
        let (access, refresh) = (stamps("at+jwt"), stamps("rt+jwt"));
        Ok(Self { keys, signing, issuer, audience, lifetimes, access, refresh })
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// How long tokens live.
    #[must_use]
    pub fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    /// The pair that belongs to a session as it stands.
    ///
    /// # Errors
    /// Fails when the session has lost its account, or when signing fails.
    pub fn pair(&self, session: &refresh_tokens::Model, role: Role) -> Result<TokenPair> {
        let user_id = session.user_id.ok_or(Error::InvalidToken)?;
        let access_expires_at = (session.rotated_at + self.lifetimes.access).min(session.expires_at);
        let access = AccessClaims {
            sub: user_id,
            sid: session.id,
            role,
            iat: session.rotated_at.timestamp(),
            exp: access_expires_at.timestamp(),
            jti: format!("{}.{}", session.id.simple(), session.generation),
        };
        let refresh = RefreshClaims {
            sub: user_id,
            sid: session.id,
            generation: session.generation,
            auth_time: session.created_at.timestamp(),
            iat: session.rotated_at.timestamp(),
            exp: session.expires_at.timestamp(),
        };
        Ok(TokenPair {
            access_token: self.sign(&self.access, &self.audience, access)?,
            access_expires_at,
            refresh_token: self.sign(&self.refresh, &self.issuer, refresh)?,
            refresh_expires_at: session.expires_at,
        })
    }

    /// Who an access token was made for.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for anything but a token of ours that has not expired.
    pub fn verify_access(&self, token: &str, now: DateTime<Utc>) -> Result<Actor> {
        let claims: AccessClaims = self.open(&self.access, &self.audience, token)?;
        // Also by the lifetime of today: were it shortened, older tokens would outlive what is known of their sessions.
        let end = claims.exp.min(claims.iat + self.lifetimes.access.num_seconds());
        if end <= now.timestamp() {
            return Err(Error::InvalidToken);
        }
        Ok(Actor { user_id: claims.sub, session_id: claims.sid, role: claims.role })
    }

    /// What a refresh token says. Whether its session still goes on is for the database to tell.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for anything but a token of ours that has not expired.
    pub fn verify_refresh(&self, token: &str, now: DateTime<Utc>) -> Result<RefreshClaims> {
        let claims: RefreshClaims = self.open(&self.refresh, &self.issuer, token)?;
        if claims.exp <= now.timestamp() {
            return Err(Error::InvalidToken);
        }
        Ok(claims)
    }

    fn sign(&self, stamps: &[Stamp], audience: &str, claims: impl Serialize) -> Result<String> {
        let stamp = stamps.first().ok_or_else(|| Error::internal(KeyError::CannotSign))?;
        let address = Address { iss: self.issuer.as_str().into(), aud: audience.into() };
        let claims = Addressed { address, claims };
        encode(&stamp.header, &claims, &self.signing).map_err(Error::internal)
    }

    /// The claims of a token with one of these stamps, made by us for this audience.
    fn open<C: DeserializeOwned>(&self, stamps: &[Stamp], audience: &str, token: &str) -> Result<C> {
        if token.len() > MAX_BYTES {
            return Err(Error::InvalidToken);
        }
        let stamp = stamps.iter().find(|stamp| token.starts_with(&stamp.prefix)).ok_or(Error::InvalidToken)?;
        let (message, signature) = token.rsplit_once('.').ok_or(Error::InvalidToken)?;
        let payload = message.get(stamp.prefix.len()..).ok_or(Error::InvalidToken)?;
        if !verify(signature, message.as_bytes(), &stamp.verifying, stamp.header.alg).unwrap_or(false) {
            return Err(Error::InvalidToken);
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Error::InvalidToken)?;
        let address: Address<'_> = serde_json::from_slice(&payload).map_err(|_| Error::InvalidToken)?;
        if address.iss != self.issuer || address.aud != audience {
            return Err(Error::InvalidToken);
        }
        serde_json::from_slice(&payload).map_err(|_| Error::InvalidToken)
    }
}

impl Stamp {
    fn new(key: &Key, kind: &str) -> Self {
        let mut header = Header::new(key.algorithm);
        header.typ = Some(kind.to_owned());
        header.kid = Some(key.id.clone());
        Self { prefix: encoded(&header), header, verifying: key.verifying.clone() }
    }
}

fn encoded(header: &Header) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(header).unwrap_or_default()) + "."
}
