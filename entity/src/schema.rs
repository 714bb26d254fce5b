//! The schema of the entities, for comparisons with a database and for new migrations.

use revisions::Entities;
use sea_orm::DbBackend;

/// Returns all tables, in an order in which they can be created.
#[must_use]
pub fn entities(backend: DbBackend) -> Entities {
    Entities::of(backend)
        .with_extras(crate::users::Entity)
        .with_extras(crate::refresh_tokens::Entity)
        .with_extras(crate::courses::Entity)
        .with_extras(crate::course_schedules::Entity)
        .with_extras(crate::vaccines::Entity)
        .with_extras(crate::contact_imports::Entity)
        .with_extras(crate::contacts::Entity)
        .with_extras(crate::contact_books::Entity)
        .with_extras(crate::contact_import_updates::Entity)
        .with_extras(crate::deleted_contacts::Entity)
        .with_extras(crate::patients::Entity)
        .with_extras(crate::centres::Entity)
        .with_extras(crate::slots::Entity)
        .with_extras(crate::invitations::Entity)
        .with_extras(crate::lots::Entity)
        .with_extras(crate::vaccine_requests::Entity)
        .with_extras(crate::immunizations::Entity)
        .with_extras(crate::waitlist_entries::Entity)
        .with_extras(crate::invitation_uses::Entity)
        .with_extras(crate::account_codes::Entity)
        .with_extras(crate::outbox::Entity)
        .with_extras(crate::audit_events::Entity)
        .with_extras(crate::throttles::Entity)
        .with_extras(crate::calendar_feeds::Entity)
        .with_extras(crate::quotas::Entity)
        .with_extras(crate::centre_staff::Entity)
        .with_extras(crate::idempotency_keys::Entity)
        .with_extras(crate::patient_words::Entity)
        .with_extras(crate::user_words::Entity)
}
