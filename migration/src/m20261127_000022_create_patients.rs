//! Patients, and requests that refer to them. The id of a patient is that of the account, of the contact, or, for
//! requests whose contact was deleted, of the request.
//!
//! Before this migration no slots existed: booked requests become approved, missed ones cancelled.
//!
//! Parent: m20261127_000021_create_centres. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const OPEN: [&str; 3] = ["pending", "approved", "booked"];

/// Condition of a valid birth date: an existing calendar day with or without a year, a year alone, or all three null.
const BIRTH_DATE: &str = "CASE WHEN birth_month IS NULL OR birth_day IS NULL \
    THEN birth_month IS NULL AND birth_day IS NULL \
    WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL \
    THEN birth_year % 4 = 0 AND (birth_year % 100 <> 0 OR birth_year % 400 = 0) \
    WHEN birth_month = 2 THEN birth_day BETWEEN 1 AND 29 \
    WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 \
    ELSE birth_month BETWEEN 1 AND 12 AND birth_day BETWEEN 1 AND 31 END";

/// Requests of the account itself.
const ADD_OWNERS: &str = "INSERT INTO patients \
    (id, user_id, relation, name, birth_year, birth_month, birth_day, created_at, updated_at) \
    SELECT id, id, 'self', name, {year}, {month}, {day}, created_at, updated_at FROM users WHERE EXISTS \
    (SELECT 1 FROM vaccine_requests AS r WHERE r.user_id = users.id AND NOT r.for_contact)";

const ADD_CONTACTS: &str = "INSERT INTO patients (id, user_id, contact_id, relation, name, given_name, family_name, \
    birth_year, birth_month, birth_day, created_at, updated_at) \
    SELECT id, user_id, id, 'dependant', trim(first_name || ' ' || last_name), first_name, last_name, \
    birth_year, birth_month, birth_day, created_at, updated_at FROM contacts \
    WHERE EXISTS (SELECT 1 FROM vaccine_requests AS r WHERE r.contact_id = contacts.id)";

/// Closed requests of contacts that were deleted: nothing but the account is known.
const ADD_DELETED_CONTACTS: &str = "INSERT INTO patients (id, user_id, relation, created_at, updated_at) \
    SELECT id, user_id, 'dependant', created_at, updated_at FROM vaccine_requests \
    WHERE for_contact AND contact_id IS NULL";

const SET_PATIENTS: &str = "UPDATE vaccine_requests SET course_id = vaccine_id, \
    patient_id = CASE WHEN contact_id IS NOT NULL THEN contact_id WHEN for_contact THEN id ELSE user_id END, \
    status = CASE status WHEN 'booked' THEN 'approved' WHEN 'missed' THEN 'cancelled' ELSE status END";

const COUNT_OPEN: &str = "UPDATE patients SET open_requests = (SELECT count(*) FROM vaccine_requests AS r \
    WHERE r.patient_id = patients.id AND r.status IN ('pending', 'approved', 'booked'))";

const CONTACT_KEY: &str = "CONSTRAINT vaccine_requests_contact_id_fkey REFERENCES contacts (id) ON DELETE SET NULL";

const CONTACT_CHECK: &str = "CONSTRAINT vaccine_requests_contact_id_check CHECK (CASE WHEN contact_id IS NOT NULL \
    THEN for_contact ELSE NOT for_contact OR status NOT IN ('pending', 'approved', 'booked') END)";

const SET_CONTACTS: &str = "UPDATE vaccine_requests SET \
    contact_id = (SELECT p.contact_id FROM patients AS p WHERE p.id = patient_id), \
    for_contact = (SELECT p.relation = 'dependant' FROM patients AS p WHERE p.id = patient_id)";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        manager.create_table(patients()).await?;
        for sql in [&add_owners(manager.get_database_backend()), ADD_CONTACTS, ADD_DELETED_CONTACTS] {
            db.execute_unprepared(sql).await?;
        }
        for index in [
            "vaccine_requests_contact_id_id_idx",
            "vaccine_requests_contact_id_vaccine_id_dose_number_key",
            "vaccine_requests_user_id_vaccine_id_dose_number_key",
        ] {
            drop_index(manager, index).await?;
        }
        AlterTable::table(VaccineRequests::Table)
            .drop_foreign_key("vaccine_requests_user_id_fkey", [VaccineRequests::UserId])
            .alter_column(ColumnDef::new(VaccineRequests::UserId).uuid().null())
            .add_column(ColumnDef::new(VaccineRequests::PatientId).uuid())
            .add_column(ColumnDef::new(VaccineRequests::CourseId).uuid())
            .add_column(ColumnDef::new(VaccineRequests::SlotId).uuid())
            .add_column(ColumnDef::new(VaccineRequests::Code).string_len(8))
            .add_column(ColumnDef::new(VaccineRequests::Moves).integer().not_null().default(0))
            .apply(manager)
            .await?;
        db.execute_unprepared(SET_PATIENTS).await?;
        db.execute_unprepared(COUNT_OPEN).await?;
        AlterTable::table(VaccineRequests::Table)
            .alter_column(ColumnDef::new(VaccineRequests::PatientId).uuid().not_null())
            .alter_column(ColumnDef::new(VaccineRequests::CourseId).uuid().not_null())
            .drop_constraint("vaccine_requests_contact_id_check")
            .drop_foreign_key("vaccine_requests_contact_id_fkey", [VaccineRequests::ContactId])
            .drop_column(VaccineRequests::ContactId)
            .drop_column(VaccineRequests::ForContact)
            .add_unique("vaccine_requests_code_key", [VaccineRequests::Code])
            .add_check("vaccine_requests_code_check", Expr::cust("code IS NOT NULL OR status <> 'booked'"))
            .add_check("vaccine_requests_moves_check", Expr::cust("moves >= 0"))
            .add_check(
                "vaccine_requests_slot_id_check",
                Expr::cust(
                    "CASE WHEN status IN ('booked', 'missed') THEN slot_id IS NOT NULL \
                     ELSE slot_id IS NULL OR status = 'administered' END",
                ),
            )
            .add_foreign_key(&mut key_to(VaccineRequests::CourseId, Referred::Courses))
            .add_foreign_key(&mut key_to(VaccineRequests::PatientId, Referred::Patients))
            .add_foreign_key(&mut key_to(VaccineRequests::SlotId, Referred::Slots))
            .add_foreign_key(&mut key_to(VaccineRequests::UserId, Referred::Users))
            .apply(manager)
            .await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for index in [
            "vaccine_requests_patient_id_course_id_dose_number_key",
            "vaccine_requests_patient_id_id_idx",
            "vaccine_requests_slot_id_id_idx",
        ] {
            drop_index(manager, index).await?;
        }
        // Without an account, a request cannot be kept.
        db.execute_unprepared("DELETE FROM vaccine_requests WHERE user_id IS NULL").await?;
        AlterTable::table(VaccineRequests::Table)
            .drop_constraint("vaccine_requests_slot_id_check")
            .drop_constraint("vaccine_requests_code_check")
            .drop_constraint("vaccine_requests_moves_check")
            .drop_unique("vaccine_requests_code_key", [VaccineRequests::Code])
            .drop_foreign_key("vaccine_requests_course_id_fkey", [VaccineRequests::CourseId])
            .drop_foreign_key("vaccine_requests_patient_id_fkey", [VaccineRequests::PatientId])
            .drop_foreign_key("vaccine_requests_slot_id_fkey", [VaccineRequests::SlotId])
            .drop_foreign_key("vaccine_requests_user_id_fkey", [VaccineRequests::UserId])
            .alter_column(ColumnDef::new(VaccineRequests::UserId).uuid().not_null())
            // As column constraints, because m20261121_000012_requests_for_contacts drops the columns.
            .add_column(ColumnDef::new(VaccineRequests::ContactId).uuid().extra(CONTACT_KEY))
            .add_column(
                ColumnDef::new(VaccineRequests::ForContact).boolean().not_null().default(false).extra(CONTACT_CHECK),
            )
            .apply(manager)
            .await?;
        db.execute_unprepared(SET_CONTACTS).await?;
        AlterTable::table(VaccineRequests::Table)
            .drop_column(VaccineRequests::PatientId)
            .drop_column(VaccineRequests::CourseId)
            .drop_column(VaccineRequests::SlotId)
            .drop_column(VaccineRequests::Code)
            .drop_column(VaccineRequests::Moves)
            .add_foreign_key(key_to(VaccineRequests::UserId, Referred::Users).on_delete(ForeignKeyAction::Cascade))
            .apply(manager)
            .await?;
        for index in old_indexes() {
            manager.create_index(index).await?;
        }
        manager.drop_table(Table::drop().table(Patients::Table).to_owned()).await
    }
}

fn add_owners(backend: DbBackend) -> String {
    let part = |format: &str, field: &str| match backend {
        DbBackend::Sqlite => format!("CAST(strftime('{format}', birth_date) AS integer)"),
        _ => format!("EXTRACT({field} FROM birth_date)::smallint"),
    };
    ADD_OWNERS
        .replace("{year}", &part("%Y", "YEAR"))
        .replace("{month}", &part("%m", "MONTH"))
        .replace("{day}", &part("%d", "DAY"))
}

fn patients() -> TableCreateStatement {
    let mut contact = ForeignKey::create();
    contact
        .name("patients_contact_id_fkey")
        .from(Patients::Table, Patients::ContactId)
        .to(Contacts::Table, Contacts::Id)
        .on_delete(ForeignKeyAction::SetNull);
    let mut user = ForeignKey::create();
    user.name("patients_user_id_fkey").from(Patients::Table, Patients::UserId).to(Users::Table, Users::Id);
    Table::create()
        .table(Patients::Table)
        .col(ColumnDef::new(Patients::Id).uuid().not_null())
        .col(ColumnDef::new(Patients::UserId).uuid())
        .col(ColumnDef::new(Patients::ContactId).uuid())
        .col(ColumnDef::new(Patients::Relation).string_len(16).not_null())
        .col(ColumnDef::new(Patients::Name).string_len(255))
        .col(ColumnDef::new(Patients::GivenName).string_len(100))
        .col(ColumnDef::new(Patients::FamilyName).string_len(100))
        .col(ColumnDef::new(Patients::BirthYear).small_integer())
        .col(ColumnDef::new(Patients::BirthMonth).small_integer())
        .col(ColumnDef::new(Patients::BirthDay).small_integer())
        .col(ColumnDef::new(Patients::OpenRequests).integer().not_null().default(0))
        .col(ColumnDef::new(Patients::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Patients::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("patients_pkey").col(Patients::Id))
        .index(Index::create().unique().name("patients_contact_id_key").col(Patients::ContactId))
        .foreign_key(&mut contact)
        .foreign_key(&mut user)
        .check(Check::named("patients_birth_day_check", Expr::cust(BIRTH_DATE)))
        .check(Check::named("patients_birth_year_check", Expr::cust("birth_year BETWEEN 1900 AND 9999")))
        .check(Check::named("patients_contact_id_check", Expr::cust("contact_id IS NULL OR relation = 'dependant'")))
        .check(Check::named(
            "patients_open_requests_check",
            Expr::cust(
                "open_requests >= 0 AND (open_requests = 0 OR relation <> 'dependant' OR contact_id IS NOT NULL)",
            ),
        ))
        .check(Check::named(
            "patients_relation_check",
            Expr::col(Patients::Relation).is_in(["self", "dependant", "walk_in"]),
        ))
        .to_owned()
}

fn key_to(column: VaccineRequests, table: Referred) -> ForeignKeyCreateStatement {
    let name = format!("vaccine_requests_{}_fkey", column.to_string());
    let mut key = ForeignKey::create();
    key.name(name).from(VaccineRequests::Table, column).to(table, Patients::Id);
    key
}

fn indexes() -> Vec<IndexCreateStatement> {
    let on_patients = |name: &str| Index::create().name(name).table(Patients::Table).col(Patients::UserId).to_owned();
    let on_requests = |name: &str, first: VaccineRequests| {
        Index::create().name(name).table(VaccineRequests::Table).col(first).to_owned()
    };
    let open = "vaccine_requests_patient_id_course_id_dose_number_key";
    vec![
        on_patients("patients_user_id_key").unique().and_where(Expr::cust("relation = 'self'")).to_owned(),
        on_patients("patients_user_id_id_idx").col(Patients::Id).to_owned(),
        // At most one open request per patient, course and dose; any number of closed ones.
        on_requests(open, VaccineRequests::PatientId)
            .col(VaccineRequests::CourseId)
            .col(VaccineRequests::DoseNumber)
            .unique()
            .and_where(Expr::col(VaccineRequests::Status).is_in(OPEN))
            .to_owned(),
        on_requests("vaccine_requests_patient_id_id_idx", VaccineRequests::PatientId)
            .col(VaccineRequests::Id)
            .to_owned(),
        on_requests("vaccine_requests_slot_id_id_idx", VaccineRequests::SlotId)
            .col(VaccineRequests::Id)
            .and_where(Expr::cust("slot_id IS NOT NULL"))
            .to_owned(),
    ]
}

/// The indexes of m20261121_000012_requests_for_contacts.
fn old_indexes() -> Vec<IndexCreateStatement> {
    let open = |name: &str, person: VaccineRequests| {
        Index::create()
            .unique()
            .name(name)
            .table(VaccineRequests::Table)
            .col(person)
            .col(VaccineRequests::VaccineId)
            .col(VaccineRequests::DoseNumber)
            .and_where(Expr::col(VaccineRequests::Status).is_in(OPEN))
            .to_owned()
    };
    vec![
        open("vaccine_requests_user_id_vaccine_id_dose_number_key", VaccineRequests::UserId)
            .and_where(Expr::col(VaccineRequests::ContactId).is_null())
            .to_owned(),
        open("vaccine_requests_contact_id_vaccine_id_dose_number_key", VaccineRequests::ContactId),
        Index::create()
            .name("vaccine_requests_contact_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::ContactId)
            .col(VaccineRequests::Id)
            .to_owned(),
    ]
}

async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).to_owned()).await
}

#[derive(DeriveIden)]
enum Patients {
    Table,
    Id,
    UserId,
    ContactId,
    Relation,
    Name,
    GivenName,
    FamilyName,
    BirthYear,
    BirthMonth,
    BirthDay,
    OpenRequests,
    CreatedAt,
    UpdatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum VaccineRequests {
    Table,
    Id,
    UserId,
    ContactId,
    ForContact,
    VaccineId,
    DoseNumber,
    Status,
    PatientId,
    CourseId,
    SlotId,
    Code,
    Moves,
}

/// Tables that requests refer to.
#[derive(DeriveIden)]
enum Referred {
    Courses,
    Patients,
    Slots,
    Users,
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}
