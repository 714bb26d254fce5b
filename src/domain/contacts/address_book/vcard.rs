//! vCard files of contacts: read from version 2.1 on, with common deviations of address books, and written as version 4.0
//! (RFC 6350) or 3.0 (RFC 2426).
//!
//! A file is split into cards, so that an invalid card does not affect the others.

mod card;
mod content_line;
mod lines;
mod write;

use std::io::BufRead;

use card::Card;
use lines::Lines;
pub(super) use write::write;

use super::Sink;
use super::unused::Unused;
use crate::error::{Result, Violation};

/// Maximum size in bytes of a line, and of the kept properties of a card.
const MAX_BYTES: usize = 64 * 1024;

pub(super) fn read(file: impl BufRead, mut sink: Sink<'_>) -> Result<Unused> {
    let mut lines = Lines::open(file)?;
    let mut unused = Unused::default();
    let mut card: Option<Card> = None;
    let mut has_begun = false;
    while let Some(line) = lines.next()? {
        let (is_begin, is_end) = (is_begin(line.octets), is_delimiter(line.octets, b"END"));
        if !has_begun && !is_begin && !line.is_blank() {
            return Err(Violation::new(".", "vcard", "the file does not begin with a vCard").into());
        }
        has_begun |= is_begin;
        let row = match card.take() {
            Some(mut open) if is_begin => {
                let is_agent = open.begin_agent();
                let (kept, ended) =
                    if is_agent { (open, None) } else { (Card::begin(line.number, sink.is_converted), Some(open)) };
                card = Some(kept);
                ended.map(Card::incomplete)
            }
            None if is_begin => {
                card = Some(Card::begin(line.number, sink.is_converted));
                None
            }
            Some(mut open) => {
                if is_end && open.end() {
                    Some(open.finish(&mut unused))
                } else {
                    if !is_end {
                        open.add(line);
                    }
                    card = Some(open);
                    None
                }
            }
            None if line.is_blank() => None,
            None => Some((line.number, Err(vec![Violation::new(".", "vcard", "is not part of a vCard")]))),
        };
        if let Some((line, fields)) = row
            && !sink.add(line, fields)
        {
            return Ok(unused);
        }
    }
    if let Some((line, fields)) = card.map(Card::incomplete) {
        sink.add(line, fields);
    }
    Ok(unused)
}

/// Whether a line begins a card.
pub(super) fn is_begin(line: &[u8]) -> bool {
    is_delimiter(line, b"BEGIN")
}

/// Whether a line begins or ends a card: `BEGIN:VCARD`, perhaps with blanks.
fn is_delimiter(line: &[u8], name: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let (start, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    start.trim_ascii().eq_ignore_ascii_case(name) && value.trim_ascii().eq_ignore_ascii_case(b"VCARD")
}
