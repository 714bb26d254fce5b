//! Everything.
//!
//! Parent: none. Date: 2026-11-21.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const CONDITION_1: &str = "\
    (longitude IS NULL) = (latitude IS NULL) AND (longitude IS NULL OR longitude BETWEEN -180 AND 180)";

const CONDITION_2: &str = "\
    CASE WHEN birth_month IS NULL OR birth_day IS NULL THEN birth_month IS NULL AND birth_day IS NULL \
    AND birth_year IS NULL WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL THEN \
    birth_year % 4 = 0 AND (birth_year % 100 <> 0 OR birth_year % 400 = 0) WHEN birth_month = 2 THEN \
    birth_day BETWEEN 1 AND 29 WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 ELSE \
    birth_month BETWEEN 1 AND 12 AND birth_day BETWEEN 1 AND 31 END";

const CONDITION_3: &str = "\
    first_name IS NOT NULL OR last_name IS NOT NULL OR organization IS NOT NULL";

const CONDITION_4: &str = "\
    phone_numbers IS NULL OR phone_number IS NOT NULL AND phone_numbers LIKE '[{%}]'";

const CONDITION_5: &str = "\
    max_uses BETWEEN 1 AND 100000 AND (max_uses = 1 OR email IS NULL AND nid_key IS NULL)";

const CONDITION_6: &str = "\
    CASE WHEN birth_month IS NULL OR birth_day IS NULL THEN birth_month IS NULL AND birth_day IS NULL \
    WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL THEN birth_year % 4 = 0 AND \
    (birth_year % 100 <> 0 OR birth_year % 400 = 0) WHEN birth_month = 2 THEN birth_day BETWEEN 1 AND \
    29 WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 ELSE birth_month BETWEEN 1 \
    AND 12 AND birth_day BETWEEN 1 AND 31 END";

const CONDITION_7: &str = "\
    open_requests >= 0 AND (open_requests = 0 OR relation <> 'dependant' OR contact_id IS NOT NULL)";

const CONDITION_8: &str = "\
    used >= 0 AND wasted >= 0 AND (received IS NULL OR used + wasted <= received)";

const CONDITION_9: &str = "\
    (checked_in_at IS NULL) = (centre_id IS NULL) AND (checked_in_at IS NULL OR status IN ('approved', \
    'booked', 'administered'))";

const CONDITION_10: &str = "\
    CASE WHEN status IN ('booked', 'missed') THEN slot_id IS NOT NULL ELSE slot_id IS NULL OR status = \
    'administered' END";

const CONDITION_11: &str = "\
    source = 'reported' OR centre_id IS NOT NULL AND lot_id IS NOT NULL AND administered_at IS NOT NULL";

const CONDITION_12: &str = "\
    CASE status WHEN 'waiting' THEN slot_id IS NULL AND offer_expires_at IS NULL WHEN 'offered' THEN \
    slot_id IS NOT NULL AND offer_expires_at IS NOT NULL ELSE (slot_id IS NULL) = (offer_expires_at IS \
    NULL) END";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(audit_events()).await?;
        let index = Index::create()
            .name("audit_events_subject_id_id_idx")
            .table(AuditEvents::Table)
            .col(AuditEvents::SubjectId)
            .col(AuditEvents::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("audit_events_actor_id_id_idx")
            .table(AuditEvents::Table)
            .col(AuditEvents::ActorId)
            .col(AuditEvents::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("audit_events_action_id_idx")
            .table(AuditEvents::Table)
            .col(AuditEvents::Action)
            .col(AuditEvents::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(centres()).await?;
        manager.create_table(courses()).await?;
        manager.create_table(quotas()).await?;
        let index = Index::create().name("quotas_resets_at_idx").table(Quotas::Table).col(Quotas::ResetsAt).to_owned();
        manager.create_index(index).await?;
        manager.create_table(throttles()).await?;
        let index =
            Index::create().name("throttles_forget_at_idx").table(Throttles::Table).col(Throttles::ForgetAt).to_owned();
        manager.create_index(index).await?;
        manager.create_table(users()).await?;
        let index =
            Index::create().name("users_role_id_idx").table(Users::Table).col(Users::Role).col(Users::Id).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("users_nid_key_id_idx")
            .table(Users::Table)
            .col(Users::NidKey)
            .col(Users::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("users_nid_key_key")
            .table(Users::Table)
            .col(Users::NidKey)
            .and_where(Expr::cust("nid_verified_at IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(account_codes()).await?;
        let index = Index::create()
            .name("account_codes_expires_at_idx")
            .table(AccountCodes::Table)
            .col(AccountCodes::ExpiresAt)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(calendar_feeds()).await?;
        manager.create_table(centre_staff()).await?;
        let index = Index::create()
            .name("centre_staff_centre_id_idx")
            .table(CentreStaff::Table)
            .col(CentreStaff::CentreId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(contact_books(manager.get_database_backend())).await?;
        manager.create_table(contact_imports()).await?;
        let index = Index::create()
            .name("contact_imports_user_id_id_idx")
            .table(ContactImports::Table)
            .col(ContactImports::UserId)
            .col(ContactImports::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(contacts(manager.get_database_backend())).await?;
        let index =
            Index::create().name("contacts_import_id_idx").table(Contacts::Table).col(Contacts::ImportId).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("contacts_user_id_uid_key")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::Uid)
            .and_where(Expr::cust("uid IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_sort_folded_first_folded_id_search_folded_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::SortFolded)
            .col(Contacts::FirstFolded)
            .col(Contacts::Id)
            .col(Contacts::SearchFolded)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_birth_month_birth_day_id_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::BirthMonth)
            .col(Contacts::BirthDay)
            .col(Contacts::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_change_number_id_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::ChangeNumber)
            .col(Contacts::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(contact_import_updates(manager.get_database_backend())).await?;
        let index = Index::create()
            .name("contact_import_updates_contact_id_idx")
            .table(ContactImportUpdates::Table)
            .col(ContactImportUpdates::ContactId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(course_schedules()).await?;
        let index = Index::create()
            .name("course_schedules_created_by_idx")
            .table(CourseSchedules::Table)
            .col(CourseSchedules::CreatedBy)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(deleted_contacts(manager.get_database_backend())).await?;
        manager.create_table(invitations()).await?;
        let index = Index::create()
            .name("invitations_created_by_idx")
            .table(Invitations::Table)
            .col(Invitations::CreatedBy)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitations_email_idx")
            .table(Invitations::Table)
            .col(Invitations::Email)
            .and_where(Expr::cust("email IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitations_course_id_id_idx")
            .table(Invitations::Table)
            .col(Invitations::CourseId)
            .col(Invitations::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitations_centre_id_id_idx")
            .table(Invitations::Table)
            .col(Invitations::CentreId)
            .col(Invitations::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitations_nid_key_idx")
            .table(Invitations::Table)
            .col(Invitations::NidKey)
            .and_where(Expr::cust("nid_key IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(outbox()).await?;
        let index = Index::create().name("outbox_recipient_idx").table(Outbox::Table).col(Outbox::Recipient).to_owned();
        manager.create_index(index).await?;
        let index = Index::create().name("outbox_user_id_idx").table(Outbox::Table).col(Outbox::UserId).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("outbox_due_at_id_idx")
            .table(Outbox::Table)
            .col(Outbox::DueAt)
            .col(Outbox::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("outbox_object_id_idx")
            .table(Outbox::Table)
            .col(Outbox::ObjectId)
            .and_where(Expr::cust("object_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(patients()).await?;
        let index = Index::create()
            .unique()
            .name("patients_user_id_key")
            .table(Patients::Table)
            .col(Patients::UserId)
            .and_where(Expr::cust("relation = 'self'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("patients_user_id_id_idx")
            .table(Patients::Table)
            .col(Patients::UserId)
            .col(Patients::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(idempotency_keys()).await?;
        let index = Index::create()
            .name("idempotency_keys_patient_id_idx")
            .table(IdempotencyKeys::Table)
            .col(IdempotencyKeys::PatientId)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("idempotency_keys_created_at_idx")
            .table(IdempotencyKeys::Table)
            .col(IdempotencyKeys::CreatedAt)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(patient_words(manager.get_database_backend())).await?;
        let index = Index::create()
            .name("patient_words_patient_id_idx")
            .table(PatientWords::Table)
            .col(PatientWords::PatientId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(refresh_tokens()).await?;
        let index = Index::create()
            .name("refresh_tokens_expires_at_idx")
            .table(RefreshTokens::Table)
            .col(RefreshTokens::ExpiresAt)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("refresh_tokens_user_id_id_idx")
            .table(RefreshTokens::Table)
            .col(RefreshTokens::UserId)
            .col(RefreshTokens::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("refresh_tokens_revoked_at_id_idx")
            .table(RefreshTokens::Table)
            .col(RefreshTokens::RevokedAt)
            .col(RefreshTokens::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(user_words(manager.get_database_backend())).await?;
        let index =
            Index::create().name("user_words_user_id_idx").table(UserWords::Table).col(UserWords::UserId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(vaccines()).await?;
        let index =
            Index::create().name("vaccines_course_id_idx").table(Vaccines::Table).col(Vaccines::CourseId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(lots()).await?;
        let index = Index::create().name("lots_vaccine_id_idx").table(Lots::Table).col(Lots::VaccineId).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("lots_centre_id_vaccine_id_lot_number_key")
            .table(Lots::Table)
            .col(Lots::CentreId)
            .col(Lots::VaccineId)
            .col(Lots::LotNumber)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("lots_centre_id_id_idx")
            .table(Lots::Table)
            .col(Lots::CentreId)
            .col(Lots::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(slots()).await?;
        let index = Index::create()
            .unique()
            .name("slots_centre_id_vaccine_id_starts_at_key")
            .table(Slots::Table)
            .col(Slots::CentreId)
            .col(Slots::VaccineId)
            .col(Slots::StartsAt)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("slots_centre_id_starts_at_id_idx")
            .table(Slots::Table)
            .col(Slots::CentreId)
            .col(Slots::StartsAt)
            .col(Slots::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("slots_vaccine_id_starts_at_id_idx")
            .table(Slots::Table)
            .col(Slots::VaccineId)
            .col(Slots::StartsAt)
            .col(Slots::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("slots_closed_at_idx")
            .table(Slots::Table)
            .col(Slots::ClosedAt)
            .and_where(Expr::cust("closed_at IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(vaccine_requests()).await?;
        let index = Index::create()
            .name("vaccine_requests_reviewed_by_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::ReviewedBy)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("vaccine_requests_patient_id_course_id_dose_number_key")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::PatientId)
            .col(VaccineRequests::CourseId)
            .col(VaccineRequests::DoseNumber)
            .and_where(Expr::col(VaccineRequests::Status).is_in(["pending", "approved", "booked"]))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_patient_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::PatientId)
            .col(VaccineRequests::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_slot_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::SlotId)
            .col(VaccineRequests::Id)
            .and_where(Expr::cust("slot_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_centre_id_checked_in_at_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::CentreId)
            .col(VaccineRequests::CheckedInAt)
            .col(VaccineRequests::Id)
            .and_where(Expr::cust("centre_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_user_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::UserId)
            .col(VaccineRequests::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_status_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::Status)
            .col(VaccineRequests::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("vaccine_requests_vaccine_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::VaccineId)
            .col(VaccineRequests::Id)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(immunizations()).await?;
        let index = Index::create()
            .name("immunizations_performer_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::PerformerId)
            .to_owned();
        manager.create_index(index).await?;
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
            .unique()
            .name("immunizations_request_id_key")
            .table(Immunizations::Table)
            .col(Immunizations::RequestId)
            .and_where(Expr::cust("status = 'completed' AND request_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_request_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::RequestId)
            .col(Immunizations::Id)
            .and_where(Expr::cust("request_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_patient_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::PatientId)
            .col(Immunizations::Id)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_lot_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::LotId)
            .col(Immunizations::Id)
            .and_where(Expr::cust("lot_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(invitation_uses()).await?;
        let index = Index::create()
            .name("invitation_uses_patient_id_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::PatientId)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitation_uses_request_id_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::RequestId)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("invitation_uses_invitation_id_used_at_idx")
            .table(InvitationUses::Table)
            .col(InvitationUses::InvitationId)
            .col(InvitationUses::UsedAt)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(waitlist_entries()).await?;
        let index = Index::create()
            .unique()
            .name("waitlist_entries_request_id_key")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::RequestId)
            .and_where(Expr::col(WaitlistEntries::Status).is_in(["waiting", "offered"]))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_course_id_centre_id_priority_id_from_date_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::CourseId)
            .col(WaitlistEntries::CentreId)
            .col(WaitlistEntries::Priority)
            .col(WaitlistEntries::Id)
            .col(WaitlistEntries::FromDate)
            .and_where(Expr::cust("status = 'waiting'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_course_id_priority_id_from_date_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::CourseId)
            .col(WaitlistEntries::Priority)
            .col(WaitlistEntries::Id)
            .col(WaitlistEntries::FromDate)
            .and_where(Expr::cust("centre_id IS NULL AND status = 'waiting'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_course_id_priority_id_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::CourseId)
            .col(WaitlistEntries::Priority)
            .col(WaitlistEntries::Id)
            .and_where(Expr::cust("status = 'waiting'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_offer_expires_at_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::OfferExpiresAt)
            .and_where(Expr::cust("status = 'offered'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_slot_id_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::SlotId)
            .and_where(Expr::cust("status = 'offered'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_id_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::Id)
            .and_where(Expr::cust("searched_at IS NULL AND status = 'waiting'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_to_date_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::ToDate)
            .and_where(Expr::cust("status = 'waiting'"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("waitlist_entries_request_id_id_idx")
            .table(WaitlistEntries::Table)
            .col(WaitlistEntries::RequestId)
            .col(WaitlistEntries::Id)
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of waitlist_entries are lost.
        manager.drop_table(Table::drop().table(WaitlistEntries::Table).to_owned()).await?;
        // The rows of invitation_uses are lost.
        manager.drop_table(Table::drop().table(InvitationUses::Table).to_owned()).await?;
        // The rows of immunizations are lost.
        manager.drop_table(Table::drop().table(Immunizations::Table).to_owned()).await?;
        // The rows of vaccine_requests are lost.
        manager.drop_table(Table::drop().table(VaccineRequests::Table).to_owned()).await?;
        // The rows of slots are lost.
        manager.drop_table(Table::drop().table(Slots::Table).to_owned()).await?;
        // The rows of lots are lost.
        manager.drop_table(Table::drop().table(Lots::Table).to_owned()).await?;
        // The rows of vaccines are lost.
        manager.drop_table(Table::drop().table(Vaccines::Table).to_owned()).await?;
        // The rows of user_words are lost.
        manager.drop_table(Table::drop().table(UserWords::Table).to_owned()).await?;
        // The rows of refresh_tokens are lost.
        manager.drop_table(Table::drop().table(RefreshTokens::Table).to_owned()).await?;
        // The rows of patient_words are lost.
        manager.drop_table(Table::drop().table(PatientWords::Table).to_owned()).await?;
        // The rows of idempotency_keys are lost.
        manager.drop_table(Table::drop().table(IdempotencyKeys::Table).to_owned()).await?;
        // The rows of patients are lost.
        manager.drop_table(Table::drop().table(Patients::Table).to_owned()).await?;
        // The rows of outbox are lost.
        manager.drop_table(Table::drop().table(Outbox::Table).to_owned()).await?;
        // The rows of invitations are lost.
        manager.drop_table(Table::drop().table(Invitations::Table).to_owned()).await?;
        // The rows of deleted_contacts are lost.
        manager.drop_table(Table::drop().table(DeletedContacts::Table).to_owned()).await?;
        // The rows of course_schedules are lost.
        manager.drop_table(Table::drop().table(CourseSchedules::Table).to_owned()).await?;
        // The rows of contact_import_updates are lost.
        manager.drop_table(Table::drop().table(ContactImportUpdates::Table).to_owned()).await?;
        // The rows of contacts are lost.
        manager.drop_table(Table::drop().table(Contacts::Table).to_owned()).await?;
        // The rows of contact_imports are lost.
        manager.drop_table(Table::drop().table(ContactImports::Table).to_owned()).await?;
        // The rows of contact_books are lost.
        manager.drop_table(Table::drop().table(ContactBooks::Table).to_owned()).await?;
        // The rows of centre_staff are lost.
        manager.drop_table(Table::drop().table(CentreStaff::Table).to_owned()).await?;
        // The rows of calendar_feeds are lost.
        manager.drop_table(Table::drop().table(CalendarFeeds::Table).to_owned()).await?;
        // The rows of account_codes are lost.
        manager.drop_table(Table::drop().table(AccountCodes::Table).to_owned()).await?;
        // The rows of users are lost.
        manager.drop_table(Table::drop().table(Users::Table).to_owned()).await?;
        // The rows of throttles are lost.
        manager.drop_table(Table::drop().table(Throttles::Table).to_owned()).await?;
        // The rows of quotas are lost.
        manager.drop_table(Table::drop().table(Quotas::Table).to_owned()).await?;
        // The rows of courses are lost.
        manager.drop_table(Table::drop().table(Courses::Table).to_owned()).await?;
        // The rows of centres are lost.
        manager.drop_table(Table::drop().table(Centres::Table).to_owned()).await?;
        // The rows of audit_events are lost.
        manager.drop_table(Table::drop().table(AuditEvents::Table).to_owned()).await?;
        Ok(())
    }
}

fn audit_events() -> TableCreateStatement {
    Table::create()
        .table(AuditEvents::Table)
        .col(ColumnDef::new(AuditEvents::Id).uuid().not_null())
        .col(ColumnDef::new(AuditEvents::Action).string_len(32).not_null())
        .col(ColumnDef::new(AuditEvents::ActorId).uuid())
        .col(ColumnDef::new(AuditEvents::SubjectId).uuid())
        .col(ColumnDef::new(AuditEvents::ObjectId).uuid())
        .col(ColumnDef::new(AuditEvents::Detail).string_len(100))
        .col(ColumnDef::new(AuditEvents::Ip).string_len(45))
        .col(ColumnDef::new(AuditEvents::UserAgent).string_len(255))
        .col(ColumnDef::new(AuditEvents::OccurredAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("audit_events_pkey").col(AuditEvents::Id))
        .check(Check::named(
            "audit_events_action_check",
            Expr::col(AuditEvents::Action).is_in([
                "registered",
                "login_succeeded",
                "login_failed",
                "logged_out",
                "session_ended",
                "refresh_reused",
                "email_verified",
                "email_change_asked",
                "email_changed",
                "password_changed",
                "password_reset",
                "role_changed",
                "user_disabled",
                "user_enabled",
                "request_approved",
                "request_rejected",
                "request_cancelled",
                "data_exported",
                "account_deleted",
                "profile_changed",
                "nid_verified",
                "account_read",
                "contacts_imported",
                "import_undone",
                "feed_created",
                "feed_deleted",
                "patient_read",
                "patient_changed",
                "request_booked",
                "request_moved",
                "request_unbooked",
                "centre_created",
                "centre_changed",
                "centre_staff_added",
                "centre_staff_removed",
                "calendar_created",
                "slot_created",
                "slot_changed",
                "slot_closed",
                "slot_reopened",
                "day_closed",
                "invitation_created",
                "invitations_imported",
                "invitation_revoked",
                "schedule_put",
                "dose_reported",
                "checked_in",
                "walked_in",
                "dose_administered",
                "dose_overridden",
                "dose_entered_in_error",
                "request_missed",
                "request_reopened",
                "arrival_read",
                "lot_created",
                "lot_changed",
                "lot_recalled",
            ]),
        ))
        .to_owned()
}

fn centres() -> TableCreateStatement {
    Table::create()
        .table(Centres::Table)
        .col(ColumnDef::new(Centres::Id).uuid().not_null())
        .col(ColumnDef::new(Centres::Name).string_len(200).not_null())
        .col(ColumnDef::new(Centres::Address).string_len(500).not_null())
        .col(ColumnDef::new(Centres::City).string_len(100))
        .col(ColumnDef::new(Centres::PostalCode).string_len(20))
        .col(ColumnDef::new(Centres::TimeZone).string_len(64).not_null())
        .col(ColumnDef::new(Centres::Latitude).double())
        .col(ColumnDef::new(Centres::Longitude).double())
        .col(ColumnDef::new(Centres::PhoneNumber).string_len(32))
        .col(ColumnDef::new(Centres::Active).boolean().not_null().default(true))
        .col(ColumnDef::new(Centres::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Centres::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("centres_pkey").col(Centres::Id))
        .check(Check::named("centres_latitude_check", Expr::cust("latitude BETWEEN -90 AND 90")))
        .check(Check::named("centres_longitude_check", Expr::cust(CONDITION_1)))
        .to_owned()
}

fn courses() -> TableCreateStatement {
    Table::create()
        .table(Courses::Table)
        .col(ColumnDef::new(Courses::Id).uuid().not_null())
        .col(ColumnDef::new(Courses::Code).string_len(32).not_null())
        .col(ColumnDef::new(Courses::Name).string_len(200).not_null())
        .col(ColumnDef::new(Courses::ScheduleVersion).integer().not_null().default(0))
        .primary_key(Index::create().name("courses_pkey").col(Courses::Id))
        .index(Index::create().unique().name("courses_code_key").col(Courses::Code))
        .check(Check::named("courses_schedule_version_check", Expr::cust("schedule_version >= 0")))
        .to_owned()
}

fn quotas() -> TableCreateStatement {
    Table::create()
        .table(Quotas::Table)
        .col(ColumnDef::new(Quotas::Key).uuid().not_null())
        .col(ColumnDef::new(Quotas::Used).integer().not_null())
        .col(ColumnDef::new(Quotas::ResetsAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("quotas_pkey").col(Quotas::Key))
        .to_owned()
}

fn throttles() -> TableCreateStatement {
    Table::create()
        .table(Throttles::Table)
        .col(ColumnDef::new(Throttles::Key).uuid().not_null())
        .col(ColumnDef::new(Throttles::OverLimit).integer().not_null())
        .col(ColumnDef::new(Throttles::BlockedUntil).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Throttles::ForgetAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("throttles_pkey").col(Throttles::Key))
        .to_owned()
}

fn users() -> TableCreateStatement {
    Table::create()
        .table(Users::Table)
        .col(ColumnDef::new(Users::Id).uuid().not_null())
        .col(ColumnDef::new(Users::Name).string_len(200).not_null())
        .col(ColumnDef::new(Users::Email).string_len(254).not_null())
        .col(ColumnDef::new(Users::PasswordHash).string_len(255).not_null())
        .col(ColumnDef::new(Users::Role).string_len(16).not_null().default("patient"))
        .col(ColumnDef::new(Users::Nid).string_len(64))
        .col(ColumnDef::new(Users::PhoneNumber).string_len(32))
        .col(ColumnDef::new(Users::Address).string_len(500))
        .col(ColumnDef::new(Users::BirthDate).date())
        .col(ColumnDef::new(Users::EmailVerifiedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Users::DisabledAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Users::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Users::UpdatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Users::TimeZone).string_len(64))
        .col(ColumnDef::new(Users::NidKey).string_len(64))
        .col(ColumnDef::new(Users::NidVerifiedAt).timestamp_with_time_zone())
        .primary_key(Index::create().name("users_pkey").col(Users::Id))
        .index(Index::create().unique().name("users_email_key").col(Users::Email))
        .check(Check::named("users_role_check", Expr::col(Users::Role).is_in(["patient", "staff", "admin"])))
        .to_owned()
}

fn account_codes() -> TableCreateStatement {
    Table::create()
        .table(AccountCodes::Table)
        .col(ColumnDef::new(AccountCodes::UserId).uuid().not_null())
        .col(ColumnDef::new(AccountCodes::Purpose).string_len(16).not_null())
        .col(ColumnDef::new(AccountCodes::Slot).small_integer().not_null().default(0))
        .col(ColumnDef::new(AccountCodes::Email).string_len(254).not_null())
        .col(ColumnDef::new(AccountCodes::CodeHash).string_len(64))
        .col(ColumnDef::new(AccountCodes::Attempts).integer().not_null().default(0))
        .col(ColumnDef::new(AccountCodes::FlowHash).string_len(64))
        .col(ColumnDef::new(AccountCodes::FlowAttempts).integer().not_null().default(0))
        .col(ColumnDef::new(AccountCodes::ExpiresAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(AccountCodes::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create()
                .name("account_codes_pkey")
                .col(AccountCodes::UserId)
                .col(AccountCodes::Purpose)
                .col(AccountCodes::Slot),
        )
        .foreign_key(
            ForeignKey::create()
                .name("account_codes_user_id_fkey")
                .from(AccountCodes::Table, AccountCodes::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .check(Check::named("account_codes_attempts_check", Expr::cust("attempts >= 0 AND attempts <= 5")))
        .check(Check::named(
            "account_codes_flow_attempts_check",
            Expr::cust("flow_attempts >= 0 AND flow_attempts <= 5"),
        ))
        .check(Check::named(
            "account_codes_purpose_check",
            Expr::col(AccountCodes::Purpose).is_in(["verify_email", "change_email", "reset_password", "set_password"]),
        ))
        .check(Check::named("account_codes_slot_check", Expr::cust("slot >= 0 AND slot <= 2")))
        .to_owned()
}

fn calendar_feeds() -> TableCreateStatement {
    Table::create()
        .table(CalendarFeeds::Table)
        .col(ColumnDef::new(CalendarFeeds::UserId).uuid().not_null())
        .col(ColumnDef::new(CalendarFeeds::SecretHash).string_len(64).not_null())
        .col(ColumnDef::new(CalendarFeeds::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("calendar_feeds_pkey").col(CalendarFeeds::UserId))
        .index(Index::create().unique().name("calendar_feeds_secret_hash_key").col(CalendarFeeds::SecretHash))
        .foreign_key(
            ForeignKey::create()
                .name("calendar_feeds_user_id_fkey")
                .from(CalendarFeeds::Table, CalendarFeeds::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn centre_staff() -> TableCreateStatement {
    Table::create()
        .table(CentreStaff::Table)
        .col(ColumnDef::new(CentreStaff::UserId).uuid().not_null())
        .col(ColumnDef::new(CentreStaff::CentreId).uuid().not_null())
        .col(ColumnDef::new(CentreStaff::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("centre_staff_pkey").col(CentreStaff::UserId).col(CentreStaff::CentreId))
        .foreign_key(
            ForeignKey::create()
                .name("centre_staff_centre_id_fkey")
                .from(CentreStaff::Table, CentreStaff::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("centre_staff_user_id_fkey")
                .from(CentreStaff::Table, CentreStaff::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn contact_books(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(ContactBooks::Table)
        .col(ColumnDef::new(ContactBooks::UserId).uuid().not_null())
        .col(ColumnDef::new(ContactBooks::LastChange).big_integer().not_null())
        .col(ColumnDef::new(ContactBooks::ChangedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("contact_books_pkey").col(ContactBooks::UserId))
        .foreign_key(
            ForeignKey::create()
                .name("contact_books_user_id_fkey")
                .from(ContactBooks::Table, ContactBooks::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn contact_imports() -> TableCreateStatement {
    Table::create()
        .table(ContactImports::Table)
        .col(ColumnDef::new(ContactImports::Id).uuid().not_null())
        .col(ColumnDef::new(ContactImports::UserId).uuid().not_null())
        .col(ColumnDef::new(ContactImports::Format).string_len(16).not_null())
        .col(ColumnDef::new(ContactImports::Imported).integer().not_null())
        .col(ColumnDef::new(ContactImports::Updated).integer().not_null().default(0))
        .col(ColumnDef::new(ContactImports::Skipped).integer().not_null().default(0))
        .col(ColumnDef::new(ContactImports::Rejected).integer().not_null())
        .col(ColumnDef::new(ContactImports::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("contact_imports_pkey").col(ContactImports::Id))
        .foreign_key(
            ForeignKey::create()
                .name("contact_imports_user_id_fkey")
                .from(ContactImports::Table, ContactImports::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .check(Check::named("contact_imports_format_check", Expr::col(ContactImports::Format).is_in(["csv", "vcard"])))
        .to_owned()
}

fn contacts(backend: DbBackend) -> TableCreateStatement {
    let mut sort_folded = ColumnDef::new(Contacts::SortFolded).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        sort_folded.extra("COLLATE \"C\"");
    }
    let mut first_folded = ColumnDef::new(Contacts::FirstFolded).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        first_folded.extra("COLLATE \"C\"");
    }
    let mut search_folded = ColumnDef::new(Contacts::SearchFolded).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        search_folded.extra("COLLATE \"C\"");
    }
    let mut table = Table::create()
        .table(Contacts::Table)
        .col(ColumnDef::new(Contacts::UserId).uuid().not_null())
        .col(ColumnDef::new(Contacts::Id).uuid().not_null())
        .col(ColumnDef::new(Contacts::ImportId).uuid())
        .col(ColumnDef::new(Contacts::Uid).string_len(255))
        .col(ColumnDef::new(Contacts::FirstName).string_len(100))
        .col(ColumnDef::new(Contacts::LastName).string_len(100))
        .col(ColumnDef::new(Contacts::Organization).string_len(200))
        .col(&mut sort_folded)
        .col(&mut first_folded)
        .col(&mut search_folded)
        .col(ColumnDef::new(Contacts::Email).string_len(254))
        .col(ColumnDef::new(Contacts::Emails).text())
        .col(ColumnDef::new(Contacts::PhoneNumber).string_len(32))
        .col(ColumnDef::new(Contacts::PhoneNumbers).text())
        .col(ColumnDef::new(Contacts::BirthMonth).small_integer())
        .col(ColumnDef::new(Contacts::BirthDay).small_integer())
        .col(ColumnDef::new(Contacts::BirthYear).small_integer())
        .col(ColumnDef::new(Contacts::Note).string_len(2000))
        .col(ColumnDef::new(Contacts::ChangeNumber).big_integer().not_null())
        .col(ColumnDef::new(Contacts::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Contacts::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("contacts_pkey").col(Contacts::UserId).col(Contacts::Id))
        .index(Index::create().unique().name("contacts_id_key").col(Contacts::Id))
        .foreign_key(
            ForeignKey::create()
                .name("contacts_import_id_fkey")
                .from(Contacts::Table, Contacts::ImportId)
                .to(ContactImports::Table, ContactImports::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("contacts_user_id_fkey")
                .from(Contacts::Table, Contacts::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .check(Check::named("contacts_birth_day_check", Expr::cust(CONDITION_2)))
        .check(Check::named("contacts_birth_year_check", Expr::cust("birth_year BETWEEN 1900 AND 9999")))
        .check(Check::named(
            "contacts_emails_check",
            Expr::cust("emails IS NULL OR email IS NOT NULL AND emails LIKE '[{%}]'"),
        ))
        .check(Check::named("contacts_first_name_check", Expr::cust(CONDITION_3)))
        .check(Check::named("contacts_phone_numbers_check", Expr::cust(CONDITION_4)))
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn contact_import_updates(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(ContactImportUpdates::Table)
        .col(ColumnDef::new(ContactImportUpdates::ImportId).uuid().not_null())
        .col(ColumnDef::new(ContactImportUpdates::ContactId).uuid().not_null())
        .col(ColumnDef::new(ContactImportUpdates::Previous).text().not_null())
        .primary_key(
            Index::create()
                .name("contact_import_updates_pkey")
                .col(ContactImportUpdates::ImportId)
                .col(ContactImportUpdates::ContactId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("contact_import_updates_contact_id_fkey")
                .from(ContactImportUpdates::Table, ContactImportUpdates::ContactId)
                .to(Contacts::Table, Contacts::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("contact_import_updates_import_id_fkey")
                .from(ContactImportUpdates::Table, ContactImportUpdates::ImportId)
                .to(ContactImports::Table, ContactImports::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
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

fn deleted_contacts(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(DeletedContacts::Table)
        .col(ColumnDef::new(DeletedContacts::UserId).uuid().not_null())
        .col(ColumnDef::new(DeletedContacts::ChangeNumber).big_integer().not_null())
        .col(ColumnDef::new(DeletedContacts::Id).uuid().not_null())
        .col(ColumnDef::new(DeletedContacts::DeletedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create()
                .name("deleted_contacts_pkey")
                .col(DeletedContacts::UserId)
                .col(DeletedContacts::ChangeNumber)
                .col(DeletedContacts::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("deleted_contacts_user_id_fkey")
                .from(DeletedContacts::Table, DeletedContacts::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn invitations() -> TableCreateStatement {
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
        .foreign_key(
            ForeignKey::create()
                .name("invitations_centre_id_fkey")
                .from(Invitations::Table, Invitations::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invitations_course_id_fkey")
                .from(Invitations::Table, Invitations::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invitations_created_by_fkey")
                .from(Invitations::Table, Invitations::CreatedBy)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .check(Check::named("invitations_max_uses_check", Expr::cust(CONDITION_5)))
        .check(Check::named("invitations_used_check", Expr::cust("used BETWEEN 0 AND max_uses")))
        .check(Check::named("invitations_valid_until_check", Expr::cust("valid_until > valid_from")))
        .to_owned()
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table(Outbox::Table)
        .col(ColumnDef::new(Outbox::Id).uuid().not_null())
        .col(ColumnDef::new(Outbox::Kind).string_len(32).not_null())
        .col(ColumnDef::new(Outbox::Recipient).string_len(254).not_null())
        .col(ColumnDef::new(Outbox::UserId).uuid())
        .col(ColumnDef::new(Outbox::Attempts).integer().not_null().default(0))
        .col(ColumnDef::new(Outbox::DueAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Outbox::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Outbox::FlowHash).string_len(64))
        .col(ColumnDef::new(Outbox::ObjectId).uuid())
        .col(ColumnDef::new(Outbox::SlotId).uuid())
        .primary_key(Index::create().name("outbox_pkey").col(Outbox::Id))
        .foreign_key(
            ForeignKey::create()
                .name("outbox_user_id_fkey")
                .from(Outbox::Table, Outbox::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .check(Check::named(
            "outbox_kind_check",
            Expr::col(Outbox::Kind).is_in([
                "verify_email",
                "change_email",
                "email_change_asked",
                "email_changed",
                "reset_password",
                "password_changed",
                "already_registered",
                "account_deleted",
                "booked",
                "moved",
                "unbooked",
                "closed",
                "offer",
                "offer_over",
                "reminder",
                "invitation",
            ]),
        ))
        .to_owned()
}

fn patients() -> TableCreateStatement {
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
        .foreign_key(
            ForeignKey::create()
                .name("patients_contact_id_fkey")
                .from(Patients::Table, Patients::ContactId)
                .to(Contacts::Table, Contacts::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .foreign_key(
            ForeignKey::create()
                .name("patients_user_id_fkey")
                .from(Patients::Table, Patients::UserId)
                .to(Users::Table, Users::Id),
        )
        .check(Check::named("patients_birth_day_check", Expr::cust(CONDITION_6)))
        .check(Check::named("patients_birth_year_check", Expr::cust("birth_year BETWEEN 1900 AND 9999")))
        .check(Check::named("patients_contact_id_check", Expr::cust("contact_id IS NULL OR relation = 'dependant'")))
        .check(Check::named("patients_open_requests_check", Expr::cust(CONDITION_7)))
        .check(Check::named(
            "patients_relation_check",
            Expr::col(Patients::Relation).is_in(["self", "dependant", "walk_in"]),
        ))
        .to_owned()
}

fn idempotency_keys() -> TableCreateStatement {
    Table::create()
        .table(IdempotencyKeys::Table)
        .col(ColumnDef::new(IdempotencyKeys::UserId).uuid().not_null())
        .col(ColumnDef::new(IdempotencyKeys::Key).string_len(255).not_null())
        .col(ColumnDef::new(IdempotencyKeys::RequestHash).string_len(64).not_null())
        .col(ColumnDef::new(IdempotencyKeys::Status).small_integer())
        .col(ColumnDef::new(IdempotencyKeys::Location).string_len(255))
        .col(ColumnDef::new(IdempotencyKeys::Body).text())
        .col(ColumnDef::new(IdempotencyKeys::PatientId).uuid())
        .col(ColumnDef::new(IdempotencyKeys::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create().name("idempotency_keys_pkey").col(IdempotencyKeys::UserId).col(IdempotencyKeys::Key),
        )
        .foreign_key(
            ForeignKey::create()
                .name("idempotency_keys_patient_id_fkey")
                .from(IdempotencyKeys::Table, IdempotencyKeys::PatientId)
                .to(Patients::Table, Patients::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("idempotency_keys_user_id_fkey")
                .from(IdempotencyKeys::Table, IdempotencyKeys::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn patient_words(backend: DbBackend) -> TableCreateStatement {
    let mut word = ColumnDef::new(PatientWords::Word).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        word.extra("COLLATE \"C\"");
    }
    let mut table = Table::create()
        .table(PatientWords::Table)
        .col(&mut word)
        .col(ColumnDef::new(PatientWords::PatientId).uuid().not_null())
        .primary_key(Index::create().name("patient_words_pkey").col(PatientWords::Word).col(PatientWords::PatientId))
        .foreign_key(
            ForeignKey::create()
                .name("patient_words_patient_id_fkey")
                .from(PatientWords::Table, PatientWords::PatientId)
                .to(Patients::Table, Patients::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn refresh_tokens() -> TableCreateStatement {
    Table::create()
        .table(RefreshTokens::Table)
        .col(ColumnDef::new(RefreshTokens::Id).uuid().not_null())
        .col(ColumnDef::new(RefreshTokens::UserId).uuid())
        .col(ColumnDef::new(RefreshTokens::Generation).integer().not_null().default(0))
        .col(ColumnDef::new(RefreshTokens::RotatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(RefreshTokens::ExpiresAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(RefreshTokens::RevokedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(RefreshTokens::UserAgent).string_len(255))
        .col(ColumnDef::new(RefreshTokens::Ip).string_len(45))
        .col(ColumnDef::new(RefreshTokens::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(RefreshTokens::SeenGeneration).integer().not_null().default(0))
        .col(ColumnDef::new(RefreshTokens::GenerationAt).timestamp_with_time_zone())
        .primary_key(Index::create().name("refresh_tokens_pkey").col(RefreshTokens::Id))
        .foreign_key(
            ForeignKey::create()
                .name("refresh_tokens_user_id_fkey")
                .from(RefreshTokens::Table, RefreshTokens::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .to_owned()
}

fn user_words(backend: DbBackend) -> TableCreateStatement {
    let mut word = ColumnDef::new(UserWords::Word).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        word.extra("COLLATE \"C\"");
    }
    let mut table = Table::create()
        .table(UserWords::Table)
        .col(&mut word)
        .col(ColumnDef::new(UserWords::UserId).uuid().not_null())
        .primary_key(Index::create().name("user_words_pkey").col(UserWords::Word).col(UserWords::UserId))
        .foreign_key(
            ForeignKey::create()
                .name("user_words_user_id_fkey")
                .from(UserWords::Table, UserWords::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn vaccines() -> TableCreateStatement {
    Table::create()
        .table(Vaccines::Table)
        .col(ColumnDef::new(Vaccines::Id).uuid().not_null())
        .col(ColumnDef::new(Vaccines::Code).string_len(32).not_null())
        .col(ColumnDef::new(Vaccines::Name).string_len(200).not_null())
        .col(ColumnDef::new(Vaccines::Manufacturer).string_len(200).not_null())
        .col(ColumnDef::new(Vaccines::Doses).integer().not_null())
        .col(ColumnDef::new(Vaccines::MinIntervalDays).integer().not_null().default(0))
        .col(ColumnDef::new(Vaccines::MinAgeMonths).integer())
        .col(ColumnDef::new(Vaccines::MaxAgeMonths).integer())
        .col(ColumnDef::new(Vaccines::Active).boolean().not_null().default(true))
        .col(ColumnDef::new(Vaccines::CourseId).uuid().not_null())
        .col(ColumnDef::new(Vaccines::CvxCode).string_len(3))
        .col(ColumnDef::new(Vaccines::AlsoCountsFor).text().not_null().default("[]"))
        .primary_key(Index::create().name("vaccines_pkey").col(Vaccines::Id))
        .index(Index::create().unique().name("vaccines_code_key").col(Vaccines::Code))
        .foreign_key(
            ForeignKey::create()
                .name("vaccines_course_id_fkey")
                .from(Vaccines::Table, Vaccines::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .check(Check::named("vaccines_doses_check", Expr::cust("doses >= 1")))
        .check(Check::named("vaccines_max_age_months_check", Expr::cust("max_age_months >= min_age_months")))
        .check(Check::named("vaccines_min_age_months_check", Expr::cust("min_age_months >= 0")))
        .check(Check::named("vaccines_min_interval_days_check", Expr::cust("min_interval_days >= 0")))
        .to_owned()
}

fn lots() -> TableCreateStatement {
    Table::create()
        .table(Lots::Table)
        .col(ColumnDef::new(Lots::Id).uuid().not_null())
        .col(ColumnDef::new(Lots::CentreId).uuid().not_null())
        .col(ColumnDef::new(Lots::VaccineId).uuid().not_null())
        .col(ColumnDef::new(Lots::LotNumber).string_len(20).not_null())
        .col(ColumnDef::new(Lots::ExpiresOn).date().not_null())
        .col(ColumnDef::new(Lots::Received).integer())
        .col(ColumnDef::new(Lots::Used).integer().not_null().default(0))
        .col(ColumnDef::new(Lots::Wasted).integer().not_null().default(0))
        .col(ColumnDef::new(Lots::RecalledAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Lots::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Lots::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("lots_pkey").col(Lots::Id))
        .foreign_key(
            ForeignKey::create()
                .name("lots_centre_id_fkey")
                .from(Lots::Table, Lots::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("lots_vaccine_id_fkey")
                .from(Lots::Table, Lots::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named("lots_received_check", Expr::cust("received >= 0")))
        .check(Check::named("lots_used_check", Expr::cust(CONDITION_8)))
        .to_owned()
}

fn slots() -> TableCreateStatement {
    Table::create()
        .table(Slots::Table)
        .col(ColumnDef::new(Slots::Id).uuid().not_null())
        .col(ColumnDef::new(Slots::CentreId).uuid().not_null())
        .col(ColumnDef::new(Slots::VaccineId).uuid().not_null())
        .col(ColumnDef::new(Slots::StartsAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Slots::EndsAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Slots::Capacity).integer().not_null())
        .col(ColumnDef::new(Slots::Booked).integer().not_null().default(0))
        .col(ColumnDef::new(Slots::Held).integer().not_null().default(0))
        .col(ColumnDef::new(Slots::InvitedOnly).boolean().not_null().default(false))
        .col(ColumnDef::new(Slots::ClosedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Slots::ClosedReason).string_len(500))
        .col(ColumnDef::new(Slots::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("slots_pkey").col(Slots::Id))
        .foreign_key(
            ForeignKey::create()
                .name("slots_centre_id_fkey")
                .from(Slots::Table, Slots::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("slots_vaccine_id_fkey")
                .from(Slots::Table, Slots::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named(
            "slots_booked_check",
            Expr::cust("booked >= 0 AND held >= 0 AND booked + held <= capacity"),
        ))
        .check(Check::named("slots_capacity_check", Expr::cust("capacity BETWEEN 0 AND 100000")))
        .check(Check::named("slots_ends_at_check", Expr::cust("ends_at > starts_at")))
        .to_owned()
}

fn vaccine_requests() -> TableCreateStatement {
    Table::create()
        .table(VaccineRequests::Table)
        .col(ColumnDef::new(VaccineRequests::Id).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::UserId).uuid())
        .col(ColumnDef::new(VaccineRequests::VaccineId).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::DoseNumber).integer().not_null().default(1))
        .col(ColumnDef::new(VaccineRequests::Status).string_len(16).not_null().default("pending"))
        .col(ColumnDef::new(VaccineRequests::Note).string_len(1000))
        .col(ColumnDef::new(VaccineRequests::Reason).string_len(1000))
        .col(ColumnDef::new(VaccineRequests::ReviewedBy).uuid())
        .col(ColumnDef::new(VaccineRequests::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(VaccineRequests::UpdatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(VaccineRequests::PatientId).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::CourseId).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::SlotId).uuid())
        .col(ColumnDef::new(VaccineRequests::Code).string_len(8))
        .col(ColumnDef::new(VaccineRequests::Moves).integer().not_null().default(0))
        .col(ColumnDef::new(VaccineRequests::InvitationId).uuid())
        .col(ColumnDef::new(VaccineRequests::Revision).integer().not_null().default(0))
        .col(ColumnDef::new(VaccineRequests::CheckedInAt).timestamp_with_time_zone())
        .col(ColumnDef::new(VaccineRequests::CentreId).uuid())
        .col(ColumnDef::new(VaccineRequests::IdentifiedBy).string_len(100))
        .col(ColumnDef::new(VaccineRequests::Answers).text())
        .primary_key(Index::create().name("vaccine_requests_pkey").col(VaccineRequests::Id))
        .index(Index::create().unique().name("vaccine_requests_code_key").col(VaccineRequests::Code))
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_centre_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_course_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_invitation_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::InvitationId)
                .to(Invitations::Table, Invitations::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_patient_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::PatientId)
                .to(Patients::Table, Patients::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_reviewed_by_fkey")
                .from(VaccineRequests::Table, VaccineRequests::ReviewedBy)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_slot_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::SlotId)
                .to(Slots::Table, Slots::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_user_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::UserId)
                .to(Users::Table, Users::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("vaccine_requests_vaccine_id_fkey")
                .from(VaccineRequests::Table, VaccineRequests::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named("vaccine_requests_checked_in_at_check", Expr::cust(CONDITION_9)))
        .check(Check::named("vaccine_requests_code_check", Expr::cust("code IS NOT NULL OR status <> 'booked'")))
        .check(Check::named("vaccine_requests_dose_number_check", Expr::cust("dose_number >= 1")))
        .check(Check::named("vaccine_requests_moves_check", Expr::cust("moves >= 0")))
        .check(Check::named("vaccine_requests_slot_id_check", Expr::cust(CONDITION_10)))
        .check(Check::named(
            "vaccine_requests_status_check",
            Expr::col(VaccineRequests::Status).is_in([
                "pending",
                "approved",
                "rejected",
                "booked",
                "administered",
                "missed",
                "cancelled",
            ]),
        ))
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
        .col(ColumnDef::new(Immunizations::RequestId).uuid())
        .col(ColumnDef::new(Immunizations::CentreId).uuid())
        .col(ColumnDef::new(Immunizations::LotId).uuid())
        .col(ColumnDef::new(Immunizations::LotNumber).string_len(20))
        .col(ColumnDef::new(Immunizations::ExpiresOn).date())
        .col(ColumnDef::new(Immunizations::Site).string_len(50))
        .col(ColumnDef::new(Immunizations::Route).string_len(50))
        .col(ColumnDef::new(Immunizations::AdministeredOn).date().not_null())
        .col(ColumnDef::new(Immunizations::AdministeredAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Immunizations::PerformerId).uuid())
        .col(ColumnDef::new(Immunizations::OverrideReason).string_len(500))
        .col(ColumnDef::new(Immunizations::ReportedBy).uuid())
        .col(ColumnDef::new(Immunizations::VerifiedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Immunizations::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Immunizations::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("immunizations_pkey").col(Immunizations::Id))
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_centre_id_fkey")
                .from(Immunizations::Table, Immunizations::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_course_id_fkey")
                .from(Immunizations::Table, Immunizations::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_lot_id_fkey")
                .from(Immunizations::Table, Immunizations::LotId)
                .to(Lots::Table, Lots::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_patient_id_fkey")
                .from(Immunizations::Table, Immunizations::PatientId)
                .to(Patients::Table, Patients::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_performer_id_fkey")
                .from(Immunizations::Table, Immunizations::PerformerId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
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
                .name("immunizations_request_id_fkey")
                .from(Immunizations::Table, Immunizations::RequestId)
                .to(VaccineRequests::Table, VaccineRequests::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("immunizations_vaccine_id_fkey")
                .from(Immunizations::Table, Immunizations::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named("immunizations_centre_id_check", Expr::cust(CONDITION_11)))
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

fn invitation_uses() -> TableCreateStatement {
    Table::create()
        .table(InvitationUses::Table)
        .col(ColumnDef::new(InvitationUses::InvitationId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::PatientId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::RequestId).uuid().not_null())
        .col(ColumnDef::new(InvitationUses::UsedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create()
                .name("invitation_uses_pkey")
                .col(InvitationUses::InvitationId)
                .col(InvitationUses::PatientId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invitation_uses_invitation_id_fkey")
                .from(InvitationUses::Table, InvitationUses::InvitationId)
                .to(Invitations::Table, Invitations::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invitation_uses_patient_id_fkey")
                .from(InvitationUses::Table, InvitationUses::PatientId)
                .to(Patients::Table, Patients::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invitation_uses_request_id_fkey")
                .from(InvitationUses::Table, InvitationUses::RequestId)
                .to(VaccineRequests::Table, VaccineRequests::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn waitlist_entries() -> TableCreateStatement {
    Table::create()
        .table(WaitlistEntries::Table)
        .col(ColumnDef::new(WaitlistEntries::Id).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::RequestId).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::CourseId).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::CentreId).uuid())
        .col(ColumnDef::new(WaitlistEntries::FromDate).date().not_null())
        .col(ColumnDef::new(WaitlistEntries::ToDate).date())
        .col(ColumnDef::new(WaitlistEntries::Priority).small_integer().not_null().default(0))
        .col(ColumnDef::new(WaitlistEntries::Status).string_len(16).not_null().default("waiting"))
        .col(ColumnDef::new(WaitlistEntries::SlotId).uuid())
        .col(ColumnDef::new(WaitlistEntries::OfferExpiresAt).timestamp_with_time_zone())
        .col(ColumnDef::new(WaitlistEntries::SearchedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(WaitlistEntries::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(WaitlistEntries::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("waitlist_entries_pkey").col(WaitlistEntries::Id))
        .foreign_key(
            ForeignKey::create()
                .name("waitlist_entries_centre_id_fkey")
                .from(WaitlistEntries::Table, WaitlistEntries::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("waitlist_entries_course_id_fkey")
                .from(WaitlistEntries::Table, WaitlistEntries::CourseId)
                .to(Courses::Table, Courses::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("waitlist_entries_request_id_fkey")
                .from(WaitlistEntries::Table, WaitlistEntries::RequestId)
                .to(VaccineRequests::Table, VaccineRequests::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("waitlist_entries_slot_id_fkey")
                .from(WaitlistEntries::Table, WaitlistEntries::SlotId)
                .to(Slots::Table, Slots::Id),
        )
        .check(Check::named("waitlist_entries_slot_id_check", Expr::cust(CONDITION_12)))
        .check(Check::named(
            "waitlist_entries_status_check",
            Expr::col(WaitlistEntries::Status).is_in(["waiting", "offered", "accepted", "declined", "expired", "left"]),
        ))
        .check(Check::named("waitlist_entries_to_date_check", Expr::cust("to_date >= from_date")))
        .to_owned()
}

#[derive(DeriveIden)]
enum AccountCodes {
    Table,
    Attempts,
    CodeHash,
    CreatedAt,
    Email,
    ExpiresAt,
    FlowAttempts,
    FlowHash,
    Purpose,
    Slot,
    UserId,
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Action,
    ActorId,
    Detail,
    Id,
    Ip,
    ObjectId,
    OccurredAt,
    SubjectId,
    UserAgent,
}

#[derive(DeriveIden)]
enum CalendarFeeds {
    Table,
    CreatedAt,
    SecretHash,
    UserId,
}

#[derive(DeriveIden)]
enum CentreStaff {
    Table,
    CentreId,
    CreatedAt,
    UserId,
}

#[derive(DeriveIden)]
enum Centres {
    Table,
    Active,
    Address,
    City,
    CreatedAt,
    Id,
    Latitude,
    Longitude,
    Name,
    PhoneNumber,
    PostalCode,
    TimeZone,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum ContactBooks {
    Table,
    ChangedAt,
    LastChange,
    UserId,
}

#[derive(DeriveIden)]
enum ContactImportUpdates {
    Table,
    ContactId,
    ImportId,
    Previous,
}

#[derive(DeriveIden)]
enum ContactImports {
    Table,
    CreatedAt,
    Format,
    Id,
    Imported,
    Rejected,
    Skipped,
    Updated,
    UserId,
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    BirthDay,
    BirthMonth,
    BirthYear,
    ChangeNumber,
    CreatedAt,
    Email,
    Emails,
    FirstFolded,
    FirstName,
    Id,
    ImportId,
    LastName,
    Note,
    Organization,
    PhoneNumber,
    PhoneNumbers,
    SearchFolded,
    SortFolded,
    Uid,
    UpdatedAt,
    UserId,
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
    Code,
    Id,
    Name,
    ScheduleVersion,
}

#[derive(DeriveIden)]
enum DeletedContacts {
    Table,
    ChangeNumber,
    DeletedAt,
    Id,
    UserId,
}

#[derive(DeriveIden)]
enum IdempotencyKeys {
    Table,
    Body,
    CreatedAt,
    Key,
    Location,
    PatientId,
    RequestHash,
    Status,
    UserId,
}

#[derive(DeriveIden)]
enum Immunizations {
    Table,
    AdministeredAt,
    AdministeredOn,
    BrokenRule,
    CentreId,
    CourseId,
    CreatedAt,
    DoseNumber,
    ExpiresOn,
    Id,
    LotId,
    LotNumber,
    OverrideReason,
    PatientId,
    PerformerId,
    ReportedBy,
    RequestId,
    Route,
    Site,
    Source,
    Status,
    UpdatedAt,
    VaccineId,
    VerifiedAt,
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
enum Invitations {
    Table,
    CentreId,
    CodeHash,
    CourseId,
    CreatedAt,
    CreatedBy,
    Email,
    Id,
    Label,
    MaxUses,
    NidKey,
    RevokedAt,
    Used,
    ValidFrom,
    ValidUntil,
}

#[derive(DeriveIden)]
enum Lots {
    Table,
    CentreId,
    CreatedAt,
    ExpiresOn,
    Id,
    LotNumber,
    RecalledAt,
    Received,
    UpdatedAt,
    Used,
    VaccineId,
    Wasted,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Attempts,
    CreatedAt,
    DueAt,
    FlowHash,
    Id,
    Kind,
    ObjectId,
    Recipient,
    SlotId,
    UserId,
}

#[derive(DeriveIden)]
enum PatientWords {
    Table,
    PatientId,
    Word,
}

#[derive(DeriveIden)]
enum Patients {
    Table,
    BirthDay,
    BirthMonth,
    BirthYear,
    ContactId,
    CreatedAt,
    FamilyName,
    GivenName,
    Id,
    Name,
    OpenRequests,
    Relation,
    UpdatedAt,
    UserId,
}

#[derive(DeriveIden)]
enum Quotas {
    Table,
    Key,
    ResetsAt,
    Used,
}

#[derive(DeriveIden)]
enum RefreshTokens {
    Table,
    CreatedAt,
    ExpiresAt,
    Generation,
    GenerationAt,
    Id,
    Ip,
    RevokedAt,
    RotatedAt,
    SeenGeneration,
    UserAgent,
    UserId,
}

#[derive(DeriveIden)]
enum Slots {
    Table,
    Booked,
    Capacity,
    CentreId,
    ClosedAt,
    ClosedReason,
    CreatedAt,
    EndsAt,
    Held,
    Id,
    InvitedOnly,
    StartsAt,
    VaccineId,
}

#[derive(DeriveIden)]
enum Throttles {
    Table,
    BlockedUntil,
    ForgetAt,
    Key,
    OverLimit,
}

#[derive(DeriveIden)]
enum UserWords {
    Table,
    UserId,
    Word,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Address,
    BirthDate,
    CreatedAt,
    DisabledAt,
    Email,
    EmailVerifiedAt,
    Id,
    Name,
    Nid,
    NidKey,
    NidVerifiedAt,
    PasswordHash,
    PhoneNumber,
    Role,
    TimeZone,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Answers,
    CentreId,
    CheckedInAt,
    Code,
    CourseId,
    CreatedAt,
    DoseNumber,
    Id,
    IdentifiedBy,
    InvitationId,
    Moves,
    Note,
    PatientId,
    Reason,
    ReviewedBy,
    Revision,
    SlotId,
    Status,
    UpdatedAt,
    UserId,
    VaccineId,
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    Active,
    AlsoCountsFor,
    Code,
    CourseId,
    CvxCode,
    Doses,
    Id,
    Manufacturer,
    MaxAgeMonths,
    MinAgeMonths,
    MinIntervalDays,
    Name,
}

#[derive(DeriveIden)]
enum WaitlistEntries {
    Table,
    CentreId,
    CourseId,
    CreatedAt,
    FromDate,
    Id,
    OfferExpiresAt,
    Priority,
    RequestId,
    SearchedAt,
    SlotId,
    Status,
    ToDate,
    UpdatedAt,
}
