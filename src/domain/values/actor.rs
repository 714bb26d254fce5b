//! Who acts: the account, session and role behind a valid access token.

use entity::Role;
use uuid::Uuid;

use crate::error::{Error, Result};

/// The signed-in user of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub user_id: Uuid,
    /// The session, which is the `sid` claim.
    pub session_id: Uuid,
    /// The role at the time the token was made; a change of role ends the session.
    pub role: Role,
}

impl Actor {
    /// Whether the actor reviews requests and sees everybody's.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.role >= Role::Staff
    }

    /// Passes when the actor's role is `role` or above.
    ///
    /// # Errors
    /// [`Error::Forbidden`] otherwise.
    pub fn require(&self, role: Role) -> Result<()> {
        if self.role >= role { Ok(()) } else { Err(Error::Forbidden(role)) }
    }
}
