//! Token pair: issuing and verifying access tokens and refresh tokens.
//!
//! Access tokens follow RFC 9068. A pair is a pure function of the row of the session, the role and the key. So the
//! response to a repeated refresh is the same pair, and no secret needs to be stored.

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

/// Maximum size of a token. Longer ones are rejected before they are parsed.
const MAX_BYTES: usize = 4096;

/// Lifetimes of tokens and sessions.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Lifetime of an access token.
    pub access: Duration,
    /// Lifetime of a session without a refresh.
    pub idle: Duration,
    /// Lifetime of a session, however often it is refreshed.
    pub absolute: Duration,
    /// Grace period: time after a refresh in which the old refresh token gets the same response.
    pub grace: Duration,
    /// Time after a refresh in which the old refresh token gets the response again, if no token of it was seen.
    pub retry: Duration,
}

/// Access token, and the refresh token for the next pair.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// JWT, `typ: at+jwt`.
    pub access_token: String,
    /// Time of expiry of the access token.
    pub access_expires_at: DateTime<Utc>,
    /// JWT, `typ: rt+jwt`.
    pub refresh_token: String,
    /// Time of expiry of the refresh token.
    pub refresh_expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair(…)")
    }
}

/// Token that a client has presented, not yet verified.
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

/// Claims of an access token.
#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    sub: Uuid,
    sid: Uuid,
    role: Role,
    iat: i64,
    exp: i64,
    jti: String,
    /// Generation of the session. Tokens of earlier releases have none.
    #[serde(default, rename = "gen")]
    generation: Option<i32>,
}

/// A verified access token.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedAccess {
    /// Its user.
    pub actor: Actor,
    /// Generation of the session.
    pub generation: Option<i32>,
}

/// Claims of a refresh token.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Id of the account.
    pub sub: Uuid,
    /// Id of the session.
    pub sid: Uuid,
    /// Generation of the refresh token: number of refreshes of the session before it.
    pub generation: i32,
    /// Time of the login, in seconds since 1970.
    pub auth_time: i64,
    iat: i64,
    exp: i64,
}

/// Claims of a token with its issuer and audience.
#[derive(Serialize)]
struct SignedClaims<'a, C> {
    #[serde(flatten)]
    registered: Registered<'a>,
    #[serde(flatten)]
    claims: C,
}

#[derive(Serialize, Deserialize)]
struct Registered<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    /// Not written, but honoured: another holder of the key may issue tokens for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

/// Token profile: header and verification key of one kind of token, for one signing key.
#[derive(Debug)]
struct TokenProfile {
    header: Header,
    /// Encoded header of every such token, including the dot. Tokens with any other header are rejected without parsing
    /// it, so the header of a token (`alg`, `kid`, `jku`, `crit`, …) never has an effect.
    prefix: String,
    verifying: DecodingKey,
}

/// Issuer and verifier of tokens.
#[derive(Debug)]
pub struct Tokens {
    keys: Keyring,
    signing: EncodingKey,
    issuer: String,
    audience: String,
    lifetimes: Lifetimes,
    access: Vec<TokenProfile>,
    refresh: Vec<TokenProfile>,
}

impl Tokens {
    /// Creates an issuer and verifier. The audience of refresh tokens is the issuer itself.
    ///
    /// # Errors
    /// Returns an error if the first key cannot sign.
    pub fn new(
        keys: Keyring,
        issuer: String,
        audience: String,
        lifetimes: Lifetimes,
    ) -> std::result::Result<Self, KeyError> {
        let signing = keys.iter().next().and_then(|key| key.signing.clone()).ok_or(KeyError::CannotSign)?;
        let profiles = |kind| keys.iter().map(|key| TokenProfile::new(key, kind)).collect();
        let (access, refresh) = (profiles("at+jwt"), profiles("rt+jwt"));
        Ok(Self { keys, signing, issuer, audience, lifetimes, access, refresh })
    }

    /// Key ring.
    #[must_use]
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Lifetimes of tokens and sessions.
    #[must_use]
    pub fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    /// Issues the token pair for the current state of a session.
    ///
    /// # Errors
    /// Returns [`Error::InvalidToken`] if the session has no account any more, or an internal error if signing fails.
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
            generation: Some(session.generation),
        };
        let refresh = RefreshClaims {
            sub: user_id,
            sid: session.id,
            generation: session.generation,
            auth_time: session.created_at.timestamp(),
            // The same token, if the pair is given out again after a lost answer.
            iat: session.generation_at.unwrap_or(session.rotated_at).timestamp(),
            exp: session.expires_at.timestamp(),
        };
        Ok(TokenPair {
            access_token: self.sign(&self.access, &self.audience, access)?,
            access_expires_at,
            refresh_token: self.sign(&self.refresh, &self.issuer, refresh)?,
            refresh_expires_at: session.expires_at,
        })
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// Returns [`Error::InvalidToken`] if the token is malformed, expired, of another kind, or was not issued here.
    pub fn verify_access(&self, token: &str, now: DateTime<Utc>) -> Result<VerifiedAccess> {
        let claims: AccessClaims = self.verify_claims(&self.access, &self.audience, token, now)?;
        // The configured lifetime applies too: if it was shortened, older tokens must not outlive the list of
        // revocations.
        let end = claims.exp.min(claims.iat + self.lifetimes.access.num_seconds());
        if end <= now.timestamp() {
            return Err(Error::InvalidToken);
        }
        let actor = Actor { user_id: claims.sub, session_id: claims.sid, role: claims.role };
        Ok(VerifiedAccess { actor, generation: claims.generation })
    }

    /// Verifies a refresh token. Returns its claims. Whether its session is active is checked in the database.
    ///
    /// # Errors
    /// Returns [`Error::InvalidToken`] if the token is malformed, expired, of another kind, or was not issued here.
    pub fn verify_refresh(&self, token: &str, now: DateTime<Utc>) -> Result<RefreshClaims> {
        let claims: RefreshClaims = self.verify_claims(&self.refresh, &self.issuer, token, now)?;
        if claims.exp <= now.timestamp() {
            return Err(Error::InvalidToken);
        }
        Ok(claims)
    }

    /// The ids of account and session of a token of either kind, expired or not, for its revocation (RFC 7009). None if
    /// the token was not issued here.
    #[must_use]
    pub fn session_of(&self, token: &str, now: DateTime<Utc>) -> Option<(Uuid, Uuid)> {
        let of_refresh = self.verify_claims(&self.refresh, &self.issuer, token, now);
        let of_refresh = of_refresh.map(|claims: RefreshClaims| (claims.sub, claims.sid));
        let of_access = || self.verify_claims(&self.access, &self.audience, token, now);
        of_refresh.or_else(|_| of_access().map(|claims: AccessClaims| (claims.sub, claims.sid))).ok()
    }

    fn sign(&self, profiles: &[TokenProfile], audience: &str, claims: impl Serialize) -> Result<String> {
        let profile = profiles.first().ok_or_else(|| Error::internal(KeyError::CannotSign))?;
        let registered = Registered { iss: self.issuer.as_str().into(), aud: audience.into(), nbf: None };
        let claims = SignedClaims { registered, claims };
        encode(&profile.header, &claims, &self.signing).map_err(Error::internal)
    }

    /// Verifies the header, signature, issuer and audience of a token. Returns its claims.
    fn verify_claims<C: DeserializeOwned>(
        &self,
        profiles: &[TokenProfile],
        audience: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<C> {
        if token.len() > MAX_BYTES {
            return Err(Error::InvalidToken);
        }
        let profile = profiles.iter().find(|profile| token.starts_with(&profile.prefix)).ok_or(Error::InvalidToken)?;
        let (message, signature) = token.rsplit_once('.').ok_or(Error::InvalidToken)?;
        let payload = message.get(profile.prefix.len()..).ok_or(Error::InvalidToken)?;
        if !verify(signature, message.as_bytes(), &profile.verifying, profile.header.alg).unwrap_or(false) {
            return Err(Error::InvalidToken);
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Error::InvalidToken)?;
        let registered: Registered<'_> = serde_json::from_slice(&payload).map_err(|_| Error::InvalidToken)?;
        let is_early = registered.nbf.is_some_and(|nbf| nbf > now.timestamp());
        if registered.iss != self.issuer || registered.aud != audience || is_early {
            return Err(Error::InvalidToken);
        }
        serde_json::from_slice(&payload).map_err(|_| Error::InvalidToken)
    }
}

impl TokenProfile {
    fn new(key: &Key, kind: &str) -> Self {
        let mut header = Header::new(key.algorithm);
        header.typ = Some(kind.to_owned());
        header.kid = Some(key.id.clone());
        Self { prefix: encode_header(&header), header, verifying: key.verifying.clone() }
    }
}

fn encode_header(header: &Header) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(header).unwrap_or_default()) + "."
}
