//! The caller of an operation: who acts, and from where.

use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;

/// The signed-in user of a request, and its client.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Account, session and role.
    pub actor: Actor,
    /// User agent and address.
    pub client: Client,
}
