//! Value types, which are validated when they are parsed, and common parameters: actor, caller, client, clock, page.

pub mod actor;
pub mod backoff;
pub mod birthday;
pub mod caller;
pub mod client;
pub mod clock;
pub mod coordinates;
pub mod cvx;
pub mod degrees;
pub mod email;
pub mod enums;
pub(in crate::domain) mod icalendar;
pub mod instant;
pub mod local_time;
pub mod number;
pub mod one_time_code;
pub mod page;
pub mod patch;
pub mod period;
pub mod person;
pub mod search;
pub mod text;
pub mod time_zone;
pub mod value;
