//! Content lines of vCard: name, parameters and value, as octets (RFC 6350 §3.3; vCard 2.1 §2.1), and their decoding to text.
//!
//! The value is decoded here, because a parser that works on text cannot: a line may be folded within a character, and each
//! property of vCard 2.1 may have a character set and an encoding of its own.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::encoding::{self, undecodable};
use crate::error::Violation;

/// A line after unfolding.
#[derive(Debug)]
pub(super) struct ContentLine<'a> {
    /// Group, such as `item1`; empty if there is none.
    pub group: &'a str,
    /// Name in upper case.
    pub name: String,
    /// Parameters, with names in upper case. A parameter of vCard 2.1 without a name has the name `TYPE`.
    parameters: Vec<(String, String)>,
    value: &'a [u8],
    /// Whether the file was converted from another character set: then only encoded values have one of their own.
    is_converted: bool,
}

/// Version of a card, as far as values differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 2.1: only `;` is escaped.
    V2,
    /// 3.0 and 4.0.
    V3,
}

impl<'a> ContentLine<'a> {
    /// Splits a line into its parts. `None` if it has no name or no value.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = line.trim_ascii();
        let colon = end_of_head(line)?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let mut parts = split_head(head);
        let name = std::str::from_utf8(parts.next()?.trim_ascii()).ok()?;
        let (group, name) = name.rsplit_once('.').unwrap_or(("", name));
        if name.is_empty() {
            return None;
        }
        let parameters = parts.flat_map(parameter).collect();
        Some(Self { group, name: name.to_ascii_uppercase(), parameters, value, is_converted: false })
    }

    /// The line of a file that was converted from another character set.
    pub fn converted(self, is_converted: bool) -> Self {
        Self { is_converted, ..self }
    }

    /// The values of a parameter.
    pub fn parameter(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the value is encoded as quoted-printable, so that a `=` at the end continues it in the next line.
    pub fn is_quoted_printable(&self) -> bool {
        self.has_encoding("QUOTED-PRINTABLE")
    }

    /// Whether the value is encoded in Base64, as pictures are.
    pub fn is_base64(&self) -> bool {
        self.has_encoding("BASE64") || self.has_encoding("B")
    }

    fn has_encoding(&self, encoding: &str) -> bool {
        // Without the name of the parameter, as vCard 2.1 allows, only where the value cannot be a type.
        let is_type = encoding.len() > 1 && self.parameter("TYPE").any(|value| value.eq_ignore_ascii_case(encoding));
        is_type || self.parameter("ENCODING").any(|value| value.eq_ignore_ascii_case(encoding))
    }

    /// Whether there is no value.
    pub fn is_blank(&self) -> bool {
        self.value.trim_ascii().is_empty()
    }

    /// Whether the value is the beginning of a card, as that of an AGENT may be.
    pub fn begins_card(&self) -> bool {
        self.value.trim_ascii().eq_ignore_ascii_case(b"BEGIN:VCARD")
    }

    /// Whether there is no value, or one of blank components.
    pub fn has_blank_components(&self) -> bool {
        self.value.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b';')
    }

    /// The value as one text.
    ///
    /// # Errors
    /// A violation if it cannot be decoded.
    pub fn text(&self, version: Version) -> Result<String, Violation> {
        self.decode(self.value, version, unescape)
    }

    /// The value as it is written, such as a date or a URI.
    ///
    /// # Errors
    /// A violation if it cannot be decoded.
    pub fn raw_text(&self) -> Result<String, Violation> {
        self.decode(self.value, Version::V3, |text| text)
    }

    /// The value as components that are separated by `;`. Several values of a component are joined by a space.
    ///
    /// # Errors
    /// A violation if it cannot be decoded.
    pub fn components(&self, version: Version) -> Result<Vec<String>, Violation> {
        // Split after the decoding: in some character sets, the octet of `;` or of a backslash is a part of a character.
        let text = self.decoded(self.value, true)?;
        let unescaped = |part: &str| match version {
            Version::V2 => unescape_v2(part).trim().to_owned(),
            Version::V3 => {
                let values = split(part, ',').map(Cow::Borrowed);
                let values = values.map(|value| unescape(value).trim().to_owned()).filter(|value| !value.is_empty());
                values.collect::<Vec<_>>().join(" ")
            }
        };
        Ok(split(&text, ';').map(unescaped).collect())
    }

    fn decode(
        &self,
        octets: &[u8],
        version: Version,
        unescape: impl Fn(Cow<'_, str>) -> Cow<'_, str>,
    ) -> Result<String, Violation> {
        let text = self.decoded(octets, false)?;
        let text = match version {
            Version::V2 => Cow::Owned(unescape_v2(&text)),
            Version::V3 => unescape(text),
        };
        Ok(text.trim().to_owned())
    }

    /// The octets as text in Unicode. With `is_structured`, a `;` that was encoded is escaped.
    fn decoded<'b>(&self, octets: &'b [u8], is_structured: bool) -> Result<Cow<'b, str>, Violation> {
        let charset = self.parameter("CHARSET").next();
        let decoded = if self.is_quoted_printable() {
            // In ISO-2022, the octet may be a part of a character.
            let is_stateful = charset.is_some_and(|charset| charset.to_ascii_uppercase().starts_with("ISO-2022"));
            quoted_printable(octets, is_structured && !is_stateful)
        } else if self.is_base64() {
            let digits: Vec<u8> = octets.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            BASE64.decode(digits).map_err(|_| undecodable())?
        } else {
            return match charset.filter(|_| !self.is_converted) {
                Some(charset) => encoding::decode(octets, charset).ok_or_else(undecodable),
                None => std::str::from_utf8(octets).map(Cow::Borrowed).map_err(|_| undecodable()),
            };
        };
        let text = match charset {
            Some(charset) => encoding::decode(&decoded, charset).map(Cow::into_owned),
            // The default of vCard 2.1 is ASCII; programs that leave the character set out write UTF-8 or Latin-1.
            None => match String::from_utf8(decoded) {
                Ok(text) => Some(text),
                Err(error) => encoding::decode(error.as_bytes(), "windows-1252").map(Cow::into_owned),
            },
        };
        text.map(Cow::Owned).ok_or_else(undecodable)
    }
}

/// The index of the `:` before the value. One within quotes belongs to a parameter.
fn end_of_head(line: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let end = line.iter().position(|byte| match byte {
        b'"' => {
            is_quoted = !is_quoted;
            false
        }
        b':' => !is_quoted,
        _ => false,
    });
    // A quote without an end.
    end.or_else(|| line.iter().position(|byte| *byte == b':'))
}

/// Splits a text at a separator that is not escaped by a backslash.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    text.split(move |character| {
        let is_separator = character == separator && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_separator
    })
}

/// Splits the name and the parameters of a line.
fn split_head(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    head.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == b';' && !is_quoted
    })
}

/// A parameter with one or more values.
fn parameter(part: &[u8]) -> Vec<(String, String)> {
    let part = String::from_utf8_lossy(part);
    let (name, values) = match part.split_once('=') {
        Some((name, values)) => (name.trim().to_ascii_uppercase(), values),
        None => ("TYPE".to_owned(), part.as_ref()),
    };
    let values = values.trim();
    // RFC 6350 has several types within one pair of quotes.
    let values = values.strip_prefix('"').and_then(|values| values.strip_suffix('"')).unwrap_or(values);
    values.split(',').map(|value| (name.clone(), value.trim_matches([' ', '"']).to_owned())).collect()
}

/// Decodes quoted-printable (RFC 2045 §6.7). What is not encoded correctly stays as it is. With `escapes`, a `;` that was encoded
/// gets a backslash: it belongs to the value.
fn quoted_printable(octets: &[u8], escapes: bool) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if let (b'=', [high, low, after @ ..]) = (*byte, rest)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            let octet = high << 4 | low;
            if escapes && octet == b';' {
                decoded.push(b'\\');
            }
            decoded.push(octet);
            rest = after;
        } else {
            decoded.push(*byte);
        }
    }
    decoded
}

/// Replaces the escape sequences of vCard 3.0 and 4.0 (RFC 6350 §3.4). Other backslashes stay.
fn unescape(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text;
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = (character == '\\').then(|| characters.peek().copied()).flatten();
        let replacement = match next {
            Some('n' | 'N') => Some('\n'),
            Some(escaped @ ('\\' | ',' | ';' | ':')) => Some(escaped),
            _ => None,
        };
        if replacement.is_some() {
            characters.next();
        }
        unescaped.push(replacement.unwrap_or(character));
    }
    Cow::Owned(unescaped)
}

/// Replaces the only escape sequence of vCard 2.1.
fn unescape_v2(text: &str) -> String {
    text.replace("\\;", ";")
}
