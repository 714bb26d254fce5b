//! Schemas, read from a database or from entities.

pub(crate) mod ddl;
pub(crate) mod entities;
mod enums;
pub(crate) mod expression;
mod model;
mod postgres;
pub(crate) mod replay;
mod sqlite;

use sea_orm::{ConnectionTrait, DbBackend};

pub(crate) use self::model::{Check, Column, ForeignKey, ForeignKeyAction, Index, Key, Schema, Table};
use crate::Failure;

impl Schema {
    /// Reads the schema of a database. Only needs privileges to read the catalogue.
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self, Failure> {
        match db.get_database_backend() {
            DbBackend::Sqlite => sqlite::read(db).await,
            _ => postgres::read(db).await,
        }
    }
}
