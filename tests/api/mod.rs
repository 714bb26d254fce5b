//! What clients may rely on, resource by resource: the happy path, anonymous, someone else's row, an invalid body, a
//! conflict, the wrong role. Every answer is also held against the OpenAPI document.

mod accounts;
mod auth;
mod bounds;
mod contacts;
mod docs;
mod http;
mod personal_data;
mod plans;
mod records;
mod vaccination;
