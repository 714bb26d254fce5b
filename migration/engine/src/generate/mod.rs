//! Generates migrations: a Rust source file from the difference between two schemas.

mod alteration;
mod blocking;
mod clauses;
mod enums;
mod heading;
mod idens;
pub(crate) mod names;
pub(crate) mod plan;
mod rust;
mod schema_pair;
mod statement;
mod text;
pub(crate) mod types;

pub use self::heading::Heading;
pub(crate) use self::schema_pair::{BackendSpecific, SchemaPair};
use crate::schema::Schema;

/// The source of a migration: empty, or with the statements for a pair of schemas, up and down.
pub(crate) fn migration(heading: &Heading, pair: Option<SchemaPair<'_>>) -> String {
    let Some(pair) = pair else { return rust::file(heading, &[], &[], None) };
    let to = with_plain_unique_indexes(pair.from, pair.to);
    let up = plan::plan(pair.from, &to, pair.equivalences);
    let down = plan::plan(&to, pair.from, pair.equivalences);
    rust::file(heading, &up, &down, Some(SchemaPair { to: &to, ..pair }))
}

/// On an existing table a unique index replaces a unique constraint: SQLite can add it without a
/// rebuild.
fn with_plain_unique_indexes(from: &Schema, to: &Schema) -> Schema {
    let mut to = to.clone();
    for table in to.tables.values_mut() {
        let Some(old) = from.tables.get(&table.name) else { continue };
        for index in table.indexes.iter_mut().filter(|index| index.is_constraint) {
            let kept = old.indexes.iter().find(|known| known.is_constraint && known.columns == index.columns);
            index.is_constraint = kept.is_some();
        }
    }
    to
}
