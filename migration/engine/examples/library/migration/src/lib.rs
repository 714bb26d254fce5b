//! Example: the migrations of a library, oldest first.

mod m20261128_120000_create_books_and_loans;
use revisions::Project;
use sea_orm_migration::prelude::*;

/// All migrations.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261128_120000_create_books_and_loans::Migration)]
    }
}

/// The project. A program that migrates its own database calls `revisions::upgrade` with it.
#[must_use]
pub fn project() -> Project {
    Project::new(Migrator::migrations)
}
