//! HTTP API: handlers, and the route table.
//!
//! The OpenAPI document is generated from this table, so every registered handler is documented. A scope matches every
//! path with its prefix, so the longer of two prefixes must come first. The document has the operations in this order.

mod account_deletion;
mod accounts;
mod auth;
mod contacts;
pub mod docs;
mod health;
mod http;
mod pages;
mod personal_data;
mod records;
mod vaccination;

use actix_web::guard::Get;
use actix_web::middleware::from_fn;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use accounts::{account, credentials, national_ids, recovery, registration, user_access, users, verification};
use auth::{log_in, revocation, sessions, token};
use contacts::{birthdays, calendar_feeds, contact_changes, contact_exports, contact_imports, contact_search};
pub use http::access_log::log_request;
pub use http::cors::{cors, explain_refused_preflight};
pub use personal_data::document as personal_data_document;

pub use http::extract::MAX_BODY_BYTES;
use http::guard::signed_in;
use records::audit;
use vaccination::{
    arrivals, availability, bookings, calendars, centres, course_schedules, courses, door, eligibility, immunizations,
    invitation_imports, invitations, lots, patients, slots, transitions, vaccine_requests, vaccines, waitlist,
    walk_ins,
};

/// Registers every route with its guard.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        // The route that is called most comes first: scopes are tried in their order.
        .service(scope("/api/v1/centres/{id}/slots").guard(Get()).service(availability::list))
        .service(
            scope("/api/v1/auth")
                .service(registration::register)
                .service(verification::verify)
                .service(verification::resend)
                .service(log_in::log_in)
                .service(token::token)
                .service(log_in::refresh)
                .service(log_in::log_out)
                .service(revocation::revoke)
                .service(recovery::forgot_password)
                .service(recovery::validate_code)
                .service(recovery::reset_password),
        )
        .service(
            scope("/api/v1/users")
                .wrap(from_fn(signed_in))
                .service(account::get)
                .service(account::update)
                .service(account_deletion::delete)
                .service(credentials::change_password)
                .service(credentials::request_email_change)
                .service(credentials::confirm_email_change)
                .service(sessions::list)
                .service(sessions::end)
                .service(sessions::end_others)
                .service(audit::list_own)
                .service(personal_data::export)
                .service(users::list)
                .service(users::get)
                .service(users::update)
                .service(national_ids::verify)
                .service(national_ids::list_claims)
                .service(user_access::set_email)
                .service(user_access::list_sessions)
                .service(user_access::end_sessions)
                .service(user_access::end_session)
                .service(personal_data::export_of)
                .service(account_deletion::delete_user),
        )
        .service(
            scope("/api/v1/contacts/birthdays.ics")
                .wrap(from_fn(birthdays::with_secret_or_signed_in))
                .service(birthdays::calendar),
        )
        .service(
            scope("/api/v1/contacts")
                .wrap(from_fn(signed_in))
                .service(birthdays::list)
                .service(calendar_feeds::put)
                .service(calendar_feeds::get)
                .service(calendar_feeds::delete)
                .service(contact_exports::export)
                .service(contact_changes::list)
                .service(contact_imports::create)
                .service(contact_imports::list)
                .service(contact_imports::get)
                .service(contact_imports::undo)
                .service(contacts::contacts::create)
                .service(contact_search::list)
                .service(contacts::contacts::get)
                .service(contacts::contacts::update)
                .service(contacts::contacts::delete),
        )
        .service(scope("/api/v1/audit-events").wrap(from_fn(signed_in)).service(audit::list))
        .service(
            scope("/api/v1/courses")
                .guard(Get())
                .service(courses::list)
                .service(courses::get)
                .service(course_schedules::get),
        )
        .service(
            scope("/api/v1/courses").wrap(from_fn(signed_in)).service(courses::create).service(course_schedules::put),
        )
        .service(scope("/api/v1/vaccines").guard(Get()).service(vaccines::list).service(vaccines::get))
        .service(scope("/api/v1/vaccines").wrap(from_fn(signed_in)).service(vaccines::create).service(vaccines::update))
        .service(
            scope("/api/v1/vaccine-requests")
                .wrap(from_fn(signed_in))
                .service(vaccine_requests::create)
                .service(vaccine_requests::list)
                .service(vaccine_requests::counts)
                .service(eligibility::check)
                .service(vaccine_requests::get)
                .service(vaccine_requests::update)
                .service(invitations::attach)
                .service(transitions::approve)
                .service(transitions::reject)
                .service(bookings::book)
                .service(bookings::rebook)
                .service(bookings::unbook)
                .service(bookings::cancel)
                .service(waitlist::join)
                .service(waitlist::leave)
                .service(waitlist::accept)
                .service(waitlist::decline)
                .service(door::check_in)
                .service(door::administer)
                .service(door::miss)
                .service(door::reopen),
        )
        .service(
            scope("/api/v1/invitations")
                .wrap(from_fn(signed_in))
                .service(invitations::create)
                .service(invitations::list)
                .service(invitation_imports::import)
                .service(invitations::list_uses)
                .service(invitations::get)
                .service(invitations::revoke),
        )
        .service(
            scope("/api/v1/immunizations")
                .wrap(from_fn(signed_in))
                .service(immunizations::report)
                .service(immunizations::list)
                .service(immunizations::enter_in_error),
        )
        .service(
            scope("/api/v1/patients")
                .wrap(from_fn(signed_in))
                .service(patients::list)
                .service(patients::get)
                .service(patients::update),
        )
        .service(
            scope("/api/v1/centres/{id}/staff")
                .wrap(from_fn(signed_in))
                .service(centres::list_staff)
                .service(centres::add_staff)
                .service(centres::remove_staff),
        )
        .service(scope("/api/v1/centres/{id}/lots").wrap(from_fn(signed_in)).service(lots::list).service(lots::create))
        .service(scope("/api/v1/centres/{id}/day").wrap(from_fn(signed_in)).service(arrivals::day))
        .service(scope("/api/v1/centres/{id}/arrivals").wrap(from_fn(signed_in)).service(arrivals::find))
        .service(
            scope("/api/v1/lots")
                .wrap(from_fn(signed_in))
                .service(lots::get)
                .service(lots::update)
                .service(lots::recall)
                .service(lots::list_doses),
        )
        .service(scope("/api/v1/centres").guard(Get()).service(centres::list).service(centres::get))
        .service(
            scope("/api/v1/centres")
                .wrap(from_fn(signed_in))
                .service(centres::create)
                .service(centres::update)
                .service(slots::create)
                .service(calendars::create)
                .service(slots::close_day)
                .service(walk_ins::create),
        )
        .service(scope("/api/v1/slots").guard(Get()).service(availability::search).service(slots::get))
        .service(
            scope("/api/v1/slots")
                .wrap(from_fn(signed_in))
                .service(slots::update)
                .service(slots::close)
                .service(slots::reopen),
        )
        .service(scope("/health/invariants").wrap(from_fn(signed_in)).service(health::check_invariants))
        .service(scope("/health").service(health::check).service(health::live).service(health::ready))
        .service(health::jwks);
}
