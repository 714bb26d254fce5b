//! The migration command line; `--help` lists its commands. Only this program depends on both migrations and entities.

use std::process::ExitCode;

use revisions::Project;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let project = Project { entities: Some(entity::schema::entities), ..migration::project() };
    revisions::run(project.in_workspace()).await
}
