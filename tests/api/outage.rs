//! Outage of PostgreSQL while the service runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp, settings};
use crate::support::database::Database;
use crate::support::response::TestResponse;

/// TCP proxy to the database server, whose connections can be interrupted, or frozen: then no byte passes any more, and
/// no side learns of it, as behind a firewall that drops packets.
struct Proxy {
    address: SocketAddr,
    server: PathBuf,
    task: JoinHandle<()>,
    /// Number of freezes. A connection is frozen by the first one after it was opened.
    freezes: Arc<watch::Sender<Freeze>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Freeze {
    count: u32,
    /// Whether new connections are frozen, too.
    is_total: bool,
}

impl Proxy {
    async fn start(server: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let freezes = Arc::new(watch::Sender::new(Freeze::default()));
        let task = tokio::spawn(accept_connections(listener, server.clone(), freezes.clone()));
        Self { address, server, task, freezes }
    }

    /// Closes all connections and refuses new ones.
    async fn interrupt(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }

    async fn restore(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.task = tokio::spawn(accept_connections(listener, self.server.clone(), self.freezes.clone()));
    }

    fn freeze(&self, is_total: bool) {
        self.freezes.send_modify(|freeze| *freeze = Freeze { count: freeze.count + 1, is_total });
    }
}

async fn accept_connections(listener: TcpListener, server: PathBuf, freezes: Arc<watch::Sender<Freeze>>) {
    // Aborted together with this task.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (server, freezes) = (server.clone(), freezes.subscribe());
        connections.spawn(async move { relay(client, UnixStream::connect(server).await.unwrap(), freezes).await });
    }
}

async fn relay(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut freezes: watch::Receiver<Freeze>,
) {
    let opened = *freezes.borrow_and_update();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = freezes.wait_for(|freeze| freeze.count > opened.count || opened.is_total) => {}
    }
    // Both sockets stay open.
    std::future::pending::<()>().await;
}

/// Starts the application on its own database, behind the proxy.
async fn start_behind_proxy() -> (TestApp, Proxy) {
    start_behind_proxy_with(&[]).await
}

async fn start_behind_proxy_with(changes: &[(&str, &str)]) -> (TestApp, Proxy) {
    let database = Database::new(BACKEND).await;
    let url = database.url();
    let (address, options) = url.split_once('?').expect("the test server listens on a socket in a folder");
    let folder = options.strip_prefix("host=").expect("the test server listens on a socket in a folder");
    let proxy = Proxy::start(PathBuf::from(folder).join(".s.PGSQL.5432")).await;
    let name = address.rsplit_once('/').unwrap().1;
    let proxy_url = format!("postgres://care4u@{}/{name}?sslmode=disable", proxy.address);
    let app = TestApp::start_at(Arc::new(database), settings(&proxy_url, changes)).await;
    (app, proxy)
}

fn assert_unavailable(response: &TestResponse) {
    response.problem(503, "unavailable");
    assert_eq!(response.header("retry-after"), "2");
    for cause in ["refused", "sql", "postgres", "Connection", "pool"] {
        assert!(!response.text.contains(cause), "{}", response.text);
    }
}

#[tokio::test]
async fn requests_are_503_during_a_database_outage_and_succeed_afterwards() {
    let (app, mut proxy) = start_behind_proxy().await;
    let (patient, admin) = (app.patient().await, app.admin().await);
    let request = patient.ask_for("MMR").await;
    let login = json!({ "email": patient.email, "password": PASSWORD });
    proxy.interrupt().await;
    assert_unavailable(&patient.get("/users/me").await);
    assert_unavailable(&patient.post_empty(&format!("/vaccine-requests/{request}/cancel")).await);
    assert_unavailable(&admin.patch(&format!("/users/{}", patient.id), json!({ "role": "staff" })).await);
    assert_unavailable(&app.post("/api/v1/auth/login", login.clone()).await);
    assert_unavailable(&app.refresh(&patient.refresh_token).await);
    assert_unavailable(&app.get("/health/ready").await);
    let token = app.token(&[("grant_type", "refresh_token"), ("refresh_token", &patient.refresh_token)]).await;
    token.oauth_error(503, "temporarily_unavailable");
    app.get("/health/live").await.ok();
    proxy.restore().await;
    app.get("/health/ready").await.ok();
    assert_eq!(patient.get(&format!("/vaccine-requests/{request}")).await.ok()["status"], "pending");
    app.post("/api/v1/auth/login", login).await.ok();
    admin.patch(&format!("/users/{}", patient.id), json!({ "role": "staff" })).await.ok();
}

#[tokio::test]
async fn reads_succeed_after_a_restart_of_the_database_server() {
    let (app, mut proxy) = start_behind_proxy().await;
    let patient = app.patient().await;
    let token = &patient.access_token;
    // Enough concurrent requests that both workers hold connections.
    let read = || async {
        let requests = (0..16).map(|_| app.send(app.request(Method::GET, "/api/v1/users/me").bearer_auth(token)));
        futures_util::future::join_all(requests).await.iter().for_each(|response| drop(response.ok()));
    };
    read().await;
    proxy.interrupt().await;
    proxy.restore().await;
    read().await;
}

#[tokio::test]
async fn a_cancelled_query_leaves_no_result_for_the_next_one() {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    let app = TestApp::start(BACKEND).await;
    let db = app.state().db.for_worker();
    let number = async |number: i32, seconds: f64| {
        let sql = format!("SELECT {number} FROM pg_sleep({seconds})");
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
        row.try_get_by_index::<i32>(0).unwrap()
    };
    for round in 0..8 {
        // Polled once, the statement has been sent; then it is dropped.
        let mut slow = Box::pin(number(-1, 30.0));
        let first = std::future::poll_fn(|context| std::task::Poll::Ready(slow.as_mut().poll(context))).await;
        assert!(first.is_pending());
        drop(slow);
        assert_eq!(number(round, 0.0).await, round);
    }
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), holds).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

#[tokio::test]
async fn after_connections_died_silently_another_instance_still_ends_sessions() {
    let (app, proxy) = start_behind_proxy().await;
    let other = app.another_instance().await;
    let patient = app.patient().await;
    let on_other = |token: &str| other.request(Method::GET, "/api/v1/users/me").bearer_auth(token);
    other.send(on_other(&patient.access_token)).await.ok();
    proxy.freeze(false);
    // The other instance is not behind the proxy.
    let log_out = other.request(Method::POST, "/api/v1/auth/logout").bearer_auth(&patient.access_token);
    other.send(log_out).await.no_content();
    until("the session is known to have ended", async || patient.get("/users/me").await.status == 401).await;
    app.get("/health/ready").await.ok();
    // Reads, writes and mails go on, on new connections.
    let ada = app.patient().await;
    ada.get("/users/me").await.ok();
    app.post("/api/v1/auth/forgot-password", json!({ "email": ada.email })).await.accepted();
    // Either instance sends it.
    let is_sent = async || [&app, &other].iter().any(|instance| !instance.mail.to(&ada.email).is_empty());
    until("the mail is sent", is_sent).await;
}

#[tokio::test]
async fn while_the_database_is_silent_every_request_is_answered_and_access_tokens_are_refused() {
    let (app, proxy) = start_behind_proxy_with(&[("CARE4U__AUTH__REVOCATIONS_MAX_AGE_SECONDS", "3")]).await;
    let patient = app.patient().await;
    patient.get("/users/me").await.ok();
    proxy.freeze(true);
    let refused = async || app.get("/health/ready").await.status == 503;
    until("it is not ready", refused).await;
    // Even where no query is needed.
    let response = patient.post("/contacts", json!({ "first_name": 1 })).await;
    response.problem(503, "unavailable");
    assert_eq!(response.header("retry-after"), "2");
    let forgot = json!({ "email": patient.email });
    assert_unavailable(&app.post("/api/v1/auth/forgot-password", forgot.clone()).await);
    assert_unavailable(&app.refresh(&patient.refresh_token).await);
    app.get("/health/live").await.ok();
    proxy.freeze(false);
    until("it is ready again", async || app.get("/health/ready").await.status == 200).await;
    patient.get("/users/me").await.ok();
    app.post("/api/v1/auth/forgot-password", forgot).await.accepted();
    until("the mail is sent", async || !app.mail.to(&patient.email).is_empty()).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_is_an_error_and_is_not_repeated() {
    use care4u::db::Transact as _;
    use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, TransactionSession};
    let (app, proxy) = start_behind_proxy().await;
    let transaction = app.state().db.begin().await.unwrap();
    transaction.execute_unprepared("UPDATE vaccines SET active = false").await.unwrap();
    proxy.freeze(false);
    let error = care4u::error::Error::from(transaction.commit().await.unwrap_err());
    assert!(matches!(error, care4u::error::Error::Unavailable(_)), "{error:?}");
    // It was not repeated on another connection, and others are used.
    let inactive = entity::vaccines::Entity::find().filter(entity::vaccines::Column::Active.eq(false));
    assert_eq!(inactive.count(&app.state().db).await.unwrap(), 0);
}

#[tokio::test]
async fn an_instance_with_a_wrong_clock_is_not_ready() {
    let app = TestApp::start(BACKEND).await;
    app.clock.advance(chrono::Duration::seconds(4));
    app.get("/health/ready").await.ok();
    app.clock.advance(chrono::Duration::seconds(8));
    until("it is not ready", async || app.get("/health/ready").await.status == 503).await;
    app.clock.advance(chrono::Duration::seconds(-12));
    until("it is ready", async || app.get("/health/ready").await.status == 200).await;
    app.clock.advance(chrono::Duration::seconds(-8));
    until("it is not ready", async || app.get("/health/ready").await.status == 503).await;
}
