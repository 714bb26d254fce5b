//! Outage of PostgreSQL while the service runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp, settings};
use crate::support::database::Database;
use crate::support::response::TestResponse;

/// TCP proxy to the database server, whose connections can be interrupted.
struct Proxy {
    address: SocketAddr,
    server: PathBuf,
    task: JoinHandle<()>,
}

impl Proxy {
    async fn start(server: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(accept_connections(listener, server.clone()));
        Self { address, server, task }
    }

    /// Closes all connections and refuses new ones.
    async fn interrupt(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }

    async fn restore(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.task = tokio::spawn(accept_connections(listener, self.server.clone()));
    }
}

async fn accept_connections(listener: TcpListener, server: PathBuf) {
    // Aborted together with this task.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = server.clone();
        connections.spawn(async move { relay(client, UnixStream::connect(server).await.unwrap()).await });
    }
}

async fn relay(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin) {
    copy_bidirectional(&mut client, &mut server).await.ok();
}

/// Starts the application on its own database, behind the proxy.
async fn start_behind_proxy() -> (TestApp, Proxy) {
    let database = Database::new(BACKEND).await;
    let url = database.url();
    let (address, options) = url.split_once('?').expect("the test server listens on a socket in a folder");
    let folder = options.strip_prefix("host=").expect("the test server listens on a socket in a folder");
    let proxy = Proxy::start(PathBuf::from(folder).join(".s.PGSQL.5432")).await;
    let name = address.rsplit_once('/').unwrap().1;
    let proxy_url = format!("postgres://care4u@{}/{name}?sslmode=disable", proxy.address);
    let app = TestApp::start_at(Arc::new(database), settings(&proxy_url, &[])).await;
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
