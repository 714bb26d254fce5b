//! Example: the migration command line of a library; `--help` lists its commands.

use std::process::ExitCode;

use revisions::{DbBackend, Entities, Project};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let project =
        Project { entities: Some(entities), is_development: cfg!(debug_assertions), ..library_migration::project() };
    revisions::run(project.in_workspace()).await
}

/// The entities of the project, one line each.
fn entities(backend: DbBackend) -> Entities {
    Entities::of(backend).with_extras(library_entity::books::Entity).with_extras(library_entity::loans::Entity)
}
