//! Columns and properties that an import does not use, with the number of their values.

/// The most names that are counted apart.
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
pub struct Unused(Vec<UnusedPart>);

impl Unused {
    /// Counts a value.
    pub(super) fn add(&mut self, name: &str) {
        if let Some(part) = self.0.iter_mut().find(|part| part.name == name) {
            part.values += 1;
        } else if self.0.len() < MAX_NAMES {
            self.0.push(UnusedPart { name: name.chars().take(MAX_NAME_CHARS).collect(), values: 1 });
        }
    }

    /// The names with their counts.
    #[must_use]
    pub fn into_parts(self) -> Vec<UnusedPart> {
        self.0
    }
}
