//! The real application on a free port, and ways to reach it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use care4u::app::Application;
use care4u::config::Settings;
use care4u::domain::accounts::users::{self, NewUser};
use care4u::domain::auth::password::Password;
use care4u::domain::values::clock::Clock;
use care4u::domain::values::email::Email;
use care4u::domain::values::person::FullName;
use care4u::state::AppState;
use entity::Role;
use reqwest::{Client, Method, RequestBuilder};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::Actor;
use super::answer::Answer;
use super::contract;
use super::database::{Backend, Database};
use super::mailbox::Mailbox;

/// What the tests sign their tokens with.
pub const SECRET: &str = "a secret for tests of 32 bytes or more";

/// Everybody's password in tests.
pub const PASSWORD: &str = "correct horse battery";

/// A running application with a database of its own.
pub struct TestApp {
    pub address: String,
    pub clock: Clock,
    pub database: Arc<Database>,
    /// Where its mails go.
    pub mail: Mailbox,
    state: AppState,
    client: Client,
}

impl TestApp {
    /// Starts the application with the settings of the tests.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    /// Starts the application with some settings changed.
    pub async fn start_with(backend: Backend, changes: &[(&str, &str)]) -> Self {
        let database = Arc::new(Database::new(backend).await);
        Self::start_on(database, changes).await
    }

    /// Starts the application on a database that is there already.
    pub async fn start_on(database: Arc<Database>, changes: &[(&str, &str)]) -> Self {
        Self::start_at(database.clone(), settings(&database.url(), changes)).await
    }

    /// Starts the application with these very settings; the database lives as long as it does.
    pub async fn start_at(database: Arc<Database>, mut settings: Settings) -> Self {
        let (clock, mail) = (Clock::default(), Mailbox::new());
        settings.mail.dir = mail.folder();
        let application = Application::build(&settings, clock.clone()).await.expect("the application starts");
        let address = format!("http://{}", application.address());
        let state = application.state().clone();
        tokio::spawn(application.run());
        Self { address, clock, database, mail, state, client: client() }
    }

    /// Another instance of the service on the same database.
    pub async fn another_instance(&self) -> Self {
        Self::start_on(Arc::clone(&self.database), &[]).await
    }

    /// The parts of the application, to prepare what the API offers no way to.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// A request that nobody has signed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    /// Sends a request and holds the answer against the OpenAPI document.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("the request is well-formed");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.client.execute(request).await.expect("the application answers");
        let answer = Answer::read(response).await;
        contract::check(&method, &path, &answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Posts a form to the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, "/api/v1/auth/token").form(form)).await
    }

    /// Registers somebody over HTTP, which has a mail sent to them.
    pub async fn register(&self, email: &str) -> Answer {
        let body = json!({ "name": "Ada Lovelace", "email": email, "password": PASSWORD });
        self.post("/api/v1/auth/register", body).await
    }

    /// Signs in with any password.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    /// Waits until no mail waits to be sent.
    pub async fn outbox_empties(&self) {
        let empty = async {
            while entity::outbox::Entity::find().count(&self.state.db).await.expect("it can be counted") > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), empty).await.expect("the outbox empties in time");
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", json!({ "refresh_token": refresh_token })).await
    }

    pub async fn patient(&self) -> Actor<'_> {
        self.actor(Role::Patient).await
    }

    pub async fn staff(&self) -> Actor<'_> {
        self.actor(Role::Staff).await
    }

    pub async fn admin(&self) -> Actor<'_> {
        self.actor(Role::Admin).await
    }

    /// The id of a vaccine of the catalogue.
    pub async fn vaccine(&self, code: &str) -> Uuid {
        let catalogue = self.get("/api/v1/vaccines?limit=100").await.ok();
        let items = catalogue["items"].as_array().expect("a list has items");
        let found = items.iter().find(|vaccine| vaccine["code"] == code).expect("the catalogue has it");
        found["id"].as_str().and_then(|id| id.parse().ok()).expect("ids are UUIDs")
    }

    async fn actor(&self, role: Role) -> Actor<'_> {
        let email = format!("{}@example.org", Uuid::now_v7().simple());
        let new = NewUser {
            name: FullName::parse("Ada Lovelace").expect("a valid name"),
            email: Email::parse(&email).expect("a valid address"),
            password: Password::parse(PASSWORD).expect("a good password"),
            nid: None,
            phone_number: None,
            address: None,
            birth_date: None,
        };
        let user = users::create(&self.state.db, &self.state.auth, new, role).await.expect("a new account");
        Actor::log_in(self, user.id, email).await
    }
}

/// The settings of the tests: a free port, cheap hashes, a known key, no throttling.
pub fn settings(database_url: &str, changes: &[(&str, &str)]) -> Settings {
    let mut variables: HashMap<String, String> = [
        ("DATABASE_URL", database_url),
        ("CARE4U__SERVER__PORT", "0"),
        ("CARE4U__SERVER__WORKERS", "2"),
        ("CARE4U__AUTH__SECRET", SECRET),
        ("CARE4U__AUTH__BCRYPT_COST", "4"),
        // Everybody here has the same address; the tests of throttling switch it on.
        ("CARE4U__THROTTLE__ENABLED", "false"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    variables.extend(changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Settings::from_variables(variables).expect("the settings are good")
}

fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client without TLS")
}
