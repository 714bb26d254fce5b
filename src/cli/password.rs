//! Passwords for a command: from an environment variable or a prompt without echo.

use std::io::IsTerminal as _;

use care4u::domain::auth::password::Password;

pub(super) fn read_password(variable: &str) -> Result<Password, Box<dyn std::error::Error>> {
    let typed = match std::env::var(variable) {
        Ok(password) => password,
        Err(_) if std::io::stdin().is_terminal() => {
            let first = rpassword::prompt_password("Password: ")?;
            if first != rpassword::prompt_password("Again: ")? {
                return Err("the two passwords differ".into());
            }
            first
        }
        Err(_) => return Err(format!("set {variable}, or run this where a password can be typed").into()),
    };
    let typed = zeroize::Zeroizing::new(typed);
    Ok(Password::parse(&typed).map_err(|violation| format!("the password {}", violation.message))?)
}
