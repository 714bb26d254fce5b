//! Revision commands, on both databases: `history`, `show`, `current`, `heads`, `status`, `stamp`,
//! `upgrade`, `downgrade`, `verify` and `--sql`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use serde_json::Value;
use support::facts::difference;
use support::{
    Folder, differs, execute, facts_of, fails, migration, postgres, postgres_database, sqlite, succeeds, value,
};

fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

async fn on_both<F: Future<Output = ()>>(test: &str, run: impl Fn(String) -> F) {
    let folder = Folder::new();
    run(sqlite(&folder)).await;
    match postgres_database().await {
        Some(url) => run(url).await,
        None => postgres::skipped(test),
    }
}

#[tokio::test]
async fn upgrade_and_downgrade_reach_the_given_revision() {
    on_both("upgrade_and_downgrade_reach_the_given_revision", async |url| {
        let folder = Folder::new();
        let names = names();
        let run =
            |arguments: &str| succeeds(&migration(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>()));
        let current = || run("current").split(' ').next().unwrap_or_default().trim().to_owned();
        run("upgrade +2");
        assert_eq!(current(), names[1]);
        run("upgrade m20261121_000005");
        assert_eq!(current(), names[4]);
        run("upgrade +1");
        assert_eq!(current(), names[5]);
        run(&format!("downgrade {}", names[2]));
        assert_eq!(current(), names[2]);
        run("downgrade -2");
        assert_eq!(current(), names[0]);
        assert_eq!(migration(&folder, Some(&url), &["current", "--check-heads"]).status.code(), Some(1));
        run("upgrade head");
        assert_eq!(run("current --check-heads").trim(), format!("{} (head)", names.last().unwrap()));
        run("downgrade base");
        assert_eq!(current(), "");
        // The wrong direction is an error.
        run("upgrade m20261121_000004");
        run("upgrade m20261121_000004");
        for (arguments, reason) in
            [("upgrade m20261121_000002", "use downgrade"), ("downgrade m20261121_000007", "use upgrade")]
        {
            let message = fails(&migration(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>()), 2);
            assert!(message.contains(reason), "{message}");
        }
        assert_eq!(current(), names[3]);
    })
    .await;
}

#[tokio::test]
async fn the_history_is_printed_as_text_and_as_json() {
    on_both("the_history_is_printed_as_text_and_as_json", async |url| {
        let folder = Folder::new();
        let names = names();
        let run =
            |arguments: &str| succeeds(&migration(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>()));
        let json = |arguments: &str| serde_json::from_str::<Value>(&run(&format!("{arguments} --json"))).unwrap();
        run("upgrade m20261121_000003");
        let status = json("status");
        let statuses: Vec<_> = status.as_array().unwrap().iter().map(|line| line["status"].as_str().unwrap()).collect();
        assert_eq!((statuses.len(), &statuses[..4]), (names.len(), &["applied", "applied", "applied", "pending"][..]));
        assert!(status[0]["applied_at"].as_str().unwrap().ends_with('Z') && status[3]["applied_at"].is_null());
        assert_eq!(run("status").lines().nth(3).unwrap(), format!("pending  {}", names[3]));

        let history = run("history -r m20261121_000001:m20261121_000003");
        assert_eq!(history.lines().count(), 3);
        assert!(history.starts_with(&format!("{} -> {}, Vaccines: the catalogue\n", names[1], names[2])), "{history}");
        let with_current = run("history -i");
        assert!(
            with_current.lines().any(|line| line.contains(&names[2]) && line.ends_with("(current)")),
            "{with_current}"
        );
        assert_eq!(run("history -r :current").lines().count(), 3);
        let verbose = run("history -v -r :m20261121_000001");
        for part in ["Rev: m20261121_000001", "Parent: base", "Path: ", "Date: 2026-11-21", "    Accounts"] {
            assert!(verbose.contains(part), "{part}: {verbose}");
        }
        let all = json("history");
        assert_eq!(all.as_array().unwrap().len(), names.len());
        assert_eq!(
            (&all[0]["is_head"], &all[0]["revision"]),
            (&Value::Bool(true), &Value::from(names.last().unwrap().as_str()))
        );

        let shown = json("show m20261121_000002");
        assert_eq!(shown["parent"], names[0].as_str());
        assert!(shown["sql"][0].as_str().unwrap().starts_with("CREATE TABLE \"refresh_tokens\""), "{shown}");
        assert_eq!(shown["checksum"].as_str().unwrap().len(), 64);
        assert!(run("show head").contains("Applied: not yet"));
        assert_eq!(json("current")["revision"], names[2].as_str());
        assert_eq!(json("heads"), serde_json::json!([names.last().unwrap()]));
    })
    .await;
}

#[tokio::test]
async fn stamp_records_without_running_migrations() {
    on_both("stamp_records_without_running_migrations", async |url| {
        let folder = Folder::new();
        let names = names();
        let run =
            |arguments: &str| succeeds(&migration(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>()));
        let current = || run("current").split(' ').next().unwrap_or_default().trim().to_owned();
        run("stamp head");
        assert!(facts_of(&url).await.is_empty());
        assert_eq!(current(), *names.last().unwrap());
        run("stamp m20261121_000002");
        assert_eq!(current(), names[1]);
        run("stamp -1");
        assert_eq!(current(), names[0]);
        run("stamp base");
        assert_eq!(current(), "");
        // A recorded migration that the project lacks is an error, until it is purged.
        execute(&url, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20200101_000000_gone', 1)").await;
        assert!(fails(&migration(&folder, Some(&url), &["stamp", "head"]), 6).contains("m20200101_000000_gone"));
        run("stamp base --purge");
        assert_eq!(value(&url, "SELECT CAST(count(*) AS text) FROM seaql_migrations").await.as_deref(), Some("0"));
        // After the purge, migrations work as before.
        run("up");
        run("check");
    })
    .await;
}

#[tokio::test]
async fn the_printed_sql_has_the_same_effect() {
    on_both("the_printed_sql_has_the_same_effect", async |url| {
        let folder = Folder::new();
        let backend = if url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
        // Prints the SQL without a database.
        let printed = |arguments: &str| {
            let arguments: Vec<_> = arguments.split(' ').chain(["--sql", "--backend", backend]).collect();
            succeeds(&migration(&folder, None, &arguments))
        };
        execute(&url, &printed("upgrade m20261121_000009")).await;
        execute(&url, &printed("upgrade m20261121_000009:head")).await;
        succeeds(&migration(&folder, Some(&url), &["check"]));
        let all_facts = facts_of(&url).await;
        execute(&url, &printed("downgrade head:m20261121_000010")).await;
        assert_eq!(
            succeeds(&migration(&folder, Some(&url), &["current"])).trim(),
            "m20261121_000010_create_contact_imports"
        );
        assert!(
            differs(&migration(&folder, Some(&url), &["check"])).contains("pending: m20261121_000011_create_contacts")
        );
        succeeds(&migration(&folder, Some(&url), &["up"]));
        assert_eq!(difference(&all_facts, &facts_of(&url).await), Vec::<String>::new());
        execute(&url, &printed("downgrade base")).await;
        assert!(facts_of(&url).await.is_empty());
        assert!(!folder.0.join("data").exists(), "a database was created");
    })
    .await;
}

#[tokio::test]
async fn verify_runs_all_migrations_and_drops_the_scratch_database() {
    on_both("verify_runs_all_migrations_and_drops_the_scratch_database", async |url| {
        let folder = Folder::new();
        succeeds(&migration(&folder, Some(&url), &["up"]));
        let databases = "SELECT string_agg(datname, ' ') FROM pg_database";
        let printed = succeeds(&migration(&folder, Some(&url), &["verify"]));
        assert!(
            printed
                .ends_with(&format!("{} migrations verified: up, down and up again\n", Migrator::migrations().len())),
            "{printed}"
        );
        if url.starts_with("postgres:") {
            assert!(!value(&url, databases).await.unwrap().contains("verify_"));
        }
    })
    .await;
}
