//! Cached responses: with an entity tag, compressed if the client accepts it, and 304 if the client has them already. Nothing
//! is allocated here but the response.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use crate::domain::vaccination::availability::representation::Representation;

/// The response with a JSON representation. `link` is the value of the header `Link`.
pub fn respond(request: &HttpRequest, representation: &Representation, link: Option<String>) -> HttpResponse {
    let gzip = if accepts_gzip(request.headers()) { representation.gzip() } else { None };
    let encoded = gzip.unwrap_or_else(|| representation.plain());
    if has(request.headers(), &encoded.tag) {
        return builder(StatusCode::NOT_MODIFIED, &encoded.tag).finish();
    }
    let mut response = builder(StatusCode::OK, &encoded.tag);
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    if gzip.is_some() {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    if let Some(link) = link {
        response.insert_header((header::LINK, link));
    }
    response.body(encoded.bytes.clone())
}

fn builder(status: StatusCode, tag: &Bytes) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if let Ok(tag) = HeaderValue::from_maybe_shared(tag.clone()) {
        response.insert_header((header::ETAG, tag));
    }
    // Anyone may keep the response, for as long as this service does.
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=1")));
    response.insert_header((header::VARY, HeaderValue::from_static("Accept-Encoding")));
    response
}

/// Whether the client has the body with a tag (`If-None-Match`, RFC 9110 §13.1.2: weak comparison).
pub fn has(headers: &HeaderMap, tag: &[u8]) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    tags.map(<[u8]>::trim_ascii).any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag)
}

/// Whether the client prefers gzip, or accepts nothing else (`Accept-Encoding`, RFC 9110 §12.5.3).
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut plain, mut others) = (None, None, None);
    let values = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    for coding in values.flat_map(|value| value.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|weight| weight.strip_prefix('='));
        let weight: Option<f32> = weight.and_then(|weight| weight.parse().ok());
        match name.trim() {
            "*" => others = weight,
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => gzip = weight,
            name if name.eq_ignore_ascii_case("identity") => plain = weight,
            _ => {}
        }
    }
    // A client that accepts anything did not ask for gzip.
    let gzip = gzip.or(others.filter(|_| plain == Some(0.0))).unwrap_or(0.0);
    gzip > 0.0 && gzip >= plain.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{self, HeaderMap, HeaderName};

    use super::{accepts_gzip, has};

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn gzip_is_sent_to_those_who_prefer_it() {
        let accepts = |values: &[&str]| accepts_gzip(&headers(header::ACCEPT_ENCODING, values));
        for yes in ["gzip", "br, GZIP;q=0.5", "x-gzip", "gzip, deflate, br, zstd", "identity;q=0, *", "gzip;Q=1, *;q=0"]
        {
            assert!(accepts(&[yes]), "{yes}");
        }
        for no in ["", "identity", "br", "*", "gzip;q=0", "gzip;q=0.2, identity;q=0.8", "gzip;q=x", "gzipped"] {
            assert!(!accepts(&[no]), "{no}");
        }
        assert!(accepts(&["br", "gzip"]));
        assert!(!accepts(&[]));
    }

    #[test]
    fn one_of_the_tags_has_to_be_the_same() {
        let has = |values: &[&str]| has(&headers(header::IF_NONE_MATCH, values), b"\"a-_9\"");
        for yes in ["\"a-_9\"", "W/\"a-_9\"", "\"b\" , \"a-_9\"", "*"] {
            assert!(has(&[yes]), "{yes}");
        }
        assert!(has(&["\"b\"", "\"a-_9\""]));
        for no in ["", "\"b\"", "a-_9", "\"a-_9", "\"*\""] {
            assert!(!has(&[no]), "{no}");
        }
        assert!(!has(&[]));
    }
}
