//! What clients may rely on, resource by resource: the happy path, anonymous, someone else's row, an invalid body, a
//! conflict, the wrong role. Every answer is also held against the OpenAPI document.

mod auth;
mod docs;
mod http;
mod keys;
mod plans;
mod refresh;
mod tokens;
mod users;
mod vaccine_requests;
mod vaccines;
