//! The real application on a free port, and requests to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use care4u::app::Application;
use care4u::config::Settings;
use care4u::domain::accounts::registration::{self, NewUser};
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
use super::contract;
use super::database::{Backend, Database};
use super::mailbox::Mailbox;
use super::response::TestResponse;

/// Signing secret of the tests.
pub const SECRET: &str = "a secret for tests of 32 bytes or more";

/// Password of all accounts of the tests.
pub const PASSWORD: &str = "correct horse battery";

/// Running application with its own database.
pub struct TestApp {
    pub address: String,
    pub clock: Clock,
    pub database: Arc<Database>,
    /// Folder of its mails.
    pub mail: Mailbox,
    /// Settings that differ from those of the tests.
    changes: Vec<(String, String)>,
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

    /// Starts the application on an existing database.
    pub async fn start_on(database: Arc<Database>, changes: &[(&str, &str)]) -> Self {
        let mut app = Self::start_at(database.clone(), settings(&database.url(), changes)).await;
        app.changes = changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        app
    }

    /// Starts the application with these settings. The database is deleted with it.
    pub async fn start_at(database: Arc<Database>, mut settings: Settings) -> Self {
        let (clock, mail) = (Clock::default(), Mailbox::new());
        settings.mail.dir = mail.folder();
        let application = Application::build(&settings, clock.clone()).await.expect("the application starts");
        let address = format!("http://{}", application.address());
        let state = application.state().clone();
        tokio::spawn(application.run());
        Self { address, clock, database, mail, changes: Vec::new(), state, client: client() }
    }

    /// Starts another instance on the same database, with the same settings.
    pub async fn another_instance(&self) -> Self {
        let changes: Vec<_> = self.changes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        Self::start_on(Arc::clone(&self.database), &changes).await
    }

    /// State of the application, to prepare data that the API cannot create.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Creates a request without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    /// Sends a request, and compares the response with the OpenAPI document.
    pub async fn send(&self, request: RequestBuilder) -> TestResponse {
        let request = request.build().expect("the request is well-formed");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.client.execute(request).await.expect("the application responds");
        let response = TestResponse::read(response).await;
        contract::check(&method, &path, &response);
        response
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Sends a form to the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> TestResponse {
        self.send(self.request(Method::POST, "/api/v1/auth/token").form(form)).await
    }

    /// Registers an account over HTTP, which sends it a mail.
    pub async fn register(&self, email: &str) -> TestResponse {
        let body = json!({ "name": "Ada Lovelace", "email": email, "password": PASSWORD });
        self.post("/api/v1/auth/register", body).await
    }

    /// Logs in with the given password.
    pub async fn log_in(&self, email: &str, password: &str) -> TestResponse {
        self.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    /// Waits until the outbox is empty.
    pub async fn outbox_empties(&self) {
        let empty = async {
            while entity::outbox::Entity::find().count(&self.state.db).await.expect("it can be counted") > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), empty).await.expect("the outbox empties in time");
    }

    /// Refreshes with a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> TestResponse {
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

    /// Returns the id of a vaccine of the catalogue.
    pub async fn vaccine(&self, code: &str) -> Uuid {
        let catalogue = self.get("/api/v1/vaccines?limit=100").await.ok();
        let items = catalogue["items"].as_array().expect("a list has items");
        let found = items.iter().find(|vaccine| vaccine["code"] == code).expect("the catalogue has it");
        found["id"].as_str().and_then(|id| id.parse().ok()).expect("ids are UUIDs")
    }

    async fn actor(&self, role: Role) -> Actor<'_> {
        let email = format!("{}@example.org", Uuid::now_v7().simple());
        let user = self.account(&email, role).await.expect("a new account");
        Actor::log_in(self, user.id, email).await
    }

    /// Creates an account with a verified address.
    pub async fn account(&self, email: &str, role: Role) -> care4u::error::Result<entity::users::Model> {
        let new = NewUser {
            name: FullName::parse("Ada Lovelace").expect("a valid name"),
            email: Email::parse(email).expect("a valid address"),
            password: Password::parse(PASSWORD).expect("a good password"),
            nid: None,
            phone_number: None,
            address: None,
            birth_date: None,
        };
        registration::create(&self.state.db, &self.state.auth, new, role).await
    }
}

/// Settings of the tests: a free port, cheap hashes, a known key, no throttling.
pub fn settings(database_url: &str, changes: &[(&str, &str)]) -> Settings {
    let mut variables: HashMap<String, String> = [
        ("DATABASE_URL", database_url),
        ("CARE4U__SERVER__PORT", "0"),
        ("CARE4U__SERVER__WORKERS", "2"),
        ("CARE4U__AUTH__SECRET", SECRET),
        ("CARE4U__AUTH__BCRYPT_COST", "4"),
        // All clients have the same address; the tests of throttling enable it.
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
