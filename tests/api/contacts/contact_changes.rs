//! Changes of contacts, with which a client keeps a copy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

/// A copy of the contacts of a user.
#[derive(Default)]
struct Copy {
    token: Option<String>,
    contacts: BTreeMap<String, Value>,
}

impl Copy {
    /// Reads all changes. Returns how many there were.
    async fn sync(&mut self, owner: &Actor<'_>, limit: u32) -> usize {
        let mut changes = 0;
        loop {
            let since = self.token.as_ref().map(|token| format!("&since={token}")).unwrap_or_default();
            let reply = owner.get(&format!("/contacts/changes?limit={limit}{since}")).await.ok();
            let (updated, deleted) = (reply["updated"].as_array().unwrap(), reply["deleted"].as_array().unwrap());
            assert!(updated.len() + deleted.len() <= usize::try_from(limit).unwrap());
            changes += updated.len() + deleted.len();
            for contact in updated {
                self.contacts.insert(contact["id"].as_str().unwrap().to_owned(), contact.clone());
            }
            for contact in deleted {
                self.contacts.remove(contact["id"].as_str().unwrap());
            }
            self.token = Some(reply["token"].as_str().unwrap().to_owned());
            if reply["has_more"] == false {
                return changes;
            }
        }
    }

    async fn check(&self, owner: &Actor<'_>) {
        let mut all = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let page = owner.get(&format!("/contacts?limit=100{cursor}")).await.ok();
            for contact in page["items"].as_array().unwrap() {
                all.insert(contact["id"].as_str().unwrap().to_owned(), contact.clone());
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(self.contacts, all);
    }
}

#[tokio::test]
async fn a_copy_follows_every_change() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    let mut copy = Copy::default();
    assert_eq!(copy.sync(&ada, 10).await, 0);
    let create = async |name: &str| {
        ada.post("/contacts", json!({ "first_name": name })).await.created()["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (create("One").await, create("Two").await);
    assert_eq!(copy.sync(&ada, 10).await, 2);
    copy.check(&ada).await;
    assert_eq!(copy.sync(&ada, 10).await, 0);
    for note in ["a", "b", "c"] {
        ada.patch(&format!("/contacts/{one}"), json!({ "note": note })).await.ok();
    }
    ada.delete(&format!("/contacts/{two}")).await.no_content();
    // Three changes of a contact are one.
    assert_eq!(copy.sync(&ada, 10).await, 2);
    copy.check(&ada).await;
    let file = (0..250).fold("first_name\n".to_owned(), |file, row| file + &format!("N{row}\n"));
    let import = ada.upload("/contacts/imports", "text/csv", file).await.created();
    assert_eq!(copy.sync(&ada, 7).await, 250);
    copy.check(&ada).await;
    let update = format!("uid,first_name,note\nurn:uuid:{one},One,imported\n");
    ada.upload("/contacts/imports?on_duplicate=update", "text/csv", update).await.created();
    assert_eq!(copy.sync(&ada, 7).await, 1);
    ada.delete(&format!("/contacts/imports/{}", import["id"].as_str().unwrap())).await.no_content();
    assert_eq!(copy.sync(&ada, 7).await, 250);
    copy.check(&ada).await;
    assert_eq!(copy.contacts.len(), 1);
    // A dry run and a refused change are none.
    ada.upload("/contacts/imports?dry_run=true", "text/csv", "first_name\nX\n").await.ok();
    ada.patch(&format!("/contacts/{one}"), json!({ "first_name": null })).await.violates(&[("first_name", "required")]);
    assert_eq!(copy.sync(&ada, 7).await, 0);
    // Each user has their own.
    assert_eq!(Copy::default().sync(&bob, 7).await, 0);
    let foreign = copy.token.clone().unwrap();
    assert_eq!(bob.get(&format!("/contacts/changes?since={foreign}")).await.ok()["updated"], json!([]));
    // A new copy has no deleted contacts.
    assert_eq!(Copy::default().sync(&ada, 7).await, 1);
    for (query, field, code) in [
        ("since=x", "since", "cursor"),
        ("since=", "since", "cursor"),
        ("limit=0", "limit", "range"),
        ("cursor=x", "cursor", "unknown"),
    ] {
        ada.get(&format!("/contacts/changes?{query}")).await.violates(&[(field, code)]);
    }
    app.get("/api/v1/contacts/changes").await.problem(401, "unauthenticated");
}

/// Changes that run at the same time as the reading are missed by none of its replies.
#[tokio::test]
async fn a_copy_misses_no_concurrent_change() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let writer = async |number: u32| {
        for round in 0..12 {
            let body = json!({ "first_name": format!("W{number}"), "note": round.to_string() });
            let contact = ada.post("/contacts", body).await.created();
            let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
            if round % 3 == 0 {
                ada.delete(&path).await.no_content();
            } else {
                ada.patch(&path, json!({ "last_name": "Changed" })).await.ok();
            }
        }
    };
    let mut copy = Copy::default();
    let reader = async {
        for _ in 0..40 {
            copy.sync(&ada, 3).await;
        }
    };
    tokio::join!(writer(1), writer(2), writer(3), writer(4), reader);
    copy.sync(&ada, 3).await;
    copy.check(&ada).await;
    assert_eq!(copy.contacts.len(), 32);
}
