//! Minimal HTTP/1.1 client with keep-alive connections, and its measurements.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const EMAIL: &str = "ada@example.org";
/// Account of the log-in load. It has so many log-ins that its oldest sessions end.
pub(crate) const BUSY_EMAIL: &str = "busy@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Measurements of one round.
pub(crate) struct Report {
    seconds: f64,
    latencies: Vec<Duration>,
    pub(crate) cpu_microseconds: f64,
}

impl Report {
    pub(crate) const HEADING: &str = "server     req/s   CPU us/req   p50 us   p99 us";

    pub(crate) fn new(seconds: f64, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { seconds, latencies, cpu_microseconds: 0.0 }
    }

    pub(crate) fn requests(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).expect("fewer than 2^32 requests"))
    }

    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests() / self.seconds
    }

    /// Percentile of the latencies, in microseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let position = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[position].as_secs_f64() * 1e6
    }

    pub(crate) fn row(&self, name: &str) -> String {
        let rate = self.rate();
        let (p50, p99) = (self.percentile(50), self.percentile(99));
        format!("{name:<8} {rate:>7.0} {:>12.1} {p50:>8.0} {p99:>8.0}", self.cpu_microseconds)
    }
}

/// Read load: each connection sends requests without a pause.
pub(crate) struct Load<'a> {
    pub(crate) port: u16,
    pub(crate) path: &'a str,
    pub(crate) token: &'a str,
    pub(crate) connections: usize,
}

impl Load<'_> {
    pub(crate) async fn run(&self, time: Duration) -> Report {
        let started = Instant::now();
        let readers = (0..self.connections).map(|_| async {
            let mut connection = Connection::open(self.port).await;
            let request = get_request(self.path, Some(self.token));
            let mut latencies = Vec::with_capacity(1 << 16);
            while started.elapsed() < time {
                let sent = Instant::now();
                assert_eq!(connection.exchange(&request).await, 200);
                latencies.push(sent.elapsed());
            }
            latencies
        });
        let latencies = futures_util::future::join_all(readers).await.concat();
        Report::new(started.elapsed().as_secs_f64(), latencies)
    }
}

/// Returns the p99 latency, in microseconds, of one connection that pauses between requests.
pub(crate) async fn probe(port: u16, path: &str, token: &str, time: Duration, pause: Duration) -> f64 {
    let mut connection = Connection::open(port).await;
    let request = get_request(path, Some(token));
    let (started, mut latencies) = (Instant::now(), Vec::new());
    while started.elapsed() < time {
        tokio::time::sleep(pause).await;
        let sent = Instant::now();
        assert_eq!(connection.exchange(&request).await, 200);
        latencies.push(sent.elapsed());
    }
    Report::new(started.elapsed().as_secs_f64(), latencies).percentile(99)
}

/// Log-in load: logs in continuously on several connections. Returns log-ins per second.
pub(crate) async fn login_load(port: u16, connections: usize, time: Duration) -> f64 {
    let started = Instant::now();
    let body = format!(r#"{{"email":"{BUSY_EMAIL}","password":"{PASSWORD}"}}"#);
    let request = post_request("/api/v1/auth/login", &body);
    let clients = (0..connections).map(|_| async {
        let mut connection = Connection::open(port).await;
        let mut count = 0_u32;
        while started.elapsed() < time {
            assert_eq!(connection.exchange(&request).await, 200);
            count += 1;
        }
        count
    });
    let count: u32 = futures_util::future::join_all(clients).await.iter().sum();
    f64::from(count) / started.elapsed().as_secs_f64()
}

/// Posts the bodies alternately, `times` each, on one connection. Returns the sorted latencies of each, in
/// microseconds.
pub(crate) async fn alternate<const N: usize>(port: u16, path: &str, bodies: [&str; N], times: usize) -> [Vec<f64>; N] {
    let mut connection = Connection::open(port).await;
    let requests = bodies.map(|body| post_request(path, body));
    let mut latencies = [(); N].map(|()| Vec::with_capacity(times));
    for _ in 0..times {
        for (request, latencies) in requests.iter().zip(&mut latencies) {
            let sent = Instant::now();
            let status = connection.exchange(request).await;
            assert!([202, 401].contains(&status), "{path} responded {status}");
            latencies.push(sent.elapsed().as_secs_f64() * 1e6);
        }
    }
    latencies.iter_mut().for_each(|latencies| latencies.sort_by(f64::total_cmp));
    latencies
}

/// Sends the same GET `times` times and ignores the status.
pub(crate) async fn repeat(port: u16, path: &str, token: &str, times: usize) {
    let mut connection = Connection::open(port).await;
    let request = get_request(path, Some(token));
    for _ in 0..times {
        connection.exchange(&request).await;
    }
}

/// Gets the paths alternately, `times` each, on one connection. Returns the median latency of each, in microseconds.
pub(crate) async fn medians(port: u16, token: &str, paths: &[String], times: usize) -> Vec<f64> {
    let mut connection = Connection::open(port).await;
    let mut latencies: Vec<Vec<f64>> = vec![Vec::with_capacity(times); paths.len()];
    for _ in 0..times {
        for (path, latencies) in paths.iter().zip(&mut latencies) {
            let request = get_request(path, Some(token));
            let sent = Instant::now();
            assert_eq!(connection.exchange(&request).await, 200, "{path}");
            latencies.push(sent.elapsed().as_secs_f64() * 1e6);
        }
    }
    latencies.iter_mut().for_each(|latencies| latencies.sort_by(f64::total_cmp));
    latencies.iter().map(|latencies| latencies[times / 2]).collect()
}

/// Posts a file, expects 201, and returns the response with the report.
pub(crate) async fn upload(port: u16, path: &str, token: &str, media_type: &str, file: &[u8]) -> String {
    let mut connection = Connection::open(port).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
        file.len()
    );
    connection.stream.write_all(head.as_bytes()).await.expect("the server reads");
    connection.stream.write_all(file).await.expect("the server reads the file");
    let mut response = Vec::new();
    connection.stream.read_to_end(&mut response).await.expect("the server responds");
    let response = String::from_utf8_lossy(&response).into_owned();
    assert!(response.starts_with("HTTP/1.1 201"), "{response}");
    response
}

/// Gets a response of any length. Returns its bytes, including head and chunk sizes.
pub(crate) async fn download(port: u16, path: &str, token: &str) -> Vec<u8> {
    let mut connection = Connection::open(port).await;
    let request = get_request(path, Some(token)).replace("host: ", "connection: close\r\nhost: ");
    connection.stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut response = Vec::new();
    connection.stream.read_to_end(&mut response).await.expect("the server responds");
    assert!(response.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&response[..100]));
    response
}

/// Sends one GET, expects 200, and returns the body.
pub(crate) async fn get(port: u16, path: &str, token: Option<&str>) -> String {
    let mut connection = Connection::open(port).await;
    assert_eq!(connection.exchange(&get_request(path, token)).await, 200, "{path}");
    connection.body().to_owned()
}

/// Sends one POST. Returns status and body.
pub(crate) async fn post(port: u16, path: &str, body: &str) -> (u16, String) {
    let mut connection = Connection::open(port).await;
    let status = connection.exchange(&post_request(path, body)).await;
    (status, connection.body().to_owned())
}

pub(crate) fn get_request(path: &str, token: Option<&str>) -> String {
    let authorization = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\r\n")
}

fn post_request(path: &str, body: &str) -> String {
    post_with("", path, body)
}

/// A POST of a user.
pub(crate) fn post_as(token: &str, path: &str, body: &str) -> String {
    post_with(&format!("authorization: Bearer {token}\r\n"), path, body)
}

/// A POST of a user, with an idempotency key.
pub(crate) fn post_once(token: &str, key: &str, path: &str, body: &str) -> String {
    post_with(&format!("authorization: Bearer {token}\r\nidempotency-key: {key}\r\n"), path, body)
}

/// A PATCH of a user.
pub(crate) fn patch_as(token: &str, path: &str, body: &str) -> String {
    post_as(token, path, body).replacen("POST", "PATCH", 1)
}

/// A DELETE of a user.
pub(crate) fn delete_as(token: &str, path: &str) -> String {
    get_request(path, Some(token)).replacen("GET", "DELETE", 1)
}

fn post_with(headers: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Self {
        Self::try_open(port).await.expect("the server listens")
    }

    pub(crate) async fn try_open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10), body: Vec::new() })
    }

    /// Sends a request, reads the complete response and returns its status.
    pub(crate) async fn exchange(&mut self, request: &str) -> u16 {
        self.try_exchange(request).await.expect("the server responds")
    }

    /// As above, for a server that may be killed meanwhile.
    pub(crate) async fn try_exchange(&mut self, request: &str) -> io::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((status, head, length)) = head(&self.buffer)
                && self.buffer.len() >= head + length
            {
                self.body.clear();
                self.body.extend_from_slice(&self.buffer[head..head + length]);
                return Ok(status);
            }
        }
    }

    /// Body of the last response.
    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// A header of the last response.
    pub(crate) fn header(&self, name: &str) -> String {
        let head = String::from_utf8_lossy(&self.buffer[..self.buffer.len() - self.body.len()]);
        let value =
            head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
        value.expect("the header").1.to_owned()
    }

    /// Whether the last response was the stored one of an earlier request.
    pub(crate) fn is_replayed(&self) -> bool {
        let head = &self.buffer[..self.buffer.len() - self.body.len()];
        String::from_utf8_lossy(head).to_ascii_lowercase().contains("idempotency-replayed: true")
    }
}

/// Returns status, length of the head and length of the body, if the head is complete.
fn head(response: &[u8]) -> Option<(u16, usize, usize)> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&response[..end]).expect("a head is ASCII");
    let status = text[9..12].parse().expect("a status");
    let length = text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    Some((status, end, length.unwrap_or(0)))
}
