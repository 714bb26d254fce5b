//! Rows for the booking benchmarks: people with requests, centres with slots, and access tokens of the people.

use care4u::db::{Db, Transact as _};
use care4u::domain::accounts::user_words::{self, Searchable};
use care4u::domain::auth::keys::{Key, Keyring};
use care4u::domain::auth::token::{Lifetimes, Tokens};
use care4u::domain::vaccination::{catalogue, course_schedules, patients as patient_rows, vaccines as vaccine_rows};
use care4u::domain::values::clock::Clock;
use chrono::{DateTime, Duration, Utc};
use entity::{
    PasswordHash, PatientRelation, RequestStatus, Role, WaitlistStatus, centres, immunizations, patients,
    refresh_tokens, slots, users, vaccine_requests, vaccines, waitlist_entries,
};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, Set, Statement, TransactionSession as _,
};
use uuid::Uuid;

use super::super::client::PASSWORD;
use super::super::server::SECRET;

/// Rows per statement.
const BATCH: usize = 500;

const FIRST_NAMES: [&str; 10] =
    ["Amelia", "Oliver", "Isla", "George", "Käthe", "Jörg", "José", "Анна", "Arjun", "Kwame"];
const LAST_NAMES: [&str; 12] = [
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Müller",
    "Schmidt",
    "García",
    "López",
    "Коваль",
    "Sharma",
    "Okafor",
    "Mensah",
];

/// A person with one request.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) user_id: Uuid,
    pub(crate) request_id: Uuid,
}

/// Inserts rows into a migrated database.
pub(crate) struct Population {
    db: Db,
    vaccine: vaccines::Model,
    /// Number of people so far, so that each has another e-mail address.
    people: usize,
}

impl Population {
    pub(crate) async fn connect(url: &str) -> Self {
        let db = Db::connect(url, 4, 1).await.expect("the database responds");
        let common = catalogue::common().expect("a catalogue");
        vaccine_rows::create_missing(&db, common).await.expect("vaccines are inserted");
        let vaccine = vaccines::Entity::find().filter(vaccines::COLUMN.active.eq(true)).one(&db).await;
        let vaccine = vaccine.expect("the database responds").expect("a vaccine");
        Self { db, vaccine, people: 0 }
    }

    /// Adds people with a request each, whose status depends on their number. All have the password [`PASSWORD`].
    pub(crate) async fn people(&mut self, count: usize, status: fn(usize) -> RequestStatus) -> Vec<Person> {
        let salt_and_digest = bcrypt::non_truncating_hash(PASSWORD, 4).expect("a hash");
        let transaction = self.db.begin().await.expect("a transaction begins");
        let now = Utc::now();
        let mut all = Vec::with_capacity(count);
        for start in (0..count).step_by(BATCH) {
            let numbers = start..count.min(start + BATCH);
            let users: Vec<_> =
                numbers.clone().map(|number| account(self.people + number, &salt_and_digest, now)).collect();
            let requests: Vec<_> =
                users.iter().zip(numbers).map(|(user, number)| self.request(user, status(number), now)).collect();
            let people: Vec<_> = users.iter().map(|user| patient(user, now)).collect();
            let names: Vec<_> = users.iter().map(|user| (user.id, user.name.as_str())).collect();
            all.extend(
                users.iter().zip(&requests).map(|(user, request)| Person { user_id: user.id, request_id: request.id }),
            );
            let searchable = users
                .iter()
                .map(|user| (user.id, Searchable { name: &user.name, email: &user.email, phone_number: None }));
            let rows = users.iter().cloned().map(users::ActiveModel::from);
            users::Entity::insert_many(rows).exec_without_returning(&transaction).await.expect("users are inserted");
            user_words::insert(&transaction, searchable).await.expect("words are inserted");
            let rows = people.into_iter().map(patients::ActiveModel::from);
            patients::Entity::insert_many(rows)
                .exec_without_returning(&transaction)
                .await
                .expect("patients are inserted");
            patient_rows::insert_words(&transaction, names.into_iter()).await.expect("words are inserted");
            let rows = requests.into_iter().map(vaccine_requests::ActiveModel::from);
            let inserted = vaccine_requests::Entity::insert_many(rows).exec_without_returning(&transaction).await;
            inserted.expect("requests are inserted");
        }
        transaction.commit().await.expect("the transaction commits");
        self.people += count;
        all
    }

    fn request(&self, user: &users::Model, status: RequestStatus, now: DateTime<Utc>) -> vaccine_requests::Model {
        vaccine_requests::Model {
            id: Uuid::now_v7(),
            user_id: Some(user.id),
            vaccine_id: self.vaccine.id,
            dose_number: 1,
            status,
            note: Some("On Mondays, please.".to_owned()),
            reason: None,
            reviewed_by: None,
            created_at: now,
            updated_at: now,
            patient_id: user.id,
            course_id: self.vaccine.course_id,
            slot_id: None,
            code: None,
            moves: 0,
            invitation_id: None,
            revision: 0,
            checked_in_at: None,
            centre_id: None,
            identified_by: None,
            answers: None,
        }
    }

    /// Puts the schedules of the catalogue.
    pub(crate) async fn schedules(&self) {
        let documents = catalogue::schedules().expect("schedules");
        let put = course_schedules::put_missing(&self.db, &Clock::default(), &documents).await;
        put.expect("the schedules are put");
    }

    /// The id of a vaccine.
    pub(crate) async fn vaccine_id(&self, code: &str) -> Uuid {
        let vaccine = vaccines::Entity::find().filter(vaccines::COLUMN.code.eq(code)).one(&self.db).await;
        vaccine.expect("the database responds").expect("a vaccine").id
    }

    /// Adds twenty reported doses of each patient, of all vaccines, two months apart.
    pub(crate) async fn doses(&self, people: &[Person]) {
        const DOSES: &str = "INSERT INTO immunizations (id, patient_id, course_id, vaccine_id, dose_number, source, \
            administered_on, created_at, updated_at) \
            SELECT {ID}, p.id, v.course_id, v.id, v.n + 1, 'reported', {DAY}, p.created_at, p.created_at \
            FROM patients AS p CROSS JOIN (SELECT o.id, o.course_id, n, o.i + 14 * n AS k FROM \
            (SELECT id, course_id, row_number() OVER (ORDER BY id) - 1 AS i FROM vaccines) AS o \
            CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1) AS numbers WHERE o.i + 14 * n < 20) AS v \
            WHERE p.id >= $1 AND p.id <= $2 ORDER BY p.id, v.k";
        let (id, day) = match self.db.get_database_backend() {
            DbBackend::Sqlite => (
                "unhex(substr(hex(p.id), 1, 30) || printf('%02X', v.k))",
                "date('2010-01-01', '+' || (v.k * 60) || ' days')",
            ),
            _ => (
                "(left(replace(p.id::text, '-', ''), 30) || lpad(to_hex(v.k), 2, '0'))::uuid",
                "date '2010-01-01' + (v.k * 60)::int",
            ),
        };
        let sql = DOSES.replace("{ID}", id).replace("{DAY}", day);
        // In parts, none of which takes longer than a statement may.
        for people in people.chunks(10_000) {
            let ids = [people[0], people[people.len() - 1]].map(|person| person.user_id.into());
            let insert = Statement::from_sql_and_values(self.db.get_database_backend(), &sql, ids);
            self.db.execute_raw(insert).await.expect("the doses are inserted");
        }
    }

    /// Deletes the doses of a person.
    pub(crate) async fn forget_doses(&self, person: Person) {
        let of_person = immunizations::Column::PatientId.eq(person.user_id);
        let deleted = immunizations::Entity::delete_many().filter(of_person).exec(&self.db).await;
        deleted.expect("the doses are deleted");
    }

    /// Gives a person another name.
    pub(crate) async fn rename(&self, person: Person, name: &str) {
        let row = users::ActiveModel { id: Set(person.user_id), name: Set(name.to_owned()), ..Default::default() };
        users::Entity::update(row).exec(&self.db).await.expect("the account is updated");
        let name_row = Some(name.to_owned());
        let row = patients::ActiveModel { id: Set(person.user_id), name: Set(name_row), ..Default::default() };
        patients::Entity::update(row).exec(&self.db).await.expect("the patient is updated");
        let searchable = Searchable { name, email: "ada@example.org", phone_number: None };
        let accounts = std::iter::once((person.user_id, searchable));
        user_words::insert(&self.db, accounts).await.expect("words are inserted");
        let patients = std::iter::once((person.user_id, name));
        patient_rows::insert_words(&self.db, patients).await.expect("words are inserted");
    }

    /// Adds a centre.
    pub(crate) async fn centre(&self) -> Uuid {
        let (id, now) = (Uuid::now_v7(), Utc::now());
        let row = centres::ActiveModel {
            id: Set(id),
            name: Set("Town hall".to_owned()),
            address: Set("1 Market Square".to_owned()),
            time_zone: Set("Europe/London".to_owned()),
            active: Set(true),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        centres::Entity::insert(row).exec_without_returning(&self.db).await.expect("the centre is inserted");
        id
    }

    /// Adds slots of a centre, of 15 minutes each, one after the other from `first` on, `per_day` on each day.
    pub(crate) async fn slots(
        &self,
        centre_id: Uuid,
        first: DateTime<Utc>,
        (count, per_day): (usize, usize),
        capacity: usize,
    ) -> Vec<Uuid> {
        let slot = |number: usize| {
            let days = Duration::days(i64::try_from(number / per_day).expect("few"));
            let starts_at = first + days + Duration::minutes(15 * i64::try_from(number % per_day).expect("few"));
            slots::Model {
                id: Uuid::now_v7(),
                centre_id,
                vaccine_id: self.vaccine.id,
                starts_at,
                ends_at: starts_at + Duration::minutes(15),
                capacity: i32::try_from(capacity).expect("few"),
                booked: 0,
                held: 0,
                invited_only: false,
                closed_at: None,
                closed_reason: None,
                created_at: Utc::now(),
            }
        };
        let rows: Vec<_> = (0..count).map(slot).collect();
        for rows in rows.chunks(BATCH) {
            let rows = rows.iter().cloned().map(slots::ActiveModel::from);
            slots::Entity::insert_many(rows).exec_without_returning(&self.db).await.expect("slots are inserted");
        }
        rows.iter().map(|slot| slot.id).collect()
    }

    /// Number of places that are taken, by the counter of the slot and by its requests.
    pub(crate) async fn taken(&self, slot_id: Uuid) -> (usize, usize) {
        let slot = slots::Entity::find_by_id(slot_id).one(&self.db).await.expect("the database responds");
        let requests = vaccine_requests::Entity::find().filter(vaccine_requests::COLUMN.slot_id.eq(slot_id));
        let requests = requests.all(&self.db).await.expect("the database responds").len();
        (usize::try_from(slot.expect("a slot").booked).expect("not negative"), requests)
    }

    /// Books a place for each person, the same number in each slot.
    pub(crate) async fn book_all(&self, people: &[Person], slots: &[Uuid]) {
        for (slot, people) in slots.iter().zip(people.chunks(people.len() / slots.len())) {
            for person in people {
                let code = person.request_id.simple().to_string()[24..].to_uppercase();
                let row = vaccine_requests::ActiveModel {
                    id: Set(person.request_id),
                    status: Set(RequestStatus::Booked),
                    slot_id: Set(Some(*slot)),
                    code: Set(Some(code)),
                    ..Default::default()
                };
                vaccine_requests::Entity::update(row).exec(&self.db).await.expect("the request is updated");
            }
            let booked = Set(i32::try_from(people.len()).expect("few"));
            let row = slots::ActiveModel { id: Set(*slot), booked, ..Default::default() };
            slots::Entity::update(row).exec(&self.db).await.expect("the slot is updated");
        }
    }

    /// Puts people in line.
    pub(crate) async fn wait(&self, people: &[Person], centre_id: Option<Uuid>) {
        let now = Utc::now();
        for people in people.chunks(BATCH) {
            let rows = people.iter().map(|person| waitlist_entries::ActiveModel {
                id: Set(Uuid::now_v7()),
                request_id: Set(person.request_id),
                course_id: Set(self.vaccine.course_id),
                centre_id: Set(centre_id),
                from_date: Set(now.date_naive()),
                searched_at: Set(Some(now)),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            });
            let inserted = waitlist_entries::Entity::insert_many(rows).exec_without_returning(&self.db).await;
            inserted.expect("entries are inserted");
        }
    }

    /// Lets some offers expire: the servers find that out.
    pub(crate) async fn expire_offers(&self, count: u64) {
        use waitlist_entries::Column;
        let some = waitlist_entries::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Status.eq(WaitlistStatus::Offered))
            .limit(count)
            .into_query();
        let expired = waitlist_entries::Entity::update_many()
            .col_expr(Column::OfferExpiresAt, Expr::value(Utc::now()))
            .filter(Column::Id.in_subquery(some))
            .filter(Column::Status.eq(WaitlistStatus::Offered));
        expired.exec(&self.db).await.expect("offers are updated");
    }

    /// The requests of people who have an offer.
    pub(crate) async fn offered(&self) -> Vec<Uuid> {
        let offered = waitlist_entries::Entity::find()
            .filter(waitlist_entries::Column::Status.eq(WaitlistStatus::Offered))
            .all(&self.db)
            .await
            .expect("the offers are read");
        offered.into_iter().map(|entry| entry.request_id).collect()
    }

    /// Updates the statistics of PostgreSQL, as autovacuum would do later. On SQLite there are none, as in operation.
    pub(crate) async fn analyse(&self) {
        if self.db.get_database_backend() == DbBackend::Postgres {
            self.db.execute_unprepared("VACUUM ANALYZE").await.expect("the tables are analysed");
            // Otherwise it is written while the first requests are measured.
            self.db.execute_unprepared("CHECKPOINT").await.expect("all changed pages are written");
        }
    }

    /// Runs a query that returns a number.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let statement = sea_orm::Statement::from_string(self.db.get_database_backend(), sql);
        let row = self.db.query_one_raw(statement).await.expect("the database responds").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }
}

fn account(number: usize, password_hash: &str, now: DateTime<Utc>) -> users::Model {
    let first = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last = LAST_NAMES[number / FIRST_NAMES.len() % LAST_NAMES.len()];
    users::Model {
        id: Uuid::now_v7(),
        name: format!("{first} {last}"),
        email: format!("person{number}@example.net"),
        password_hash: PasswordHash(password_hash.to_owned()),
        role: Role::Patient,
        nid: None,
        phone_number: None,
        address: None,
        birth_date: None,
        email_verified_at: None,
        disabled_at: None,
        created_at: now,
        updated_at: now,
        time_zone: None,
        nid_key: None,
        nid_verified_at: None,
    }
}

fn patient(user: &users::Model, now: DateTime<Utc>) -> patients::Model {
    patients::Model {
        id: user.id,
        user_id: Some(user.id),
        contact_id: None,
        relation: PatientRelation::Own,
        name: Some(user.name.clone()),
        given_name: None,
        family_name: None,
        birth_year: None,
        birth_month: None,
        birth_day: None,
        open_requests: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Issuer of access tokens with the secret of the measured servers.
pub(crate) struct Issuer(Tokens);

impl Issuer {
    pub(crate) fn new() -> Self {
        let key = Key::from_secret(SECRET.as_bytes(), None).expect("a secret");
        let lifetimes = Lifetimes {
            access: Duration::minutes(15),
            idle: Duration::days(30),
            absolute: Duration::days(30),
            grace: Duration::zero(),
            retry: Duration::zero(),
        };
        let keys = Keyring::new(vec![key]).expect("a key ring");
        Self(Tokens::new(keys, "care4u".to_owned(), "care4u-api".to_owned(), lifetimes).expect("an issuer"))
    }

    /// An access token for the next 15 minutes. No server knows its session, which does not matter to it.
    pub(crate) fn token(&self, user_id: Uuid, role: Role) -> String {
        let now = Utc::now();
        let session = refresh_tokens::Model {
            id: Uuid::now_v7(),
            user_id: Some(user_id),
            generation: 0,
            rotated_at: now,
            expires_at: now + Duration::days(1),
            revoked_at: None,
            user_agent: None,
            ip: None,
            created_at: now,
            seen_generation: 0,
            generation_at: None,
        };
        self.0.pair(&session, role).expect("a token").access_token
    }
}
