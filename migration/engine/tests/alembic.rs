//! Comparison with Alembic: the engine and Alembic find the same differences between pairs of
//! schemas. Needs a Python with `alembic` and `psycopg`; `ALEMBIC_PYTHON` is its path.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests have no public API, and each uses a part of the shared code"
)]

#[path = "../../../tests/support/postgres.rs"]
mod postgres;
mod support {
    pub mod cases;
    pub mod round_trips;
    pub mod shapes;
}

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use support::round_trips::{RoundTrip, build, project, round_trips};

/// Creates the two databases of a round trip. Returns their URLs and the differences that the engine finds.
async fn compare(round_trip: &RoundTrip, urls: [String; 2]) -> Value {
    let (before, after) = (connect(&urls[0]).await, connect(&urls[1]).await);
    build(&before, &round_trip.before).await;
    build(&after, &round_trip.after()).await;
    let found = revisions::differences(&before, &project(Vec::new, round_trip.entities)).await.unwrap();
    let ours: Vec<_> = found
        .iter()
        .flat_map(|difference| difference.kinds.iter().map(move |kind| json!([kind, difference.table])))
        .collect();
    before.close().await.unwrap();
    after.close().await.unwrap();
    json!({ "name": round_trip.name, "before": urls[0], "after": urls[1], "ours": ours })
}

async fn connect(url: &str) -> sea_orm_migration::sea_orm::DatabaseConnection {
    revisions::connect(url, None).await.unwrap()
}

#[tokio::test]
async fn alembic_finds_the_same_kinds_of_difference() {
    let Some(python) = std::env::var_os("ALEMBIC_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "ALEMBIC_PYTHON must be set in CI");
        writeln!(
            std::io::stderr(),
            "SKIPPED, because ALEMBIC_PYTHON is not set: alembic_finds_the_same_kinds_of_difference"
        )
        .ok();
        return;
    };
    let folder = std::env::temp_dir().join(format!("revisions-alembic-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut pairs = Vec::new();
    for round_trip in round_trips(DbBackend::Sqlite) {
        let url = |side: &str| format!("sqlite://{}", folder.join(format!("{}_{side}.db", round_trip.name)).display());
        pairs.push(compare(&round_trip, [url("before"), url("after")]).await);
    }
    let server = connect(postgres::server_url().expect("PostgreSQL is installed")).await;
    for (number, round_trip) in round_trips(DbBackend::Postgres).iter().enumerate() {
        let mut urls = Vec::new();
        for side in ["before", "after"] {
            let name = format!("alembic_{number}_{side}");
            server.execute_unprepared(&format!("CREATE DATABASE {name} STRATEGY FILE_COPY")).await.unwrap();
            urls.push(postgres::database_url(&name).unwrap());
        }
        pairs.push(compare(round_trip, urls.try_into().unwrap()).await);
    }
    let list = folder.join("pairs.json");
    std::fs::write(&list, Value::from(pairs).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare_with_alembic.py");
    let output = Command::new(python).arg(script).arg(&list).output().expect("Python can be started");
    std::fs::remove_dir_all(&folder).ok();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    // Written to standard error directly: the test harness captures the output of passing tests.
    std::io::stderr().write_all(&output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
