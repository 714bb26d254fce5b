//! Single values, parsed once and then trusted, and what every operation is given: actor, client, clock, page.

pub mod actor;
pub mod birthday;
pub mod client;
pub mod clock;
pub mod email;
pub mod page;
pub mod patch;
pub mod rules;
pub mod search;
pub mod time_zone;
