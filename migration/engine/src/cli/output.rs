//! Output to standard output. A closed pipe is not an error.

use std::io::Write as _;

use crate::Failure;

/// Prints lines.
pub(super) fn print(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        match writeln!(out, "{}", line.as_ref()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome?,
        }
    }
    Ok(())
}

/// Prints JSON.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print([format!("{value:#}")])
}
