//! Codes of invitations: twelve letters and digits, 60 bits. A code is derived from the id of its invitation with a key,
//! so that it can be mailed later, although the database has only its keyed hash.

use std::fmt;

use entity::invitations;
use uuid::Uuid;

use crate::domain::auth::keys::Keyring;
use crate::domain::vaccination::booking_codes::{self, LETTERS};
use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Number of characters of a code.
const LENGTH: usize = 12;

/// Characters between two hyphens, where a code is shown.
const GROUP: usize = 4;

/// Regular expression of a code as it may be entered: Crockford's alphabet, and the letters that look like its digits.
const PATTERN: &str = r"^[\t\n\f\r -]*([0-9A-TV-Za-tv-z][\t\n\f\r -]*){12}$";

/// Code of an invitation, in upper case and without separators.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationCode(String);

impl InvitationCode {
    /// Parses a code as people enter it: letter case, spaces and hyphens do not matter, `O` is read as `0`, `I` and `L`
    /// as `1` (Crockford's Base32).
    ///
    /// # Errors
    /// A violation `code`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let refused = || Violation::of_value("code", "must be the 12 letters and digits of an invitation");
        booking_codes::read(raw, LENGTH).map(Self).ok_or_else(refused)
    }

    /// The code as it is shown: `7KX2-M9QD-4VTB`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }

    /// The code of the first bytes of an HMAC.
    fn derived(hmac: [u8; 32]) -> Self {
        let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        Self(hmac.into_iter().take(LENGTH).map(letter).map(char::from).collect())
    }
}

impl Value for InvitationCode {
    const SHAPE: Shape = Shape::Text { min: 0, max: None, format: None, pattern: Some(PATTERN) };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(…)")
    }
}

/// The code of a new invitation with this id, and its hash, by the first key on the ring.
#[must_use]
pub fn new(keys: &Keyring, id: Uuid) -> (InvitationCode, String) {
    let hmac = keys.hmac_bytes(&[b"invitation", id.as_bytes()]);
    let code = InvitationCode::derived(hmac.first().copied().unwrap_or_default());
    let hash = keys.hmac(&[b"invitation code", code.0.as_bytes()]);
    (code, hash)
}

/// The code of an invitation as it is shown; `None` if the key that derived it is no longer on the ring.
#[must_use]
pub fn of(keys: &Keyring, invitation: &invitations::Model) -> Option<String> {
    let hmacs = keys.hmac_bytes(&[b"invitation", invitation.id.as_bytes()]);
    let is_stored =
        |code: &InvitationCode| keys.is_hmac(&invitation.code_hash, &[b"invitation code", code.0.as_bytes()]);
    hmacs.into_iter().map(InvitationCode::derived).find(is_stored).map(|code| code.grouped())
}

/// The hashes of a code by every key on the ring. One of them is stored, if there is an invitation with this code.
#[must_use]
pub fn hashes(keys: &Keyring, code: &InvitationCode) -> Vec<String> {
    keys.hmac_texts(&[b"invitation code", code.0.as_bytes()])
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::domain::auth::keys::Key;

    const OLD: &str = "the old secret of 32 bytes or more";
    const NEW: &str = "the new secret of 32 bytes or more";

    fn ring(secrets: &[&str]) -> Keyring {
        Keyring::new(secrets.iter().map(|secret| Key::from_secret(secret.as_bytes(), None).unwrap()).collect()).unwrap()
    }

    fn invitation(id: Uuid, code_hash: String) -> invitations::Model {
        invitations::Model {
            id,
            code_hash,
            label: None,
            email: None,
            nid_key: None,
            course_id: Uuid::nil(),
            centre_id: None,
            valid_from: DateTime::<Utc>::UNIX_EPOCH,
            valid_until: DateTime::<Utc>::UNIX_EPOCH,
            max_uses: 1,
            used: 0,
            revoked_at: None,
            created_by: None,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_code_is_read_in_every_spelling() {
        let code = InvitationCode::parse("7KX2-M9QD-4V01").unwrap();
        assert_eq!(code.grouped(), "7KX2-M9QD-4V01");
        for spelling in ["7kx2m9qd4v01", " 7KX2 M9QD 4VO1\n", "7kx2-m9qd-4voi", "-7-K-X-2-M-9-Q-D-4-V-o-l-"] {
            assert!(InvitationCode::parse(spelling).unwrap() == code, "{spelling:?}");
        }
        for bad in ["", "7KX2-M9QD-4V0", "7KX2-M9QD-4V011", "7KX2-M9QD-4V0U", "7KX2-M9QD-4V0é", "7KX2_M9QD_4V01"] {
            assert_eq!(InvitationCode::parse(bad).unwrap_err().code, "code", "{bad:?}");
        }
    }

    #[test]
    fn a_code_can_be_derived_again_while_its_key_is_on_the_ring() {
        let id = Uuid::now_v7();
        let (code, hash) = new(&ring(&[OLD]), id);
        let stored = invitation(id, hash.clone());
        for keys in [ring(&[OLD]), ring(&[NEW, OLD]), ring(&[OLD, NEW])] {
            assert_eq!(of(&keys, &stored), Some(code.grouped()));
            assert!(hashes(&keys, &code).contains(&hash));
        }
        assert_eq!(of(&ring(&[NEW]), &stored), None);
        assert!(!hashes(&ring(&[NEW]), &code).contains(&hash));
        assert_eq!(of(&ring(&[OLD]), &invitation(Uuid::now_v7(), hash)), None);
    }

    #[test]
    fn a_code_is_not_printed() {
        let (code, _) = new(&ring(&[OLD]), Uuid::now_v7());
        assert_eq!(format!("{code:?}"), "InvitationCode(…)");
    }
}
