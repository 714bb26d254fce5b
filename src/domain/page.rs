//! Keyset pages: a list goes on behind the last id that was seen, so that row ten million costs the same as row ten.

use uuid::Uuid;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items at most.
    pub limit: u64,
    /// The id of the last item of the page before.
    pub after: Option<Uuid>,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// Where the next page begins, when there is one.
    pub next: Option<Uuid>,
}

impl Page {
    /// How many rows to read: one more than wanted tells whether there is another page.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }

    /// Cuts what was read down to the page.
    pub fn slice<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> Uuid) -> Slice<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(id) } else { None };
        Slice { items, next }
    }
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
