//! Demo data: accounts, contacts with birthdays around today, and vaccine requests in every status. On the same day,
//! the same seed gives the same data, except for the password hash.

mod names;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use entity::{PasswordHash, RequestStatus, Role, users, vaccine_requests, vaccines};
use fastrand::Rng;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users::search_text;
use crate::domain::contacts::contacts::{self, NewContact, Note};
use crate::domain::values::birthday::Birthday;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, NamePart};
use crate::error::{Error, Result};

/// Password of the demo accounts in development.
pub const PASSWORD: &str = "care4u demo";

/// E-mail of the demo account with the role staff.
pub const STAFF: &str = "staff@demo.example";

/// Rows per statement.
const BATCH: u32 = 500;

/// Number of days before today over which the creation times are spread.
const PAST_DAYS: i64 = 90;

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

/// Adds demo data in one transaction and returns the number of vaccine requests. `progress` is called with the number
/// of contacts of each batch.
///
/// # Errors
/// Returns `Conflict::EmailTaken` if there are demo accounts already. Database errors.
pub async fn fill(
    db: &impl Transact,
    clock: &Clock,
    password_hash: &PasswordHash,
    plan: &Plan,
    progress: impl Fn(u64),
) -> Result<u32> {
    let catalogue = vaccines::Entity::find().order_by_asc(vaccines::Column::Code).all(db).await?;
    let mut source = Source::new(plan, clock.now());
    let transaction = db.begin().await?;
    let (staff_id, patients) = add_users(&transaction, &mut source, plan, password_hash).await?;
    let first_contacts = add_contacts(&transaction, &mut source, plan, &patients, progress).await?;
    let people: Vec<_> = patients.into_iter().zip(first_contacts).collect();
    let requests = add_requests(&transaction, &mut source, &catalogue, staff_id, &people).await?;
    transaction.commit().await?;
    Ok(requests)
}

/// Inserts the accounts; returns the id of the staff account and those of the patients.
async fn add_users(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    password_hash: &PasswordHash,
) -> Result<(Uuid, Vec<Uuid>)> {
    let mut ids = Vec::new();
    let mut rows = Vec::new();
    for number in 0..=plan.users {
        let (id, created_at) = source.next_id();
        let (name, role, email) = match number {
            0 => (names::random_name(&mut source.rng), Role::Staff, STAFF.to_owned()),
            number => (names::random_name(&mut source.rng), Role::Patient, format!("patient{number}@demo.example")),
        };
        let name = name.full();
        rows.push(users::ActiveModel {
            id: Set(id),
            search_text: Set(search_text(&name, &email)),
            name: Set(name),
            email: Set(email),
            password_hash: Set(password_hash.clone()),
            role: Set(role),
            nid: Set(None),
            nid_key: Set(None),
            nid_verified_at: Set(None),
            phone_number: Set(Some(source.phone_number())),
            address: Set(None),
            birth_date: Set(source.birth_date(18, 90)),
            email_verified_at: Set(Some(created_at)),
            disabled_at: Set(None),
            time_zone: Set(None),
            created_at: Set(created_at),
            updated_at: Set(created_at),
        });
        ids.push(id);
        if rows.len() >= batch() || number == plan.users {
            users::Entity::insert_many(std::mem::take(&mut rows)).exec_without_returning(db).await?;
        }
    }
    let patients = ids.split_off(1);
    Ok((ids.first().copied().unwrap_or_default(), patients))
}

/// Inserts the contacts, evenly distributed over the patients. Returns the first contact of each patient, if any.
async fn add_contacts(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    patients: &[Uuid],
    progress: impl Fn(u64),
) -> Result<Vec<Option<Uuid>>> {
    let mut first = Vec::new();
    let (per_patient, remainder) = (plan.contacts / plan.users, plan.contacts % plan.users);
    let mut rows = Vec::new();
    for (patient, index) in patients.iter().zip(0_u32..) {
        let count = per_patient + u32::from(index < remainder);
        for number in 0..count {
            let (id, created_at) = source.next_id();
            if number == 0 {
                first.push(Some(id));
            }
            let contact = source.contact(number)?;
            rows.push(contacts::row(id, *patient, None, contact, created_at));
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

/// Inserts vaccine requests of all patients in rotation; every third one is for a contact.
async fn add_requests(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    staff_id: Uuid,
    people: &[(Uuid, Option<Uuid>)],
) -> Result<u32> {
    let max = people.len().saturating_mul(catalogue.len());
    let count = Ord::max(people.len(), usize::try_from(MIN_REQUESTS).unwrap_or(0)).min(max);
    let vaccine_of_round = catalogue.iter().flat_map(|vaccine| std::iter::repeat_n(vaccine, people.len()));
    let combinations = people.iter().cycle().zip(vaccine_of_round).zip(STATUSES.into_iter().cycle());
    let mut rows = Vec::new();
    for (number, (((user_id, first_contact), vaccine), status)) in combinations.take(count).enumerate() {
        let (id, created_at) = source.next_id();
        let contact_id = first_contact.filter(|_| number % 3 == 0);
        let is_reviewed = !matches!(status, RequestStatus::Pending | RequestStatus::Cancelled);
        let reason = (status == RequestStatus::Rejected).then(|| "This dose was given before.".to_owned());
        rows.push(vaccine_requests::ActiveModel {
            id: Set(id),
            user_id: Set(*user_id),
            contact_id: Set(contact_id),
            for_contact: Set(contact_id.is_some()),
            vaccine_id: Set(vaccine.id),
            dose_number: Set(1),
            status: Set(status),
            note: Set(source.one_in(4).then(|| "I am free on Mondays.".to_owned())),
            reason: Set(reason),
            reviewed_by: Set(is_reviewed.then_some(staff_id)),
            created_at: Set(created_at),
            updated_at: Set(created_at),
        });
        if rows.len() >= batch() || number + 1 == count {
            vaccine_requests::Entity::insert_many(std::mem::take(&mut rows)).exec_without_returning(db).await?;
        }
    }
    u32::try_from(count).map_err(Error::internal)
}

fn batch() -> usize {
    usize::try_from(BATCH).unwrap_or(1)
}

/// Source of random data, and of ids and creation times in ascending order.
struct Source {
    rng: Rng,
    begin: DateTime<Utc>,
    today: NaiveDate,
    created: i64,
    total: i64,
}

impl Source {
    fn new(plan: &Plan, now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let begin = today.and_time(NaiveTime::MIN).and_utc() - Duration::days(PAST_DAYS);
        let rows = [plan.users, plan.users, plan.contacts, MIN_REQUESTS, 1];
        let total = rows.into_iter().map(i64::from).sum();
        Self { rng: Rng::with_seed(plan.rng_seed), begin, today, created: 0, total }
    }

    /// Returns a UUIDv7 and the creation time that it contains.
    fn next_id(&mut self) -> (Uuid, DateTime<Utc>) {
        let past = Duration::days(PAST_DAYS).num_milliseconds();
        let time = self.begin + Duration::milliseconds(past * self.created / self.total);
        self.created += 1;
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        (uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid(), time)
    }

    /// Returns true with a probability of 1 / `number`.
    fn one_in(&mut self, number: u32) -> bool {
        self.rng.u32(..number) == 0
    }

    /// Returns a random contact. Its e-mail contains `number`, which makes it unique among the contacts of one patient.
    fn contact(&mut self, number: u32) -> Result<NewContact> {
        let name = names::random_name(&mut self.rng);
        let email = (!self.one_in(3)).then(|| Email::parse(&format!("{}{number}@mail.example", name.ascii())));
        let note = self.one_in(5).then(|| Note::parse(names::random_note(&mut self.rng)));
        let birthday = if self.one_in(20) { None } else { self.birthday() };
        let phone_number = self.one_in(2).then(|| ContactNumber::parse(&self.phone_number()));
        Ok(NewContact {
            first_name: NamePart::parse(name.first)?,
            last_name: NamePart::parse(name.last)?,
            email: email.transpose()?,
            phone_number: phone_number.transpose()?,
            birthday,
            note: note.transpose()?,
        })
    }

    /// Returns a random birthday: one in three is near today, one in a hundred on 29 February, one in seven has no
    /// year.
    fn birthday(&mut self) -> Option<Birthday> {
        let day = match self.rng.u32(..100) {
            0 => NaiveDate::from_ymd_opt(2000, 2, 29)?,
            1..=33 => self.today + Duration::days(self.rng.i64(-14..=14)),
            _ => NaiveDate::from_yo_opt(2000, self.rng.u32(1..=366))?,
        };
        let part = |number: u32| i16::try_from(number).ok();
        let year = if self.one_in(7) { None } else { i16::try_from(self.today.year() - self.rng.i32(1..=90)).ok() };
        let parse =
            |year| Birthday::try_from_parts(part(day.month()), part(day.day()), year, self.today).ok().flatten();
        // 29 February does not exist in most years.
        parse(year).or_else(|| parse(None))
    }

    /// Returns a random date of birth, for an age between `youngest` and `oldest`.
    fn birth_date(&mut self, youngest: i32, oldest: i32) -> Option<NaiveDate> {
        let year = self.today.year() - self.rng.i32(youngest..=oldest);
        NaiveDate::from_yo_opt(year, self.rng.u32(1..=365))
    }

    fn phone_number(&mut self) -> String {
        // Numbers that Ofcom reserves for fiction.
        format!("+44 20 7946 0{:03}", self.rng.u32(..1000))
    }
}
