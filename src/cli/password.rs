//! Passwords for a command: from an environment variable or a prompt without echo.

use std::io::IsTerminal as _;

use care4u::config::secret_variable;
use care4u::domain::auth::password::Password;

pub(super) fn read_password(variable: &str) -> Result<Password, Box<dyn std::error::Error>> {
    let password = match secret_variable(variable)? {
        Some(password) => password,
        None if std::io::stdin().is_terminal() => {
            let first = rpassword::prompt_password("Password: ")?;
            if first != rpassword::prompt_password("Repeat the password: ")? {
                return Err("the two passwords differ".into());
            }
            first
        }
        None => return Err(format!("set {variable}, or run this command in a terminal").into()),
    };
    let password = zeroize::Zeroizing::new(password);
    Ok(Password::parse(&password).map_err(|violation| format!("the password {}", violation.message))?)
}
