//! Migration command line; `--help` lists its commands. Only this program depends on both the migrations and the
//! entities.

use std::process::ExitCode;

use revisions::{Entities, Project};
use sea_orm_migration::sea_orm::DbBackend;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    revisions::run(Project { entities: Some(entities), ..migration::project() }).await
}

fn entities(backend: DbBackend) -> Entities {
    Entities { tables: entity::schema::tables(backend), indexes: entity::schema::indexes(backend) }
}
