//! List and search of contacts.

use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::contacts::contact_points::StoredPoint;
use crate::domain::contacts::contacts::owned_by;
use crate::domain::contacts::names::StoredNames;
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

/// The column `search_folded`: the folded last name, organization and e-mail addresses, each on a line of its own.
pub(super) fn search_folded(names: &StoredNames, emails: &[StoredPoint]) -> String {
    let emails: Vec<&str> = emails.iter().map(|point| point.value.as_str()).collect();
    let folded = |name: &Option<String>| name.as_deref().map(search::fold).unwrap_or_default();
    [folded(&names.last_name), folded(&names.organization), emails.join(" ")].join("\n")
}

/// A pattern for a text in one of the three lines of `search_folded`.
fn line_pattern(line: usize, text: &str) -> String {
    let line_of = |index: usize| if index == line { search::contains_pattern(text) } else { "%".to_owned() };
    [0, 1, 2].map(line_of).join("\n")
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
    let in_line = |line: usize, text: &str| like(Column::SearchFolded, line_pattern(line, text));
    let mut found = owned_by(actor.user_id).select_only().columns(order);
    for word in filter.search.iter().flat_map(SearchText::words) {
        let in_first_name = contains(Column::FirstFolded, word);
        found = found.filter(in_first_name.or(contains(Column::SearchFolded, word)));
    }
    let found = found
        .apply_if(filter.first_name.as_ref(), |found, text| found.filter(contains(Column::FirstFolded, text.as_str())))
        .apply_if(filter.last_name.as_ref(), |found, text| found.filter(in_line(0, text.as_str())))
        .apply_if(filter.email.as_ref(), |found, text| found.filter(in_line(2, text.as_str())))
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
