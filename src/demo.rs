//! Demo data: accounts, contacts with birthdays around today, a centre with slots, and vaccine requests in every status.
//! On the same day, the same seed gives the same data, except for the password hash.

mod names;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use entity::{
    PasswordHash, RequestStatus, Role, centre_staff, centres, patients as patients_table, slots, users,
    vaccine_requests, vaccines,
};
use fastrand::Rng;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveModelTrait as _, ConnectionTrait, EntityTrait, QueryOrder, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::contacts::contacts::{self, NewContact, Note};
use crate::domain::vaccination::{booking_codes, patients};
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
    let (staff_id, accounts) = add_users(&transaction, &mut source, plan, password_hash).await?;
    let ids: Vec<_> = accounts.iter().map(|user| user.id).collect();
    let first_contacts = add_contacts(&transaction, &mut source, plan, &ids, progress).await?;
    let people = add_patients(&transaction, &mut source, accounts, first_contacts).await?;
    let mut timetable = Timetable::add(&transaction, &mut source, staff_id).await?;
    let requests = add_requests(&transaction, &mut source, &catalogue, staff_id, &people, &mut timetable).await?;
    timetable.add_free_slots(&transaction, &mut source, &catalogue).await?;
    count(&transaction).await?;
    transaction.commit().await?;
    Ok(requests)
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
            let contact = contacts::row(id, *patient, None, source.contact(number)?, created_at);
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

/// A centre, and the slots of its bookings.
struct Timetable {
    centre_id: Uuid,
    /// The latest slot and the number of its bookings, by vaccine and status.
    latest: BTreeMap<(Uuid, &'static str), (Uuid, i32)>,
    /// Number of slots with bookings, by status. No two are at the same time, so that no bookings of a person overlap.
    slots: BTreeMap<&'static str, i64>,
}

impl Timetable {
    /// Places of a slot.
    const CAPACITY: i32 = 20;

    async fn add(db: &impl ConnectionTrait, source: &mut Source, staff_id: Uuid) -> Result<Self> {
        let (centre_id, created_at) = source.next_id();
        let centre = centres::ActiveModel {
            id: Set(centre_id),
            name: Set("Town hall".to_owned()),
            address: Set("1 Market Square".to_owned()),
            city: Set(Some("London".to_owned())),
            postal_code: Set(Some("SW1Y 4JH".to_owned())),
            time_zone: Set("Europe/London".to_owned()),
            latitude: Set(Some(51.5074)),
            longitude: Set(Some(-0.1357)),
            phone_number: Set(Some(source.phone_number())),
            active: Set(true),
            created_at: Set(created_at),
            updated_at: Set(created_at),
        };
        centres::Entity::insert(centre).exec_without_returning(db).await?;
        let assignment = centre_staff::ActiveModel {
            user_id: Set(staff_id),
            centre_id: Set(centre_id),
            created_at: Set(created_at),
        };
        centre_staff::Entity::insert(assignment).exec_without_returning(db).await?;
        Ok(Self { centre_id, latest: BTreeMap::new(), slots: BTreeMap::new() })
    }

    /// A slot for a booking that is to come, or that was missed.
    async fn slot(
        &mut self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        vaccine_id: Uuid,
        status: RequestStatus,
    ) -> Result<Uuid> {
        let key = (vaccine_id, status.as_str());
        if let Some((id, booked)) = self.latest.get_mut(&key).filter(|(_, booked)| *booked < Self::CAPACITY) {
            *booked += 1;
            return Ok(*id);
        }
        let number = self.slots.entry(status.as_str()).or_default();
        let minutes = Duration::minutes(15 * *number);
        *number += 1;
        let morning = source.today.and_time(NaiveTime::MIN).and_utc() + Duration::hours(9);
        let start = match status {
            RequestStatus::Booked => morning + Duration::days(3) + minutes,
            _ => morning - Duration::days(3) - minutes,
        };
        let id = self.add_slot(db, source, vaccine_id, start).await?;
        self.latest.insert(key, (id, 1));
        Ok(id)
    }

    /// Inserts free slots of each vaccine on three days.
    async fn add_free_slots(
        &self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        catalogue: &[vaccines::Model],
    ) -> Result<()> {
        for vaccine in catalogue.iter().filter(|vaccine| vaccine.active) {
            for (day, hour) in [(1, 10), (1, 14), (2, 10), (8, 16)] {
                let midnight = source.today.and_time(NaiveTime::MIN).and_utc();
                let start = midnight + Duration::days(day) + Duration::hours(hour);
                self.add_slot(db, source, vaccine.id, start).await?;
            }
        }
        Ok(())
    }

    async fn add_slot(
        &self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        vaccine_id: Uuid,
        starts_at: DateTime<Utc>,
    ) -> Result<Uuid> {
        let (id, created_at) = source.next_id();
        let slot = slots::ActiveModel {
            id: Set(id),
            centre_id: Set(self.centre_id),
            vaccine_id: Set(vaccine_id),
            starts_at: Set(starts_at),
            ends_at: Set(starts_at + Duration::minutes(15)),
            capacity: Set(Self::CAPACITY),
            booked: Set(0),
            held: Set(0),
            invited_only: Set(false),
            closed_at: Set(None),
            closed_reason: Set(None),
            created_at: Set(created_at),
        };
        slots::Entity::insert(slot).exec_without_returning(db).await?;
        Ok(id)
    }
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
    let booked = counted(status().eq(RequestStatus::Booked), its_slot);
    slots::Entity::update_many().col_expr(slots::Column::Booked, booked).exec(db).await?;
    let its_patient = Expr::col(Column::PatientId).eq(Expr::col((patients_table::Entity, patients_table::Column::Id)));
    let is_open = [RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked];
    let open = counted(status().is_in(is_open), its_patient);
    patients_table::Entity::update_many().col_expr(patients_table::Column::OpenRequests, open).exec(db).await?;
    Ok(())
}

/// Inserts vaccine requests of all people in rotation; every third one is for a contact.
async fn add_requests(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    staff_id: Uuid,
    people: &[Person],
    timetable: &mut Timetable,
) -> Result<u32> {
    let max = people.len().saturating_mul(catalogue.len());
    let count = Ord::max(people.len(), usize::try_from(MIN_REQUESTS).unwrap_or(0)).min(max);
    let vaccine_of_round = catalogue.iter().flat_map(|vaccine| std::iter::repeat_n(vaccine, people.len()));
    let combinations = people.iter().cycle().zip(vaccine_of_round).zip(STATUSES.into_iter().cycle());
    let mut rows = Vec::new();
    for (number, ((person, vaccine), status)) in combinations.take(count).enumerate() {
        let (id, created_at) = source.next_id();
        let is_reviewed = !matches!(status, RequestStatus::Pending | RequestStatus::Cancelled);
        let reason = (status == RequestStatus::Rejected).then(|| "This dose was given before.".to_owned());
        let slot_id = match status {
            RequestStatus::Booked | RequestStatus::Missed => {
                Some(timetable.slot(db, source, vaccine.id, status).await?)
            }
            _ => None,
        };
        rows.push(vaccine_requests::ActiveModel {
            id: Set(id),
            user_id: Set(Some(person.user_id)),
            patient_id: Set(person.dependant.filter(|_| number % 3 == 0).unwrap_or(person.own)),
            vaccine_id: Set(vaccine.id),
            course_id: Set(vaccine.course_id),
            dose_number: Set(1),
            status: Set(status),
            note: Set(source.one_in(4).then(|| "I am free on Mondays.".to_owned())),
            reason: Set(reason),
            reviewed_by: Set(is_reviewed.then_some(staff_id)),
            slot_id: Set(slot_id),
            code: Set(slot_id.map(|_| source.code())),
            moves: Set(0),
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
        let rows = [plan.users, plan.users, plan.users, plan.users, plan.contacts, MIN_REQUESTS, MIN_REQUESTS, 100];
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

    fn code(&mut self) -> String {
        let mut random = [0; booking_codes::LENGTH];
        self.rng.fill(&mut random);
        booking_codes::of(random)
    }

    fn phone_number(&mut self) -> String {
        // Numbers that Ofcom reserves for fiction.
        format!("+44 20 7946 0{:03}", self.rng.u32(..1000))
    }
}
