//! Start of a command: settings and log.

use care4u::config::Settings;
use care4u::telemetry;

/// The result of a command: an error is one sentence for the operator.
pub(super) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Loads the settings of a command. Only warnings and errors are logged.
pub(super) fn start_quietly() -> Result<Settings, Box<dyn std::error::Error>> {
    let mut settings = Settings::load()?;
    "warn".clone_into(&mut settings.log.level);
    start(settings)
}

/// Starts logging with the settings.
pub(super) fn start(settings: Settings) -> Result<Settings, Box<dyn std::error::Error>> {
    telemetry::start(&settings.log)?;
    for warning in &settings.warnings {
        log::warn!("{warning}");
    }
    Ok(settings)
}
