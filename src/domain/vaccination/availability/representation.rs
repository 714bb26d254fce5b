//! Representation of a reply: its bytes with their entity tag, plain and compressed.

use std::io::Write as _;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Bytes of the hash that is the entity tag.
const TAG_BYTES: usize = 16;

/// A body that is made once and sent many times.
#[derive(Debug)]
pub struct Representation {
    plain: Encoded,
    gzip: OnceLock<Option<Encoded>>,
}

/// The bytes of a body, and their entity tag.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The body.
    pub bytes: Bytes,
    /// A strong entity tag (RFC 9110 §8.8.3) with its quotes: the hash of these bytes.
    pub tag: Bytes,
}

impl Encoded {
    fn new(bytes: Vec<u8>) -> Self {
        let hash = digest::digest(&digest::SHA256, &bytes);
        let hash = URL_SAFE_NO_PAD.encode(hash.as_ref().get(..TAG_BYTES).unwrap_or_default());
        Self { bytes: bytes.into(), tag: format!("\"{hash}\"").into() }
    }
}

impl Representation {
    /// A representation of these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { plain: Encoded::new(bytes), gzip: OnceLock::new() }
    }

    /// The bytes as they are.
    pub fn plain(&self) -> &Encoded {
        &self.plain
    }

    /// The bytes compressed by gzip, the first time it is asked for; `None` if they would not be fewer. The same bytes have
    /// the same compressed ones, and so the same tag, on every instance of a release.
    pub fn gzip(&self) -> Option<&Encoded> {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.plain.bytes).ok()?;
            let bytes = encoder.finish().ok()?;
            (bytes.len() < self.plain.bytes.len()).then(|| Encoded::new(bytes))
        };
        self.gzip.get_or_init(compress).as_ref()
    }

    /// Bytes in memory at most: the compressed ones are fewer.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + 2 * self.plain.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::Representation;

    #[test]
    fn the_tag_is_that_of_the_bytes() {
        let one = Representation::new(vec![b'a'; 1000]);
        let (same, other) = (Representation::new(vec![b'a'; 1000]), Representation::new(vec![b'b'; 1000]));
        assert_eq!(one.plain().tag, same.plain().tag);
        assert_ne!(one.plain().tag, other.plain().tag);
        let gzip = one.gzip().unwrap();
        assert_eq!(gzip.tag, same.gzip().unwrap().tag);
        assert_ne!(gzip.tag, one.plain().tag);
        let mut decoded = Vec::new();
        GzDecoder::new(&gzip.bytes[..]).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, one.plain().bytes);
        assert!(Representation::new(b"[]".to_vec()).gzip().is_none());
    }
}
