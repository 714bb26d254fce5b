//! `healthcheck`: checks whether the service on this machine is alive (`GET /health/live`).

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use care4u::config::Settings;

use super::start::Outcome;

/// Timeout of connecting and of reading.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn healthcheck() -> Outcome {
    let settings = Settings::load()?;
    // A server that listens on all addresses can be reached on localhost.
    let host = match settings.server.host.as_str() {
        "0.0.0.0" | "::" => "localhost",
        host => host,
    };
    let addresses = (host, settings.server.port).to_socket_addrs()?;
    let connected = addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, HEALTH_TIMEOUT).ok());
    let mut stream = connected.ok_or("cannot connect to the service")?;
    stream.set_read_timeout(Some(HEALTH_TIMEOUT))?;
    stream.write_all(b"GET /health/live HTTP/1.0\r\n\r\n")?;
    let mut status_line = [0; 12];
    stream.read_exact(&mut status_line)?;
    if status_line.ends_with(b" 200") { Ok(()) } else { Err("the status of the response is not 200".into()) }
}
