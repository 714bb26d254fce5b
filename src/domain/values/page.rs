//! Keyset pages: a list goes on behind the last row that was seen, so that row ten million costs the same as row ten.

use chrono::{DateTime, Duration, Utc};
use futures_util::{Stream, stream};
use uuid::Uuid;

use crate::error::Result;

/// Which part of a list is wanted. `P` is what tells rows apart in the order of the list: the id, where that is the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<P = Uuid> {
    /// How many items at most.
    pub limit: u64,
    /// The position of the last item of the page before.
    pub after: Option<P>,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T, P = Uuid> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// Behind what the next page begins, when there is one.
    pub next: Option<P>,
}

impl<P> Page<P> {
    /// How many rows to read: one more than wanted tells whether there is another page.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }

    /// Cuts what was read down to the page.
    pub fn slice<T>(&self, mut items: Vec<T>, position: impl Fn(&T) -> P) -> Slice<T, P> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(position) } else { None };
        Slice { items, next }
    }
}

/// A list of any length as a stream of its pages: memory holds one page at a time. `read` returns a page, in any form, and
/// the position of the next one.
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

/// More than can pass between the time that a row tells and the making of its id.
const ID_LAG: Duration = Duration::minutes(1);

/// An id below those of all rows that tell of this time or a later one (RFC 9562 §5.7).
#[must_use]
pub fn first_id_at(time: DateTime<Utc>) -> Uuid {
    id_at(time.checked_sub_signed(ID_LAG).unwrap_or(time))
}

/// An id above those of all rows that tell of an earlier time than this.
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
    fn a_page_tells_of_the_next_one_only_when_there_is_one() {
        let ids: Vec<_> = (1..=3).map(Uuid::from_u128).collect();
        let page = Page { limit: 2, after: None };
        assert_eq!(page.slice(ids.clone(), |id| *id).next, Some(Uuid::from_u128(2)));
        assert_eq!(page.slice(ids.iter().copied().take(2).collect(), |id| *id).next, None);
    }
}
