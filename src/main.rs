//! The program: reads the command line and runs the command.
//!
//! A failure is one printed sentence and exit code 1.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command line")]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("care4u: {failure}");
            ExitCode::FAILURE
        }
    }
}
