//! `serve`: the service itself.

use std::io::Write as _;

use care4u::app::Application;
use care4u::config::Settings;
use care4u::domain::values::clock::Clock;

use super::start::{Outcome, start};

pub(super) async fn serve() -> Outcome {
    let settings = start(Settings::load()?)?;
    let application = Application::build(&settings, Clock::default()).await?;
    let address = format!("http://{}", application.address());
    println!("care4u listens on {address}, its docs are at {address}/docs");
    std::io::stdout().flush()?;
    application.run().await?;
    log::info!("stopped");
    Ok(())
}
