//! HTTP code that all resources share: extractors, guard, problem documents, paging, streaming, OpenAPI.

pub mod accepted;
pub mod access_log;
pub mod booking_replies;
pub mod cached;
pub mod client;
pub mod cors;
pub mod extract;
pub mod field;
pub mod guard;
pub mod once;
pub mod paging;
pub mod problem;
pub mod problem_kind;
pub mod schemas;
pub mod streaming;
