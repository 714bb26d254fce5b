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
use crate::error::{Error, Result};

/// Rows of a word that are resolved into ids.
const MAX_IDS: u64 = 1000;

/// Greatest character, which ends the range of the words with the same beginning.
const LAST_CHARACTER: char = '\u{10FFFF}';

/// Alias of the table of words in a subquery.
const OTHER: &str = "other";

/// The rows that a search finds.
#[derive(Clone, Debug)]
pub struct Matching {
    /// The condition on their id.
    pub condition: Condition,
    /// Whether the condition lists the ids. If not, it holds for many rows.
    pub lists_ids: bool,
}

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

    /// Finds the rows of which, for each word of a search, some word begins with it; `None` if there are no such rows.
    ///
    /// # Errors
    /// Database errors.
    pub async fn matching(&self, db: &impl ConnectionTrait, text: &SearchText, id: Expr) -> Result<Option<Matching>> {
        let mut found: Option<BTreeSet<Uuid>> = None;
        let mut common = Vec::new();
        let words = text.folded_words();
        if words.is_empty() {
            return Ok(None);
        }
        for word in words {
            match self.ids(db, self.beginning_with(&word)).await? {
                Some(ids) => found = Some(found.map_or_else(|| ids.clone(), |found| &found & &ids)),
                None => common.push(word),
            }
            if found.as_ref().is_some_and(BTreeSet::is_empty) {
                return Ok(None);
            }
        }
        if found.is_none() && common.len() > 1 {
            // Words that are common each, and rarely meet: a list would be read to its end.
            found = self.ids(db, self.meeting(&common)).await?;
            if found.as_ref().is_some_and(BTreeSet::is_empty) {
                return Ok(None);
            }
        }
        let condition = common.iter().fold(Condition::all(), |all, word| all.add(self.exists(word, id.clone())));
        Ok(Some(match found {
            Some(ids) => Matching { condition: condition.add(id.is_in(ids)), lists_ids: true },
            None => Matching { condition, lists_ids: false },
        }))
    }

    /// The condition that, for each word of a search, some word of the row begins with it. For lists that are short for
    /// another reason.
    #[must_use]
    pub fn each(&self, text: &SearchText, id: &Expr) -> Condition {
        let words = text.folded_words();
        if words.is_empty() {
            return Condition::any().add(Expr::value(false));
        }
        words.iter().fold(Condition::all(), |all, word| all.add(self.exists(word, id.clone())))
    }

    /// Replaces the words of a row.
    ///
    /// # Errors
    /// Database errors.
    pub async fn replace(&self, db: &impl ConnectionTrait, id: Uuid, words: BTreeSet<String>) -> Result<()> {
        let mut delete = Query::delete();
        delete.from_table(self.table.clone()).and_where(Expr::col(self.id.clone()).eq(id));
        db.execute(&delete).await?;
        if words.is_empty() {
            return Ok(());
        }
        let mut insert = Query::insert();
        insert.into_table(self.table.clone()).columns([self.word.clone(), self.id.clone()]);
        for word in words {
            insert.values([Expr::value(word), Expr::value(id)]).map_err(Error::internal)?;
        }
        db.execute(&insert).await?;
        Ok(())
    }

    /// Ids that a query finds in the table; `None` if there are too many.
    async fn ids(&self, db: &impl ConnectionTrait, mut query: SelectStatement) -> Result<Option<BTreeSet<Uuid>>> {
        query.column((self.table.clone(), self.id.clone())).limit(MAX_IDS + 1);
        let rows = db.query_all(&query).await?;
        if rows.len() as u64 > MAX_IDS {
            return Ok(None);
        }
        let ids: std::result::Result<_, DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        Ok(Some(ids?))
    }

    /// The rows of the first word that have all others too.
    fn meeting(&self, words: &[String]) -> SelectStatement {
        let Some((first, others)) = words.split_first() else { return Query::select() };
        let mut query = self.beginning_with(first);
        for word in others {
            query.and_where(self.exists(word, Expr::col((self.table.clone(), self.id.clone()))));
        }
        query
    }

    fn exists(&self, word: &str, id: Expr) -> Expr {
        let its = Expr::col((OTHER, self.id.clone())).eq(id);
        let other = Query::select()
            .expr(Expr::value(1))
            .from_as(self.table.clone(), OTHER)
            .cond_where(self.range(OTHER, word))
            .and_where(its)
            .to_owned();
        Expr::exists(other)
    }

    fn beginning_with(&self, word: &str) -> SelectStatement {
        Query::select().from(self.table.clone()).cond_where(self.range(self.table.clone(), word)).to_owned()
    }

    fn range(&self, table: impl IntoIden, word: &str) -> Condition {
        let column = Expr::col((table.into_iden(), self.word.clone()));
        Condition::all().add(column.clone().gte(word)).add(column.lt(format!("{word}{LAST_CHARACTER}")))
    }
}
