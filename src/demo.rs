//! Demo data: accounts, contacts with birthdays around today, and requests in every state. The same seed makes the same
//! data on the same day, but for the hash of the password.

mod names;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use entity::{RequestStatus, Role, users, vaccine_requests, vaccines};
use fastrand::Rng;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users::search_text;
use crate::domain::auth::hasher::Hasher;
use crate::domain::auth::password::Password;
use crate::domain::contacts::contacts::{self, NewContact, Note};
use crate::domain::values::birthday::Birthday;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, NamePart};
use crate::error::{Error, Result};

/// The password of demo accounts in development.
pub const PASSWORD: &str = "care4u demo";

/// The member of staff among them.
pub const STAFF: &str = "staff@demo.example";

/// Rows of one statement.
const BATCH: u32 = 500;

/// Over how many days the data seems to have come together.
const PAST_DAYS: i64 = 90;

/// The fewest requests, so that each state is there.
const FEWEST_REQUESTS: u32 = 21;

const STATES: [RequestStatus; 7] = [
    RequestStatus::Pending,
    RequestStatus::Approved,
    RequestStatus::Rejected,
    RequestStatus::Booked,
    RequestStatus::Administered,
    RequestStatus::Missed,
    RequestStatus::Cancelled,
];

/// How much, and of what.
#[derive(Debug)]
pub struct Plan {
    /// Patients; there is one member of staff besides.
    pub users: u32,
    /// Contacts of all of them together.
    pub contacts: u32,
    /// Chooses the data.
    pub rng_seed: u64,
}

/// Fills a database, all at once or not at all, and returns how many requests there are. `progress` hears of every
/// contact that was added.
///
/// # Errors
/// A conflict when it has demo accounts.
pub async fn fill(
    db: &impl Transact,
    clock: &Clock,
    hasher: &Hasher,
    password: Password,
    plan: &Plan,
    progress: impl Fn(u64),
) -> Result<u32> {
    let password_hash = hasher.permit().await?.hash(password).await?;
    let catalogue = vaccines::Entity::find().order_by_asc(vaccines::Column::Code).all(db).await?;
    let mut source = Source::new(plan, clock.now());
    let transaction = db.begin().await?;
    let (staff, patients) = add_users(&transaction, &mut source, plan, &password_hash).await?;
    let children = add_contacts(&transaction, &mut source, plan, &patients, progress).await?;
    let people: Vec<_> = patients.into_iter().zip(children).collect();
    let requests = add_requests(&transaction, &mut source, &catalogue, staff, &people).await?;
    transaction.commit().await?;
    Ok(requests)
}

async fn add_users(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    password_hash: &entity::PasswordHash,
) -> Result<(Uuid, Vec<Uuid>)> {
    let mut ids = Vec::new();
    let mut rows = Vec::new();
    for number in 0..=plan.users {
        let (id, created_at) = source.next();
        let (name, role, email) = match number {
            0 => (names::any(&mut source.rng), Role::Staff, STAFF.to_owned()),
            number => (names::any(&mut source.rng), Role::Patient, format!("patient{number}@demo.example")),
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
            phone_number: Set(Some(source.phone_number())),
            address: Set(None),
            birth_date: Set(source.born(18, 90)),
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

/// Spreads the contacts over the patients, and returns one of each patient's, if there is one.
async fn add_contacts(
    db: &impl ConnectionTrait,
    source: &mut Source,
    plan: &Plan,
    patients: &[Uuid],
    progress: impl Fn(u64),
) -> Result<Vec<Option<Uuid>>> {
    let mut first = Vec::new();
    let (each, more) = (plan.contacts / plan.users, plan.contacts % plan.users);
    let mut rows = Vec::new();
    for (patient, place) in patients.iter().zip(0_u32..) {
        let count = each + u32::from(place < more);
        for number in 0..count {
            let (id, created_at) = source.next();
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

/// Requests of everybody in turn, every third one for somebody in their care.
async fn add_requests(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    staff: Uuid,
    people: &[(Uuid, Option<Uuid>)],
) -> Result<u32> {
    let most = people.len().saturating_mul(catalogue.len());
    let count = Ord::max(people.len(), usize::try_from(FEWEST_REQUESTS).unwrap_or(0)).min(most);
    let vaccine_of_round = catalogue.iter().flat_map(|vaccine| std::iter::repeat_n(vaccine, people.len()));
    let turns = people.iter().cycle().zip(vaccine_of_round).zip(STATES.into_iter().cycle());
    let mut rows = Vec::new();
    for (number, (((user_id, child), vaccine), status)) in turns.take(count).enumerate() {
        let (id, created_at) = source.next();
        let contact_id = child.filter(|_| number % 3 == 0);
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
            reviewed_by: Set(is_reviewed.then_some(staff)),
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

/// Ids and times in their order, and whatever else is left to chance.
struct Source {
    rng: Rng,
    begin: DateTime<Utc>,
    today: NaiveDate,
    made: i64,
    total: i64,
}

impl Source {
    fn new(plan: &Plan, now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let begin = today.and_time(NaiveTime::MIN).and_utc() - Duration::days(PAST_DAYS);
        let rows = [plan.users, plan.users, plan.contacts, FEWEST_REQUESTS, 1];
        let total = rows.into_iter().map(i64::from).sum();
        Self { rng: Rng::with_seed(plan.rng_seed), begin, today, made: 0, total }
    }

    /// An id, and the time of which it tells.
    fn next(&mut self) -> (Uuid, DateTime<Utc>) {
        let past = Duration::days(PAST_DAYS).num_milliseconds();
        let time = self.begin + Duration::milliseconds(past * self.made / self.total);
        self.made += 1;
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        (uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid(), time)
    }

    fn one_in(&mut self, number: u32) -> bool {
        self.rng.u32(..number) == 0
    }

    /// Somebody, whose e-mail has the `number` in it: it is unique among the contacts of one patient.
    fn contact(&mut self, number: u32) -> Result<NewContact> {
        let name = names::any(&mut self.rng);
        let email = (!self.one_in(3)).then(|| Email::parse(&format!("{}{number}@mail.example", name.ascii())));
        let note = self.one_in(5).then(|| Note::parse(names::note(&mut self.rng)));
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

    /// For every third around today, now and then on 29 February, and for every seventh without a year.
    fn birthday(&mut self) -> Option<Birthday> {
        let day = match self.rng.u32(..100) {
            0 => NaiveDate::from_ymd_opt(2000, 2, 29)?,
            1..=33 => self.today + Duration::days(self.rng.i64(-14..=14)),
            _ => NaiveDate::from_yo_opt(2000, self.rng.u32(1..=366))?,
        };
        let part = |number: u32| i16::try_from(number).ok();
        let year = if self.one_in(7) { None } else { i16::try_from(self.today.year() - self.rng.i32(1..=90)).ok() };
        let parse = |year| Birthday::parse(part(day.month()), part(day.day()), year, self.today).ok().flatten();
        // There is no 29 February in most years.
        parse(year).or_else(|| parse(None))
    }

    fn born(&mut self, youngest: i32, oldest: i32) -> Option<NaiveDate> {
        let year = self.today.year() - self.rng.i32(youngest..=oldest);
        NaiveDate::from_yo_opt(year, self.rng.u32(1..=365))
    }

    fn phone_number(&mut self) -> String {
        // Numbers that are kept free for stories (Ofcom).
        format!("+44 20 7946 0{:03}", self.rng.u32(..1000))
    }
}
