//! Character sets of files: how they are found, and decoding without replacement characters.

use std::borrow::Cow;
use std::io::{BufReader, Chain, Cursor, Read, Seek};

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use crate::error::{Error, Result, Violation};

/// Octets from which a file in UTF-16 without a byte order mark is recognised.
const SAMPLE: usize = 512;

/// Octets that are read at a time.
const BUFFER: usize = 8 * 1024;

/// Names of character sets that the Encoding Standard of WHATWG does not list, or reads as another one.
const OTHER_NAMES: [(&str, &str); 8] = [
    // Programs that declare ASCII write UTF-8. The standard reads ASCII as windows-1252.
    ("ascii", "utf-8"),
    ("us-ascii", "utf-8"),
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("gb2312-80", "gbk"),
    ("ms936", "gbk"),
];

/// The start of a text, and the rest: the first read of the decoder alone may return less than a line.
pub(in crate::domain) type Text<R> = Chain<Cursor<Vec<u8>>, DecodeReaderBytes<R, Vec<u8>>>;

/// A file as text in UTF-8.
pub(super) struct Decoded<R: Read> {
    /// The text.
    pub text: BufReader<Text<R>>,
    /// Whether the file has another character set. What cannot be decoded then becomes [`char::REPLACEMENT_CHARACTER`].
    pub is_converted: bool,
}

/// The character set with a name; none if it is not known, or not safe to decode.
#[must_use]
pub fn charset(name: &str) -> Option<&'static Encoding> {
    let name = name.trim();
    let other = OTHER_NAMES.iter().find(|(other, _)| name.eq_ignore_ascii_case(other));
    let encoding = Encoding::for_label(other.map_or(name, |(_, known)| *known).as_bytes())?;
    (encoding != REPLACEMENT).then_some(encoding)
}

/// Decodes octets; none if the character set is not known, or they are not of it.
pub(super) fn decode<'a>(octets: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    charset(name)?.decode_without_bom_handling_and_without_replacement(octets)
}

/// Opens a file at its beginning as text: in UTF-16 if it begins so, otherwise in the declared character set.
///
/// # Errors
/// A violation if the file is empty.
pub(super) fn open<R: Read + Seek>(mut file: R, declared: Option<&'static Encoding>) -> Result<Decoded<R>> {
    file.rewind().map_err(Error::internal)?;
    let mut sample = Vec::with_capacity(SAMPLE);
    file.by_ref().take(SAMPLE as u64).read_to_end(&mut sample).map_err(Error::internal)?;
    file.rewind().map_err(Error::internal)?;
    if sample.is_empty() {
        return Err(Violation::new(".", "empty", "the file is empty").into());
    }
    let encoding = Encoding::for_bom(&sample).map(|(encoding, _)| encoding).or_else(|| utf_16(&sample)).or(declared);
    let encoding = encoding.filter(|encoding| *encoding != UTF_8);
    let mut builder = DecodeReaderBytesBuilder::new();
    match encoding {
        Some(encoding) => builder.encoding(Some(encoding)).bom_override(true),
        // The octets as they are, without a byte order mark: each row is checked by itself.
        None => builder.utf8_passthru(true).strip_bom(true),
    };
    let mut rest = builder.build_with_buffer(file, vec![0; BUFFER]).map_err(Error::internal)?;
    let mut start = Vec::with_capacity(BUFFER);
    rest.by_ref().take(BUFFER as u64).read_to_end(&mut start).map_err(Error::internal)?;
    Ok(Decoded { text: BufReader::new(Cursor::new(start).chain(rest)), is_converted: encoding.is_some() })
}

/// Opens a file as text in UTF-8.
///
/// # Errors
/// A violation if the file is empty.
pub(in crate::domain) fn open_text<R: Read + Seek>(file: R) -> Result<BufReader<Text<R>>> {
    Ok(open(file, None)?.text)
}

/// Violation for text of another character set than it says.
pub(super) fn undecodable() -> Violation {
    Violation::new(".", "encoding", "has text that cannot be decoded; the character set is not known, or another one")
}

/// UTF-16 without a byte order mark: every other octet of the first line, which is mostly ASCII, is zero.
fn utf_16(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.chunks_exact(2).take(16);
    let zeros = |index: usize| pairs.clone().filter(|pair| pair.get(index) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    match (first * 2 > pairs.len(), second * 2 > pairs.len()) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}
