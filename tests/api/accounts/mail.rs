//! Delivery of mails over SMTP: format of the mails, and behaviour when the mail server fails.

use std::collections::BTreeMap;

use care4u::domain::records::outbox;
use entity::{MailKind, Role};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::mailbox::Mail;
use crate::support::smtp::{Behaviour, Encryption, SmtpServer};

const ADA: &str = "ada@example.org";

/// Starts an application that sends its mails to this server.
async fn start(server: &SmtpServer, more: &[(&str, &str)]) -> TestApp {
    let port = server.port.to_string();
    let mut changes = settings(&port);
    changes.extend_from_slice(more);
    TestApp::start_with(BACKEND, &changes).await
}

fn settings(port: &str) -> Vec<(&str, &str)> {
    vec![
        ("CARE4U__MAIL__TRANSPORT", "smtp"),
        ("CARE4U__MAIL__SMTP_TLS", "none"),
        ("CARE4U__MAIL__SMTP_PORT", port),
        ("CARE4U__MAIL__FROM", "Clinic <clinic@example.net>"),
    ]
}

/// Adds a mail to an account, which is created if it is missing, to the outbox.
async fn enqueue(app: &TestApp, recipient: &str) {
    let now = app.clock.now();
    app.account(recipient, Role::Patient).await.ok();
    outbox::add(&app.state().db, MailKind::AlreadyRegistered, recipient, None, now).await.unwrap();
}

async fn waiting(app: &TestApp) -> u64 {
    entity::outbox::Entity::find().count(&app.state().db).await.unwrap()
}

async fn until(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), holds).await.expect("it comes about in time");
}

#[tokio::test]
async fn a_mail_has_sender_recipient_text_and_html() {
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[]).await;
    app.register(ADA).await.created();
    let mail = &server.wait_for(1).await[0];
    assert_eq!(mail.recipient, ADA);
    for part in [
        "From: Clinic <clinic@example.net>\r\n",
        "To: ada@example.org\r\n",
        "Subject: Confirm your e-mail address\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Message-ID: <",
        "Date: ",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
    ] {
        assert!(mail.message.contains(part), "no {part:?} in {}", mail.message);
    }
    let code = Mail::read(&mail.message).code();
    assert!(mail.message.contains(&format!("<b>{code}</b>")), "{}", mail.message);
    app.post("/api/v1/auth/verify-email", json!({ "email": ADA, "code": code, "password": PASSWORD }))
        .await
        .no_content();
    app.outbox_empties().await;
}

#[tokio::test]
async fn a_name_is_escaped_in_headers_and_html() {
    use sea_orm::{ActiveModelTrait, Set, Unchanged};
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[]).await;
    let body = json!({ "name": "Ada\r\nBcc: all@example.org", "email": ADA, "password": PASSWORD });
    app.post("/api/v1/auth/register", body).await.violates(&[("name", "control")]);
    let patient = app.patient().await;
    for (name, plain) in
        [("Ada\r\nBcc: all@example.org\r\n\r\nBuy!", "Bcc"), ("Жук <b>\"Éa\", <eve@example.org></b>", "<b>")]
    {
        // Inserted directly, without validation.
        let user =
            entity::users::ActiveModel { id: Unchanged(patient.id), name: Set(name.into()), ..Default::default() };
        user.update(&app.state().db).await.unwrap();
        app.post("/api/v1/auth/forgot-password", json!({ "email": patient.email })).await.accepted();
        let count = server.received().len() + 1;
        let mail = server.wait_for(count).await.pop().unwrap();
        assert_eq!(mail.recipient, patient.email);
        let (head, body) = mail.message.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.is_ascii() && head.contains(&format!("<{}>", patient.email)), "{head}");
        let html = body.split("Content-Type: text/html").nth(1).unwrap();
        assert!(plain == "Bcc" || html.contains("&#60;b&#62;"), "{html}");
    }
}

#[tokio::test]
async fn no_mail_is_lost_while_the_mail_server_is_down() {
    let server = SmtpServer::start(Encryption::None).await;
    for behaviour in [Behaviour::Closed, Behaviour::Busy, Behaviour::Denying, Behaviour::Dying] {
        server.set(behaviour);
        let before = server.received().len();
        let app = start(&server, &[]).await;
        let recipients: Vec<_> = (0..20).map(|number| format!("{number}@example.org")).collect();
        for recipient in &recipients {
            enqueue(&app, recipient).await;
        }
        // It has been attempted.
        let tried = async {
            let is_tried = |mail: &entity::outbox::Model| mail.attempts > 1;
            while !entity::outbox::Entity::find().all(&app.state().db).await.unwrap().iter().any(is_tried) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), tried).await.unwrap();
        assert_eq!(waiting(&app).await, 20);
        server.set(Behaviour::Good);
        let mut arrived: Vec<_> =
            server.wait_for(before + 20).await.into_iter().skip(before).map(|mail| mail.recipient).collect();
        app.outbox_empties().await;
        arrived.sort_by_key(|recipient| recipient.split('@').next().unwrap().parse::<u32>().unwrap());
        assert_eq!(arrived, recipients, "{behaviour:?}");
        assert_eq!(server.received().len(), before + 20);
    }
}

#[tokio::test]
async fn a_pending_address_change_survives_a_long_outage_of_the_mail_server() {
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[]).await;
    let patient = app.patient().await;
    server.set(Behaviour::Closed);
    let change = json!({ "email": ADA, "current_password": PASSWORD });
    patient.post("/users/me/email-change", change).await.accepted();
    app.clock.advance(chrono::Duration::minutes(20));
    care4u::domain::auth::codes::sweep(&app.state().db, app.clock.now()).await.unwrap();
    let again = app.refresh(&patient.refresh_token).await.ok();
    server.set(Behaviour::Good);
    let mails = server.wait_for(2).await;
    let code = Mail::read(&mails.iter().find(|mail| mail.recipient == ADA).unwrap().message).code();
    let confirm =
        app.request(reqwest::Method::POST, "/api/v1/users/me/email-change/confirm").json(&json!({ "code": code }));
    let account = app.send(confirm.bearer_auth(again["access_token"].as_str().unwrap())).await.ok();
    assert_eq!(account["email"], ADA);
}

#[tokio::test]
async fn a_hanging_mail_server_delays_no_request_and_no_other_mail() {
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[("CARE4U__MAIL__SMTP_TIMEOUT_SECONDS", "3")]).await;
    app.register("hang@example.org").await.created();
    until(|| server.hanging() > 0).await;
    app.log_in("hang@example.org", PASSWORD).await.ok();
    enqueue(&app, ADA).await;
    assert_eq!(server.wait_for(1).await[0].recipient, ADA);
    // It is given up, and then retried by an operator.
    until(|| server.hanging() > 1).await;
    assert_eq!((server.received().len(), waiting(&app).await), (1, 1));
}

#[tokio::test]
async fn a_mail_is_delivered_once_although_quit_gets_no_response() {
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[]).await;
    enqueue(&app, "late@example.org").await;
    app.outbox_empties().await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_permanently_rejected_address_is_given_up_and_the_mail_kept_for_a_month() {
    let server = SmtpServer::start(Encryption::None).await;
    let app = start(&server, &[]).await;
    enqueue(&app, "refused@example.org").await;
    // Nothing of a deleted account is kept, not even this mail.
    let (db, now) = (&app.state().db, app.clock.now());
    outbox::add(db, MailKind::AccountDeleted, "refused@example.org", None, now).await.unwrap();
    enqueue(&app, ADA).await;
    server.wait_for(1).await;
    let given_up = async {
        loop {
            let mails = entity::outbox::Entity::find().all(&app.state().db).await.unwrap();
            if let [mail] = &mails[..]
                && mail.due_at.is_none()
            {
                return mail.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let mail = tokio::time::timeout(std::time::Duration::from_secs(60), given_up).await.unwrap();
    assert_eq!((mail.recipient.as_str(), mail.attempts), ("refused@example.org", 1));
    let sweep = async || outbox::sweep(&app.state().db, app.clock.now()).await.unwrap();
    assert_eq!(sweep().await, 0);
    app.clock.advance(chrono::Duration::days(31));
    assert_eq!(sweep().await, 1);
}

#[tokio::test]
async fn several_instances_send_each_mail_once() {
    let server = SmtpServer::start(Encryption::None).await;
    server.set(Behaviour::Closed);
    let app = start(&server, &[]).await;
    let port = server.port.to_string();
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(TestApp::start_on(app.database.clone(), &settings(&port)).await);
    }
    for number in 0..200 {
        enqueue(&app, &format!("{number}@example.org")).await;
    }
    server.set(Behaviour::Good);
    server.wait_for(200).await;
    app.outbox_empties().await;
    let mut times = BTreeMap::<_, u32>::new();
    for mail in server.received() {
        *times.entry(mail.recipient).or_default() += 1;
    }
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

#[tokio::test]
async fn mail_and_credentials_are_sent_over_tls_only() {
    for (encryption, tls) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")] {
        let server = SmtpServer::start(encryption).await;
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, &server.certificate).unwrap();
        let authority = authority.to_str().unwrap().to_owned();
        let with = [
            ("CARE4U__MAIL__SMTP_TLS", tls),
            ("CARE4U__MAIL__SMTP_CA_FILE", authority.as_str()),
            ("CARE4U__MAIL__SMTP_USERNAME", "clinic"),
            ("CARE4U__MAIL__SMTP_PASSWORD", "hunter2"),
        ];
        let app = start(&server, &with).await;
        enqueue(&app, ADA).await;
        let mail = &server.wait_for(1).await[0];
        assert!(mail.is_private);
        // \0clinic\0hunter2
        assert_eq!(mail.login.as_deref(), Some("AGNsaW5pYwBodW50ZXIy"));
    }
}

#[tokio::test]
async fn a_mail_server_with_an_invalid_certificate_gets_no_mail() {
    for (encryption, tls) in
        [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls"), (Encryption::None, "starttls")]
    {
        let server = SmtpServer::start(encryption).await;
        let app = start(&server, &[("CARE4U__MAIL__SMTP_TLS", tls)]).await;
        enqueue(&app, ADA).await;
        let tried = async {
            while entity::outbox::Entity::find().one(&app.state().db).await.unwrap().unwrap().attempts < 2 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), tried).await.unwrap();
        assert_eq!((server.received().len(), waiting(&app).await), (0, 1));
    }
}
