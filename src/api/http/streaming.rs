//! Bodies that are made piece by piece while they are sent.

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use crate::api::http::problem::Problem;
use crate::error::Result;

/// A body in pieces, of which the first two have been made: while there is no answer yet, a failure is one of its own.
///
/// # Errors
/// What the first two pieces fail of.
pub async fn begun(
    pieces: impl Stream<Item = Result<Vec<u8>>> + 'static,
) -> std::result::Result<impl Stream<Item = std::io::Result<Bytes>>, Problem> {
    let mut pieces = Box::pin(pieces);
    let mut first = Vec::new();
    for _ in 0..2 {
        first.extend(pieces.next().await.transpose()?);
    }
    // Later there is nothing left but to break off, so that nobody takes a part for the whole.
    let broken_off = |error| std::io::Error::other(Problem::from(error).to_string());
    let first = stream::iter(first.into_iter().map(Ok));
    Ok(first.chain(pieces).map(move |piece| piece.map(Bytes::from).map_err(broken_off)))
}
