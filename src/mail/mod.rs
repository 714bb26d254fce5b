//! Mail: from a letter to a message, and from here to a mail server or a folder. [`courier`] carries what waits in the
//! outbox.

pub mod courier;
mod smtp;
mod texts;

use std::path::PathBuf;

use entity::outbox;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use crate::domain::accounts::mail_messages::Letter;
use smtp::Route;
pub use smtp::{Server, SmtpTls};
pub use texts::Language;

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    language: Language,
}

#[derive(Clone, Debug)]
enum Transport {
    File(PathBuf),
    Smtp(Route),
}

/// Why mail cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// `mail.from`
    #[error("mail.from is not of the form name <address>")]
    From,
    /// `mail.language`
    #[error("mail.language: there are no texts in this language")]
    Language,
    /// TLS.
    #[error("the TLS settings for the mail server do not work: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// Why a mail was not sent. Servers tend to repeat the address in their answers, so nothing of them is kept but the code.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server will not take this mail, now or later.
    #[error("the mail server refuses it for good ({0})")]
    Refused(u16),
    /// It may be taken later.
    #[error("the mail server says {0}")]
    NotNow(u16),
    /// Nobody answers, or not as a mail server does.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(&'static str),
    /// No message can be made of it.
    #[error("the mail cannot be written: {0}")]
    Unwritable(String),
    /// The folder.
    #[error("the mail cannot be put into the folder: {0}")]
    Folder(std::io::Error),
}

impl SendError {
    /// Whether trying again is useless.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unwritable(_))
    }

    /// Whether other mails would fare no better at the moment.
    #[must_use]
    pub fn is_general(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Folder(_))
    }
}

impl Mailer {
    /// Puts mails into a folder, each a file.
    ///
    /// # Errors
    /// Tells which setting does not work.
    pub fn file(folder: PathBuf, from: &str, language: &str) -> Result<Self, MailError> {
        Self::new(Transport::File(folder), from, language)
    }

    /// Sends mails to a server.
    ///
    /// # Errors
    /// Tells which setting does not work.
    pub fn smtp(server: Server, from: &str, language: &str) -> Result<Self, MailError> {
        Self::new(Transport::Smtp(Route::to(server).map_err(MailError::Tls)?), from, language)
    }

    fn new(transport: Transport, from: &str, language: &str) -> Result<Self, MailError> {
        let from = from.parse().map_err(|_| MailError::From)?;
        let language = Language::find(language).ok_or(MailError::Language)?;
        Ok(Self { transport, from, language })
    }

    /// Sends a letter for a mail in the outbox.
    ///
    /// # Errors
    /// Tells whether trying again may help.
    pub async fn send(&self, mail: &outbox::Model, letter: &Letter) -> Result<(), SendError> {
        let message = self.message(mail, letter)?;
        match &self.transport {
            Transport::File(folder) => put(folder.clone(), mail, message).await.map_err(SendError::Folder),
            Transport::Smtp(route) => route.send(&message).await,
        }
    }

    fn message(&self, mail: &outbox::Model, letter: &Letter) -> Result<Message, SendError> {
        let unwritable = |error: &dyn std::fmt::Display| SendError::Unwritable(error.to_string());
        // Not the error itself, which may show the address.
        let address = letter.recipient.parse().map_err(|_| unwritable(&"the address"))?;
        let texts = self.language.write(letter).map_err(|error| unwritable(&error))?;
        let is_automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        // A retry brings another code, so it must not pass for the same message.
        let id = format!("<{}.{}@{}>", mail.id.simple(), mail.attempts, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(letter.name.as_deref().map(one_line), address))
            .subject(texts.subject)
            .message_id(Some(id))
            .raw_header(HeaderValue::new(is_automatic, "auto-generated".to_owned()))
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, texts.plain)?)
                    .singlepart(part(ContentType::TEXT_HTML, texts.html)?),
            )
            .map_err(|error| unwritable(&error))
    }
}

/// Text for a header. Names that were imported may hold anything.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ").trim().to_owned()
}

/// Always in one encoding, in which digits stay legible.
fn part(kind: ContentType, text: String) -> Result<SinglePart, SendError> {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable);
    let body = body.map_err(|_| SendError::Unwritable("its encoding".to_owned()))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

/// Writes a file whole before it gets its name, which is the mail's: put there twice, it is there once.
async fn put(folder: PathBuf, mail: &outbox::Model, message: Message) -> std::io::Result<()> {
    let id = mail.id;
    let write = move || {
        std::fs::create_dir_all(&folder)?;
        let unnamed = folder.join(format!(".{id}.tmp"));
        std::fs::write(&unnamed, message.formatted())?;
        std::fs::rename(&unnamed, folder.join(format!("{id}.eml")))
    };
    tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other)?
}
