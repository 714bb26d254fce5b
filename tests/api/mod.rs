//! What clients may rely on, resource by resource: the happy path, anonymous, someone else's row, an invalid body, a
//! conflict, the wrong role. Every answer is also held against the OpenAPI document.

mod address_books;
mod audit;
mod auth;
mod birthdays;
mod contact_files;
mod contact_plans;
mod contacts;
mod docs;
mod http;
mod keys;
mod mail;
mod personal_data;
mod plans;
mod recovery;
mod refresh;
mod registration;
mod sessions;
mod throttle;
mod tokens;
mod users;
mod vaccine_requests;
mod vaccines;
mod verification;
