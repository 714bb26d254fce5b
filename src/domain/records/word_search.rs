//! Search by the beginning of words: tables of folded words, with an index entry for each word of each row.
//!
//! A list is sorted by id, and the words by text. Which of the two to read first depends on how common the words are, and
//! the databases estimate that badly. So the rows of a word are counted first, up to a limit: a rare word is resolved into
//! ids; common ones become conditions, of which a page of the list finds enough rows soon.

use std::collections::BTreeSet;

use sea_orm::sea_query::{DynIden, Expr, ExprTrait, IntoIden, Query, SelectStatement};
use sea_orm::{Condition, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use crate::domain::values::search::SearchText;
use crate::error::Result;

/// Rows of a word that are resolved into ids.
const MAX_IDS: u64 = 1000;

/// Greatest character, which ends the range of the words with the same beginning.
const LAST_CHARACTER: char = '\u{10FFFF}';

/// A table of words.
#[derive(Clone, Debug)]
pub struct Words {
    table: DynIden,
    word: DynIden,
    id: DynIden,
}

impl Words {
    /// A table with its column of words and its column of ids.
    pub fn new<E: EntityTrait>(entity: E, word: E::Column, id: E::Column) -> Self {
        Self { table: entity.into_iden(), word: word.into_iden(), id: id.into_iden() }
    }

    /// Finds the rows of which, for each word of a search, some word begins with it. Returns a condition for their id;
    /// `None` if there are no such rows.
    ///
    /// # Errors
    /// Database errors.
    pub async fn matching(&self, db: &impl ConnectionTrait, text: &SearchText, id: Expr) -> Result<Option<Condition>> {
        let mut found: Option<BTreeSet<Uuid>> = None;
        let mut condition = Condition::all();
        let words = text.folded_words();
        if words.is_empty() {
            return Ok(None);
        }
        for word in words {
            match self.ids(db, &word).await? {
                Some(ids) => found = Some(found.map_or_else(|| ids.clone(), |found| &found & &ids)),
                None => condition = condition.add(self.exists(&word, id.clone())),
            }
            if found.as_ref().is_some_and(BTreeSet::is_empty) {
                return Ok(None);
            }
        }
        Ok(Some(match found {
            Some(ids) => condition.add(id.is_in(ids)),
            None => condition,
        }))
    }

    /// Ids of the rows of a word; `None` if there are too many.
    async fn ids(&self, db: &impl ConnectionTrait, word: &str) -> Result<Option<BTreeSet<Uuid>>> {
        let query = self.beginning_with(word).column(self.id.clone()).limit(MAX_IDS + 1).to_owned();
        let rows = db.query_all(&query).await?;
        if rows.len() as u64 > MAX_IDS {
            return Ok(None);
        }
        let ids: std::result::Result<_, DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        Ok(Some(ids?))
    }

    fn exists(&self, word: &str, id: Expr) -> Expr {
        let its = Expr::col((self.table.clone(), self.id.clone())).eq(id);
        Expr::exists(self.beginning_with(word).expr(Expr::value(1)).and_where(its).to_owned())
    }

    fn beginning_with(&self, word: &str) -> SelectStatement {
        let column = || Expr::col((self.table.clone(), self.word.clone()));
        let end = format!("{word}{LAST_CHARACTER}");
        Query::select().from(self.table.clone()).and_where(column().gte(word)).and_where(column().lt(end)).to_owned()
    }
}
