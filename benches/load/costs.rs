//! Server CPU of kinds of requests, compared with the first of them in the same rounds.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::client::Connection;
use super::server::Server;

/// Number of connections, each of which sends one request after the other.
pub(crate) const CONNECTIONS: usize = 16;
/// Number of rounds; each measures all kinds of requests.
pub(crate) const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

/// A kind of request, and the status of its response.
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) request: String,
    pub(crate) status: u16,
}

/// Prints the server CPU of each kind, and its ratio to that of the first.
pub(crate) async fn compare(server: &Server, kinds: &[Kind]) {
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    for _ in 0..ROUNDS {
        let mut costs = Vec::new();
        for kind in kinds {
            costs.push(cost(server, kind).await);
        }
        rounds.push(costs);
    }
    println!("{:<40} {:>12} {:>7}", "", "CPU us/req", "ratio");
    for (number, kind) in kinds.iter().enumerate() {
        let mut costs: Vec<f64> = rounds.iter().map(|round| round[number]).collect();
        let mut ratios: Vec<f64> = rounds.iter().map(|round| round[number] / round[0]).collect();
        costs.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        println!("{:<40} {:>12.1} {:>7.2}", kind.name, costs[ROUNDS / 2], ratios[ROUNDS / 2]);
    }
}

/// Server CPU of a request, in microseconds.
async fn cost(server: &Server, kind: &Kind) -> f64 {
    let (started, before) = (Instant::now(), server.cpu());
    let clients = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(server.port).await;
        let mut count = 0_u32;
        while started.elapsed() < ROUND {
            assert_eq!(connection.exchange(&kind.request).await, kind.status, "{}", kind.name);
            count += 1;
        }
        count
    });
    let count: u32 = join_all(clients).await.iter().sum();
    (server.cpu() - before).as_secs_f64() * 1e6 / f64::from(count)
}
