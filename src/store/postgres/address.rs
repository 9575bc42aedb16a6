//! Addresses of Postgres databases as people paste them, made into options that the driver takes without a murmur.

use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::store::OpenError;

/// Parameters that the driver knows. It warns of any other one and shows its value, so others do not reach it:
/// `channel_binding`, `connect_timeout` and `pgbouncer` are for other drivers and change nothing here.
const PARAMETERS: [&str; 15] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
];

/// Reads an address: `postgres://…`, `postgresql://…`, or either with a driver's name as in `postgresql+asyncpg://…`.
pub(super) fn options(url: &SecretString) -> Result<PgConnectOptions, OpenError> {
    let normal = normal(url.expose_secret())?;
    let options = PgConnectOptions::from_str(normal.expose_secret()).map_err(|_| {
        OpenError::NotAnAddress(
            "it should look like `postgres://user:password@host:5432/database?sslmode=require`; \
             in the password write `#` as `%23`, `/` as `%2F`, `?` as `%3F`, `@` as `%40` and `%` as `%25`",
        )
    })?;
    // Old poolers refuse a parameter that they do not know, and nothing here is a float in letters.
    Ok(options.application_name("chatkit-gateway").extra_float_digits(None))
}

/// The address without the pooler, for what a pooler cannot do; the same one when there is none that we know.
pub(super) fn without_pooler(options: &PgConnectOptions) -> PgConnectOptions {
    match direct_host(options.get_host()) {
        Some(host) => options.clone().host(&host),
        None => options.clone(),
    }
}

/// Neon's pooler answers at the name of the database with `-pooler` after its first label.
fn direct_host(host: &str) -> Option<String> {
    let (label, domain) = host.split_once('.')?;
    let label = label.strip_suffix("-pooler")?;
    domain.ends_with("neon.tech").then(|| format!("{label}.{domain}"))
}

fn normal(url: &str) -> Result<SecretString, OpenError> {
    let url = url.trim();
    let (scheme, rest) = url
        .split_once("://")
        .ok_or(OpenError::NotAnAddress("it has no `://`; it should begin with `postgres://` or `postgresql://`"))?;
    let scheme = scheme.split('+').next().unwrap_or_default();
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(OpenError::NotAnAddress("it should begin with `postgres://` or `postgresql://`"));
    }
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kept: Vec<String> = query.split('&').filter_map(parameter).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    Ok(SecretString::from(format!("postgres://{base}{mark}{}", kept.join("&"))))
}

/// A parameter as the driver wants it; none if it is of no use to the driver.
fn parameter(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    match name {
        // The spelling of asyncpg.
        "ssl" => Some(format!("sslmode={value}")),
        // Names the database at Neon for clients whose TLS cannot.
        "options" | "statement-cache-capacity" | "application_name" => Some(text.to_owned()),
        _ if PARAMETERS.contains(&name) => Some(text.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgSslMode;

    use super::*;

    fn read(url: &str) -> Result<PgConnectOptions, OpenError> {
        options(&SecretString::from(url))
    }

    #[test]
    fn every_spelling_of_the_same_database_is_read() {
        for scheme in ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"] {
            for query in
                ["?sslmode=require&channel_binding=require&connect_timeout=10&pgbouncer=true", "?ssl=require&x=1"]
            {
                let options = read(&format!("{scheme}://ada:s%23cret@db.example.org:6543/book{query}")).unwrap();
                assert_eq!(
                    (options.get_host(), options.get_port(), options.get_username(), options.get_database()),
                    ("db.example.org", 6543, "ada", Some("book"))
                );
                assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
            }
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_explained_without_its_password() {
        for url in
            ["", "mysql://a:hunter2@h/d", "postgres://ada:hunter2#x@host/db", "postgres://a:hunter2@h/d?sslmode=no"]
        {
            let told = read(url).unwrap_err().to_string();
            assert!(
                told.starts_with("this is not the address of a Postgres database: ") && !told.contains("hunter2"),
                "{told}"
            );
        }
    }

    #[test]
    fn migrations_go_around_the_pooler_of_neon_and_of_nobody_else() {
        let host = |url: &str| without_pooler(&read(url).unwrap()).get_host().to_owned();
        assert_eq!(
            host("postgres://a@ep-cool-1-pooler.eu-central-1.aws.neon.tech/db"),
            "ep-cool-1.eu-central-1.aws.neon.tech"
        );
        assert_eq!(host("postgres://a@my-pooler.example.org/db"), "my-pooler.example.org");
        assert_eq!(
            host("postgres://a@ep-cool-1.eu-central-1.aws.neon.tech/db"),
            "ep-cool-1.eu-central-1.aws.neon.tech"
        );
    }
}
