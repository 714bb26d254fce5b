//! HTTP behaviour of all routes: bodies, queries, methods, headers.

mod browsers;
mod requests;
