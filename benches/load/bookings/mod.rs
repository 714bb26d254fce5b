//! Booking benchmarks: bookings per second compared with the baseline, races for the last place, bookings of a process
//! that is killed, the same requests in a small and a large database, and the waitlist.

mod crash;
pub(crate) mod population;
mod races;
mod rates;
mod sizes;
mod waitlist;

use std::cell::Cell;
use std::future::Future;

use futures_util::future::join_all;
use uuid::Uuid;

pub(crate) use crash::crash;
pub(crate) use population::{Issuer, Population};
pub(crate) use races::races;
pub(crate) use rates::rates;
pub(crate) use sizes::sizes;
pub(crate) use waitlist::{waitlist_races, waitlist_sizes};

/// Number of requests under way at a time in races and crashes.
const AT_A_TIME: usize = 64;

/// Path of the booking of a request.
pub(crate) fn book_path(request_id: Uuid) -> String {
    format!("/api/v1/vaccine-requests/{request_id}/book")
}

/// Body of a booking.
pub(crate) fn slot_body(slot_id: Uuid) -> String {
    format!(r#"{{"slot_id":"{slot_id}"}}"#)
}

/// Processes the numbers below `count` by `clients`, each of which takes the next one when it has finished.
async fn share<C, F: Future<Output = C>>(count: usize, clients: Vec<C>, process: impl Fn(C, usize) -> F) {
    let next = Cell::new(0);
    let take = || {
        let number = next.get();
        next.set(number + 1);
        (number < count).then_some(number)
    };
    let run = async |mut client: C| {
        while let Some(number) = take() {
            client = process(client, number).await;
        }
    };
    join_all(clients.into_iter().map(run)).await;
}
