//! Lines of a vCard file: unfolded as octets (RFC 6350 §3.2), because a line may be folded within a character.

use std::io::BufRead;

use super::super::BYTE_ORDER_MARK;
use super::MAX_BYTES;
use super::content_line::ContentLine;
use crate::error::{Error, Result};

/// A line after unfolding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Number of its first line in the file, from 1.
    pub number: u64,
    /// The line without its end. Of a long one the beginning.
    pub octets: &'a [u8],
    /// Whether it is longer than a line may be.
    pub is_too_long: bool,
}

/// Reader of lines.
pub(super) struct Lines<R> {
    file: R,
    /// Octet that ends a line: LF, or CR in files that end lines with CR alone.
    line_end: u8,
    number: u64,
    line: Vec<u8>,
    /// The line after this one, which was read to see if it continues this one.
    ahead: Option<Vec<u8>>,
}

impl Line<'_> {
    /// Whether there is nothing on it.
    pub fn is_blank(&self) -> bool {
        self.octets.trim_ascii().is_empty()
    }
}

impl<R: BufRead> Lines<R> {
    /// Begins with the first line of a file.
    pub fn open(mut file: R) -> Result<Self> {
        let start = file.fill_buf().map_err(Error::internal)?;
        let has_cr_only = start.contains(&b'\r') && !start.contains(&b'\n');
        let line_end = if has_cr_only { b'\r' } else { b'\n' };
        Ok(Self { file, line_end, number: 0, line: Vec::new(), ahead: None })
    }

    /// The next line, with those that continue it.
    pub fn next(&mut self) -> Result<Option<Line<'_>>> {
        let Some(first) = self.take()? else { return Ok(None) };
        let number = self.number;
        self.line.clear();
        self.push(&first);
        // Found out once, because a line may have many parts.
        let is_quoted_printable = is_quoted_printable(&first);
        let mut is_open = is_quoted_printable && has_soft_break(&first);
        while let Some(next) = self.take()? {
            if std::mem::take(&mut is_open) {
                while self.line.last().is_some_and(|byte| byte.is_ascii_whitespace()) {
                    self.line.pop();
                }
                self.line.pop_if(|byte| *byte == b'=');
                self.push(&next);
                is_open = has_soft_break(&next);
            } else if let Some(rest) = next.strip_prefix(b" ").or_else(|| next.strip_prefix(b"\t")) {
                self.push(rest);
                is_open = is_quoted_printable && has_soft_break(rest);
            } else {
                self.ahead = Some(next);
                self.number -= 1;
                break;
            }
        }
        let is_too_long = self.line.len() > MAX_BYTES;
        Ok(Some(Line { number, octets: &self.line, is_too_long }))
    }

    fn push(&mut self, part: &[u8]) {
        let free = (MAX_BYTES + 1).saturating_sub(self.line.len());
        self.line.extend(part.iter().take(free));
    }

    /// The next line of the file, without its end.
    fn take(&mut self) -> Result<Option<Vec<u8>>> {
        self.number += 1;
        if let Some(line) = self.ahead.take() {
            return Ok(Some(line));
        }
        let (mut line, mut has_line) = (Vec::new(), false);
        loop {
            let input = self.file.fill_buf().map_err(Error::internal)?;
            if input.is_empty() {
                break;
            }
            has_line = true;
            let end = input.iter().position(|byte| *byte == self.line_end);
            let part = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
            let free = (MAX_BYTES + 1).saturating_sub(line.len());
            line.extend(part.iter().take(free));
            let read = part.len() + usize::from(end.is_some());
            self.file.consume(read);
            if end.is_some() {
                break;
            }
        }
        // Concatenated files may have byte order marks between them.
        if line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        while line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(has_line.then_some(line))
    }
}

fn is_quoted_printable(line: &[u8]) -> bool {
    ContentLine::parse(line).is_some_and(|line| line.is_quoted_printable())
}

/// Whether a line in quoted-printable ends with the `=` that continues it in the next line (RFC 2045 §6.7).
fn has_soft_break(line: &[u8]) -> bool {
    line.trim_ascii_end().last() == Some(&b'=')
}
