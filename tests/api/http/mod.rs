//! Requests that no resource answers alone: bodies, queries, methods, headers.

mod requests;
