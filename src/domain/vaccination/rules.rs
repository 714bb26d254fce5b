//! Settings of requests and bookings.

use chrono::Duration;

/// Who reviews requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Staff.
    Staff,
    /// The rules: requests of people who are eligible are approved at once.
    Rules,
}

/// Settings of requests and bookings.
#[derive(Clone, Copy, Debug)]
pub struct BookingRules {
    /// Who reviews requests.
    pub review: Review,
    /// Time before the start of a slot until which its owner may move or cancel a booking.
    pub change_until: Duration,
    /// Time before the start of a slot until which it can be booked.
    pub notice: Duration,
    /// How often the owner may move a booking.
    pub max_moves: i32,
    /// Number of people for whom one account may request vaccines.
    pub patients_per_account: u64,
}
