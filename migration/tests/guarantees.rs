//! Guarantees of migrations, on both databases: a lock for one process at a time, atomic migrations,
//! detection of edited migrations, adoption of existing histories, read-only commands without write
//! privileges, confirmation of data loss.
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
use sea_orm_migration::sea_orm::{ConnectionTrait, TransactionTrait};
use support::facts::difference;
use support::{
    Folder, command, differs, execute, facts_of, fails, latest, migration, postgres, postgres_database, sqlite,
    succeeds, value,
};

async fn on_both<F: Future<Output = ()>>(test: &str, run: impl Fn(String) -> F) {
    let folder = Folder::new();
    run(sqlite(&folder)).await;
    match postgres_database().await {
        Some(url) => run(url).await,
        None => postgres::skipped(test),
    }
}

#[tokio::test]
async fn ten_concurrent_upgrades_apply_each_migration_once() {
    on_both("ten_concurrent_upgrades_apply_each_migration_once", async |url| {
        let folder = Folder::new();
        let start = |_| {
            let mut command = command(&folder, Some(&url), &["up"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let migrators: Vec<_> = (0..10).map(start).collect();
        let printed: String =
            migrators.into_iter().map(|migrator| succeeds(&migrator.wait_with_output().unwrap())).collect();
        for migration in Migrator::migrations() {
            let line = format!("Migration '{}' has been applied\n", migration.name());
            assert_eq!(printed.matches(&line).count(), 1, "{line}");
        }
        succeeds(&migration(&folder, Some(&url), &["check"]));
    })
    .await;
}

#[tokio::test]
async fn a_lock_timeout_names_the_process_that_holds_the_lock() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up", "-n", "1"]));
    // The test process holds the lock that the program waits for.
    let holder = migration::connect(&url, None).await.unwrap();
    holder.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    let message = fails(&migration(&folder, Some(&url), &["up", "--lock-timeout", "0.2"]), 9);
    assert!(message.contains("waited for 0.2 s"), "{message}");
    if cfg!(target_os = "linux") {
        let process = format!("process {} (", std::process::id());
        assert!(message.contains(&process) && message.contains("running since 20"), "{message}");
    }
    holder.execute_unprepared("ROLLBACK").await.unwrap();
    succeeds(&migration(&folder, Some(&url), &["up"]));

    let Some(url) = postgres_database().await else {
        return postgres::skipped("a_lock_timeout_names_the_process_that_holds_the_lock");
    };
    succeeds(&migration(&folder, Some(&url), &["up", "-n", "1"]));
    let holder = migration::connect(&url, None).await.unwrap();
    let transaction = holder.begin().await.unwrap();
    transaction.execute_unprepared("SET LOCAL application_name = 'another program'").await.unwrap();
    transaction
        .execute_unprepared(&format!("SELECT pg_advisory_xact_lock({})", 0x7265_7669_7369_6f6e_i64))
        .await
        .unwrap();
    let message = fails(&migration(&folder, Some(&url), &["up", "--lock-timeout", "0.2"]), 9);
    assert!(message.contains("of user care4u") && message.contains("(another program) since 20"), "{message}");
    transaction.rollback().await.unwrap();
    succeeds(&migration(&folder, Some(&url), &["up"]));
}

#[tokio::test]
async fn a_failed_migration_is_rolled_back() {
    on_both("a_failed_migration_is_rolled_back", async |url| {
        let folder = Folder::new();
        succeeds(&migration(&folder, Some(&url), &["upgrade", "m20261121_000010"]));
        // The eleventh migration creates a table and indexes. The name of its last index is taken.
        execute(&url, "CREATE TABLE other (id integer)").await;
        execute(&url, "CREATE INDEX contacts_import_id_idx ON other (id)").await;
        let before = facts_of(&url).await;
        let message = fails(&migration(&folder, Some(&url), &["up"]), 11);
        assert!(
            message.contains("m20261121_000011_create_contacts failed and was rolled back: ")
                && message.contains("already exists"),
            "{message}"
        );
        assert_eq!(difference(&before, &facts_of(&url).await), Vec::<String>::new());
        let current = succeeds(&migration(&folder, Some(&url), &["current"]));
        assert_eq!(current.trim(), "m20261121_000010_create_contact_imports");
        execute(&url, "DROP TABLE other").await;
        succeeds(&migration(&folder, Some(&url), &["up"]));
    })
    .await;
}

#[tokio::test]
async fn the_history_of_plain_sea_orm_migration_is_adopted() {
    on_both("the_history_of_plain_sea_orm_migration_is_adopted", async |url| {
        let folder = Folder::new();
        let db = migration::connect(&url, None).await.unwrap();
        Migrator::up(&db, Some(8)).await.unwrap();
        db.close().await.unwrap();
        let current = succeeds(&migration(&folder, Some(&url), &["current"]));
        assert_eq!(current.trim(), "m20261121_000008_create_throttles");
        succeeds(&migration(&folder, Some(&url), &["up"]));
        succeeds(&migration(&folder, Some(&url), &["check"]));
        let without_checksum =
            "SELECT CAST(count(*) AS text) FROM seaql_migrations WHERE checksum IS NULL OR length(checksum) <> 64";
        assert_eq!(value(&url, without_checksum).await.as_deref(), Some("0"));
        // Plain sea-orm-migration can still use the history.
        succeeds(&migration(&folder, Some(&url), &["downgrade", "m20261126_000015_create_quotas"]));
        let db = migration::connect(&url, None).await.unwrap();
        Migrator::down(&db, Some(1)).await.unwrap();
        Migrator::up(&db, Some(1)).await.unwrap();
        db.close().await.unwrap();
        succeeds(&migration(&folder, Some(&url), &["up"]));
        assert_eq!(value(&url, without_checksum).await.as_deref(), Some("0"));
    })
    .await;
}

#[tokio::test]
async fn pending_missing_edited_and_misordered_migrations_fail_the_check() {
    on_both("pending_missing_edited_and_misordered_migrations_fail_the_check", async |url| {
        let folder = Folder::new();
        let check = || differs(&migration(&folder, Some(&url), &["check"]));
        succeeds(&migration(&folder, Some(&url), &["upgrade", "head-1"]));
        assert!(check().starts_with(&format!("pending: {}\n", latest())));
        succeeds(&migration(&folder, Some(&url), &["up"]));
        succeeds(&migration(&folder, Some(&url), &["check"]));

        execute(&url, "UPDATE seaql_migrations SET checksum = 'another' WHERE version LIKE '%000003%'").await;
        assert_eq!(check(), "edited: the SQL of m20261121_000003_create_vaccines differs from the applied SQL\n");
        assert!(succeeds(&migration(&folder, Some(&url), &["status"])).contains("edited  m20261121_000003"));
        // `stamp` records the checksum of the edited migration.
        succeeds(&migration(&folder, Some(&url), &["stamp", "head"]));
        succeeds(&migration(&folder, Some(&url), &["check"]));

        execute(&url, "DELETE FROM seaql_migrations WHERE version LIKE '%000003%'").await;
        assert_eq!(
            check(),
            "out of order: m20261121_000003_create_vaccines is pending, but later migrations have been applied\n"
        );
        succeeds(&migration(&folder, Some(&url), &["stamp", "head"]));

        execute(&url, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20250101_000000_lost', 1)").await;
        assert_eq!(check(), "missing: m20250101_000000_lost has been applied, but is not in the project\n");
        assert!(fails(&migration(&folder, Some(&url), &["up"]), 6).contains("m20250101_000000_lost"));
        execute(&url, "UPDATE seaql_migrations SET version = 'm20990101_000000_new' WHERE applied_at = 1").await;
        for command in ["up", "down"] {
            let message = fails(&migration(&folder, Some(&url), &[command]), 5);
            assert!(message.contains("ahead of this program: it has m20990101_000000_new"), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn inconsistent_parents_fail_the_check() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up"]));
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    std::fs::create_dir(folder.0.join("src")).unwrap();
    for file in std::fs::read_dir(source).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), folder.0.join("src").join(file.file_name())).unwrap();
    }
    let crate_dir = folder.0.display().to_string();
    let check = || migration(&folder, Some(&url), &["check", "-d", &crate_dir]);
    succeeds(&check());
    let edit = |name: &str, from: &str, to: &str| {
        let path = folder.0.join("src").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    };
    // Two heads: two developers have added a migration after the same parent.
    edit(
        "m20261121_000013_create_calendar_feeds.rs",
        "Parent: m20261121_000012_requests_for_contacts",
        "Parent: m20261121_000011_create_contacts",
    );
    let message = differs(&check());
    assert!(
        message.contains("the parent of m20261121_000013_create_calendar_feeds is m20261121_000011_create_contacts"),
        "{message}"
    );
    assert!(
        message.contains(&format!("several heads: m20261121_000012_requests_for_contacts, {}", latest())),
        "{message}"
    );
    let heads = succeeds(&migration(&folder, Some(&url), &["heads", "-d", &crate_dir]));
    assert_eq!(heads.lines().count(), 2);
    for command in ["upgrade", "up", "fresh", "refresh"] {
        let refused = fails(&migration(&folder, Some(&url), &[command, "-d", &crate_dir]), 2);
        assert!(refused.contains("several heads") && refused.contains("`rebase m2026"), "{refused}");
    }
    let applied = ["rebase", "m20261121_000012", "-d", &crate_dir];
    assert!(fails(&migration(&folder, Some(&url), &applied), 2).contains("is applied in this database"));
    // Without a database that has it, the branch goes to the end, and the files agree again.
    let elsewhere = sqlite(&Folder::new());
    let renamed = succeeds(&migration(&folder, Some(&elsewhere), &applied));
    assert_eq!(renamed.lines().count(), 1, "{renamed}");
    let (name, parent) = renamed.trim().split_once("; its parent is ").unwrap();
    let name = name.rsplit(' ').next().unwrap();
    assert_eq!(parent, latest());
    let file = std::fs::read_to_string(folder.0.join(format!("src/{name}.rs"))).unwrap();
    assert!(file.contains(&format!("//! Parent: {}. Date: ", latest())), "{file}");
    let list = std::fs::read_to_string(folder.0.join("src/lib.rs")).unwrap();
    assert!(list.contains(&format!("mod {};\nmod {name};\n", latest())), "{list}");
    assert!(list.contains(&format!("{}::Migration),\n            Box::new({name}::Migration),\n        ]", latest())));
    assert!(
        !list.contains("m20261121_000012") && !folder.0.join("src/m20261121_000012_requests_for_contacts.rs").exists()
    );
    let again = ["rebase", name, "-d", &crate_dir];
    assert!(succeeds(&migration(&folder, Some(&elsewhere), &again)).contains("at the end of the history already"));
    // As before, for what follows.
    std::fs::remove_file(folder.0.join(format!("src/{name}.rs"))).unwrap();
    for file in ["lib.rs", "m20261121_000012_requests_for_contacts.rs"] {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        std::fs::copy(source, folder.0.join("src").join(file)).unwrap();
    }
    edit(
        "m20261121_000013_create_calendar_feeds.rs",
        "Parent: m20261121_000011_create_contacts",
        "Parent: m20261121_000012_requests_for_contacts",
    );
    std::fs::copy(
        folder.0.join("src/m20261121_000013_create_calendar_feeds.rs"),
        folder.0.join("src/m20261122_000000_forgotten.rs"),
    )
    .unwrap();
    assert!(differs(&check()).contains("m20261122_000000_forgotten has a file and is not listed"));
    std::fs::remove_file(folder.0.join("src/m20261122_000000_forgotten.rs")).unwrap();
    std::fs::remove_file(folder.0.join("src/m20261121_000005_create_account_codes.rs")).unwrap();
    assert!(differs(&check()).contains("m20261121_000005_create_account_codes has no file"));
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn read_only_commands_need_no_write_privileges() {
    let Some(url) = postgres_database().await else {
        return postgres::skipped("read_only_commands_need_no_write_privileges");
    };
    let folder = Folder::new();
    succeeds(&migration(&folder, Some(&url), &["up"]));
    let role = format!("reader_{}", uuid::Uuid::now_v7().simple());
    execute(&url, &format!("CREATE ROLE {role} LOGIN")).await;
    execute(
        &url,
        &format!(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC",
            url.rsplit('/').next().map_or("", |_| url.split("?").next().unwrap().rsplit('/').next().unwrap())
        ),
    )
    .await;
    let reader = url.replacen("care4u@", &format!("{role}@"), 1);
    // `up` writes nothing if nothing is pending, even if the history has no checksums yet.
    execute(&url, "ALTER TABLE seaql_migrations DROP COLUMN checksum").await;
    succeeds(&migration(&folder, Some(&reader), &["up"]));
    succeeds(&migration(&folder, Some(&url), &["up"]));
    for command in ["check", "diff", "status", "current --check-heads", "history -i", "show head", "heads"] {
        succeeds(&migration(&folder, Some(&reader), &command.split(' ').collect::<Vec<_>>()));
    }
    for command in ["down --allow-destructive", "stamp base", "fresh", "verify"] {
        let message = fails(&migration(&folder, Some(&reader), &command.split(' ').collect::<Vec<_>>()), 8);
        assert!(message.contains("the database does not allow it"), "{command}: {message}");
    }
}

#[tokio::test]
async fn read_only_commands_work_on_a_read_only_sqlite_file() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up"]));
    let read_only = format!("{url}?mode=ro");
    for command in ["check", "diff", "status", "current", "history -i"] {
        succeeds(&migration(&folder, Some(&read_only), &command.split(' ').collect::<Vec<_>>()));
    }
    let message = fails(&migration(&folder, Some(&read_only), &["stamp", "base"]), 8);
    assert!(message.contains("does not allow it"), "{message}");
}

#[tokio::test]
async fn outside_of_development_data_loss_needs_confirmation() {
    on_both("outside_of_development_data_loss_needs_confirmation", async |url| {
        let folder = Folder::new();
        let run = |arguments: &str| {
            let mut command = command(&folder, Some(&url), &arguments.split(' ').collect::<Vec<_>>());
            command.env("CARE4U_PROFILE", "production").output().unwrap()
        };
        succeeds(&run("up"));
        let all_facts = facts_of(&url).await;
        for (arguments, loss) in [
            (
                "downgrade m20261121_000012_requests_for_contacts",
                "m20261121_000013_create_calendar_feeds would drop column users.time_zone, drop table calendar_feeds",
            ),
            (
                "downgrade m20261121_000011_create_contacts",
                "m20261121_000012_requests_for_contacts would delete rows of vaccine_requests",
            ),
            ("reset", "drop table users"),
            ("refresh", "drop table users"),
            ("fresh", "it would drop table account_codes, "),
        ] {
            let message = fails(&run(arguments), 10);
            assert!(message.contains(loss) && message.contains("use --allow-destructive"), "{arguments}: {message}");
        }
        assert_eq!(difference(&all_facts, &facts_of(&url).await), Vec::<String>::new());
        succeeds(&run("downgrade base --allow-destructive"));
        assert!(facts_of(&url).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn national_ids_become_claims_and_are_unique_again_after_a_downgrade() {
    on_both("national_ids_become_claims_and_are_unique_again_after_a_downgrade", async |url| {
        let folder = Folder::new();
        succeeds(&migration(&folder, Some(&url), &["upgrade", "m20261126_000015_create_quotas"]));
        let add = async |number: u32, column: &str, values: &str| {
            let sql = format!(
                "INSERT INTO users (id, name, email, password_hash, created_at, updated_at, {column}) VALUES \
                 ('01a1fea7-ef63-7005-9cd6-a38d1027450{number}', 'Ada', '{number}@example.org', '!', \
                 '2026-11-21T15:09:41+00:00', '2026-11-21T15:09:41+00:00', {values})"
            );
            execute(&url, &sql).await;
        };
        add(1, "nid", "'19.121-815/a l'").await;
        add(2, "nid", "NULL").await;
        succeeds(&migration(&folder, Some(&url), &["up"]));
        let one =
            "SELECT nid_key || coalesce(CAST(nid_verified_at AS text), '') FROM users WHERE email = '1@example.org'";
        assert_eq!(value(&url, one).await.as_deref(), Some("19121815AL"));
        // The verified account keeps the id, though it is not the oldest.
        let verified = "'19.121-815/a l', '19121815AL', '2026-11-22T15:09:41+00:00'";
        add(3, "nid, nid_key, nid_verified_at", verified).await;
        add(4, "nid, nid_key", "'19.121-815/a l', '19121815AL'").await;
        add(5, "nid, nid_key", "'1912', '1912'").await;
        add(6, "nid, nid_key", "'1912', '1912'").await;
        let downgrade = ["downgrade", "m20261126_000015_create_quotas"];
        succeeds(&migration(&folder, Some(&url), &downgrade));
        for (number, kept) in [(1, false), (2, false), (3, true), (4, false), (5, true), (6, false)] {
            let nid = value(&url, &format!("SELECT nid FROM users WHERE email = '{number}@example.org'")).await;
            assert_eq!(nid.is_some(), kept, "{number}");
        }
        succeeds(&migration(&folder, Some(&url), &["up"]));
    })
    .await;
}

#[tokio::test]
async fn requests_keep_their_person_when_patients_are_introduced_and_removed() {
    on_both("requests_keep_their_person_when_patients_are_introduced_and_removed", async |url| {
        const DATES: &str = "'2026-11-21T15:09:41+00:00', '2026-11-21T15:09:41+00:00'";
        let folder = Folder::new();
        let before = "m20261127_000019_keep_three_reset_codes";
        succeeds(&migration(&folder, Some(&url), &["upgrade", before]));
        let id = |letter: char| format!("'01a1fea7-ef63-7005-9cd6-a38d1027450{letter}'");
        let (user, contact, vaccine) = (id('1'), id('2'), id('3'));
        execute(
            &url,
            &format!(
                "INSERT INTO users (id, name, email, search_text, birth_date, password_hash, created_at, updated_at) \
                 VALUES ({user}, 'Ada King-Noël', 'x-ada.19@example.org', 'ada king-noe\u{308}l\nx-ada.19@example.org', \
                 '1985-12-10', '!', {DATES})"
            ),
        )
        .await;
        execute(
            &url,
            &format!(
                "INSERT INTO contacts (id, user_id, first_name, last_name, first_folded, last_folded, birth_month, \
                 birth_day, created_at, updated_at) VALUES ({contact}, {user}, 'Byron', 'King', 'byron', 'king', 5, 12, \
                 {DATES})"
            ),
        )
        .await;
        execute(
            &url,
            &format!("INSERT INTO vaccines (id, code, name, manufacturer, doses) VALUES ({vaccine}, 'X', 'X', 'X', 9)"),
        )
        .await;
        let add = async |number: char, dose: u32, status: &str, contact: &str, for_contact: bool| {
            let id = id(number);
            let sql = format!(
                "INSERT INTO vaccine_requests (id, user_id, vaccine_id, dose_number, status, contact_id, for_contact, \
                 created_at, updated_at) VALUES ({id}, {user}, {vaccine}, {dose}, '{status}', {contact}, {for_contact}, \
                 {DATES})"
            );
            execute(&url, &sql).await;
        };
        add('4', 1, "pending", "NULL", false).await;
        add('5', 2, "booked", "NULL", false).await;
        add('6', 3, "missed", "NULL", false).await;
        add('7', 1, "approved", &contact, true).await;
        add('8', 1, "cancelled", "NULL", true).await;
        add('9', 4, "administered", "NULL", false).await;
        execute(
            &url,
            &format!(
                "INSERT INTO vaccine_requests (id, user_id, vaccine_id, dose_number, status, reason, reviewed_by, \
                 created_at, updated_at) VALUES ({}, {user}, {vaccine}, 5, 'rejected', 'Given before.', {user}, {DATES})",
                id('a')
            ),
        )
        .await;

        succeeds(&migration(&folder, Some(&url), &["up"]));
        let of = async |sql: &str| value(&url, sql).await.unwrap_or_default();
        let patient = |number: char| {
            let person = "relation || ' ' || coalesce(name, '-') || ' ' || open_requests || ' ' || \
                          coalesce(CAST(birth_year AS text), '-') || ' ' || coalesce(CAST(birth_day AS text), '-')";
            format!("SELECT {person} FROM patients WHERE id = {}", id(number))
        };
        assert_eq!(of(&patient('1')).await, "self Ada King-Noël 2 1985 10");
        assert_eq!(of(&patient('2')).await, "dependant Byron King 1 - 12");
        assert_eq!(of(&patient('8')).await, "dependant - 0 - -");
        for (number, expected) in [('a', '1'), ('4', '1'), ('5', '1'), ('6', '1'), ('7', '2'), ('8', '8'), ('9', '1')] {
            let sql = format!("SELECT count(*) || '' FROM vaccine_requests WHERE id = {} AND patient_id = {}", id(number), id(expected));
            assert_eq!(of(&sql).await, "1", "{number}");
        }
        let statuses = async || {
            let mut statuses = Vec::new();
            for number in "456789a".chars() {
                statuses.push(of(&format!("SELECT status FROM vaccine_requests WHERE id = {}", id(number))).await);
            }
            statuses.join(" ")
        };
        let expected = "pending approved cancelled approved cancelled administered rejected";
        assert_eq!(statuses().await, expected);
        for (word, expected) in [
            ("ada", "1"),
            ("noe\u{308}l", "1"),
            ("noel", "1"),
            ("king", "1"),
            ("x-ada.19@example.org", "1"),
            ("byron", "0"),
            ("x", "1"),
            ("19", "1"),
            ("example", "0"),
        ] {
            assert_eq!(of(&format!("SELECT count(*) || '' FROM user_words WHERE word = '{word}'")).await, expected);
        }
        assert_eq!(of("SELECT count(*) || '' FROM patient_words").await, "6");

        // A request that is booked in a slot, with a changed patient.
        execute(
            &url,
            &format!(
                "INSERT INTO centres (id, name, address, time_zone, created_at, updated_at) \
                 VALUES ({user}, 'X', 'X', 'UTC', {DATES})"
            ),
        )
        .await;
        execute(
            &url,
            &format!(
                "INSERT INTO slots (id, centre_id, vaccine_id, starts_at, ends_at, capacity, booked, created_at) \
                 VALUES ({user}, {user}, {vaccine}, '2026-12-21T15:00:00+00:00', '2026-12-21T15:10:00+00:00', 1, 1, \
                 '2026-11-21T15:09:41+00:00')"
            ),
        )
        .await;
        let book = "SET status = 'booked', code = '7KX2M9QD', slot_id";
        execute(&url, &format!("UPDATE vaccine_requests {book} = {user} WHERE id = {}", id('7'))).await;
        execute(&url, &format!("UPDATE patients SET name = 'Ralph Milbanke' WHERE id = {}", id('2'))).await;

        succeeds(&migration(&folder, Some(&url), &["downgrade", before]));
        // The older release has bookings without slots.
        assert_eq!(statuses().await, expected.replace("cancelled approved", "cancelled booked"));
        for (number, for_contact, contact_id) in [('4', 0, 0), ('7', 1, 1), ('8', 1, 0), ('9', 0, 0)] {
            let sql = format!(
                "SELECT count(*) || '' FROM vaccine_requests WHERE id = {} AND (for_contact = ({for_contact} = 1)) \
                 AND (contact_id IS NOT NULL) = ({contact_id} = 1)",
                id(number)
            );
            assert_eq!(of(&sql).await, "1", "{number}");
        }
        assert_eq!(of("SELECT search_text FROM users").await, "ada king-noël\nx-ada.19@example.org");
        succeeds(&migration(&folder, Some(&url), &["up"]));
        assert_eq!(of(&patient('2')).await, "dependant Byron King 1 - 12");
        assert_eq!(statuses().await, expected);
        assert_eq!(of(&patient('1')).await, "self Ada King-Noël 2 1985 10");
        let kept = format!("SELECT reason FROM vaccine_requests WHERE reviewed_by = {user}");
        assert_eq!(of(&kept).await, "Given before.");
    })
    .await;
}
