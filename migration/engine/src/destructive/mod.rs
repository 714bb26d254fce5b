//! Data loss: which data migrations would delete, overwrite or truncate, found from their SQL and the tables of the database.
//!
//! Names are followed through the statements: a table that is renamed and then dropped is lost under its first name. What the
//! run itself creates has no data to lose; everything else has.

mod catalog;
mod cursor;
mod narrowing;
mod rebuild;
mod routines;
mod rows;
mod statements;
mod tables;
mod trace;

#[cfg(test)]
mod tests;

pub(crate) use catalog::Catalog;
#[cfg(feature = "cli")]
pub(crate) use narrowing::{common_name, is_converted, is_narrower};
pub(crate) use trace::Trace;
