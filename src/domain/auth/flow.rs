//! Flow: a secret of the client that requests a password reset. It is returned for every address alike, and the code
//! that is mailed belongs to it.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::{Error, Result, Violation};

/// Random bytes of a flow. 256 bits cannot be guessed, so a plain SHA-256 hash without a key is safe.
const BYTES: usize = 32;

/// Flow in plain text. Only its hash is stored.
#[derive(Clone)]
pub struct Flow(String);

impl Flow {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Generates a flow.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system has no randomness.
    pub fn generate() -> Result<Self> {
        let mut random = [0; BYTES];
        getrandom::fill(&mut random).map_err(Error::internal)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(random)))
    }

    /// The flow, for the client.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The hash, to be stored.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.as_bytes()))
    }
}

impl Value for Flow {
    const SHAPE: Shape = Shape::text(1, Self::MAX_CHARS);

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::of_value("length", "must not be empty"));
        }
        at_most(text, Self::MAX_CHARS)?;
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flow(…)")
    }
}
