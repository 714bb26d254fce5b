//! Actor: the account, session and role of a valid access token.

use entity::Role;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Signed-in user who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Id of the account.
    pub user_id: Uuid,
    /// Id of the session, from the `sid` claim of the access token.
    pub session_id: Uuid,
    /// Role when the token was issued. A change of the role ends the session.
    pub role: Role,
}

impl Actor {
    /// Whether the actor may list and review the vaccine requests of all users.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.role >= Role::Staff
    }

    /// Checks that the role of the actor is `role` or higher.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] if the role is lower.
    pub fn require(&self, role: Role) -> Result<()> {
        if self.role >= role { Ok(()) } else { Err(Error::Forbidden(role)) }
    }
}
