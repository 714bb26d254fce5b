//! Business rules and all database queries. This module does not use HTTP.
//!
//! Its folders are the wings. Each may use those before it: [`values`], [`records`], [`auth`], [`accounts`],
//! [`contacts`], [`vaccination`]. [`personal_data`] and [`mail_messages`] may use all of them.

pub mod accounts;
pub mod auth;
pub mod contacts;
pub mod mail_messages;
pub mod personal_data;
pub mod records;
pub mod vaccination;
pub mod values;
