//! Demo data: accounts, contacts with birthdays around today, centres, slots and lots, vaccine requests in every status,
//! doses, a waitlist, and an invitation.
//! On the same day, the same seed gives the same data, except for the password hash.

mod doses;
mod names;
mod source;
mod timetable;

use chrono::{Duration, NaiveTime};
use entity::{
    PasswordHash, RequestStatus, Role, WaitlistStatus, invitations, patients as patients_table, slots, users,
    vaccine_requests, vaccines, waitlist_entries,
};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveModelTrait as _, ConnectionTrait, EntityTrait, QueryOrder, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::auth::keys::Keyring;
use crate::domain::contacts::contacts;
use crate::domain::vaccination::{invitation_codes, patients};
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result};
use doses::GivenDose;
use source::Source;
use timetable::Timetable;

/// Password of the demo accounts in development.
pub const PASSWORD: &str = "care4u demo";

/// E-mail of the demo account with the role staff.
pub const STAFF: &str = "staff@demo.example";

/// Rows per statement.
const BATCH: u32 = 500;

/// Minimum number of vaccine requests, so that there are some in each status.
const MIN_REQUESTS: u32 = 21;

const STATUSES: [RequestStatus; 7] = [
    RequestStatus::Pending,
    RequestStatus::Approved,
    RequestStatus::Rejected,
    RequestStatus::Booked,
    RequestStatus::Administered,
    RequestStatus::Missed,
    RequestStatus::Cancelled,
];

/// Amounts of demo data.
#[derive(Debug)]
pub struct Plan {
    /// Number of patients; one account with the role staff is added.
    pub users: u32,
    /// Number of contacts of all patients together.
    pub contacts: u32,
    /// Seed of the random number generator.
    pub rng_seed: u64,
}

/// What was added.
#[derive(Debug)]
pub struct Filled {
    /// Number of vaccine requests.
    pub requests: u32,
    /// Code of an invitation, if there is a vaccine.
    pub invitation_code: Option<String>,
}

/// Adds demo data in one transaction. `keys` derive the code of an invitation. `progress` is called with the number of
/// contacts of each batch.
///
/// # Errors
/// Returns `Conflict::EmailTaken` if there are demo accounts already. Database errors.
pub async fn fill(
    db: &impl Transact,
    clock: &Clock,
    keys: &Keyring,
    password_hash: &PasswordHash,
    plan: &Plan,
    progress: impl Fn(u64),
) -> Result<Filled> {
    let catalogue = vaccines::Entity::find().order_by_asc(vaccines::Column::Code).all(db).await?;
    let mut source = Source::new(plan, clock.now());
    let transaction = db.begin().await?;
    let (staff_id, accounts) = add_users(&transaction, &mut source, plan, password_hash).await?;
    let ids: Vec<_> = accounts.iter().map(|user| user.id).collect();
    let first_contacts = add_contacts(&transaction, &mut source, plan, &ids, progress).await?;
    let people = add_patients(&transaction, &mut source, accounts, first_contacts).await?;
    let mut timetable = Timetable::add(&transaction, &mut source, staff_id).await?;
    let requests = add_requests(&transaction, &mut source, &catalogue, staff_id, &people, &mut timetable).await?;
    let centre_id = timetable.centre_id;
    doses::add(&transaction, &mut source, &catalogue, centre_id, staff_id, &requests.given).await?;
    add_waitlist(&transaction, &mut source, requests.waiting, timetable.new_centre_id).await?;
    timetable.add_free_slots(&transaction, &mut source, &catalogue).await?;
    count(&transaction).await?;
    let invitation_code = match catalogue.first() {
        Some(vaccine) => Some(add_invitation(&transaction, &mut source, keys, vaccine.course_id, staff_id).await?),
        None => None,
    };
    transaction.commit().await?;
    Ok(Filled { requests: requests.count, invitation_code })
}

/// Inserts the accounts; returns the id of the staff account, and the patients.
async fn add_users(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    password_hash: &PasswordHash,
) -> Result<(Uuid, Vec<users::Model>)> {
    let mut added = Vec::new();
    let mut rows = Vec::new();
    for number in 0..=plan.users {
        let (id, created_at) = source.next_id();
        let (name, role, email) = match number {
            0 => (names::random_name(&mut source.rng), Role::Staff, STAFF.to_owned()),
            number => (names::random_name(&mut source.rng), Role::Patient, format!("patient{number}@demo.example")),
        };
        let name = name.full();
        rows.push(users::Model {
            id,
            name,
            email,
            password_hash: password_hash.clone(),
            role,
            nid: None,
            nid_key: None,
            nid_verified_at: None,
            phone_number: Some(source.phone_number()),
            address: None,
            birth_date: source.birth_date(18, 90),
            email_verified_at: Some(created_at),
            disabled_at: None,
            time_zone: None,
            created_at,
            updated_at: created_at,
        });
        if rows.len() >= batch() || number == plan.users {
            let rows = std::mem::take(&mut rows);
            let models = rows.iter().cloned().map(|user| users::ActiveModel::from(user).reset_all());
            users::Entity::insert_many(models).exec_without_returning(db).await?;
            user_words::insert(
                db,
                rows.iter().map(|user| {
                    let phone_number = user.phone_number.as_deref();
                    (user.id, Searchable { name: &user.name, email: &user.email, phone_number })
                }),
            )
            .await?;
            added.extend(rows);
        }
    }
    let patients = added.split_off(1);
    Ok((added.first().map(|staff| staff.id).unwrap_or_default(), patients))
}

/// Inserts the contacts, evenly distributed over the patients. Returns the first contact of each patient, if any.
async fn add_contacts(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    patients: &[Uuid],
    progress: impl Fn(u64),
) -> Result<Vec<Option<entity::contacts::Model>>> {
    let mut first = Vec::new();
    let (per_patient, remainder) = (plan.contacts / plan.users, plan.contacts % plan.users);
    let mut rows = Vec::new();
    for (patient, index) in patients.iter().zip(0_u32..) {
        let count = per_patient + u32::from(index < remainder);
        for number in 0..count {
            let (id, created_at) = source.next_id();
            let contact = contacts::row(id, *patient, None, source.contact(number)?, (0, created_at))?;
            if number == 0 {
                first.push(Some(contact.clone()));
            }
            rows.push(contact);
            if rows.len() >= batch() {
                add_batch(db, &mut rows, &progress).await?;
            }
        }
        if count == 0 {
            first.push(None);
        }
    }
    add_batch(db, &mut rows, &progress).await?;
    Ok(first)
}

async fn add_batch(
    db: &impl ConnectionTrait,
    rows: &mut Vec<entity::contacts::Model>,
    progress: &impl Fn(u64),
) -> Result<()> {
    let count = u64::try_from(rows.len()).unwrap_or(0);
    if count > 0 {
        db.execute(&contacts::insert(std::mem::take(rows))?).await?;
        progress(count);
    }
    Ok(())
}

/// A person with an account, and one in their care, by their ids as patients.
struct Person {
    user_id: Uuid,
    own: Uuid,
    dependant: Option<Uuid>,
}

/// Inserts a patient for each account, and for its first contact.
async fn add_patients(
    db: &impl ConnectionTrait,
    source: &mut Source,
    accounts: Vec<users::Model>,
    first_contacts: Vec<Option<entity::contacts::Model>>,
) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    let mut rows = Vec::new();
    for (user, contact) in accounts.into_iter().zip(first_contacts) {
        let user_id = user.id;
        let mut add = |mut row: patients_table::ActiveModel| {
            let (id, _) = source.next_id();
            row.id = Set(id);
            rows.push(row);
            id
        };
        let created_at = user.created_at;
        let own = add(patients::from_account(user, created_at));
        let dependant = contact.map(|contact| {
            let created_at = contact.created_at;
            add(patients::from_contact(contact, created_at))
        });
        people.push(Person { user_id, own, dependant });
    }
    for rows in rows.chunks(batch()) {
        patients_table::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
        let names = rows.iter().map(|row| match (&row.id, &row.name) {
            (Set(id), Set(Some(name))) => (*id, name.as_str()),
            _ => (Uuid::nil(), ""),
        });
        patients::insert_words(db, names).await?;
    }
    Ok(people)
}

/// Sets the counters of slots and patients.
async fn count(db: &impl ConnectionTrait) -> Result<()> {
    use vaccine_requests::Column;
    let counted = |condition: Expr, its: Expr| {
        let query = Query::select()
            .expr(Expr::cust("count(*)"))
            .from(vaccine_requests::Entity)
            .and_where(condition)
            .and_where(its)
            .to_owned();
        Expr::SubQuery(None, Box::new(query.into()))
    };
    let status = || Expr::col((vaccine_requests::Entity, Column::Status));
    let its_slot = Expr::col(Column::SlotId).eq(Expr::col((slots::Entity, slots::Column::Id)));
    let booked = counted(Expr::cust("1 = 1"), its_slot);
    slots::Entity::update_many().col_expr(slots::Column::Booked, booked).exec(db).await?;
    let its_patient = Expr::col(Column::PatientId).eq(Expr::col((patients_table::Entity, patients_table::Column::Id)));
    let is_open = [RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked];
    let open = counted(status().is_in(is_open), its_patient);
    patients_table::Entity::update_many().col_expr(patients_table::Column::OpenRequests, open).exec(db).await?;
    Ok(())
}

/// Vaccine requests that were inserted.
struct AddedRequests {
    count: u32,
    /// Ids of requests that wait for a place, with their course.
    waiting: Vec<(Uuid, Uuid)>,
    /// Requests whose dose was given.
    given: Vec<GivenDose>,
}

/// Inserts vaccine requests of all people in rotation; every third one is for a contact. Every second one that is approved
/// waits.
async fn add_requests(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    staff_id: Uuid,
    people: &[Person],
    timetable: &mut Timetable,
) -> Result<AddedRequests> {
    let max = people.len().saturating_mul(catalogue.len());
    let count = Ord::max(people.len(), usize::try_from(MIN_REQUESTS).unwrap_or(0)).min(max);
    // In each round every person has another vaccine, and neighbours have different ones.
    let vaccines = (0..catalogue.len()).flat_map(|round| catalogue.iter().cycle().skip(round).take(people.len()));
    let combinations = people.iter().cycle().zip(vaccines).zip(STATUSES.into_iter().cycle());
    let mut rows = Vec::new();
    let (mut waiting, mut given_doses) = (Vec::new(), Vec::new());
    for (number, ((person, vaccine), status)) in combinations.take(count).enumerate() {
        let (id, created_at) = source.next_id();
        let is_reviewed = !matches!(status, RequestStatus::Pending | RequestStatus::Cancelled);
        if status == RequestStatus::Approved && number % 2 == 0 {
            waiting.push((id, vaccine.course_id));
        }
        let reason = (status == RequestStatus::Rejected).then(|| "This dose was given before.".to_owned());
        let slot_id = match status {
            RequestStatus::Booked | RequestStatus::Missed | RequestStatus::Administered => {
                Some(timetable.slot(db, source, vaccine.id, status).await?)
            }
            _ => None,
        };
        let patient_id = person.dependant.filter(|_| number % 3 == 0).unwrap_or(person.own);
        let given = (status == RequestStatus::Administered).then_some(slot_id).flatten();
        if let Some(slot) = given {
            let (vaccine_id, course_id) = (vaccine.id, vaccine.course_id);
            given_doses.push(GivenDose { request_id: id, patient_id, vaccine_id, course_id, slot });
        }
        rows.push(vaccine_requests::ActiveModel {
            id: Set(id),
            user_id: Set(Some(person.user_id)),
            patient_id: Set(patient_id),
            vaccine_id: Set(vaccine.id),
            course_id: Set(vaccine.course_id),
            dose_number: Set(1),
            status: Set(status),
            note: Set(source.one_in(4).then(|| "I am free on Mondays.".to_owned())),
            reason: Set(reason),
            reviewed_by: Set(is_reviewed.then_some(staff_id)),
            slot_id: Set(slot_id.map(|slot| slot.id)),
            code: Set(slot_id.map(|_| source.code())),
            moves: Set(0),
            invitation_id: Set(None),
            revision: Set(slot_id.map_or(0, |_| 1)),
            checked_in_at: Set(given.map(|slot| slot.starts_at)),
            centre_id: Set(given.map(|_| timetable.centre_id)),
            identified_by: Set(given.map(|_| "passport".to_owned())),
            answers: Set(None),
            created_at: Set(created_at),
            updated_at: Set(created_at),
        });
        if rows.len() >= batch() || number + 1 == count {
            vaccine_requests::Entity::insert_many(std::mem::take(&mut rows)).exec_without_returning(db).await?;
        }
    }
    let count = u32::try_from(count).map_err(Error::internal)?;
    Ok(AddedRequests { count, waiting, given: given_doses })
}

/// Inserts entries of the waitlist, for a centre that has no slots yet.
async fn add_waitlist(
    db: &impl ConnectionTrait,
    source: &mut Source,
    requests: Vec<(Uuid, Uuid)>,
    centre_id: Uuid,
) -> Result<()> {
    let row = |(request_id, course_id)| {
        let (id, created_at) = source.next_id();
        waitlist_entries::ActiveModel {
            id: Set(id),
            request_id: Set(request_id),
            course_id: Set(course_id),
            centre_id: Set(Some(centre_id)),
            from_date: Set(source.today),
            to_date: Set(None),
            priority: Set(0),
            status: Set(WaitlistStatus::Waiting),
            slot_id: Set(None),
            offer_expires_at: Set(None),
            searched_at: Set(Some(created_at)),
            created_at: Set(created_at),
            updated_at: Set(created_at),
        }
    };
    let rows: Vec<_> = requests.into_iter().map(row).collect();
    for rows in rows.chunks(batch()) {
        waitlist_entries::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Inserts an invitation for fifty people. Returns its code.
async fn add_invitation(
    db: &impl ConnectionTrait,
    source: &mut Source,
    keys: &Keyring,
    course_id: Uuid,
    staff_id: Uuid,
) -> Result<String> {
    let (id, created_at) = source.next_id();
    let (code, code_hash) = invitation_codes::new(keys, id);
    let invitation = invitations::ActiveModel {
        id: Set(id),
        code_hash: Set(code_hash),
        label: Set(Some("Health workers".to_owned())),
        email: Set(None),
        nid_key: Set(None),
        course_id: Set(course_id),
        centre_id: Set(None),
        valid_from: Set(created_at),
        valid_until: Set(source.today.and_time(NaiveTime::MIN).and_utc() + Duration::days(90)),
        max_uses: Set(50),
        used: Set(0),
        revoked_at: Set(None),
        created_by: Set(Some(staff_id)),
        created_at: Set(created_at),
    };
    invitations::Entity::insert(invitation).exec_without_returning(db).await?;
    Ok(code.grouped())
}

fn batch() -> usize {
    usize::try_from(BATCH).unwrap_or(1)
}
