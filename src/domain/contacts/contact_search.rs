//! List and search of contacts.

use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::contacts::contact_points::StoredPoint;
use crate::domain::contacts::contacts::owned_by;
use crate::domain::values::actor::Actor;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::person::NamePart;
use crate::domain::values::search::{self, SearchText};
use crate::domain::values::text::Line;
use crate::error::Result;

/// Part of an e-mail address to search for.
pub type EmailPart = Line<{ Email::MAX_BYTES }>;

/// Alias of the subquery that finds the contacts of a page.
const FOUND: &str = "found";

/// Filter of a list of contacts. Each condition narrows it; letter case does not matter.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// Each of these words is part of a name or of an e-mail.
    pub search: Option<SearchText>,
    /// Part of the first name.
    pub first_name: Option<NamePart>,
    /// Part of the last name.
    pub last_name: Option<NamePart>,
    /// Part of an e-mail.
    pub email: Option<EmailPart>,
}

/// Position of a contact in the list, which is sorted by last name, or else first name, or else organization; then by first name
/// and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The folded name that it is sorted by.
    pub sort_name: String,
    /// The folded first name.
    pub first_name: String,
    /// The id, which makes the position unique.
    pub id: Uuid,
}

impl Position {
    fn of(contact: &Model) -> Self {
        Self { sort_name: contact.sort_folded.clone(), first_name: contact.first_folded.clone(), id: contact.id }
    }
}

/// The most octets of folded names in the index of the list, of which PostgreSQL allows 2,704 in all.
const MAX_NAME_BYTES: usize = 900;

/// The most octets of an organization that a search reads.
const MAX_ORGANIZATION_BYTES: usize = 300;

/// The most octets of e-mail addresses that a search reads: always the main one.
const MAX_EMAIL_BYTES: usize = 400;

/// Folded name, cut to the maximum size: only this part is used for sorting and searching.
pub(super) fn name_folded(name: &str) -> String {
    bounded(search::fold(name), MAX_NAME_BYTES)
}

/// The column `search_folded`: the e-mail addresses and the folded organization, each on a line of its own.
pub(super) fn search_folded(organization: Option<&str>, emails: &[StoredPoint]) -> String {
    let mut lines = String::new();
    for email in emails {
        if lines.len() + email.value.len() < MAX_EMAIL_BYTES {
            lines.push_str(&email.value);
            lines.push(' ');
        }
    }
    lines.push('\n');
    lines.push_str(&bounded(organization.map(search::fold).unwrap_or_default(), MAX_ORGANIZATION_BYTES));
    lines
}

fn bounded(mut text: String, max: usize) -> String {
    let end =
        text.char_indices().map(|(start, character)| start + character.len_utf8()).take_while(|end| *end <= max).last();
    text.truncate(end.unwrap_or(0));
    text
}

/// Lists contacts by name.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    filter: &ContactFilter,
    page: Page<Position>,
) -> Result<Slice<Model, Position>> {
    let order = [Column::SortFolded, Column::FirstFolded, Column::Id];
    let like = |column: Column, pattern: String| column.like(LikeExpr::new(pattern).escape('\\'));
    let contains = |column: Column, text: &str| like(column, search::contains_pattern(text));
    let in_last_name = |text: &str| contains(Column::SortFolded, text).and(Column::LastName.is_not_null());
    let in_email = |text: &str| like(Column::SearchFolded, format!("{}\n%", search::contains_pattern(text)));
    let mut found = owned_by(actor.user_id).select_only().columns(order);
    for word in filter.search.iter().flat_map(SearchText::words) {
        let columns = [Column::SortFolded, Column::FirstFolded, Column::SearchFolded];
        found = found.filter(columns.into_iter().fold(Condition::any(), |any, column| any.add(contains(column, word))));
    }
    let found = found
        .apply_if(filter.first_name.as_ref(), |found, text| found.filter(contains(Column::FirstFolded, text.as_str())))
        .apply_if(filter.last_name.as_ref(), |found, text| found.filter(in_last_name(text.as_str())))
        .apply_if(filter.email.as_ref(), |found, text| found.filter(in_email(text.as_str())))
        .apply_if(page.after.as_ref(), |found, after| {
            let position = [after.sort_name.as_str().into(), after.first_name.as_str().into(), Expr::value(after.id)];
            found.filter(Expr::tuple(order.map(Expr::col)).gt(Expr::tuple(position)))
        });
    let found = order.into_iter().fold(found, QueryOrder::order_by_asc).limit(page.rows());
    // The search reads only the index of the list; the rows are read for the contacts of the page.
    let mut contacts = owned_by(actor.user_id);
    let its = |column: Column| Expr::col((FOUND, column));
    let is_found = Expr::col((Entity, Column::Id)).eq(its(Column::Id));
    QuerySelect::query(&mut contacts).join_subquery(JoinType::InnerJoin, found.into_query(), FOUND, is_found);
    let contacts = order.into_iter().fold(contacts, |contacts, column| contacts.order_by_asc(its(column)));
    let contacts = contacts.all(db).await?;
    Ok(page.slice(contacts, Position::of))
}
