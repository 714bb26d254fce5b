//! `openapi`: prints the OpenAPI document.

use std::io::Write as _;

use care4u::api;

use super::start::Outcome;

pub(super) fn print_openapi() -> Outcome {
    // Not println!, which panics if the reader closes the pipe early.
    Ok(writeln!(std::io::stdout(), "{}", api::docs::openapi(None).to_pretty_json()?)?)
}
