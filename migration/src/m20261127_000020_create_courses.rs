//! Courses: each vaccine is a product of a course. Existing vaccines get a course each, with the same id, code and name.
//!
//! Parent: m20261127_000019_keep_three_reset_codes. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let courses = Table::create()
            .table(Courses::Table)
            .col(ColumnDef::new(Courses::Id).uuid().not_null())
            .col(ColumnDef::new(Courses::Code).string_len(32).not_null())
            .col(ColumnDef::new(Courses::Name).string_len(200).not_null())
            .primary_key(Index::create().name("courses_pkey").col(Courses::Id))
            .index(Index::create().unique().name("courses_code_key").col(Courses::Code))
            .to_owned();
        manager.create_table(courses).await?;
        let db = manager.get_connection();
        db.execute_unprepared("INSERT INTO courses (id, code, name) SELECT id, code, name FROM vaccines").await?;
        AlterTable::table(Vaccines::Table)
            .add_column(ColumnDef::new(Vaccines::CourseId).uuid())
            .add_foreign_key(
                ForeignKey::create()
                    .name("vaccines_course_id_fkey")
                    .from(Vaccines::Table, Vaccines::CourseId)
                    .to(Courses::Table, Courses::Id),
            )
            .apply(manager)
            .await?;
        db.execute_unprepared("UPDATE vaccines SET course_id = id").await?;
        AlterTable::table(Vaccines::Table)
            .alter_column(ColumnDef::new(Vaccines::CourseId).uuid().not_null())
            .apply(manager)
            .await?;
        let index =
            Index::create().name("vaccines_course_id_idx").table(Vaccines::Table).col(Vaccines::CourseId).to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("vaccines_course_id_idx").to_owned()).await?;
        AlterTable::table(Vaccines::Table)
            .drop_foreign_key("vaccines_course_id_fkey", [Vaccines::CourseId])
            .drop_column(Vaccines::CourseId)
            .apply(manager)
            .await?;
        manager.drop_table(Table::drop().table(Courses::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Courses {
    Table,
    Id,
    Code,
    Name,
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    CourseId,
}
