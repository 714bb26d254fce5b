//! `serve`: the service itself.

use std::io::Write as _;
use std::net::SocketAddr;

use care4u::app::Application;
use care4u::config::Settings;
use care4u::domain::values::clock::Clock;

use super::start::{Outcome, start};

/// Address of the service for a browser, on this machine unless `server.public_url` is set.
fn base_url(settings: &Settings, address: SocketAddr) -> String {
    if !settings.server.public_url.is_empty() {
        return settings.server.public_url.clone();
    }
    // All addresses of the machine: the one for this machine is the same for IPv4 and IPv6.
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

pub(super) async fn serve() -> Outcome {
    let settings = start(Settings::load()?)?;
    let application = Application::build(&settings, Clock::default()).await?;
    let address = application.address();
    // The last line of the start: terminals make a link of the address.
    let docs = if settings.docs.enabled {
        format!("its docs are at {}/docs", base_url(&settings, address))
    } else {
        "without docs".to_owned()
    };
    println!("care4u listens on http://{address}, {docs}");
    std::io::stdout().flush()?;
    application.run().await?;
    log::info!("stopped");
    Ok(())
}
