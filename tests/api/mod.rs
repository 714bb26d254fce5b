//! Tests of the API, resource by resource: success, anonymous, another user's row, invalid body,
//! conflict, wrong role. Each response is also compared with the OpenAPI document.

mod accounts;
mod auth;
mod bounds;
mod contacts;
mod docs;
mod http;
mod personal_data;
mod query_plans;
mod records;
mod vaccination;
