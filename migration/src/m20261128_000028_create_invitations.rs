//! Invitations to request a vaccine, and who used them.
//!
//! Parent: m20261128_000027_create_waitlist. Date: 2026-11-28.

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
        manager.create_table(invitations()).await?;
        manager.create_table(invitation_uses()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let mut invitation = ForeignKey::create();
        invitation
            .name("vaccine_requests_invitation_id_fkey")
            .from(VaccineRequests::Table, VaccineRequests::InvitationId)
            .to(Invitations::Table, Invitations::Id);
        AlterTable::table(VaccineRequests::Table)
            .add_column(ColumnDef::new(VaccineRequests::InvitationId).uuid())
            .add_foreign_key(&mut invitation)
            .apply(manager)
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(VaccineRequests::Table)
            .drop_foreign_key("vaccine_requests_invitation_id_fkey", [VaccineRequests::InvitationId])
            .drop_column(VaccineRequests::InvitationId)
            .apply(manager)
            .await?;
        manager.drop_table(Table::drop().table(InvitationUses::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Invitations::Table).to_owned()).await
    }
}

fn invitations() -> TableCreateStatement {
    let mut centre = key_to(Invitations::CentreId, Referred::Centres);
    let mut course = key_to(Invitations::CourseId, Referred::Courses);
    // An invitation stays when the account of the staff is deleted.
    let mut creator = key_to(Invitations::CreatedBy, Referred::Users);
    creator.on_delete(ForeignKeyAction::SetNull);
    // One that is bound to a person can be used once.
    let max_uses = "max_uses BETWEEN 1 AND 100000 AND (max_uses = 1 OR email IS NULL AND nid_key IS NULL)";
    Table::create()
        .table(Invitations::Table)
        .col(ColumnDef::new(Invitations::Id).uuid().not_null())
        .col(ColumnDef::new(Invitations::CodeHash).string_len(64).not_null())
        .col(ColumnDef::new(Invitations::Label).string_len(100))
        .col(ColumnDef::new(Invitations::Email).string_len(254))
        .col(ColumnDef::new(Invitations::NidKey).string_len(64))
        .col(ColumnDef::new(Invitations::CourseId).uuid().not_null())
        .col(ColumnDef::new(Invitations::CentreId).uuid())
        .col(ColumnDef::new(Invitations::ValidFrom).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Invitations::ValidUntil).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Invitations::MaxUses).integer().not_null())
        .col(ColumnDef::new(Invitations::Used).integer().not_null().default(0))
        .col(ColumnDef::new(Invitations::RevokedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Invitations::CreatedBy).uuid())
        .col(ColumnDef::new(Invitations::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("invitations_pkey").col(Invitations::Id))
        .index(Index::create().unique().name("invitations_code_hash_key").col(Invitations::CodeHash))
        .foreign_key(&mut centre)
        .foreign_key(&mut course)
        .foreign_key(&mut creator)
        .check(Check::named("invitations_valid_until_check", Expr::cust("valid_until > valid_from")))
        .check(Check::named("invitations_max_uses_check", Expr::cust(max_uses)))
        .check(Check::named("invitations_used_check", Expr::cust("used BETWEEN 0 AND max_uses")))
        .to_owned()
}

fn key_to(column: Invitations, table: Referred) -> ForeignKeyCreateStatement {
    let name = format!("invitations_{}_fkey", column.to_string());
    let mut key = ForeignKey::create();
    key.name(name).from(Invitations::Table, column).to(table, Invitations::Id);
    key
}

fn invitation_uses() -> TableCreateStatement {
    let mut key = Index::create();
    key.name("invitation_uses_pkey").col(InvitationUses::InvitationId).col(InvitationUses::PatientId);
    let mut invitation = ForeignKey::create();
    invitation
        .name("invitation_uses_invitation_id_fkey")
        .from(InvitationUses::Table, InvitationUses::InvitationId)
        .to(Invitations::Table, Invitations::Id);
    let mut patient = ForeignKey::create();
    patient
        .name("invitation_uses_patient_id_fkey")
        .from(InvitationUses::Table, InvitationUses::PatientId)
        .to(Referred::Patients, Invitations::Id)
        .on_delete(ForeignKeyAction::Cascade);
    let mut request = ForeignKey::create();
    request
        .name("invitation_uses_request_id_fkey")
        .from(InvitationUses::Table, InvitationUses::RequestId)
        .to(VaccineRequests::Table, VaccineRequests::Id)
        .on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table(InvitationUses::Table)
        .col(ColumnDef::new(InvitationUses::InvitationId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::PatientId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::RequestId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::UsedAt).timestamp_with_time_zone().not_null())
        .primary_key(&mut key)
        .foreign_key(&mut invitation)
        .foreign_key(&mut patient)
        .foreign_key(&mut request)
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let on_invitations = |name: &str, column: Invitations, condition: &'static str| {
        Index::create().name(name).table(Invitations::Table).col(column).and_where(Expr::cust(condition)).to_owned()
    };
    vec![
        on_invitations("invitations_email_idx", Invitations::Email, "email IS NOT NULL"),
        on_invitations("invitations_nid_key_idx", Invitations::NidKey, "nid_key IS NOT NULL"),
        Index::create()
            .name("invitations_course_id_id_idx")
            .table(Invitations::Table)
            .col(Invitations::CourseId)
            .col(Invitations::Id)
            .to_owned(),
        Index::create()
            .name("invitations_centre_id_id_idx")
            .table(Invitations::Table)
            .col(Invitations::CentreId)
            .col(Invitations::Id)
            .to_owned(),
        Index::create()
            .name("invitation_uses_invitation_id_used_at_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::InvitationId)
            .col(InvitationUses::UsedAt)
            .to_owned(),
        Index::create()
            .name("invitations_created_by_idx")
            .table(Invitations::Table)
            .col(Invitations::CreatedBy)
            .to_owned(),
        Index::create()
            .name("invitation_uses_patient_id_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::PatientId)
            .to_owned(),
        Index::create()
            .name("invitation_uses_request_id_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::RequestId)
            .to_owned(),
    ]
}

#[derive(Clone, Copy, DeriveIden)]
enum Invitations {
    Table,
    Id,
    CodeHash,
    Label,
    Email,
    NidKey,
    CourseId,
    CentreId,
    ValidFrom,
    ValidUntil,
    MaxUses,
    Used,
    RevokedAt,
    CreatedBy,
    CreatedAt,
}

#[derive(DeriveIden)]
enum InvitationUses {
    Table,
    InvitationId,
    PatientId,
    RequestId,
    UsedAt,
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Id,
    InvitationId,
}

/// Tables that invitations refer to.
#[derive(DeriveIden)]
enum Referred {
    Centres,
    Courses,
    Patients,
    Users,
}
