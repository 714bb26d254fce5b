//! Files of the documentation: the vendored Swagger UI, our page around it, and the OpenAPI document. Each has an ETag
//! and is compressed as the client accepts it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header as _, HeaderValue, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::error::{Error, Result};

/// Scripts of this origin only, and no inline ones; no framing; requests to this origin only. Swagger UI sets inline
/// styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Our own files, with their media types.
const OWN: [(&str, &str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("session.js", "text/javascript; charset=utf-8", include_str!("page/session.js")),
];

/// The files of Swagger UI that our page uses, with their media types.
const VENDORED: [(&str, &str); 2] =
    [("swagger-ui-bundle.js", "text/javascript; charset=utf-8"), ("swagger-ui.css", "text/css; charset=utf-8")];

/// A file that is served with compression.
#[derive(Debug)]
pub struct Asset {
    media_type: &'static str,
    gzip: Cow<'static, [u8]>,
    /// Base64 of the hash of the content.
    hash: String,
}

impl Asset {
    /// Compresses a file.
    ///
    /// # Errors
    /// None in practice: the target is in memory.
    pub fn new(media_type: &'static str, content: &[u8]) -> Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).map_err(Error::internal)?;
        Ok(Self::compressed(media_type, encoder.finish().map_err(Error::internal)?.into()))
    }

    fn compressed(media_type: &'static str, gzip: Cow<'static, [u8]>) -> Self {
        let hash = digest::digest(&digest::SHA256, &gzip);
        let hash = URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default());
        Self { media_type, gzip, hash }
    }

    /// The response: 304 if the client has the file, and compressed if the client accepts it.
    ///
    /// # Errors
    /// None in practice: the file was compressed by us.
    pub fn response(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let is_gzip = accepts_gzip(request);
        // A strong tag names one sequence of bytes (RFC 9110 §8.8.1), so each encoding has its own.
        let tag = EntityTag::new_strong(if is_gzip { format!("{}-gz", self.hash) } else { self.hash.clone() });
        let mut response = HttpResponse::Ok();
        response.insert_header((header::VARY, "accept-encoding"));
        response.insert_header((header::CACHE_CONTROL, self.cache_control(request)));
        if self.media_type.starts_with("text/html") {
            response.insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY));
        }
        let is_known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
            Err(_) => false,
        };
        response.insert_header(ETag(tag));
        if is_known && request.headers().contains_key(header::IF_NONE_MATCH) {
            return Ok(response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
        }
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(self.media_type)));
        if is_gzip {
            response.insert_header(ContentEncoding::Gzip);
            return Ok(match &self.gzip {
                Cow::Borrowed(bytes) => response.body(actix_web::web::Bytes::from_static(bytes)),
                Cow::Owned(bytes) => response.body(bytes.clone()),
            });
        }
        let mut content = Vec::new();
        GzDecoder::new(self.gzip.as_ref()).read_to_end(&mut content).map_err(Error::internal)?;
        Ok(response.body(content))
    }

    /// A file whose address names its version never changes; all others are checked by their tag.
    fn cache_control(&self, request: &HttpRequest) -> &'static str {
        let is_versioned = request.query_string().strip_prefix("v=").is_some_and(|version| version == self.hash);
        if is_versioned { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

/// Whether the client prefers gzip. Without the header it gets the file as it is.
fn accepts_gzip(request: &HttpRequest) -> bool {
    let Ok(accepted) = AcceptEncoding::parse(request) else { return false };
    let supported = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && accepted.negotiate(supported.iter()) == Some(Encoding::gzip())
}

/// The files of Swagger UI and of our page.
static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let mut assets = HashMap::new();
    for (name, media_type) in VENDORED {
        let config = Arc::new(utoipa_swagger_ui::Config::default());
        if let Ok(Some(file)) = utoipa_swagger_ui::serve(name, config) {
            assets.insert(name, Asset::compressed(media_type, file.bytes));
        }
    }
    // The page names the version of each file; it comes last.
    for (name, media_type, content) in OWN.into_iter().rev() {
        let mut content = content.to_owned();
        if name == "index.html" {
            for (file, asset) in &assets {
                content = content.replace(&format!("\"{file}\""), &format!("\"{file}?v={}\"", asset.hash));
            }
        }
        if let Ok(asset) = Asset::new(media_type, content.as_bytes()) {
            assets.insert(name, asset);
        }
    }
    assets
});

/// A file of the page, by its name; the page itself has none.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.get(if name.is_empty() { "index.html" } else { name })
}
