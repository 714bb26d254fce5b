//! Mails survive a kill of the process that sends them.

use std::collections::BTreeMap;

use care4u::db::Db;
use care4u::domain::records::outbox;
use entity::MailKind;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::postgres;
use super::process::{Serving, care4u, new_postgres_database};
use super::smtp::{Encryption, SmtpServer};

const MAILS: usize = 600;
/// Mails in flight at the time of a kill may arrive twice.
const BATCH: usize = 16;

async fn every_mail_arrives(url: &str, folder: &std::path::Path) {
    drop(Serving::start(care4u(folder).env("DATABASE_URL", url)));
    let db = Db::connect(url, 4, 1).await.unwrap();
    for number in 0..MAILS {
        let (recipient, now) = (format!("{number}@example.org"), chrono::Utc::now());
        outbox::add(&db, MailKind::AccountDeleted, &recipient, None, now).await.unwrap();
    }
    let sink = SmtpServer::start(Encryption::None).await;
    let serve = || {
        let mut command = care4u(folder);
        command.env("DATABASE_URL", url).env("CARE4U__MAIL__TRANSPORT", "smtp").env("CARE4U__MAIL__SMTP_TLS", "none");
        Serving::start(command.env("CARE4U__MAIL__SMTP_PORT", sink.port.to_string()))
    };
    let first = serve();
    sink.wait_for(MAILS / 4).await;
    first.signal("KILL");
    drop(first);
    let _second = serve();
    sink.wait_for(MAILS).await;
    let emptied = async {
        while entity::outbox::Entity::find().count(&db).await.unwrap() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), emptied).await.expect("the outbox empties in time");
    let mut times = BTreeMap::<_, usize>::new();
    for mail in sink.received() {
        *times.entry(mail.recipient).or_default() += 1;
    }
    assert_eq!(times.len(), MAILS, "mails were lost");
    let more: usize = times.values().map(|times| times - 1).sum();
    assert!(more <= BATCH, "{more} mails arrived twice");
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_kill_9_loses_no_mail_and_repeats_only_mails_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("care4u.db").display());
    every_mail_arrives(&url, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_kill_9_loses_no_mail_and_repeats_only_mails_in_flight() {
    let Some(url) = new_postgres_database("mail").await else { return postgres::skipped("mails and kill -9") };
    let folder = tempfile::tempdir().unwrap();
    every_mail_arrives(&url, folder.path()).await;
}
