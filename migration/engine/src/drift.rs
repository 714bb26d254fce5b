//! Drift: differences between the entities and a database, and the migration that removes them.

use std::collections::BTreeMap;

use sea_orm::sea_query::ColumnType;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;

use crate::alter_table::quoted;
use crate::change::Change;
use crate::compare::{compare, doubtful};
use crate::equivalences::Equivalences;
use crate::generate::{BackendSpecific, Heading, SchemaPair, migration, types};
use crate::renames;
use crate::schema::entities::Declared;
use crate::schema::expression::normal;
use crate::schema::replay::replay;
use crate::schema::{Schema, entities};
use crate::{Entities, Failure, Project, connection, history, recorder};

/// A difference between a database and the entities. Displayed as a line: `+` for what only the
/// entities have, `-` for what only the database has, `~` for what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The kinds of the change, in Alembic's terms, such as `add_column`. A column can change in
    /// several ways.
    pub kinds: Vec<&'static str>,
    /// The name of the table.
    pub table: String,
    text: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// All differences between the database and the entities.
pub async fn differences(db: &DatabaseConnection, project: &Project) -> Result<Vec<Difference>, Failure> {
    let changes = Comparison::read(project, db).await?.changes();
    let difference = |change: Change| Difference {
        kinds: change.kinds(),
        table: change.table().to_owned(),
        text: change.to_string(),
    };
    Ok(changes.into_iter().map(difference).collect())
}

/// Generates the source of a migration that changes the database to what the entities describe, and
/// back. None if there are no differences.
///
/// The source is not formatted.
pub async fn autogenerate(
    db: &DatabaseConnection,
    project: &Project,
    heading: &Heading,
) -> Result<Option<String>, Failure> {
    let mut comparison = Comparison::read(project, db).await?;
    let here = comparison.changes();
    let mut backend_specific = backend_specific(project.entities);
    let mut schemas = vec![(comparison.database.clone(), comparison.backend)];
    for other_backends in other_backends(project, db).await? {
        backend_specific.add_collations_of(&other_backends.database, other_backends.backend);
        schemas.push((other_backends.database.clone(), other_backends.backend));
        // Generate from the database that detects more, such as a larger integer type: the
        // migration runs on both. But not if the connected database has differences of its own,
        // which no migration has made.
        let there = other_backends.changes();
        let covered =
            |by: &[Change], what: &[Change]| what.iter().all(|change| by.iter().any(|other| other.covers(change)));
        if covered(&there, &here) && !covered(&here, &there) {
            comparison = other_backends;
        }
    }
    if comparison.changes().is_empty() {
        return Ok(None);
    }
    let mut known = known_types(&schemas);
    let described = project.entities.map(|entities| entities(comparison.backend)).unwrap_or_default();
    known.append(&mut entities::declared(&described));
    let pair = SchemaPair {
        from: &comparison.database,
        to: &comparison.entities,
        equivalences: &comparison.equivalences,
        declared: &known,
        backend: comparison.backend,
        backend_specific: &backend_specific,
    };
    Ok(Some(migration(heading, Some(pair))))
}

/// The types of the columns of the database: of what each database tells, that which is right on both. SQLite has one type for
/// integers of two sizes, PostgreSQL one for binary data of any length.
fn known_types(schemas: &[(Schema, DbBackend)]) -> Declared {
    let of = |wanted: DbBackend| schemas.iter().find(|(_, backend)| *backend == wanted).map(|(schema, _)| schema);
    let types = |backend: DbBackend| of(backend).map(|schema| types::of_schema(schema, backend)).unwrap_or_default();
    let (mut known, on_sqlite) = (types(DbBackend::Postgres), types(DbBackend::Sqlite));
    let kind = |backend: DbBackend, (table, column): &(String, String)| {
        Some(of(backend)?.tables.get(table)?.column(column)?.kind.clone())
    };
    for (column, candidate) in on_sqlite {
        let fits =
            |candidate: &ColumnType, backend: DbBackend| types::written(candidate, backend) == kind(backend, &column);
        let is_better = known
            .get(&column)
            .is_none_or(|known| !fits(known, DbBackend::Sqlite) && fits(&candidate, DbBackend::Postgres));
        if is_better {
            known.insert(column, candidate);
        }
    }
    known
}

/// Compares the schema that the applied migrations have on the project's other databases with the
/// entities there, without connecting to such a database: the migrations are recorded. Empty if a
/// migration cannot be recorded because it needs rows.
pub(crate) async fn other_backends(project: &Project, db: &DatabaseConnection) -> Result<Vec<Comparison>, Failure> {
    let mut comparisons = Vec::new();
    let Some(entities_of) = project.entities else { return Ok(comparisons) };
    let applied = history::read(db).await?;
    let mut migrations = (project.migrations)();
    let is_applied = |name: &str| applied.iter().any(|record| record.version == name);
    let count = migrations.iter().take_while(|migration| is_applied(migration.name())).count();
    if migrations.iter().skip(count).any(|migration| is_applied(migration.name())) {
        // Replayed without the missing one, they would result in another schema.
        return Ok(comparisons);
    }
    migrations.truncate(count);
    for backend in project.backends.iter().copied().filter(|backend| *backend != db.get_database_backend()) {
        let recorded = recorder::record_up(&migrations, backend).await?;
        let Ok(recorded) = recorded.into_iter().collect::<Result<Vec<_>, _>>() else { continue };
        let statements = recorded.iter().flat_map(|recorded| &recorded.statements);
        let database = match backend {
            DbBackend::Sqlite => in_memory(statements).await?,
            _ => match replay(statements) {
                Ok(schema) => schema,
                Err(_) => continue,
            },
        };
        let entities = entities::read(&entities_of(backend), backend)?;
        comparisons.push(Comparison::of(project, database, entities, Equivalences::default(), backend));
    }
    Ok(comparisons)
}

async fn in_memory(statements: impl Iterator<Item = &String>) -> Result<Schema, Failure> {
    let db = connection::connect("sqlite::memory:", None).await?;
    db.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    for statement in statements {
        db.execute_unprepared(statement).await?;
    }
    let schema = Schema::read(&db).await;
    db.close().await?;
    schema
}

/// What the entities declare for one backend only, whichever is connected. The statements are not
/// rendered as SQL, which the other backend may not support.
fn backend_specific(entities_of: Option<fn(DbBackend) -> Entities>) -> BackendSpecific {
    let mut backend_specific = BackendSpecific::default();
    let Some(entities_of) = entities_of else { return backend_specific };
    for table in entities_of(DbBackend::Sqlite).tables {
        if table.get_extra().is_some_and(|extra| extra.to_uppercase().contains("WITHOUT ROWID")) {
            backend_specific.without_rowid.insert(entities::name(&table));
        }
    }
    for table in entities_of(DbBackend::Postgres).tables {
        for column in table.get_columns() {
            let extra = column.get_column_spec().extra.as_deref().unwrap_or_default();
            let collation = extra.split_once("COLLATE \"").and_then(|(_, rest)| rest.split('"').next());
            if let Some(collation) = collation {
                backend_specific
                    .collations
                    .insert((entities::name(&table), column.get_column_name()), collation.to_owned());
            }
        }
    }
    backend_specific
}

/// Schemas of the database and of the entities, in the same form.
pub(crate) struct Comparison {
    pub(crate) database: Schema,
    pub(crate) entities: Schema,
    pub(crate) equivalences: Equivalences,
    pub(crate) backend: DbBackend,
}

impl Comparison {
    pub(crate) async fn read(project: &Project, db: &DatabaseConnection) -> Result<Self, Failure> {
        let backend = db.get_database_backend();
        let entities_of =
            project.entities.ok_or_else(|| Failure::Usage("this program has no entities to compare with".into()))?;
        let database = Schema::read(db).await?;
        let described = entities_of(backend);
        refuse_other_schema(db, &described).await?;
        let entities = entities::read(&described, backend)?;
        if let Some((_, why)) = database.unreadable.iter().find(|(name, _)| entities.tables.contains_key(*name)) {
            return Err(Failure::Refused(why.clone()));
        }
        let equivalences = equivalences(db, &database, &entities).await;
        Ok(Self::of(project, database, entities, equivalences, backend))
    }

    /// A comparison without what the project excludes.
    fn of(
        project: &Project,
        mut database: Schema,
        entities: Schema,
        equivalences: Equivalences,
        backend: DbBackend,
    ) -> Self {
        database.tables.retain(|name, _| !project.excludes(name));
        database.enums.retain(|name, _| !project.excludes(name));
        if project.ignore_names {
            let named = Schema { renamed: BTreeMap::new(), ..entities.clone() };
            database = renames::find(&database, &named, &equivalences).schema;
        }
        Self { database, entities, equivalences, backend }
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        compare(&self.database, &self.entities, &self.equivalences)
    }
}

/// Fails if an entity is in another schema than the current one, which is the only one that is compared.
async fn refuse_other_schema(db: &DatabaseConnection, entities: &Entities) -> Result<(), Failure> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let named = entities.tables.iter().filter_map(|table| Some((entities::name(table), entities::schema_name(table)?)));
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let current = Statement::from_string(DbBackend::Postgres, "SELECT coalesce(current_schema(), '')::text");
    let current = db.query_one_raw(current).await?.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
    match named.iter().find(|(_, schema)| *schema != current) {
        Some((table, schema)) => Err(Failure::Refused(format!(
            "the entity of {table} is in the schema {schema}, and {current} is the current one; use --database-schema. \
             Entities of several schemas are not supported"
        ))),
        None => Ok(()),
    }
}

/// Asks PostgreSQL which expressions are equivalent: `EXPLAIN` prints both in the same form then.
async fn equivalences(db: &DatabaseConnection, database: &Schema, entities: &Schema) -> Equivalences {
    let mut equivalences = Equivalences::default();
    if db.get_database_backend() != DbBackend::Postgres {
        return equivalences;
    }
    for (table, left, right) in doubtful(database, entities) {
        let sql = format!("EXPLAIN (VERBOSE, FORMAT JSON) SELECT ({left}), ({right}) FROM {}", quoted(&table));
        // If `EXPLAIN` fails, for a missing privilege or column, the expressions count as
        // different.
        let Ok(Some(row)) = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await else { continue };
        let plan: Value = row.try_get_by_index(0).unwrap_or_default();
        let written = |position: &str| plan.pointer(&format!("/0/Plan/Output/{position}")).cloned();
        if written("0").is_some() && written("0") == written("1") {
            equivalences.0.insert((normal(&left), normal(&right)));
        }
    }
    equivalences
}
