//! UIDs of contacts (RFC 6350 §6.7.6): a contact keeps the one that it came with, by which it is recognised in another file.

use std::borrow::Cow;

use entity::contacts::Model;
use uuid::Uuid;

use crate::domain::values::text::Line;

/// A UID of a card.
pub type Uid = Line<255>;

/// The scheme of the UIDs of contacts that were created here.
const SCHEME: &str = "urn:uuid:";

/// The UID of a contact.
#[must_use]
pub fn of(contact: &Model) -> Cow<'_, str> {
    contact.uid.as_deref().map_or_else(|| Cow::Owned(format!("{SCHEME}{}", contact.id)), Cow::Borrowed)
}

/// The contact that a UID of this service names.
pub(super) fn contact_id(uid: &str) -> Option<Uuid> {
    Uuid::try_parse(uid.strip_prefix(SCHEME)?).ok()
}
