//! Bounds: the OpenAPI schema of a member, its entity and its column in the migrated database have the same length.

use std::collections::BTreeMap;

use entity::{
    account_codes, centres, contacts, courses, immunizations, invitations, lots, patients, slots, users,
    vaccine_requests, vaccines,
};
use sea_orm::sea_query::{ColumnType, StringLen};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, Statement};
use serde_json::Value;

use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::contract::DOCUMENT;

/// Column as its entity declares it.
struct Stored {
    table: &'static str,
    column: &'static str,
    kind: ColumnType,
}

fn stored(column: impl ColumnTrait) -> Stored {
    let table = column.entity_name().to_string();
    Stored {
        table: Box::leak(table.into_boxed_str()),
        column: column.as_str(),
        kind: column.def().get_column_type().clone(),
    }
}

/// Column of a member of a request body; none for members without a column.
fn column_of(schema: &str, member: &str) -> Option<Stored> {
    Some(match (schema, member) {
        ("RegisterAccount" | "UpdateProfile", "name") => stored(users::Column::Name),
        (
            "RegisterAccount" | "LogIn" | "ChangeEmail" | "AccountEmail" | "MailedCode" | "VerifyEmail" | "SetEmail",
            "email",
        ) => stored(users::Column::Email),
        ("RegisterAccount" | "UpdateProfile" | "VerifyNid", "nid") => stored(users::Column::Nid),
        ("RegisterAccount" | "UpdateProfile", "phone_number") => stored(users::Column::PhoneNumber),
        ("RegisterAccount" | "UpdateProfile", "address") => stored(users::Column::Address),
        ("UpdateProfile", "time_zone") => stored(users::Column::TimeZone),
        ("CreateContact" | "UpdateContact", "first_name") => stored(contacts::Column::FirstName),
        ("CreateContact" | "UpdateContact", "last_name") => stored(contacts::Column::LastName),
        ("CreateContact" | "UpdateContact", "organization") => stored(contacts::Column::Organization),
        ("CreateContact" | "UpdateContact", "email") => stored(contacts::Column::Email),
        ("CreateContact" | "UpdateContact", "phone_number") => stored(contacts::Column::PhoneNumber),
        ("CreateContact" | "UpdateContact", "note") => stored(contacts::Column::Note),
        ("CreateContact" | "UpdateContact", "birth_month") => stored(contacts::Column::BirthMonth),
        ("CreateContact" | "UpdateContact", "birth_day") => stored(contacts::Column::BirthDay),
        ("CreateContact" | "UpdateContact", "birth_year") => stored(contacts::Column::BirthYear),
        ("CreateVaccine", "code") => stored(vaccines::Column::Code),
        ("CreateVaccine" | "UpdateVaccine", "name") => stored(vaccines::Column::Name),
        ("CreateVaccine" | "UpdateVaccine", "manufacturer") => stored(vaccines::Column::Manufacturer),
        ("CreateVaccine" | "UpdateVaccine", "doses") => stored(vaccines::Column::Doses),
        ("CreateVaccine" | "UpdateVaccine", "min_interval_days") => stored(vaccines::Column::MinIntervalDays),
        ("CreateVaccine" | "UpdateVaccine", "min_age_months") => stored(vaccines::Column::MinAgeMonths),
        ("CreateVaccine" | "UpdateVaccine", "max_age_months") => stored(vaccines::Column::MaxAgeMonths),
        ("CreateVaccineRequest" | "UpdateVaccineRequest", "note") => stored(vaccine_requests::Column::Note),
        ("CreateVaccineRequest" | "UpdateVaccineRequest", "dose_number") => {
            stored(vaccine_requests::Column::DoseNumber)
        }
        ("RejectVaccineRequest", "reason") => stored(vaccine_requests::Column::Reason),
        ("CreateVaccine", "cvx_code") => stored(vaccines::Column::CvxCode),
        ("CreateLot", "lot_number") => stored(lots::Column::LotNumber),
        ("CreateLot" | "UpdateLot", "received") => stored(lots::Column::Received),
        ("UpdateLot", "wasted") => stored(lots::Column::Wasted),
        ("AdministerDose", "site") => stored(immunizations::Column::Site),
        ("AdministerDose", "route") => stored(immunizations::Column::Route),
        ("AdministerDose", "override_reason") => stored(immunizations::Column::OverrideReason),
        ("CheckInPatient" | "CreateWalkIn", "identified_by") => stored(vaccine_requests::Column::IdentifiedBy),
        ("CreateWalkIn", "dose_number") => stored(vaccine_requests::Column::DoseNumber),
        // It is needed again when the dose is given.
        ("CheckInPatient" | "CreateWalkIn", "override_reason") => return None,
        ("ReportDose", "lot_number") => stored(immunizations::Column::LotNumber),
        ("CreateCourse", "code") => stored(courses::Column::Code),
        ("CreateCourse", "name") => stored(courses::Column::Name),
        ("CreateCentre" | "UpdateCentre", "name") => stored(centres::Column::Name),
        ("CreateCentre" | "UpdateCentre", "address") => stored(centres::Column::Address),
        ("CreateCentre" | "UpdateCentre", "city") => stored(centres::Column::City),
        ("CreateCentre" | "UpdateCentre", "postal_code") => stored(centres::Column::PostalCode),
        ("CreateCentre" | "UpdateCentre", "time_zone") => stored(centres::Column::TimeZone),
        ("CreateCentre" | "UpdateCentre", "phone_number") => stored(centres::Column::PhoneNumber),
        ("CreateSlot" | "UpdateSlot" | "CreateCalendar", "capacity") => stored(slots::Column::Capacity),
        ("CloseSlot" | "CloseDay", "reason") => stored(slots::Column::ClosedReason),
        ("CreateInvitation", "label") => stored(invitations::Column::Label),
        ("CreateInvitation", "email") => stored(invitations::Column::Email),
        ("CreateInvitation", "nid") => stored(invitations::Column::NidKey),
        ("CreateInvitation", "max_uses") => stored(invitations::Column::MaxUses),
        ("UpdatePatient", "birth_month") => stored(patients::Column::BirthMonth),
        ("UpdatePatient", "birth_day") => stored(patients::Column::BirthDay),
        ("UpdatePatient", "birth_year") => stored(patients::Column::BirthYear),
        // The name of a contact, which has two parts, fits too.
        ("UpdatePatient", "name") => return None,
        // Coordinates are numbers with a fraction; times of a calendar become the instants of slots.
        ("CreateCentre" | "UpdateCentre", "latitude" | "longitude") => return None,
        ("CreateCalendar", "opens" | "closes" | "slot_minutes") => return None,
        // It is not stored.
        ("CheckEligibility", "dose_number") => return None,
        // Secrets are only stored as hashes.
        (_, "password" | "current_password" | "new_password" | "reset_token" | "flow") => return None,
        _ => panic!("{schema}.{member} has a bound; say here which column it is stored in, or that there is none"),
    })
}

/// Returns the request bodies with a schema of their own: its name and its content.
fn bodies() -> BTreeMap<&'static str, &'static Value> {
    let mut bodies = BTreeMap::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
            for (media_type, body) in content.iter().filter(|(media_type, _)| media_type.ends_with("json")) {
                let reference = body["schema"]["$ref"].as_str();
                let reference =
                    reference.unwrap_or_else(|| panic!("{method} {path}: {media_type} has no named schema"));
                let name = reference.rsplit('/').next().unwrap();
                bodies.insert(name, &DOCUMENT["components"]["schemas"][name]);
            }
        }
    }
    bodies
}

/// Returns the members with bounds of every request body: schema, member, member schema.
fn bounded_members() -> Vec<(&'static str, &'static str, &'static Value)> {
    let bounds = ["maxLength", "minimum", "maximum"];
    let mut members = Vec::new();
    for (name, body) in bodies() {
        for (member, schema) in body["properties"].as_object().unwrap() {
            let has_bound = bounds.iter().any(|bound| schema.get(bound).is_some());
            let mut without_example = schema.clone();
            without_example.as_object_mut().unwrap().remove("example");
            let text = without_example.to_string();
            let hides_bound = !has_bound && bounds.iter().any(|bound| text.contains(&format!("\"{bound}\"")));
            assert!(!hides_bound, "{name}.{member} has its bounds in a schema within its schema: {text}");
            if has_bound {
                members.push((name, member.as_str(), schema));
            }
        }
    }
    members
}

/// Returns the declared length of a column in the database.
async fn declared_length(db: &impl ConnectionTrait, table: &str, column: &str) -> Option<i64> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT character_maximum_length::bigint FROM information_schema.columns \
             WHERE table_name = '{table}' AND column_name = '{column}'"
        ),
        _ => format!("SELECT type FROM pragma_table_info('{table}') WHERE name = '{column}'"),
    };
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let row = row.unwrap_or_else(|| panic!("there is no column {table}.{column}"));
    match db.get_database_backend() {
        DbBackend::Postgres => row.try_get_by_index(0).unwrap(),
        _ => {
            let kind: String = row.try_get_by_index(0).unwrap();
            kind.split(['(', ')']).nth(1).and_then(|length| length.parse().ok())
        }
    }
}

#[tokio::test]
async fn the_length_of_a_text_is_the_same_in_openapi_entity_and_column() {
    let app = TestApp::start(BACKEND).await;
    let mut compared = 0;
    for (schema, member, value) in bounded_members() {
        let Some(length) = value["maxLength"].as_i64() else { continue };
        let Some(Stored { table, column, kind }) = column_of(schema, member) else { continue };
        let ColumnType::String(StringLen::N(in_entity)) = kind else {
            panic!("{table}.{column} is not a text: {kind:?}")
        };
        let in_database = declared_length(&app.state().db, table, column).await;
        assert_eq!(
            (i64::from(in_entity), in_database),
            (length, Some(length)),
            "{schema}.{member}: entity and database differ from OpenAPI"
        );
        compared += 1;
    }
    assert!(compared >= 24, "only {compared} members were compared");
}

#[test]
fn a_number_within_its_bounds_fits_its_column() {
    let mut compared = 0;
    for (schema, member, value) in bounded_members() {
        let Some(minimum) = value["minimum"].as_i64() else { continue };
        let Some(Stored { table, column, kind }) = column_of(schema, member) else { continue };
        let (least, greatest) = match kind {
            ColumnType::SmallInteger => (i64::from(i16::MIN), i64::from(i16::MAX)),
            ColumnType::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
            kind => panic!("{table}.{column} is not a number: {kind:?}"),
        };
        let maximum = value["maximum"].as_i64().unwrap_or(9999);
        assert!(least <= minimum && maximum <= greatest, "{schema}.{member}: {minimum} to {maximum}");
        compared += 1;
    }
    assert!(compared >= 14, "only {compared} members were compared");
}

#[tokio::test]
async fn the_email_column_of_codes_is_as_long_as_that_of_accounts() {
    let app = TestApp::start(BACKEND).await;
    let Stored { table, column, .. } = stored(account_codes::Column::Email);
    let length = declared_length(&app.state().db, table, column).await;
    assert_eq!(length, declared_length(&app.state().db, "users", "email").await);
}

#[test]
fn the_example_of_every_request_body_fits_its_schema() {
    let bodies = bodies();
    assert!(bodies.len() >= 16, "only {} bodies", bodies.len());
    for (name, body) in bodies {
        let mut schema = body.clone();
        schema["components"] = DOCUMENT["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&body["example"]).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "the example of {name}: {errors:?}");
    }
}

#[test]
fn every_id_is_documented_as_a_uuid() {
    let mut ids = Vec::new();
    for (name, body) in bodies() {
        let properties = body["properties"].as_object().unwrap().iter();
        ids.extend(properties.map(|(member, schema)| (format!("{name}.{member}"), schema)));
    }
    let operations = DOCUMENT["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
    for (_, operation) in operations {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (operation, name) = (&operation["operationId"], parameter["name"].as_str().unwrap());
            ids.push((format!("{operation}.{name}"), &parameter["schema"]));
        }
    }
    ids.retain(|(name, _)| name.ends_with("_id"));
    assert!(ids.len() >= 8, "only {} ids", ids.len());
    for (name, schema) in ids {
        assert_eq!(schema["format"], "uuid", "{name}: {schema}");
    }
}
