//! Value types of the library.

use sea_orm::entity::prelude::*;

/// Native enum of PostgreSQL; text on SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "genre")]
pub enum Genre {
    #[sea_orm(string_value = "novel")]
    Novel,
    #[sea_orm(string_value = "science")]
    Science,
}

/// Text with a CHECK on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(10))", rename_all = "snake_case")]
pub enum State {
    Good,
    Worn,
}
