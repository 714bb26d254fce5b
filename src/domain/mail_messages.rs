//! Mail messages: the content of a mail of the outbox, decided when it is sent. The wings know what their mails say.

use entity::{MailKind, outbox};
use sea_orm::ConnectionTrait;

pub use crate::domain::accounts::mail_messages::Outcome;
use crate::domain::accounts::mail_messages::{self as accounts, Message};
use crate::domain::auth::codes::Code;
use crate::domain::auth::context::Auth;
use crate::domain::vaccination::invitation_messages::{self, Invitation};
use crate::domain::vaccination::mail_messages::{self as appointments, Appointment};
use crate::error::Result;

/// A mail with the data for its text.
pub type MailMessage = Message<Content>;

/// What a mail is about.
#[derive(Clone, Debug)]
pub enum Content {
    /// An account; with a code, if the mail has one.
    Account(Option<Code>),
    /// A booking or an offer.
    Appointment(Box<Appointment>),
    /// An invitation.
    Invitation(Box<Invitation>),
}

impl Content {
    /// Whether it is about a slot that is closed.
    #[must_use]
    pub fn is_of_closed_slot(&self) -> bool {
        matches!(self, Self::Appointment(appointment) if appointment.is_closed)
    }
}

/// Prepares a mail.
///
/// # Errors
/// Database errors.
pub async fn prepare(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Outcome<Content>> {
    match mail.kind {
        MailKind::VerifyEmail
        | MailKind::ChangeEmail
        | MailKind::EmailChangeAsked
        | MailKind::EmailChanged
        | MailKind::ResetPassword
        | MailKind::PasswordChanged
        | MailKind::AlreadyRegistered
        | MailKind::AccountDeleted => Ok(accounts::prepare(db, auth, mail).await?.map(Content::Account)),
        MailKind::Booked
        | MailKind::Moved
        | MailKind::Unbooked
        | MailKind::Closed
        | MailKind::Offer
        | MailKind::OfferOver
        | MailKind::Reminder => Ok(appointments::prepare(db, auth, mail).await?.map(Content::Appointment)),
        MailKind::Invitation => Ok(invitation_messages::prepare(db, auth, mail).await?.map(Content::Invitation)),
    }
}
