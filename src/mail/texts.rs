//! The texts of mails, a set for each language. Another language is another folder of templates and another variant here.

use askama::Template;
use entity::MailKind;

use crate::domain::accounts::mail_messages::Letter;

/// A language that there are texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `templates/en`
    English,
}

/// A letter in words.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "en/subject.txt", config = "src/mail/askama.toml")]
struct EnglishSubject<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "en/body.txt", config = "src/mail/askama.toml")]
struct EnglishPlain<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "en/body.html", config = "src/mail/askama.toml")]
struct EnglishHtml<'a> {
    letter: &'a Letter,
}

impl Language {
    /// The language with this tag (RFC 5646).
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        (tag == "en").then_some(Self::English)
    }

    pub(super) fn write(self, letter: &Letter) -> askama::Result<Texts> {
        match self {
            Self::English => Ok(Texts {
                subject: EnglishSubject { letter }.render()?,
                plain: EnglishPlain { letter }.render()?,
                html: EnglishHtml { letter }.render()?,
            }),
        }
    }
}
