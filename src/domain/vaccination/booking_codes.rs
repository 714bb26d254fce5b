//! Booking codes: what people show at the centre.

use crate::error::{Error, Result};

/// Letters of codes (Crockford's Base32): none looks like another one.
pub(super) const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Number of characters of a booking code.
pub const LENGTH: usize = 8;

/// The booking code of random bytes.
#[must_use]
pub fn of(random: [u8; LENGTH]) -> String {
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
    random.into_iter().map(letter).map(char::from).collect()
}

/// A new booking code.
pub(super) fn new() -> Result<String> {
    let mut random = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no random bytes"))?;
    Ok(of(random))
}
