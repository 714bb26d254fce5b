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
    /// Time for which a place is held for somebody on the waitlist.
    pub offer: Duration,
    /// Time before the start of a slot until which its places are offered to people on the waitlist.
    pub offer_until: Duration,
    /// Time before the start of a slot at which people are reminded of it; zero for no reminders.
    pub reminder: Duration,
    /// Time after a dose was given within which it can be undone.
    pub undo: Duration,
    /// Number of people for whom one account may request vaccines.
    pub patients_per_account: u64,
}

impl BookingRules {
    /// Time before the start of a slot until which its places are offered. Not after the time until which it can be booked.
    pub(super) fn offered_until(&self) -> Duration {
        Ord::max(self.offer_until, self.notice)
    }
}
