//! Column types with a meaning of their own: closed sets of words, and a secret.

use std::fmt;

use sea_orm::entity::prelude::*;

/// What an account may do. Each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Role {
    /// Asks for vaccines.
    Patient,
    /// Reviews requests.
    Staff,
    /// Keeps the catalogue and gives out roles.
    Admin,
}

/// Where a vaccine request stands: `pending → approved → booked → administered`, or one of the other ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum RequestStatus {
    Pending,
    Approved,
    Rejected,
    Booked,
    Administered,
    Missed,
    Cancelled,
}

/// A password as it is stored: hashed, and hidden from `Debug`.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
