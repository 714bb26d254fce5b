//! Contacts: create, search, update, delete, and vaccine requests for them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

/// Creates a contact. Returns its id.
async fn create(owner: &Actor<'_>, body: Value) -> String {
    let contact = owner.post("/contacts", body).await.created();
    contact["id"].as_str().expect("ids are text").to_owned()
}

async fn create_named(owner: &Actor<'_>, first_name: &str, last_name: &str) -> String {
    create(owner, json!({ "first_name": first_name, "last_name": last_name })).await
}

/// Returns the full names on all pages of a list.
async fn names(owner: &Actor<'_>, query: &[(&str, &str)]) -> Vec<String> {
    let mut names = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = owner.request(Method::GET, "/contacts").query(query).query(&[("limit", "3")]);
        let page = owner.app.send(request.query(&cursor.map(|cursor| [("cursor", cursor)]))).await.ok();
        for item in page["items"].as_array().expect("a list has items") {
            names.push(item["name"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return names,
        }
    }
}

#[tokio::test]
async fn a_contact_is_created_read_updated_and_deleted() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let body = json!({
        "first_name": " Byron ", "last_name": "King", "email": "Byron@Example.org", "phone_number": "+44 20 7946 0018",
        "birth_month": 5, "birth_day": 12, "birth_year": 2019, "note": "Allergic\r\nto eggs.",
    });
    let response = ada.post("/contacts", body).await;
    let contact = response.created();
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    assert_eq!(response.header("location"), format!("/api/v1{path}"));
    assert_eq!((&contact["first_name"], &contact["email"]), (&json!("Byron"), &json!("byron@example.org")));
    assert_eq!((&contact["birth_year"], &contact["note"]), (&json!(2019), &json!("Allergic\nto eggs.")));
    assert_eq!(ada.get(&path).await.ok(), contact);

    let changed = ada.patch(&path, json!({ "last_name": "King-Noel", "email": null, "birth_year": null })).await.ok();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Byron"), &json!("King-Noel")));
    assert_eq!((&changed["email"], &changed["birth_year"]), (&Value::Null, &Value::Null));
    assert_eq!((&changed["birth_day"], &changed["note"]), (&contact["birth_day"], &contact["note"]));
    assert_eq!(names(&ada, &[("last_name", "NOEL")]).await, ["Byron King-Noel"]);
    assert_eq!(ada.get(&path).await.ok(), changed);

    ada.delete(&path).await.no_content();
    ada.get(&path).await.problem(404, "not-found");
    ada.delete(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_contact_is_visible_to_its_owner_only() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    let path = format!("/contacts/{}", create_named(&ada, "Byron", "King").await);
    for other in [&bob, &app.staff().await, &app.admin().await] {
        other.get(&path).await.problem(404, "not-found");
        other.patch(&path, json!({ "first_name": "Mine" })).await.problem(404, "not-found");
        other.delete(&path).await.problem(404, "not-found");
        assert_eq!(names(other, &[]).await, Vec::<String>::new());
    }
    for method in [Method::GET, Method::POST] {
        app.send(app.request(method, "/api/v1/contacts")).await.problem(401, "unauthenticated");
    }
    assert_eq!(names(&ada, &[]).await, ["Byron King"]);
}

#[tokio::test]
async fn several_contacts_have_the_same_email() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let with_email = |first: &str| json!({ "first_name": first, "last_name": "King", "email": "home@example.org" });
    create(&ada, with_email("Byron")).await;
    create(&ada, with_email("Ralph")).await;
    let anne = create_named(&ada, "Anne", "King").await;
    ada.patch(&format!("/contacts/{anne}"), json!({ "email": "HOME@example.org" })).await.ok();
    assert_eq!(names(&ada, &[("email", "home@")]).await, ["Anne King", "Byron King", "Ralph King"]);
}

#[tokio::test]
async fn one_name_is_a_name() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let shown = async |body: Value| {
        let contact = ada.post("/contacts", body).await.created();
        let uid = format!("urn:uuid:{}", contact["id"].as_str().unwrap());
        assert_eq!(contact["uid"], uid);
        contact["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(shown(json!({ "first_name": "Sukarno" })).await, "Sukarno");
    assert_eq!(shown(json!({ "last_name": "Lind", "first_name": null })).await, "Lind");
    assert_eq!(shown(json!({ "organization": "Ockham School" })).await, "Ockham School");
    let both = json!({ "first_name": "Tove", "last_name": "Lind", "organization": "Zoo" });
    assert_eq!(shown(both).await, "Tove Lind");
    for nobody in [json!({}), json!({ "first_name": null, "email": "a@example.org" })] {
        ada.post("/contacts", nobody).await.violates(&[("first_name", "required")]);
    }
    // By last name, or else first name, or else organization.
    assert_eq!(names(&ada, &[]).await, ["Lind", "Tove Lind", "Ockham School", "Sukarno"]);
    for (filter, found) in [
        (("q", "ockham"), vec!["Ockham School"]),
        (("q", "zoo tove"), vec!["Tove Lind"]),
        (("last_name", "suk"), vec![]),
        (("first_name", "suk"), vec!["Sukarno"]),
        (("last_name", "zoo"), vec![]),
        (("email", "lind"), vec![]),
    ] {
        assert_eq!(names(&ada, &[filter]).await, found, "{filter:?}");
    }
    let mut cursor = None;
    for expected in ["Lind", "Tove Lind", "Ockham School", "Sukarno"] {
        let request =
            ada.request(Method::GET, "/contacts?limit=1").query(&cursor.map(|cursor: String| [("cursor", cursor)]));
        let page = app.send(request).await.ok();
        assert_eq!(page["items"][0]["name"], expected);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    // One of the three names must be left.
    let lind = ada.get("/contacts?last_name=lind&limit=1").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/contacts/{lind}");
    ada.patch(&path, json!({ "last_name": null })).await.violates(&[("first_name", "required")]);
    let changed = ada.patch(&path, json!({ "last_name": null, "organization": "Lind & Sons" })).await.ok();
    assert_eq!((&changed["name"], &changed["last_name"]), (&json!("Lind & Sons"), &Value::Null));
}

#[tokio::test]
async fn requests_and_patients_have_the_names_of_a_contact() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let child = create(&ada, json!({ "first_name": "Sukarno", "birth_month": 5, "birth_day": 12 })).await;
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": child });
    let request = ada.post("/vaccine-requests", body).await.created();
    assert_eq!(
        (&request["contact"]["first_name"], &request["contact"]["last_name"]),
        (&json!("Sukarno"), &Value::Null)
    );
    assert_eq!(request["patient"]["name"], "Sukarno");
    let path = format!("/contacts/{child}");
    ada.patch(&path, json!({ "first_name": null, "last_name": "Sukarni" })).await.ok();
    let request = ada.get(&format!("/vaccine-requests/{}", request["id"].as_str().unwrap())).await.ok();
    assert_eq!(request["patient"]["name"], "Sukarni");
    let birthdays = ada.get("/contacts/birthdays?days=366").await.ok();
    assert_eq!(birthdays["items"][0]["name"], "Sukarni");
}

#[tokio::test]
async fn emails_and_numbers_are_kept_in_order_with_their_labels() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let body = json!({
        "first_name": "Byron",
        "emails": [{ "value": "A@example.org", "label": "work" }, { "value": "b@example.org" }],
        "phone_numbers": [{ "value": "1234", "label": "mobile" }, { "value": "5678", "label": "Schloß" }],
    });
    let contact = ada.post("/contacts", body).await.created();
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
    assert_eq!(
        contact["emails"],
        json!([{ "value": "a@example.org", "label": "work" }, { "value": "b@example.org", "label": null }])
    );
    assert_eq!((&contact["email"], &contact["phone_number"]), (&json!("a@example.org"), &json!("1234")));
    assert_eq!(contact["phone_numbers"][1], json!({ "value": "5678", "label": "Schloß" }));
    assert_eq!(ada.get(&path).await.ok(), contact);
    // The second address is found, too.
    assert_eq!(names(&ada, &[("email", "B@ex")]).await, ["Byron"]);
    let emails = async |change: Value| {
        let contact = ada.patch(&path, change).await.ok();
        let values =
            contact["emails"].as_array().unwrap().iter().map(|email| email["value"].as_str().unwrap().to_owned());
        let values: Vec<String> = values.collect();
        assert_eq!(contact["email"].as_str(), values.first().map(String::as_str));
        values
    };
    assert_eq!(emails(json!({ "email": "a@example.org" })).await, ["a@example.org", "b@example.org"]);
    assert_eq!(ada.get(&path).await.ok()["emails"][0]["label"], "work");
    assert_eq!(emails(json!({ "email": "c@example.org" })).await, ["c@example.org", "b@example.org"]);
    assert_eq!(emails(json!({ "email": "b@example.org" })).await, ["b@example.org"]);
    let all = json!([{ "value": "d@example.org" }, { "value": "e@example.org" }]);
    assert_eq!(emails(json!({ "emails": all, "email": "d@example.org" })).await, ["d@example.org", "e@example.org"]);
    assert_eq!(emails(json!({ "note": "x" })).await, ["d@example.org", "e@example.org"]);
    assert_eq!(emails(json!({ "email": null })).await, Vec::<String>::new());
    assert_eq!(emails(json!({ "emails": [{ "value": "f@example.org" }] })).await, ["f@example.org"]);
    assert_eq!(emails(json!({ "emails": null })).await, Vec::<String>::new());
    let many: Vec<Value> = (0..21).map(|number| json!({ "value": format!("{number}@example.org") })).collect();
    for (change, field, code) in [
        (json!({ "emails": many }), "emails", "items"),
        (json!({ "emails": [{ "value": "nobody" }] }), "emails[0].value", "email"),
        (json!({ "emails": [{ "value": "a@example.org", "label": "x".repeat(51) }] }), "emails[0].label", "length"),
        (json!({ "emails": [{ "value": "a@example.org" }, { "value": "A@example.org" }] }), "emails", "repeated"),
        (json!({ "emails": [{ "value": "a@example.org" }], "email": "b@example.org" }), "emails", "both"),
        (json!({ "emails": [], "email": "b@example.org" }), "emails", "both"),
        (json!({ "emails": [{ "value": "a@example.org" }], "email": null }), "emails", "both"),
        (json!({ "phone_numbers": [{ "value": "call me" }] }), "phone_numbers[0].value", "phone_number"),
        (json!({ "emails": [{ "label": "work" }] }), "emails[0].value", "email"),
        (json!({ "emails": "a@example.org" }), "emails", "type"),
    ] {
        ada.patch(&path, change).await.violates(&[(field, code)]);
    }
    let body = json!({ "first_name": "X", "emails": many });
    ada.post("/contacts", body).await.violates(&[("emails", "items")]);
}

#[tokio::test]
async fn a_search_finds_text_anywhere_in_any_letter_case_and_script() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (first, last) in [("Пётр", "Жуков"), ("Émile", "Zola"), ("Jörg", "Straßer"), ("ΝΙΚΟΣ", "Παππάς"), ("Zoë", "Ng")]
    {
        create_named(&ada, first, last).await;
    }
    let odd = [("50%", "_off_"), ("500", "xoffx"), (r"back\slash", "Q'uote")];
    for (first, last) in odd {
        create_named(&ada, first, last).await;
    }
    create(&ada, json!({ "first_name": "Grace", "last_name": "Hopper", "email": "amazing@navy.example" })).await;
    for (query, expected) in [
        ("ЖУК", "Пётр Жуков"),
        ("ётр", "Пётр Жуков"),
        ("émile", "Émile Zola"),
        ("E\u{301}MILE", "Émile Zola"),
        ("STRASSER", "Jörg Straßer"),
        ("νικος", "ΝΙΚΟΣ Παππάς"),
        ("νικοσ", "ΝΙΚΟΣ Παππάς"),
        ("0%", "50% _off_"),
        ("_off", "50% _off_"),
        ("K\\S", r"back\slash Q'uote"),
        ("'U", r"back\slash Q'uote"),
        ("@NAVY", "Grace Hopper"),
        ("grace hop", "Grace Hopper"),
        ("hopper  GRACE", "Grace Hopper"),
    ] {
        assert_eq!(names(&ada, &[("q", query)]).await, [expected], "{query}");
    }
    assert_eq!(names(&ada, &[("q", "grace zola")]).await, Vec::<String>::new());
    assert_eq!(names(&ada, &[("first_name", "GRA")]).await, ["Grace Hopper"]);
    assert_eq!(names(&ada, &[("first_name", "hop")]).await, Vec::<String>::new());
    assert_eq!(names(&ada, &[("last_name", "hop"), ("email", "Amazing@")]).await, ["Grace Hopper"]);
    assert_eq!(names(&ada, &[("email", "_")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_list_is_sorted_by_last_name_first_name_and_id() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (first, last) in [
        ("Bob", "de Boer"),
        ("Zoe", "Adams"),
        ("Émile", "Evans"),
        ("Eva", "Evans"),
        ("ezra", "evans"),
        ("Adam", "Zander"),
        ("Ute", "Ärzte"),
        ("Al", "Adams"),
        ("Al", "Adams"),
    ] {
        create_named(&ada, first, last).await;
    }
    let all = names(&ada, &[]).await;
    assert_eq!(
        all,
        [
            "Al Adams",
            "Al Adams",
            "Zoe Adams",
            "Ute Ärzte",
            "Bob de Boer",
            "Eva Evans",
            "ezra evans",
            "Émile Evans",
            "Adam Zander",
        ]
    );
    // A row that is deleted between two pages skips no other row.
    let page = ada.get("/contacts?limit=3").await.ok();
    let last = page["items"][2]["id"].as_str().unwrap();
    ada.delete(&format!("/contacts/{last}")).await.no_content();
    let next = ada.get(&format!("/contacts?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!(next["items"][0]["first_name"], "Ute");
}

#[tokio::test]
async fn a_forged_cursor_is_invalid() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let id = [0; 16];
    let forged: [&[u8]; 6] =
        [b"", b"x", &id, &[&id[..], b"name"].concat(), &[&id[..], b"a\0\nb"].concat(), &[&id[..], b"\xff\n"].concat()];
    for bytes in forged {
        let cursor = URL_SAFE_NO_PAD.encode(bytes);
        ada.get(&format!("/contacts?cursor={cursor}")).await.violates(&[("cursor", "cursor")]);
        ada.get(&format!("/contacts/birthdays?cursor={cursor}")).await.violates(&[("cursor", "cursor")]);
    }
    ada.get("/contacts?cursor=%3F%3F").await.violates(&[("cursor", "cursor")]);
}

#[tokio::test]
async fn all_violations_are_reported_at_once_and_nothing_changes() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    ada.post("/contacts", json!({})).await.violates(&[("first_name", "required")]);
    let body = json!({
        "first_name": " \t", "last_name": "x".repeat(101), "email": "nobody", "phone_number": "call me", "note": "a\0b",
        "birth_month": 2, "birth_day": 30,
    });
    ada.post("/contacts", body).await.violates(&[
        ("birth_day", "date"),
        ("email", "email"),
        ("first_name", "blank"),
        ("last_name", "length"),
        ("note", "control"),
        ("phone_number", "phone_number"),
    ]);
    let next_year = chrono::Utc::now().format("%Y").to_string().parse::<i32>().unwrap() + 1;
    for (birth, expected) in [
        (json!({ "birth_month": 13, "birth_day": 1 }), ("birth_month", "range")),
        (json!({ "birth_month": 2, "birth_day": 29, "birth_year": 2023 }), ("birth_day", "date")),
        (json!({ "birth_month": 1, "birth_day": 1, "birth_year": next_year }), ("birth_year", "range")),
        (json!({ "birth_month": 1 }), ("birth_day", "required")),
        (json!({ "birth_year": 2000 }), ("birth_month", "required")),
        (json!({ "birth_month": "May", "birth_day": 1 }), ("birth_month", "type")),
        (json!({ "birth_month": 99_999, "birth_day": 1 }), ("birth_month", "range")),
        (json!({ "birthday": "2000-01-01" }), ("birthday", "unknown")),
    ] {
        let mut body = json!({ "first_name": "Byron", "last_name": "King" });
        body.as_object_mut().unwrap().extend(birth.as_object().unwrap().clone());
        ada.post("/contacts", body).await.violates(&[expected]);
    }
    let huge = json!({ "first_name": "x".repeat(10_000_000), "last_name": "King" });
    ada.post("/contacts", huge).await.problem(413, "too-large");
    for name in ["a\0b", "a\nb", "a\u{7f}b"] {
        ada.post("/contacts", json!({ "first_name": name, "last_name": "King" }))
            .await
            .violates(&[("first_name", "control")]);
    }
    assert_eq!(names(&ada, &[]).await, Vec::<String>::new());
    ada.get("/contacts?q=%00").await.violates(&[("q", "control")]);
    ada.get("/contacts?q=%20").await.violates(&[("q", "blank")]);
    ada.get("/contacts?q=a+b+c+d+e+f+g+h+i+j+k").await.violates(&[("q", "words")]);
    ada.get("/contacts?limit=101").await.violates(&[("limit", "range")]);
    ada.get("/contacts?name=x").await.violates(&[("name", "unknown")]);
    ada.get("/contacts/none").await.violates(&[("id", "type")]);
}

#[tokio::test]
async fn text_in_any_script_and_normalization_is_stored_unchanged() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (first, last) in [("\u{202e}עדה", "\u{5dc}\u{5d1}"), ("e\u{301}\u{323}", "👩‍👩‍👧"), ("नि", "한글")]
    {
        let id = create_named(&ada, first, last).await;
        let kept = ada.get(&format!("/contacts/{id}")).await.ok();
        assert_eq!((&kept["first_name"], &kept["last_name"]), (&json!(first), &json!(last)));
        assert_eq!(names(&ada, &[("q", last)]).await.len(), 1);
    }
}

#[tokio::test]
async fn a_patch_that_makes_the_birthday_invalid_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let birth =
        json!({ "first_name": "Byron", "last_name": "King", "birth_month": 2, "birth_day": 29, "birth_year": 2020 });
    let path = format!("/contacts/{}", create(&ada, birth).await);
    let this_year = chrono::Utc::now().format("%Y").to_string().parse::<i32>().unwrap();
    for (patch, expected) in [
        (json!({ "birth_day": 30 }), ("birth_day", "date")),
        (json!({ "birth_year": 2021 }), ("birth_day", "date")),
        (json!({ "birth_day": null }), ("birth_day", "date")),
        (json!({ "birth_month": null, "birth_day": null }), ("birth_day", "date")),
        (json!({ "birth_month": 13 }), ("birth_month", "range")),
        (json!({ "birth_day": 0 }), ("birth_day", "range")),
        (json!({ "birth_year": 1899 }), ("birth_year", "range")),
        (json!({ "birth_year": this_year + 1 }), ("birth_year", "range")),
        (json!({ "birth_year": this_year, "birth_month": 12, "birth_day": 31 }), ("birth_year", "range")),
        (json!({ "first_name": null, "last_name": null }), ("first_name", "required")),
        (json!({ "id": Uuid::nil() }), ("id", "unknown")),
    ] {
        // In the last days of a year that date is in the past, or tomorrow.
        let is_new_year = chrono::Utc::now().format("%m-%d").to_string().as_str() >= "12-30";
        if expected == ("birth_year", "range") && patch.get("birth_day").is_some() && is_new_year {
            continue;
        }
        ada.patch(&path, patch).await.violates(&[expected]);
    }
    assert_eq!(ada.get(&path).await.ok()["birth_year"], 2020);
    let yearless = ada.patch(&path, json!({ "birth_year": null })).await.ok();
    assert_eq!((&yearless["birth_day"], &yearless["birth_year"]), (&json!(29), &Value::Null));
    let none = json!({ "birth_month": null, "birth_day": null });
    assert_eq!(ada.patch(&path, none).await.ok()["birth_month"], Value::Null);
    ada.patch(&path, json!({})).await.ok();
}

#[tokio::test]
async fn a_vaccine_can_be_requested_for_a_contact_of_the_caller() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, staff) = (app.patient().await, app.patient().await, app.staff().await);
    let child = create(
        &ada,
        json!({ "first_name": "Byron", "last_name": "King", "birth_month": 5, "birth_day": 12, "birth_year": 2019,
            "email": "byron@example.org", "note": "private" }),
    )
    .await;
    let vaccine_id = app.vaccine("MMR").await;
    let body = json!({ "vaccine_id": vaccine_id, "contact_id": child });
    bob.post("/vaccine-requests", body.clone()).await.violates(&[("contact_id", "unknown")]);
    let nobody = json!({ "vaccine_id": vaccine_id, "contact_id": Uuid::now_v7() });
    ada.post("/vaccine-requests", nobody).await.violates(&[("contact_id", "unknown")]);

    let request = ada.post("/vaccine-requests", body.clone()).await.created();
    assert_eq!((&request["contact_id"], &request["for_contact"]), (&json!(child), &json!(true)));
    let path = format!("/vaccine-requests/{}", request["id"].as_str().unwrap());
    // Each person can have one open request, including the owner of the account.
    ada.post("/vaccine-requests", body).await.problem(409, "request-open");
    let own = ada.post("/vaccine-requests", json!({ "vaccine_id": vaccine_id })).await.created();
    assert_eq!((&own["contact_id"], &own["for_contact"], &own["contact"]), (&Value::Null, &json!(false), &Value::Null));

    // Staff see the name and birthday only.
    let seen = staff.get(&path).await.ok();
    assert_eq!(
        seen["contact"],
        json!({ "first_name": "Byron", "last_name": "King", "birth_month": 5, "birth_day": 12, "birth_year": 2019 })
    );
    let list = staff.get(&format!("/vaccine-requests?contact_id={child}")).await.ok();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["contact"]), (1, &seen["contact"]));
    assert_eq!(ada.get("/vaccine-requests").await.ok()["items"].as_array().unwrap().len(), 2);
    staff.get(&format!("/contacts/{child}")).await.problem(404, "not-found");
    assert_eq!(staff.post_empty(&format!("{path}/approve")).await.ok()["contact"], seen["contact"]);
}

#[tokio::test]
async fn a_contact_with_an_open_request_cannot_be_deleted() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    let child = create_named(&ada, "Byron", "King").await;
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": child });
    let request = ada.post("/vaccine-requests", body).await.created();
    let (contact, request) =
        (format!("/contacts/{child}"), format!("/vaccine-requests/{}", request["id"].as_str().unwrap()));
    let problem = ada.delete(&contact).await.problem(409, "contact-in-use");
    assert!(problem["detail"].as_str().unwrap().contains("vaccine request"), "{problem}");
    ada.get(&contact).await.ok();

    staff.post(&format!("{request}/reject"), json!({ "reason": "too young" })).await.ok();
    ada.delete(&contact).await.no_content();
    // The request stays one for a contact; it does not become one for the owner.
    let left = staff.get(&request).await.ok();
    assert_eq!(
        (&left["for_contact"], &left["contact"], &left["contact_id"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn concurrent_delete_and_request_leave_no_request_without_a_contact() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__BOOKING__PATIENTS_PER_ACCOUNT", "100")]).await;
    let ada = app.patient().await;
    let vaccine_id = app.vaccine("MMR").await;
    for _ in 0..8 {
        let child = create_named(&ada, "Byron", "King").await;
        let body = json!({ "vaccine_id": vaccine_id, "contact_id": child });
        let contact = format!("/contacts/{child}");
        let (asked, removed) = tokio::join!(ada.post("/vaccine-requests", body), ada.delete(&contact));
        match (asked.status, removed.status) {
            (201, 409) => {
                assert_eq!(
                    ada.get(asked.header("location").trim_start_matches("/api/v1")).await.ok()["contact_id"],
                    child
                );
            }
            (422, 204) => asked.violates(&[("contact_id", "unknown")]),
            statuses => panic!("{statuses:?}: {} {}", asked.text, removed.text),
        }
    }
}

#[tokio::test]
async fn contacts_above_the_quota_are_429() {
    let limits = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__CONTACTS_PER_HOUR", "3")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    for _ in 0..3 {
        create_named(&ada, "Byron", "King").await;
    }
    let body = json!({ "first_name": "Byron", "last_name": "King" });
    let refused = ada.post("/contacts", body.clone()).await;
    refused.problem(429, "too-many-requests");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((3000..=3600).contains(&wait), "{wait}");
    assert_eq!(names(&ada, &[]).await.len(), 3);
    create_named(&bob, "Byron", "King").await;
    // Rejected requests do not extend the hour.
    app.clock.advance(chrono::Duration::seconds(wait - 60));
    let ada = ada.on_another_device().await;
    ada.post("/contacts", body.clone()).await.problem(429, "too-many-requests");
    app.clock.advance(chrono::Duration::seconds(61));
    ada.post("/contacts", body).await.created();
}

#[tokio::test]
async fn a_quota_of_zero_forbids_creation() {
    let limits = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__CONTACTS_PER_HOUR", "0")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let body = json!({ "first_name": "Byron", "last_name": "King" });
    let response = app.patient().await.post("/contacts", body).await;
    response.problem(429, "too-many-requests");
    assert_eq!(response.header("retry-after"), "3600");
}

#[tokio::test]
async fn of_forty_concurrent_requests_only_the_quota_succeeds() {
    let limits = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__CONTACTS_PER_HOUR", "10")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let ada = app.patient().await;
    let body = json!({ "first_name": "Byron", "last_name": "King" });
    let responses = futures_util::future::join_all((0..40).map(|_| ada.post("/contacts", body.clone()))).await;
    let made = responses.iter().filter(|response| response.status == 201).count();
    assert_eq!((made, responses.iter().filter(|response| response.status == 429).count()), (10, 30));
}

/// The index of the list has a row of bounded size, whatever is in it.
#[tokio::test]
async fn the_longest_contact_is_stored_and_found() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    // Each of these characters becomes three of three or four octets.
    for (first, last) in [("각", "갂"), ("\u{1d160}", "\u{1d161}")] {
        let emails = (0..20).map(|number| {
            let domain: Vec<String> = (0..3).map(|part| format!("{number}{part}{}", "x".repeat(55))).collect();
            json!({ "value": format!("{}@{}.example", "y".repeat(60), domain.join(".")), "label": "l".repeat(50) })
        });
        let emails: Vec<Value> = emails.collect();
        let numbers: Vec<Value> =
            (0..20).map(|number| json!({ "value": format!("{number}{}", "1".repeat(29)) })).collect();
        let body = json!({
            "first_name": first.repeat(100), "last_name": last.repeat(100), "organization": "곱".repeat(200),
            "emails": emails, "phone_numbers": numbers, "note": "x".repeat(2000),
        });
        let contact = ada.post("/contacts", body).await.created();
        assert_eq!(contact["emails"].as_array().unwrap().len(), 20);
        let found = ada.get(&format!("/contacts?email={}", &emails[0]["value"].as_str().unwrap()[..100])).await.ok();
        assert_eq!(found["items"][0]["id"], contact["id"]);
        ada.delete(&format!("/contacts/{}", contact["id"].as_str().unwrap())).await.no_content();
    }
}
