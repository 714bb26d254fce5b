//! Columns and properties that an import does not use, with the number of their values.

use std::collections::HashMap;

/// The most names that are counted apart. All others are counted together, without a name.
const MAX_NAMES: usize = 500;

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 100;

/// A column or a property that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedPart {
    /// Name, as in the file; empty for values beyond the last column.
    pub name: String,
    /// Number of values that are not blank.
    pub values: u64,
}

/// Counts of what was not used, by name, in the order in which they were met.
#[derive(Debug, Default)]
pub struct Unused {
    parts: Vec<UnusedPart>,
    by_name: HashMap<String, usize>,
}

impl Unused {
    /// Counts values.
    pub(super) fn add(&mut self, name: &str, values: u64) {
        if values == 0 {
            return;
        }
        let end = name.char_indices().nth(MAX_NAME_CHARS).map_or(name.len(), |(end, _)| end);
        let name = name.get(..end).filter(|name| self.parts.len() < MAX_NAMES || self.by_name.contains_key(*name));
        let name = name.unwrap_or_default();
        if let Some(part) = self.by_name.get(name).and_then(|index| self.parts.get_mut(*index)) {
            part.values += values;
            return;
        }
        self.by_name.insert(name.to_owned(), self.parts.len());
        self.parts.push(UnusedPart { name: name.to_owned(), values });
    }

    /// Adds other counts.
    pub(super) fn merge(&mut self, other: Self) {
        for part in other.parts {
            self.add(&part.name, part.values);
        }
    }

    /// The names with their counts.
    #[must_use]
    pub fn into_parts(self) -> Vec<UnusedPart> {
        self.parts
    }
}
