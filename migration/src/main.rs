//! The migration command line: `cargo run -p migration -- up | down | status | fresh | refresh | reset | generate`.
//!
//! A failure is one printed sentence and exit code 1; the connection string, which may hold a password, is never shown.

mod cli;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "this is a command line")]
            {
                eprintln!("migration: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}
