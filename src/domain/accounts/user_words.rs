//! Words of accounts, for searching: those of the name, the e-mail address, and the digits of the telephone number.

use std::collections::BTreeSet;

use entity::user_words::{ActiveModel, Column, Entity};
use entity::users;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::domain::records::word_search::Words;
use crate::domain::values::search;
use crate::error::{Error, Result};

/// First character of the word of a telephone number. No name has it.
const PHONE_NUMBER: char = '\u{1}';

/// Rows of one statement.
const BATCH: usize = 1000;

/// What an account can be found by.
#[derive(Clone, Copy, Debug)]
pub struct Searchable<'a> {
    /// Full name.
    pub name: &'a str,
    /// E-mail address.
    pub email: &'a str,
    /// Telephone number.
    pub phone_number: Option<&'a str>,
}

impl<'a> Searchable<'a> {
    pub(super) fn of(user: &'a users::Model) -> Self {
        Self { name: &user.name, email: &user.email, phone_number: user.phone_number.as_deref() }
    }

    /// An account whose profile was cleared.
    pub(super) fn cleared(email: &'a str) -> Self {
        Self { name: super::users::local_part(email), email, phone_number: None }
    }

    fn words(self) -> BTreeSet<String> {
        let mut words = search::index_words(self.name);
        words.insert(self.email.to_owned());
        // Also the parts of the address: a search without its domain is split into words as a name is.
        words.extend(search::index_words(super::users::local_part(self.email)));
        words.extend(self.phone_number.map(phone_word));
        words
    }
}

fn phone_word(number: &str) -> String {
    std::iter::once(PHONE_NUMBER).chain(number.chars().filter(char::is_ascii_digit)).collect()
}

/// The table of words.
pub(super) fn words() -> Words {
    Words::new(Entity, Column::Word, Column::UserId)
}

/// Ids of the accounts with the digits of a telephone number.
pub(in crate::domain) fn with_phone_number(number: &str) -> SelectStatement {
    let its = Expr::col(Column::Word).eq(phone_word(number));
    Query::select().column(Column::UserId).from(Entity).and_where(its).to_owned()
}

/// Replaces the words of an account. Two statements, also if there is no such account: a response time must not reveal
/// that.
pub(super) async fn replace(db: &impl ConnectionTrait, user_id: Uuid, searchable: Searchable<'_>) -> Result<()> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await?;
    let row = |word: String| {
        Query::select()
            .expr(Expr::value(word))
            .column(users::Column::Id)
            .from(users::Entity)
            .and_where(Expr::col(users::Column::Id).eq(user_id))
            .to_owned()
    };
    let mut rows = searchable.words().into_iter().map(row);
    let Some(mut all) = rows.next() else { return Ok(()) };
    for row in rows {
        all.union(UnionType::All, row);
    }
    let columns = [Column::Word, Column::UserId];
    let mut insert = Query::insert();
    insert.into_table(Entity).columns(columns).select_from(all).map_err(Error::internal)?;
    db.execute(&insert).await?;
    Ok(())
}

/// Inserts the words of new accounts.
///
/// # Errors
/// Database errors.
pub async fn insert<'a>(
    db: &impl ConnectionTrait,
    accounts: impl Iterator<Item = (Uuid, Searchable<'a>)>,
) -> Result<()> {
    let rows = accounts.flat_map(|(user_id, searchable)| {
        searchable.words().into_iter().map(move |word| ActiveModel { word: Set(word), user_id: Set(user_id) })
    });
    let rows: Vec<_> = rows.collect();
    for rows in rows.chunks(BATCH) {
        Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}
