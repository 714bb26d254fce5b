//! The schema that entities describe, as statements for an empty database.

mod derive;
mod extras;
mod naming;

use sea_orm::sea_query::extension::postgres::TypeCreateStatement;
use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};
use sea_orm::{DbBackend, EntityTrait};

pub use self::extras::{CompositeIndex, TableExtras, enum_values};
pub use self::naming::Naming;
#[cfg(feature = "cli")]
pub(crate) use self::naming::{LONGEST_NAME, cut_off, identifier};

/// The schema that the entities describe, as statements for an empty database.
///
/// ```
/// use revisions::Entities;
/// use sea_orm::DbBackend;
///
/// mod users {
///     use sea_orm::entity::prelude::*;
///
///     #[sea_orm::model]
///     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
///     #[sea_orm(table_name = "users")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i32,
///         #[sea_orm(unique)]
///         pub email: String,
///     }
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
///
/// fn entities(backend: DbBackend) -> Entities {
///     Entities::of(backend).with(users::Entity)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Entities {
    backend: DbBackend,
    naming: Naming,
    /// Former names of columns, with table and name.
    pub(crate) renamed: Vec<(String, String, String)>,
    /// Native enums of PostgreSQL.
    pub types: Vec<TypeCreateStatement>,
    /// Tables with their keys, CHECKs and foreign keys.
    pub tables: Vec<TableCreateStatement>,
    /// Indexes besides those of the keys.
    pub indexes: Vec<IndexCreateStatement>,
    /// Indexes with expressions, as SQL.
    pub expression_indexes: Vec<String>,
}

impl Entities {
    /// No entities yet, for a database. Names follow PostgreSQL's own convention.
    #[must_use]
    pub fn of(backend: DbBackend) -> Self {
        Self {
            backend,
            naming: Naming::default(),
            renamed: Vec::new(),
            types: Vec::new(),
            tables: Vec::new(),
            indexes: Vec::new(),
            expression_indexes: Vec::new(),
        }
    }

    /// The same from statements, for a schema that is not one of entities.
    #[must_use]
    pub fn from_statements(tables: Vec<TableCreateStatement>, indexes: Vec<IndexCreateStatement>) -> Self {
        Self { tables, indexes, ..Self::of(DbBackend::Sqlite) }
    }

    /// The convention for the names of keys and indexes of the entities that follow.
    #[must_use]
    pub fn naming(self, naming: Naming) -> Self {
        Self { naming, ..self }
    }

    /// Adds an entity: its table, keys, indexes, relations and native enums, as its attributes describe them.
    #[must_use]
    pub fn with<E: EntityTrait>(self, entity: E) -> Self {
        self.add(entity, &derive::Extras::default())
    }

    /// Adds an entity with what its attributes cannot express.
    #[must_use]
    pub fn with_extras<E: TableExtras>(self, entity: E) -> Self {
        self.add(entity, &derive::Extras::of::<E>())
    }

    fn add<E: EntityTrait>(mut self, entity: E, extras: &derive::Extras) -> Self {
        for created in derive::types(self.backend, entity) {
            // Several tables may have columns of one type.
            if !self.types.iter().any(|known| derive::is_same_type(known, &created)) {
                self.types.push(created);
            }
        }
        self.renamed.extend(derive::renamed(self.backend, entity));
        self.tables.push(derive::table(self.backend, self.naming, entity, extras));
        self.expression_indexes.extend(derive::expression_indexes(self.backend, self.naming, entity, extras));
        self.indexes.extend(derive::indexes(self.backend, self.naming, entity, extras));
        self
    }
}

impl Default for Entities {
    fn default() -> Self {
        Self::of(DbBackend::Sqlite)
    }
}
