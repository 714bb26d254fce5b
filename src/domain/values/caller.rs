//! Caller of an operation: the actor and the client.

use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;

/// Signed-in user who makes a request, and the client that sends it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Account, session and role.
    pub actor: Actor,
    /// User agent and address.
    pub client: Client,
}
