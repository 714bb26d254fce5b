//! E-mail address.

use email_address::{EmailAddress, Options};

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Valid e-mail address, trimmed and in lower case. Addresses are stored and compared in this form.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Maximum length in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Parses an address (RFC 5321). Quoted local parts and address literals are not accepted.
    ///
    /// # Errors
    /// Returns a violation `email` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let refused = || Violation::new("email", "email", "must be an e-mail address");
        let email = raw.trim().to_lowercase();
        if email.len() > Self::MAX_BYTES {
            return Err(too_long());
        }
        let (user, domain) = email.rsplit_once('@').ok_or_else(refused)?;
        // International domains are converted to ASCII (RFC 5891), so that each mailbox has one spelling.
        let domain = idna::domain_to_ascii(domain).map_err(|_| refused())?;
        let email = format!("{user}@{domain}");
        let options = Options::default().without_domain_literal().without_display_text();
        let is_address = EmailAddress::parse_with_options(&email, options).is_ok();
        if !is_address || !email.is_ascii() || email.contains(['"', '<', '>', '[', ']']) {
            return Err(refused());
        }
        if email.len() > Self::MAX_BYTES {
            return Err(too_long());
        }
        Ok(Self(email))
    }

    /// Checks that an account can get the address. Accounts of earlier releases may have another one, and still log in.
    ///
    /// Stricter than RFC 5321: the domain has at least two labels, the last of which is not a number (`ada@localhost`
    /// cannot receive mail from here); no encoded words (RFC 2047, `=?…?=`), which some mail programs would decode to
    /// another address.
    ///
    /// # Errors
    /// Returns a violation `email`.
    pub fn check_new(&self) -> Result<(), Violation> {
        let top = self.domain().rsplit_once('.').map(|(_, top)| top);
        let is_public = top.is_some_and(|top| !top.is_empty() && !top.bytes().all(|byte| byte.is_ascii_digit()));
        if is_public && !self.0.contains("=?") {
            return Ok(());
        }
        Err(Violation::new("email", "email", "must be an e-mail address with a public domain"))
    }

    /// The domain, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn too_long() -> Violation {
    Violation::new("email", "length", format!("must have at most {} bytes", Email::MAX_BYTES))
}

impl Value for Email {
    const SHAPE: Shape = Shape::Text { min: 0, max: Some(Self::MAX_BYTES), format: Some("email"), pattern: None };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Hides personal data from logs.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn an_address_is_trimmed_and_lower_cased() {
        assert_eq!(Email::parse("  Ada@Example.ORG ").unwrap().as_str(), "ada@example.org");
    }

    #[test]
    fn a_domain_in_any_script_is_kept_in_its_ascii_form() {
        let email = Email::parse("Ada+tag@Bücher.example").unwrap();
        assert_eq!(email.as_str(), "ada+tag@xn--bcher-kva.example");
        assert!(Email::parse("ADA+TAG@XN--BCHER-KVA.example").unwrap() == email);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for raw in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "a b@example.org",
            "ada@exa mple.org",
            "a\0@example.org",
            "a@foo bar, <x>[127.0.0.1]",
            "a@[127.0.0.1]",
            "\"ada lovelace\"@example.org",
            "Ada <ada@example.org>",
            "ada..lovelace@example.org",
            "ada@-example.org",
            "ada@example..org",
            "жук@example.org",
            "ada@［127.0.0.1］",
            "ada@foo，＜c＞［127.0.0.1］",
            &long,
        ] {
            assert!(Email::parse(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn an_address_of_a_new_account_has_a_public_domain_and_no_encoded_word() {
        for raw in ["ada@localhost", "ada@192.0.2.1", "=?utf-8?q?ada=40evil.example?=@example.org"] {
            assert!(Email::parse(raw).is_ok_and(|email| email.check_new().is_err()), "{raw}");
        }
        for raw in ["ada@example.org", "ada+tag@bücher.example", "a=b?c@x.y2"] {
            assert!(Email::parse(raw).unwrap().check_new().is_ok(), "{raw}");
        }
    }

    #[test]
    fn debug_hides_the_address() {
        assert!(!format!("{:?}", Email::parse("ada@example.org").unwrap()).contains("ada"));
    }
}
