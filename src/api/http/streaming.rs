//! Streamed response bodies.

use std::io::Write as _;

use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;

use crate::api::http::problem::Problem;
use crate::error::{Error, Result};

/// Prefetches the first two chunks of a body, so that a failure up to there becomes an error response.
///
/// # Errors
/// The error of the first two chunks.
pub async fn prefetched(
    chunks: impl Stream<Item = Result<Vec<u8>>> + 'static,
) -> std::result::Result<impl Stream<Item = std::io::Result<Bytes>>, Problem> {
    let mut chunks = Box::pin(chunks);
    let mut first = Vec::new();
    for _ in 0..2 {
        first.extend(chunks.next().await.transpose()?);
    }
    // After a later error the connection is closed, so that the client notices that the response is incomplete.
    let io_error = |error| std::io::Error::other(Problem::from(error).to_string());
    let first = stream::iter(first.into_iter().map(Ok));
    Ok(first.chain(chunks).map(move |chunk| chunk.map(Bytes::from).map_err(io_error)))
}

/// A stream compressed by gzip. The same chunks give the same bytes.
pub fn gzipped(chunks: impl Stream<Item = Result<Vec<u8>>> + 'static) -> impl Stream<Item = Result<Vec<u8>>> + 'static {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let chunks = chunks.map(Some).chain(stream::once(async { None }));
    chunks.scan(Some(encoder), |encoder, chunk| std::future::ready(compressed(encoder, chunk)))
}

/// The compressed bytes of a chunk, or those at the end.
fn compressed(encoder: &mut Option<GzEncoder<Vec<u8>>>, chunk: Option<Result<Vec<u8>>>) -> Option<Result<Vec<u8>>> {
    let written = match chunk {
        Some(Ok(chunk)) => {
            let encoder = encoder.as_mut()?;
            encoder.write_all(&chunk).map(|()| std::mem::take(encoder.get_mut()))
        }
        Some(Err(error)) => return Some(Err(error)),
        None => encoder.take()?.finish(),
    };
    Some(written.map_err(Error::internal))
}

/// The items of a JSON array, without its brackets, from a stream of pages.
pub fn json_items<M, R: Serialize>(
    pages: impl Stream<Item = Result<Vec<M>>>,
    item: impl Fn(M) -> R,
) -> impl Stream<Item = Result<Vec<u8>>> {
    let mut is_first = true;
    pages.map(move |page| {
        let mut chunk = Vec::new();
        for model in page? {
            if !std::mem::replace(&mut is_first, false) {
                chunk.push(b',');
            }
            serde_json::to_writer(&mut chunk, &item(model)).map_err(Error::internal)?;
        }
        Ok(chunk)
    })
}
