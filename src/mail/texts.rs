//! Texts of mails, as one set of templates per language. A new language needs a folder of templates and a variant of
//! [`Language`].

use askama::Template;
use entity::MailKind;

use crate::domain::accounts::mail_messages::MailMessage;

/// Language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English: `templates/en`.
    English,
}

/// Texts of one mail.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "en/subject.txt", config = "src/mail/askama.toml")]
struct EnglishSubject<'a> {
    message: &'a MailMessage,
}

#[derive(Template)]
#[template(path = "en/body.txt", config = "src/mail/askama.toml")]
struct EnglishPlain<'a> {
    message: &'a MailMessage,
}

#[derive(Template)]
#[template(path = "en/body.html", config = "src/mail/askama.toml")]
struct EnglishHtml<'a> {
    message: &'a MailMessage,
}

impl Language {
    /// Returns the language with this tag (RFC 5646).
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        (tag == "en").then_some(Self::English)
    }

    /// Renders the texts of a mail.
    pub(super) fn render(self, message: &MailMessage) -> askama::Result<Texts> {
        match self {
            Self::English => Ok(Texts {
                subject: EnglishSubject { message }.render()?,
                plain: EnglishPlain { message }.render()?,
                html: EnglishHtml { message }.render()?,
            }),
        }
    }
}
