//! Keyset paging: a page starts after the last row of the page before, so that row ten million costs the same as row
//! ten.

use chrono::{DateTime, Duration, Utc};
use futures_util::{Stream, stream};
use uuid::Uuid;

use crate::error::Result;

/// Page of a list that is requested. `P` is the keyset, the position of a row in the order of the list, for instance
/// its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<P = Uuid> {
    /// Maximum number of items.
    pub limit: u64,
    /// Position of the last item of the previous page.
    pub after: Option<P>,
}

/// Page of a list that is returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T, P = Uuid> {
    /// Items, at most as many as requested.
    pub items: Vec<T>,
    /// Position after which the next page starts, if there is one.
    pub next: Option<P>,
}

impl<P> Page<P> {
    /// Number of rows to read: one more than the limit, which shows whether there is another page.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }

    /// Creates the page from the rows that were read.
    pub fn slice<T>(&self, mut items: Vec<T>, position: impl Fn(&T) -> P) -> Slice<T, P> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(position) } else { None };
        Slice { items, next }
    }
}

/// Streams all pages of a list, with only one page in memory at a time. `read` returns a page, in any form, and
/// the position after which the next page starts.
pub fn pages<B, P, F, T>(limit: u64, mut read: F) -> impl Stream<Item = Result<B>>
where
    F: FnMut(Page<P>) -> T,
    T: Future<Output = Result<(B, Option<P>)>>,
{
    stream::try_unfold(Some(None), move |position| {
        let page = position.map(|after| read(Page { limit, after }));
        async move {
            let Some(page) = page else { return Ok(None) };
            let (items, next) = page.await?;
            Ok(Some((items, next.map(Some))))
        }
    })
}

/// Maximum time between the timestamp of a row and the creation of its id.
const ID_LAG: Duration = Duration::minutes(1);

/// Id that is lower than the ids of all rows of this time or later (UUIDv7, RFC 9562 §5.7).
#[must_use]
pub fn first_id_at(time: DateTime<Utc>) -> Uuid {
    id_at(time.checked_sub_signed(ID_LAG).unwrap_or(time))
}

/// Id that is higher than the ids of all rows before this time.
#[must_use]
pub fn last_id_before(time: DateTime<Utc>) -> Uuid {
    id_at(time.checked_add_signed(ID_LAG).unwrap_or(time))
}

fn id_at(time: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_set_only_if_there_is_another_page() {
        let ids: Vec<_> = (1..=3).map(Uuid::from_u128).collect();
        let page = Page { limit: 2, after: None };
        assert_eq!(page.slice(ids.clone(), |id| *id).next, Some(Uuid::from_u128(2)));
        assert_eq!(page.slice(ids.iter().copied().take(2).collect(), |id| *id).next, None);
    }
}
