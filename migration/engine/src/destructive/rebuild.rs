//! Rebuild of a table on SQLite: the rows are copied to a table with the new definition, which takes the place of the old one.

use super::catalog::TableName;
use super::cursor::Cursor;
use super::narrowing::is_narrower;
use super::statements::{is, items};
use super::trace::Trace;

impl Trace {
    /// `INSERT INTO new (…) SELECT … FROM old` of all rows: the columns of the new table have the values of the old one.
    pub(super) fn copy_rows(&mut self, name: &TableName, cursor: Cursor<'_>) {
        let Some((old, columns)) = self.is_rebuild(name).then(|| self.copied(cursor)).flatten() else { return };
        let Some(source) = self.tables.get(&old).cloned() else { return };
        let mut narrowed = Vec::new();
        let Some(new) = self.tables.get_mut(name) else { return };
        for (into, from) in columns {
            let (Some(into), Some(from)) = (new.column_mut(&into), source.column(&from)) else { continue };
            into.original.clone_from(&from.original);
            if let Some(original) = from.original.as_ref().filter(|_| is_narrower(&from.kind, &into.kind)) {
                narrowed.push(format!("narrow {original} from {} to {}", from.kind, into.kind));
            }
        }
        new.copy_of = Some(old);
        self.losses.extend(narrowed);
    }

    /// The table of a plain SELECT, and the pairs of columns. None if rows may be missing, or values are computed.
    fn copied(&self, mut cursor: Cursor<'_>) -> Option<(TableName, Vec<(String, String)>)> {
        let into = list(&mut cursor)?;
        if !cursor.skip(&["SELECT"]) {
            return None;
        }
        let from = cursor.rest.iter().position(|token| is(token, "FROM"))?;
        let mut table = cursor.at(cursor.rest.get(from + 1..)?);
        let name = table.name()?;
        let values: Option<Vec<String>> =
            items(cursor.rest.get(..from)?).map(|item| cursor.at(item).word().filter(|_| item.len() == 1)).collect();
        let values = values?;
        let is_whole = table.rest.is_empty() && values.len() == into.len();
        is_whole.then(|| Some((self.resolve(&name)?, into.into_iter().zip(values).collect()))).flatten()
    }
}

/// The names of a list in parentheses.
fn list(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    if !cursor.skip(&["("]) {
        return None;
    }
    let end = cursor.rest.iter().position(|token| *token == ")")?;
    let names = cursor.rest.get(..end)?.split(|token| *token == ",");
    let names = names.map(|name| cursor.at(name).word()).collect();
    cursor.rest = cursor.rest.get(end + 1..)?;
    names
}
