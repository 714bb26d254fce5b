//! Mail: builds messages and sends them to a mail server, or writes them into a folder. [`delivery_worker`] sends the
//! mails of the outbox.

pub mod delivery_worker;
mod english;
mod smtp;
mod texts;

use std::path::PathBuf;

use entity::outbox;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};

use crate::domain::mail_messages::{Content, MailMessage};
use crate::domain::vaccination::appointment_calendar::{self, Method};
use smtp::SmtpClient;
pub use smtp::{Server, SmtpTls};
pub use texts::Language;

/// Mailer: renders and sends mails.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    language: Language,
}

#[derive(Clone, Debug)]
enum Transport {
    File(PathBuf),
    Smtp(SmtpClient),
}

/// Error in the mail settings.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// `mail.from` is not a mailbox.
    #[error("mail.from must have the form name <address>")]
    From,
    /// `mail.language` is not supported.
    #[error("mail.language is not supported; there are no texts in this language")]
    Language,
    /// The TLS settings are not valid.
    #[error("the TLS settings of the mail server are not valid: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// Error of sending a mail. Of the server's response only the code is kept, because servers often repeat the address.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server rejects the recipient permanently.
    #[error("the mail server rejected the recipient permanently ({0})")]
    Rejected(u16),
    /// The server did not accept the mail; a retry may succeed.
    #[error("the mail server responded {0}")]
    NotAccepted(u16),
    /// The server cannot be reached, or does not respond as a mail server.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(&'static str),
    /// The message cannot be built.
    #[error("the message cannot be built: {0}")]
    InvalidMessage(String),
    /// The file cannot be written.
    #[error("the mail cannot be written into the folder: {0}")]
    Folder(std::io::Error),
}

impl SendError {
    /// Whether a retry is useless.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::InvalidMessage(_))
    }

    /// Whether all other mails would fail too at the moment.
    #[must_use]
    pub fn affects_all_mails(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Folder(_))
    }
}

impl Mailer {
    /// Creates a mailer that writes each mail into a file of a folder.
    ///
    /// # Errors
    /// Returns a [`MailError`], which names the invalid setting.
    pub fn file(folder: PathBuf, from: &str, language: &str) -> Result<Self, MailError> {
        Self::new(Transport::File(folder), from, language)
    }

    /// Creates a mailer that sends mails to a mail server.
    ///
    /// # Errors
    /// Returns a [`MailError`], which names the invalid setting.
    pub fn smtp(server: Server, from: &str, language: &str) -> Result<Self, MailError> {
        Self::new(Transport::Smtp(SmtpClient::new(server).map_err(MailError::Tls)?), from, language)
    }

    fn new(transport: Transport, from: &str, language: &str) -> Result<Self, MailError> {
        let from = from.parse().map_err(|_| MailError::From)?;
        let language = Language::find(language).ok_or(MailError::Language)?;
        Ok(Self { transport, from, language })
    }

    /// Sends a mail of the outbox, with the content in `message`.
    ///
    /// # Errors
    /// Returns a [`SendError`], which tells whether a retry may succeed.
    pub async fn send(&self, mail: &outbox::Model, message: &MailMessage) -> Result<(), SendError> {
        let message = self.message(mail, message)?;
        match &self.transport {
            Transport::File(folder) => write_file(folder.clone(), mail, message).await.map_err(SendError::Folder),
            Transport::Smtp(client) => client.send(&message).await,
        }
    }

    fn message(&self, mail: &outbox::Model, message: &MailMessage) -> Result<Message, SendError> {
        let invalid = |error: &dyn std::fmt::Display| SendError::InvalidMessage(error.to_string());
        // Not the error itself, which may contain the address.
        let address = message.recipient.parse().map_err(|_| invalid(&"the address"))?;
        let texts = self.language.render(message).map_err(|error| invalid(&error))?;
        let auto_submitted = HeaderName::new_from_ascii_str("Auto-Submitted");
        // A retry has a new code, so it must not have the Message-ID of the mail before: that could count as a
        // duplicate.
        let id = format!("<{}.{}@{}>", mail.id.simple(), mail.attempts, self.from.email.domain());
        let alternative = MultiPart::alternative()
            .singlepart(body_part(ContentType::TEXT_PLAIN, texts.plain)?)
            .singlepart(body_part(ContentType::TEXT_HTML, texts.html)?);
        let body = match self.calendar_part(message)? {
            Some(calendar) => MultiPart::mixed().multipart(alternative).singlepart(calendar),
            None => alternative,
        };
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(message.name.as_deref().map(one_line), address))
            .subject(texts.subject)
            .message_id(Some(id))
            .raw_header(HeaderValue::new(auto_submitted, "auto-generated".to_owned()))
            .multipart(body)
            .map_err(|error| invalid(&error))
    }

    /// Builds the calendar of an appointment, as an attachment (RFC 6047 §2). Base64 keeps its line ends and its folding.
    fn calendar_part(&self, message: &MailMessage) -> Result<Option<SinglePart>, SendError> {
        let (Content::Appointment(appointment), Some(method)) = (&message.content, Method::of(message.kind)) else {
            return Ok(None);
        };
        let invalid = |_| SendError::InvalidMessage("the calendar".to_owned());
        let calendar = appointment_calendar::write(appointment, method, self.from.email.as_ref()).map_err(invalid)?;
        let kind = format!("text/calendar; charset=utf-8; method={}", method.as_str());
        let kind = ContentType::parse(&kind).map_err(|_| SendError::InvalidMessage("the content type".to_owned()))?;
        let body = encoded(calendar, ContentTransferEncoding::Base64)?;
        Ok(Some(Attachment::new("appointment.ics".to_owned()).body(body, kind)))
    }
}

/// Replaces control characters in a text for a header. Imported names may contain anything.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ").trim().to_owned()
}

/// Builds a part of the message. The encoding is always quoted-printable, which leaves the digits of codes readable.
fn body_part(kind: ContentType, text: String) -> Result<SinglePart, SendError> {
    Ok(SinglePart::builder().header(kind).body(encoded(text, ContentTransferEncoding::QuotedPrintable)?))
}

fn encoded(text: String, encoding: ContentTransferEncoding) -> Result<Body, SendError> {
    Body::new_with_encoding(text, encoding).map_err(|_| SendError::InvalidMessage("the encoding".to_owned()))
}

/// Writes a mail into a file. It is written under a temporary name and then renamed, so it is never partial. Its name
/// is the id of the mail, so a repeated delivery replaces it.
async fn write_file(folder: PathBuf, mail: &outbox::Model, message: Message) -> std::io::Result<()> {
    let id = mail.id;
    let write = move || {
        std::fs::create_dir_all(&folder)?;
        let temporary = folder.join(format!(".{id}.tmp"));
        std::fs::write(&temporary, message.formatted())?;
        std::fs::rename(&temporary, folder.join(format!("{id}.eml")))
    };
    tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other)?
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use chrono::{DateTime, Utc};
    use entity::MailKind;
    use uuid::Uuid;

    use super::*;
    use crate::domain::vaccination::mail_messages::tests::appointment;

    fn formatted(kind: MailKind) -> String {
        let mailer = Mailer::file(PathBuf::new(), "Clinic <clinic@example.net>", "en").unwrap();
        let row = outbox::Model {
            id: Uuid::nil(),
            kind,
            recipient: "ada@example.org".to_owned(),
            user_id: None,
            attempts: 1,
            due_at: None,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            flow_hash: None,
            object_id: None,
            slot_id: None,
        };
        let content = Content::Appointment(Box::new(appointment()));
        let message =
            MailMessage { kind, recipient: "ada@example.org".to_owned(), name: Some("Ada".to_owned()), content };
        String::from_utf8(mailer.message(&row, &message).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_calendar_is_attached_to_mails_about_bookings() {
        for (kind, method) in [
            (MailKind::Booked, Method::Publish),
            (MailKind::Moved, Method::Publish),
            (MailKind::Reminder, Method::Publish),
            (MailKind::Unbooked, Method::Cancel),
            (MailKind::Closed, Method::Cancel),
        ] {
            let mail = formatted(kind);
            let content_type = format!("Content-Type: text/calendar; charset=utf-8; method={}\r\n", method.as_str());
            for part in [
                "Content-Type: multipart/mixed;",
                "Content-Type: multipart/alternative;",
                content_type.as_str(),
                "Content-Disposition: attachment; filename=\"appointment.ics\"\r\n",
                "Content-Transfer-Encoding: base64\r\n",
            ] {
                assert!(mail.contains(part), "{kind:?}: no {part:?} in {mail}");
            }
            let part = mail.split("Content-Type: text/calendar").nth(1).unwrap();
            let (_, body) = part.split_once("\r\n\r\n").unwrap();
            let (body, _) = body.split_once("\r\n--").unwrap();
            let calendar = String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap();
            assert_eq!(calendar, appointment_calendar::write(&appointment(), method, "clinic@example.net").unwrap());
        }
    }

    #[test]
    fn mails_about_offers_have_no_calendar() {
        for kind in [MailKind::Offer, MailKind::OfferOver] {
            let mail = formatted(kind);
            assert!(mail.contains("Content-Type: multipart/alternative;"), "{mail}");
            assert!(!mail.contains("multipart/mixed") && !mail.contains("text/calendar"), "{mail}");
        }
    }
}
