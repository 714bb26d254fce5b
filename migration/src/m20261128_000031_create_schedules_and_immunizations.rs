//! Schedules of courses, and doses that were given; CVX codes of vaccines, and the courses for which a combination counts.
//!
//! Parent: m20261128_000030_number_changes_of_bookings. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

use crate::audit_actions;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(course_schedules()).await?;
        let index = Index::create()
            .name("course_schedules_created_by_idx")
            .table(CourseSchedules::Table)
            .col(CourseSchedules::CreatedBy)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(immunizations()).await?;
        let index = Index::create()
            .name("immunizations_reported_by_idx")
            .table(Immunizations::Table)
            .col(Immunizations::ReportedBy)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("immunizations_patient_id_course_id_dose_number_key")
            .table(Immunizations::Table)
            .col(Immunizations::PatientId)
            .col(Immunizations::CourseId)
            .col(Immunizations::DoseNumber)
            .and_where(Expr::cust("status = 'completed' AND dose_number IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("immunizations_patient_id_vaccine_id_administered_on_key")
            .table(Immunizations::Table)
            .col(Immunizations::PatientId)
            .col(Immunizations::VaccineId)
            .col(Immunizations::AdministeredOn)
            .and_where(Expr::cust("status = 'completed'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_patient_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::PatientId)
            .col(Immunizations::Id)
            .to_owned();
        manager.create_index(index).await?;
        audit_actions::add(manager, 31).await?;
        // This fails if rows of courses violate courses_schedule_version_check.
        AlterTable::table(Courses::Table)
            .add_column(ColumnDef::new(Courses::ScheduleVersion).integer().not_null().default(0))
            .add_check("courses_schedule_version_check", Expr::cust("schedule_version >= 0"))
            .apply(manager)
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table(Vaccines::Table)
                    .add_column(ColumnDef::new(Vaccines::CvxCode).string_len(3))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table(Vaccines::Table)
                    .add_column(ColumnDef::new(Vaccines::AlsoCountsFor).text().not_null().default("[]"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit_actions::remove(manager, 31).await?;
        // The data of courses.schedule_version is lost.
        AlterTable::table(Courses::Table)
            .drop_constraint("courses_schedule_version_check")
            .drop_column(Courses::ScheduleVersion)
            .apply(manager)
            .await?;
        // The data of vaccines.cvx_code is lost.
        // The data of vaccines.also_counts_for is lost.
        manager.alter_table(Table::alter().table(Vaccines::Table).drop_column(Vaccines::CvxCode).to_owned()).await?;
        manager
            .alter_table(Table::alter().table(Vaccines::Table).drop_column(Vaccines::AlsoCountsFor).to_owned())
            .await?;
        // The rows of immunizations are lost.
        manager.drop_table(Table::drop().table(Immunizations::Table).to_owned()).await?;
        // The rows of course_schedules are lost.
        manager.drop_table(Table::drop().table(CourseSchedules::Table).to_owned()).await?;
        Ok(())
    }
}

fn course_schedules() -> TableCreateStatement {
    Table::create()
        .table(CourseSchedules::Table)
        .col(ColumnDef::new(CourseSchedules::CourseId).uuid().not_null())
        .col(ColumnDef::new(CourseSchedules::Version).integer().not_null())
        .col(ColumnDef::new(CourseSchedules::Document).text().not_null())
        .col(ColumnDef::new(CourseSchedules::CreatedBy).uuid())
        .col(ColumnDef::new(CourseSchedules::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create().name("course_schedules_pkey").col(CourseSchedules::CourseId).col(CourseSchedules::Version),
        )
        .foreign_key(
            ForeignKey::create()
                .name("course_schedules_course_id_fkey")
                .from(CourseSchedules::Table, CourseSchedules::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("course_schedules_created_by_fkey")
                .from(CourseSchedules::Table, CourseSchedules::CreatedBy)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .to_owned()
}

fn immunizations() -> TableCreateStatement {
    Table::create()
        .table(Immunizations::Table)
        .col(ColumnDef::new(Immunizations::Id).uuid().not_null())
        .col(ColumnDef::new(Immunizations::PatientId).uuid().not_null())
        .col(ColumnDef::new(Immunizations::CourseId).uuid().not_null())
        .col(ColumnDef::new(Immunizations::VaccineId).uuid().not_null())
        .col(ColumnDef::new(Immunizations::DoseNumber).integer())
        .col(ColumnDef::new(Immunizations::BrokenRule).string_len(32))
        .col(ColumnDef::new(Immunizations::Source).string_len(16).not_null())
        .col(ColumnDef::new(Immunizations::Status).string_len(16).not_null().default("completed"))
        .col(ColumnDef::new(Immunizations::LotNumber).string_len(20))
        .col(ColumnDef::new(Immunizations::AdministeredOn).date().not_null())
        .col(ColumnDef::new(Immunizations::ReportedBy).uuid())
        .col(ColumnDef::new(Immunizations::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Immunizations::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("immunizations_pkey").col(Immunizations::Id))
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_course_id_fkey")
                .from(Immunizations::Table, Immunizations::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_patient_id_fkey")
                .from(Immunizations::Table, Immunizations::PatientId)
                .to(Patients::Table, Patients::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_reported_by_fkey")
                .from(Immunizations::Table, Immunizations::ReportedBy)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_vaccine_id_fkey")
                .from(Immunizations::Table, Immunizations::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named("immunizations_dose_number_check", Expr::cust("dose_number >= 1")))
        .check(Check::named(
            "immunizations_source_check",
            Expr::col(Immunizations::Source).is_in(["given_here", "reported"]),
        ))
        .check(Check::named(
            "immunizations_status_check",
            Expr::col(Immunizations::Status).is_in(["completed", "entered_in_error"]),
        ))
        .to_owned()
}

#[derive(DeriveIden)]
enum CourseSchedules {
    Table,
    CourseId,
    CreatedAt,
    CreatedBy,
    Document,
    Version,
}

#[derive(DeriveIden)]
enum Courses {
    Table,
    Id,
    ScheduleVersion,
}

#[derive(DeriveIden)]
enum Immunizations {
    Table,
    AdministeredOn,
    BrokenRule,
    CourseId,
    CreatedAt,
    DoseNumber,
    Id,
    LotNumber,
    PatientId,
    ReportedBy,
    Source,
    Status,
    UpdatedAt,
    VaccineId,
}

#[derive(DeriveIden)]
enum Patients {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    AlsoCountsFor,
    CvxCode,
    Id,
}
