//! Export of all contacts of a user as a file. It is streamed page by page, so that only one page is in memory.

use futures_util::{Stream, StreamExt as _, stream};
use sea_orm::ConnectionTrait;

use crate::domain::contacts::address_book::{self, WriteOptions};
use crate::domain::contacts::contacts;
use crate::domain::values::actor::Actor;
use crate::domain::values::page::pages;
use crate::error::Result;

/// Contacts that one query reads.
const PAGE: u64 = 500;

/// Streams the contacts of the actor as a file, in chunks.
pub fn stream(
    db: impl ConnectionTrait + Clone + 'static,
    actor: Actor,
    options: WriteOptions,
) -> impl Stream<Item = Result<Vec<u8>>> {
    let bodies = pages(PAGE, move |page| {
        let db = db.clone();
        async move {
            let slice = contacts::all(&db, actor.user_id, page).await?;
            Ok((address_book::write(options, &slice.items)?, slice.next))
        }
    });
    stream::once(async move { Ok(address_book::head(options)) }).chain(bodies)
}
