//! The door of a centre: the list of a day, looking up a booking by its code, checking in, walk-ins, doses that are given
//! and taken back, and bookings to which nobody came.

pub mod administration;
pub mod arrivals;
pub mod attendance;
pub mod check_in;
pub mod day_list;
pub mod undo;
mod visit;
pub mod walk_ins;
