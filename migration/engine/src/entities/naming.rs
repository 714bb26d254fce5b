//! Names of keys and indexes.

use sha2::{Digest as _, Sha256};

/// Length of the longest name in bytes. PostgreSQL cuts longer ones off.
pub(crate) const LONGEST_NAME: usize = 63;

/// Bytes of a hash in a shortened name.
const HASH: usize = 8;

/// Convention for the names of keys and indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// PostgreSQL's own: `users_pkey`, `users_email_key`, `users_team_id_fkey`, `users_name_idx`, `users_role_check`.
    #[default]
    Postgres,
    /// SeaORM's: `pk-users`, `idx-users-name`, `fk-users-team_id`. Keys of one column have no name of their own, so the database
    /// gives them one: PostgreSQL the same as above, SQLite none.
    SeaOrm,
}

/// What a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    PrimaryKey,
    Unique,
    ForeignKey,
    Index,
    Check,
}

impl Naming {
    /// The name of a key or an index over columns.
    pub(super) fn name(self, kind: Kind, table: &str, columns: &[String]) -> String {
        let name = match self {
            Self::Postgres => {
                let suffix = match kind {
                    Kind::PrimaryKey => return identifier(&format!("{table}_pkey")),
                    Kind::Unique => "key",
                    Kind::ForeignKey => "fkey",
                    Kind::Index => "idx",
                    Kind::Check => "check",
                };
                format!("{table}_{}_{suffix}", columns.join("_"))
            }
            Self::SeaOrm => {
                let prefix = match kind {
                    Kind::PrimaryKey => return identifier(&format!("pk-{table}")),
                    Kind::Unique | Kind::Index => "idx",
                    Kind::ForeignKey => "fk",
                    Kind::Check => "check",
                };
                format!("{prefix}-{table}-{}", columns.join("-"))
            }
        };
        identifier(&name)
    }
}

/// A name that is not cut off: of a longer one, the beginning and a hash of the whole, so that two of them stay different.
pub(crate) fn identifier(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let longest = LONGEST_NAME - HASH - 1;
    let end = (0..=longest).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    format!("{}_{}", name.get(..end).unwrap_or_default(), hash.get(..HASH).unwrap_or_default())
}

/// A name as PostgreSQL stores it.
#[cfg(feature = "cli")]
pub(crate) fn cut_off(name: &str) -> &str {
    let end = (0..=LONGEST_NAME).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    name.get(..end).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_convention() {
        let columns = ["a".to_owned(), "b".to_owned()];
        for (kind, postgres, sea_orm) in [
            (Kind::PrimaryKey, "t_pkey", "pk-t"),
            (Kind::Unique, "t_a_b_key", "idx-t-a-b"),
            (Kind::ForeignKey, "t_a_b_fkey", "fk-t-a-b"),
            (Kind::Index, "t_a_b_idx", "idx-t-a-b"),
            (Kind::Check, "t_a_b_check", "check-t-a-b"),
        ] {
            assert_eq!(Naming::Postgres.name(kind, "t", &columns), postgres);
            assert_eq!(Naming::SeaOrm.name(kind, "t", &columns), sea_orm);
        }
    }

    #[test]
    fn long_names_are_shortened_and_stay_different() {
        assert_eq!(identifier(&"x".repeat(63)), "x".repeat(63));
        let (one, other) = (identifier(&format!("{}a", "x".repeat(70))), identifier(&format!("{}b", "x".repeat(70))));
        assert!(one != other && one.len() == 63 && other.len() == 63, "{one} {other}");
        assert!(identifier(&"ß".repeat(40)).len() <= 63);
    }
}
