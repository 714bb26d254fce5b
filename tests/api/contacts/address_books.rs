//! Import of files that address books and spreadsheets write, and of hostile input.

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::contact_imports::{all_contacts, count, errors, expected, import_csv, warnings};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

async fn import_vcard(owner: &Actor<'_>, file: impl Into<Vec<u8>>) -> Value {
    owner.upload("/contacts/imports", "text/vcard", file).await.created()
}

const PHONE_BOOK: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//iPhone OS 17.0//EN\r\nN:Love\r\n lace;Ada;Augusta;;\r\n\
    FN:Ada Augusta Lovelace\r\nitem1.EMAIL;type=INTERNET:second@example.org\r\nEMAIL;type=INTERNET;type=pref:ada@example.org\r\n\
    TEL;type=CELL:\u{202a}+44\u{a0}20 7946\u{202c}\r\nBDAY;VALUE=date:1985-12-10\r\nNOTE:line one\\nline\\, two\r\n\
    PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=\r\n=B6rg;;;\r\n\
    NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a=0D=0Ab=3D\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:3.0\r\nN:King;Byron;;;\r\nBDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29\r\nEND:VCARD\r\n\
    \r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Grace Brewster Hopper\r\nBDAY:--12-09\r\nEND:VCARD\r\n\
    BEGIN:VCARD\nVERSION:4.0\nN:Noel;Anne;;;\nBDAY:--0922\nTEL;VALUE=uri:tel:+1-555-0100\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:3.0\nN:Utc;Iso;;;\nBDAY:1970-01-02T00:00:00Z\nEND:VCARD\n\
    BEGIN:VCARD\nN:Late;Version;;;\nBDAY:1985-12-10\nTEL;CELL:*86\nTEL;HOME;PREF:1-555-0100,,99\nVERSION:4.0\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nN:Date;Four;;;\nBDAY;VALUE=date:1985-12-10\nTEL;VALUE=uri:tel:+1-555-0100;ext=5\n\
    EMAIL:not an address\nEMAIL:four@example.org\nX-MS-CARDPICTURE;ENCODING=b:AAAA\nBBBB=\n  CCCC\nEND:VCARD\n\
    \u{feff}begin:vcard\nversion:3.0\nn:small;letters;;;\nbday;value=date:19851210\norg:x\n\
    email;type=internet;x-label=\"a label that is long enough to be fo\n lded\":small@example.org\nend:vcard";

#[tokio::test]
async fn csv_files_of_spreadsheets_and_address_books_are_imported() {
    let app = TestApp::start(BACKEND).await;
    for file in [
        "\u{feff}First Name,Middle Name,Last Name,E-mail 1 - Value,Phone 1 - Value,Birthday,Notes\r\nByron,Noel,King,byron@example.org ::: b@example.org,+44 20 7946 0018,--05-12,x\r\n",
        "Given Name;Family Name;E-mail Address;Mobile Phone;Birthday;Notes\nByron;King;byron@example.org;+44 20 7946 0018;--0512;x\n",
        "first_name\tlast_name\temail\tphone_number\tbirth_month\tbirth_day\tnotes\nByron\tKing\tbyron@example.org\t+44 20 7946 0018\t5\t12\tx",
    ] {
        let ada = app.patient().await;
        let report = import_csv(&ada, file).await;
        assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])), "{file}");
        let contact = &all_contacts(&ada).await[0];
        assert_eq!((&contact["email"], &contact["birth_day"]), (&json!("byron@example.org"), &json!(12)));
        assert_eq!((&contact["phone_number"], &contact["note"]), (&json!("+44 20 7946 0018"), &json!("x")));
        assert!(contact["first_name"].as_str().unwrap().starts_with("Byron"));
    }
    // A date of zeros, which a mail program writes for a missing birthday; and a middle name.
    let ada = app.patient().await;
    import_csv(&ada, "First Name,Middle Name,Last Name,Birthday\nAda,Augusta,Lovelace,0/0/00\n").await;
    let lovelace = &all_contacts(&ada).await[0];
    assert_eq!((&lovelace["first_name"], &lovelace["birth_day"]), (&json!("Ada Augusta"), &Value::Null));
}

#[tokio::test]
async fn vcards_of_common_address_books_are_imported() {
    let app = TestApp::start(BACKEND).await;
    for file in [PHONE_BOOK.to_owned(), format!("\u{feff}{PHONE_BOOK}")] {
        let ada = app.patient().await;
        let report = import_vcard(&ada, file).await;
        assert_eq!((&report["imported"], &report["errors"]), (&json!(9), &json!([])), "{report}");
        let contacts = all_contacts(&ada).await;
        let find = |name: &str| {
            contacts.iter().find(|contact| contact["last_name"] == name).unwrap_or_else(|| panic!("{name}"))
        };
        let lovelace = find("Lovelace");
        assert_eq!((&lovelace["first_name"], &lovelace["email"]), (&json!("Ada Augusta"), &json!("ada@example.org")));
        assert_eq!(
            (&lovelace["phone_number"], &lovelace["note"]),
            (&json!("+44 20 7946"), &json!("line one\nline, two"))
        );
        assert_eq!((&lovelace["birth_year"], &lovelace["birth_day"]), (&json!(1985), &json!(10)));
        assert_eq!((&find("Müller")["first_name"], &find("Müller")["note"]), (&json!("Jörg"), &json!("a\nb=")));
        let day = |name: &str| {
            let contact = find(name);
            (contact["birth_year"].as_i64(), contact["birth_month"].as_i64(), contact["birth_day"].as_i64())
        };
        assert_eq!(day("King"), (None, Some(2), Some(29)));
        assert_eq!(day("Hopper"), (None, Some(12), Some(9)));
        assert_eq!(day("Noel"), (None, Some(9), Some(22)));
        assert_eq!(day("Utc"), (Some(1970), Some(1), Some(2)));
        assert_eq!((day("Late"), day("Date")), ((Some(1985), Some(12), Some(10)), (Some(1985), Some(12), Some(10))));
        assert_eq!(
            (&find("Late")["phone_number"], &find("Date")["phone_number"]),
            (&json!("1-555-0100,,99"), &json!("+1-555-0100 x5"))
        );
        assert_eq!(find("Date")["email"], "four@example.org");
        assert_eq!(
            (day("small"), &find("small")["email"]),
            ((Some(1985), Some(12), Some(10)), &json!("small@example.org"))
        );
        assert_eq!(
            (&find("Hopper")["first_name"], &find("Noel")["phone_number"]),
            (&json!("Grace Brewster"), &json!("+1-555-0100"))
        );
    }
}

#[tokio::test]
async fn invalid_cards_are_reported_and_do_not_affect_others() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let card = |lines: &str| format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{lines}\r\nEND:VCARD\r\n");
    let file = [
        card("N:King;Byron;;;"),
        "What is this?\r\n".to_owned(),
        card("FN:Mum"),
        card("N:King;Feb;;;\r\nBDAY:20230230"),
        card("N:King;Word;;;\r\nBDAY;VALUE=text:circa 1800"),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nN:King;Cut;;;\r\n".to_owned(),
        card("N:King;Ralph;;;"),
        card("KIND:group\r\nFN:The Analytical Society"),
        card("N:;;;;\r\nFN:Difference Engine Ltd\r\nX-ABShowAs:COMPANY"),
        card(&format!("N:King;Long;;;\r\nNOTE:{}", "x".repeat(100_000))),
        card(&format!("N:King;Photo;;;\r\nPHOTO:{}\r\n {}", "A".repeat(100_000), "B".repeat(100_000))),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nN:King;Half;;;\r\nNOTE:and th".to_owned(),
    ];
    let report = import_vcard(&ada, file.concat()).await;
    assert_eq!(
        errors(&report),
        expected(&[
            (5, ".", "vcard"),
            (20, ".", "incomplete"),
            (27, "kind", "kind"),
            (38, ".", "length"),
            (49, ".", "incomplete"),
        ])
    );
    assert_eq!(warnings(&report), expected(&[(10, "birth_day", "date"), (15, "birthday", "date")]));
    assert_eq!((&report["imported"], &report["rejected"]), (&json!(7), &json!(5)));
    let raw = [
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:M\xfcller;J;;;\r\nEND:VCARD\r\n".as_slice(),
        card("N:King;Anne;;;").as_bytes(),
    ]
    .concat();
    let report = import_vcard(&ada, raw).await;
    assert_eq!((errors(&report), &report["imported"]), (expected(&[(1, ".", "encoding")]), &json!(1)));
}

#[tokio::test]
async fn a_row_that_is_too_long_is_reported_and_the_next_one_is_read() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let head = "first_name,last_name,notes\n";
    let long = format!("{head}{},King,\nByron,King,\nAnne,{},\nRalph,King,\n", "x".repeat(200_000), ",".repeat(9000));
    let report = import_csv(&ada, long).await;
    assert_eq!(errors(&report), expected(&[(2, ".", "length"), (4, ".", "length")]));
    assert_eq!(report["imported"], 2);
    // Cut off within quotes: the incomplete row is not imported.
    for cut in
        ["Anne,King,\"Allergic to eg", "Anne,King,\"oops\nEve,King,x\nMary,King,y\n", "Anne,a 5\" b,\"cut off\n\n"]
    {
        let report = import_csv(&ada, format!("{head}Ada,King,\"whole\"\n{cut}")).await;
        assert_eq!((errors(&report), &report["imported"]), (expected(&[(3, ".", "incomplete")]), &json!(1)), "{cut}");
    }
    assert_eq!(count(&app, &ada).await, 5);
    // A quote within an unquoted field is an ordinary character.
    let report = import_csv(&ada, format!("{head}Tall,King,5'10\" tall")).await;
    assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn lines_are_counted_with_every_line_ending() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (file, line) in [
        ("first_name,last_name\rA,B\r,\r", 3),
        ("sep=;\r\nfirst_name;last_name\r\nA;B\r\n;\r\n", 4),
        ("\r\n\r\nfirst_name;last_name\r\nA;B\r\n;", 5),
        ("first_name,last_name\nA,B\n\n\n,\n", 5),
    ] {
        let report = import_csv(&ada, file).await;
        assert_eq!(
            (errors(&report), &report["imported"]),
            (expected(&[(line, "first_name", "required")]), &json!(1)),
            "{file:?}"
        );
    }
}

/// Strategy for arbitrary texts, in the form in which they are stored.
fn text(most: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        3 => proptest::sample::select(vec![',', ';', ':', '"', '\'', '\\', '=', ' ', '-', '%', '\u{feff}', '\u{202e}', '\u{301}', '\u{85}']),
        2 => any::<char>(),
    ];
    proptest::collection::vec(character, 1..most).prop_map(|characters| {
        let text: String = characters.into_iter().filter(|c| !c.is_control()).collect();
        let text = text.trim().to_owned();
        if text.is_empty() { "x".to_owned() } else { text }
    })
}

/// Strategy for notes of several lines.
fn notes() -> impl Strategy<Value = String> {
    proptest::collection::vec(text(30), 1..4).prop_map(|lines| lines.join("\n").trim().to_owned())
}

#[test]
fn any_contact_survives_an_export_and_import_unchanged() {
    use care4u::domain::contacts::address_book::{CardVersion, Cells, ReadOptions, WriteOptions, head, read, write};
    use care4u::domain::contacts::contact_points::{ContactPoint, Label};
    use care4u::domain::contacts::contacts::{NewContact, Note, row};
    use care4u::domain::contacts::names::{Names, OrganizationName};
    use care4u::domain::contacts::uids::Uid;
    use care4u::domain::values::birthday::Birthday;
    use care4u::domain::values::email::Email;
    use care4u::domain::values::person::{ContactNumber, NamePart};
    use entity::ContactFormat;
    use proptest::{collection::vec, option, sample::select};

    let latest = care4u::domain::values::person::latest_birth_date();
    let mut runner = proptest::test_runner::TestRunner::default();
    let signs = select("0123456789+ ()-./*#,;x".chars().collect::<Vec<_>>());
    let number = vec(signs, 0..28).prop_map(|signs| format!("55{}0", signs.into_iter().collect::<String>()));
    let label = prop_oneof![select(vec!["home", "work", "mobile"]).prop_map(str::to_owned), text(40)];
    let numbers = vec((option::of(label.clone()), number), 0..3);
    let emails =
        vec((option::of(label), select(vec!["o'neil+tag@example.org", "b@example.org", "c@example.org"])), 0..3);
    // At least one of the three.
    let names = (option::of(text(40)), option::of(text(40)), option::of(text(80)), text(40));
    let contact = (
        (names, option::of(notes()), numbers, emails, option::of(text(80))),
        (1_i16..=12, 1_i16..=31, option::of(1900_i16..2020)),
    );
    let line = |text: &Option<String>| text.as_deref().map(|text| NamePart::parse(text).unwrap());
    let strategy_result = runner.run(&contact, |((names, notes, numbers, emails, uid), (month, day, year))| {
        let birthday = Birthday::try_from_parts(Some(month), Some(day), year, latest).ok().flatten();
        let (first, last, organization, fallback) = names;
        let organization = organization.as_deref().map(|text| OrganizationName::parse(text).unwrap());
        let first = line(&first)
            .or_else(|| (last.is_none() && organization.is_none()).then(|| NamePart::parse(&fallback).unwrap()));
        let label = |label: Option<String>| label.map(|label| Label::parse(&label).unwrap());
        let mut emails: Vec<_> = emails
            .into_iter()
            .map(|(text, email)| ContactPoint { label: label(text), value: Email::parse(email).unwrap() })
            .collect();
        emails.dedup_by_key(|point| point.value.as_str().to_owned());
        let mut phone_numbers: Vec<_> = numbers
            .into_iter()
            .map(|(text, number)| ContactPoint { label: label(text), value: ContactNumber::parse(&number).unwrap() })
            .collect();
        phone_numbers.dedup_by_key(|point| point.value.clone().into_string());
        let new = NewContact {
            uid: uid.map(|uid| Uid::parse(&uid).unwrap()),
            names: Names::new(first, line(&last), organization).unwrap(),
            emails,
            phone_numbers,
            birthday,
            note: notes.map(|notes| Note::parse(&notes).unwrap()),
        };
        let kept = row(Uuid::now_v7(), Uuid::nil(), None, new.clone(), (1, chrono::Utc::now())).unwrap();
        let plain = Cells::default();
        let versions = [CardVersion::V3, CardVersion::V4];
        let vcards = versions.map(|version| WriteOptions { format: ContactFormat::VCard, version, cells: plain });
        let marked = Cells { has_byte_order_mark: true, are_safe: false };
        let csvs =
            [plain, marked].map(|cells| WriteOptions { format: ContactFormat::Csv, version: CardVersion::V4, cells });
        for options in vcards.into_iter().chain(csvs) {
            let mut file = head(options);
            // Between two other contacts, so that a leak into them is detected.
            file.extend(write(options, [&kept, &kept, &kept]).unwrap());
            let mut rows = Vec::new();
            let cursor = std::io::Cursor::new(&file);
            let unused = read(options.format, cursor, ReadOptions::default(), |found| {
                rows.push(found);
                true
            });
            prop_assert!(unused.unwrap().is_empty());
            prop_assert_eq!(rows.len(), 3);
            for found in rows {
                prop_assert!(found.warnings.is_empty(), "{:?} in {:?}", found, String::from_utf8_lossy(&file));
                let Ok(back) = found.contact else {
                    return Err(TestCaseError::fail(format!("{:?} in {:?}", found, String::from_utf8_lossy(&file))));
                };
                // Its own UID says nothing new about a contact without one.
                let back = row(kept.id, kept.user_id, None, back, (1, kept.created_at)).unwrap();
                prop_assert_eq!(&back, &kept, "{}", String::from_utf8_lossy(&file));
            }
        }
        Ok(())
    });
    strategy_result.unwrap();
}
