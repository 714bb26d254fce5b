//! Example: the entities of a library.
#![allow(missing_docs, reason = "an example: the names of the columns say what they are")]

pub mod books;
pub mod loans;
mod values;

pub use values::{Genre, State};
