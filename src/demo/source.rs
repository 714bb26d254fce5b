//! Source of the random data of the demo.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use fastrand::Rng;
use uuid::Uuid;

use super::{MIN_REQUESTS, Plan, names};
use crate::domain::contacts::contact_points::ContactPoint;
use crate::domain::contacts::contacts::{NewContact, Note};
use crate::domain::contacts::names::Names;
use crate::domain::vaccination::booking_codes;
use crate::domain::values::birthday::Birthday;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, NamePart};
use crate::error::Result;

/// Number of days before today over which the creation times are spread.
const PAST_DAYS: i64 = 90;

/// Source of random data, and of ids and creation times in ascending order.
pub(super) struct Source {
    pub rng: Rng,
    pub begin: DateTime<Utc>,
    pub today: NaiveDate,
    created: i64,
    total: i64,
}

impl Source {
    pub fn new(plan: &Plan, now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let begin = today.and_time(NaiveTime::MIN).and_utc() - Duration::days(PAST_DAYS);
        let rows = [plan.users, plan.users, plan.users, plan.users, plan.contacts, MIN_REQUESTS, MIN_REQUESTS, 100];
        let total = rows.into_iter().map(i64::from).sum();
        Self { rng: Rng::with_seed(plan.rng_seed), begin, today, created: 0, total }
    }

    /// Returns a UUIDv7 and the creation time that it contains.
    pub fn next_id(&mut self) -> (Uuid, DateTime<Utc>) {
        let past = Duration::days(PAST_DAYS).num_milliseconds();
        let time = self.begin + Duration::milliseconds(past * self.created / self.total);
        self.created += 1;
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        (uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid(), time)
    }

    /// Returns true with a probability of 1 / `number`.
    pub fn one_in(&mut self, number: u32) -> bool {
        self.rng.u32(..number) == 0
    }

    /// Returns a random contact. Its e-mail contains `number`, which makes it unique among the contacts of one patient.
    pub fn contact(&mut self, number: u32) -> Result<NewContact> {
        let name = names::random_name(&mut self.rng);
        let email = (!self.one_in(3)).then(|| Email::parse(&format!("{}{number}@mail.example", name.ascii())));
        let note = self.one_in(5).then(|| Note::parse(names::random_note(&mut self.rng)));
        let birthday = if self.one_in(20) { None } else { self.birthday() };
        let phone_number = self.one_in(2).then(|| ContactNumber::parse(&self.phone_number()));
        Ok(NewContact {
            uid: None,
            names: Names::new(Some(NamePart::parse(name.first)?), Some(NamePart::parse(name.last)?), None)?,
            emails: email.transpose()?.into_iter().map(ContactPoint::from).collect(),
            phone_numbers: phone_number.transpose()?.into_iter().map(ContactPoint::from).collect(),
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
    pub fn birth_date(&mut self, youngest: i32, oldest: i32) -> Option<NaiveDate> {
        let year = self.today.year() - self.rng.i32(youngest..=oldest);
        NaiveDate::from_yo_opt(year, self.rng.u32(1..=365))
    }

    pub fn code(&mut self) -> String {
        let mut random = [0; booking_codes::LENGTH];
        self.rng.fill(&mut random);
        booking_codes::of(random)
    }

    pub fn phone_number(&mut self) -> String {
        // Numbers that Ofcom reserves for fiction.
        format!("+44 20 7946 0{:03}", self.rng.u32(..1000))
    }
}
