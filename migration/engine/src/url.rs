//! Database URLs: checked before anything is dialled. No message contains any part of a URL that may be a secret.

/// Parameters that sqlx knows. It would log the value of any other one, which may be a password.
const POSTGRES_PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "channel_binding",
];

/// Checks that a URL is one of SQLite or PostgreSQL.
///
/// # Errors
/// A sentence that says what to write instead. It contains no part of the URL but a known scheme.
pub fn check_url(url: &str) -> Result<(), String> {
    if url.starts_with("sqlite:") {
        return Ok(());
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return check_parameters(url);
    }
    for (python, instead) in [("postgresql+", "postgres://"), ("postgres+", "postgres://"), ("sqlite+", "sqlite://")] {
        let driver = url.strip_prefix(python).and_then(|rest| rest.split_once("://")).map(|(driver, _)| driver);
        if driver.is_some_and(|driver| PYTHON_DRIVERS.contains(&driver)) {
            let driver = driver.unwrap_or_default();
            return Err(format!(
                "the database URL begins with {python}{driver}://, which is for Python; write {instead} instead"
            ));
        }
    }
    Err("the database URL must start with sqlite: or postgres:".to_owned())
}

/// Drivers of SQLAlchemy and Django.
const PYTHON_DRIVERS: [&str; 8] =
    ["asyncpg", "psycopg", "psycopg2", "psycopg_async", "psycopg2cffi", "pg8000", "aiosqlite", "pysqlite"];

fn check_parameters(url: &str) -> Result<(), String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let names = query.split('&').filter(|pair| !pair.is_empty());
    let names = names.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    for name in names {
        if !POSTGRES_PARAMETERS.contains(&name) && !name.starts_with("options[") && !name.starts_with("options%5B") {
            return Err("the database URL has an unknown parameter after the question mark; known ones are sslmode, \
                        sslrootcert, sslcert, sslkey, host, port, user, dbname, application_name and options"
                .to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_url;

    #[test]
    fn urls_of_both_databases_are_accepted() {
        for url in [
            "sqlite://data/app.db?mode=rwc",
            "sqlite::memory:",
            "postgres://user:hunter2@host/db",
            "postgresql://user@localhost/db?host=/tmp&sslmode=verify-full&options[search_path]=x",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for (url, part) in [
            ("postgresql+asyncpg://user:hunter2@host/db", "write postgres:// instead"),
            ("postgresql+psycopg2://user:hunter2@host/db", "postgresql+psycopg2://"),
            ("sqlite+aiosqlite:///hunter2.db", "write sqlite:// instead"),
            ("postgresql+hunter2://host/db", "must start with"),
            ("postgres:user:hunter2@host/db", "must start with"),
            ("Postgres://user:hunter2@host/db", "must start with"),
            ("mysql://user:hunter2@host/db", "must start with"),
            ("user:hunter2@host/db", "must start with"),
            ("hunter2", "must start with"),
            ("", "must start with"),
            ("postgres://host/db?pwd=hunter2", "unknown parameter"),
            ("postgres://host/db?hunter2", "unknown parameter"),
        ] {
            let message = check_url(url).unwrap_err();
            assert!(message.contains(part) && !message.contains("hunter2"), "{url}: {message}");
        }
    }
}
