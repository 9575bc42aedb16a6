//! A PgBouncer of our own in transaction mode, before the Postgres server of the tests, for one run of the test binary.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::postgres::{TestDatabase, user_for_the_server};

/// How long it may take to start.
const START_WAIT_MAX: Duration = Duration::from_secs(30);

/// How often to look whether it has.
const START_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs it and ends it when this process ends, however that happens: the pipe on its standard input closes with us.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$1" "$2/pooler.ini" >/dev/null 2>"$2/log" </dev/null &
pooler=$!
read -r _
kill -KILL "$pooler"
rm -rf "$2"
"#;

struct Pooler {
    port: u16,
    /// Lives as long as this process.
    _keeper: Child,
}

/// Refuses parameters that it does not know.
static STRICT: OnceLock<Pooler> = OnceLock::new();
/// Drops them.
static LENIENT: OnceLock<Pooler> = OnceLock::new();

/// The address of a database by way of a pooler, which has two connections for it and refuses parameters of a session
/// that it does not know.
pub(crate) async fn url(database: &TestDatabase) -> SecretString {
    url_by(&STRICT, "strict", "", database).await
}

/// The same by way of one that drops such parameters.
pub(crate) async fn lenient_url(database: &TestDatabase) -> SecretString {
    let settings = "ignore_startup_parameters = options,extra_float_digits\n";
    url_by(&LENIENT, "lenient", settings, database).await
}

async fn url_by(
    pooler: &'static OnceLock<Pooler>,
    name: &'static str,
    settings: &'static str,
    database: &TestDatabase,
) -> SecretString {
    let url = database.url();
    let pooler = tokio::task::spawn_blocking(move || {
        let start = move || start(&url, name, settings);
        pooler.get_or_init(|| thread::spawn(start).join().expect("PgBouncer starts"))
    });
    let port = pooler.await.expect("PgBouncer starts").port;
    SecretString::from(format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", database.name()))
}

fn start(url: &SecretString, name: &str, further: &str) -> Pooler {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = PathBuf::from(format!("/tmp/chatkit-pooler-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder under /tmp can be made");
    let settings = format!(
        "[databases]\n* = {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 1000\n\
         server_idle_timeout = 5\n{further}",
        server(url)
    );
    fs::write(folder.join("pooler.ini"), settings).expect("the folder can be written to");
    let mut keep = Command::new("sh");
    keep.args(["-c", KEEPER, "sh"]).arg(program()).arg(&folder).current_dir("/").process_group(0);
    // It refuses to run as root.
    let us = fs::metadata(&folder).expect("the folder is there");
    if std::os::unix::fs::MetadataExt::uid(&us) == 0 {
        let (user, group) = user_for_the_server();
        chown(&folder, Some(user), Some(group)).expect("root may give a folder away");
        keep.uid(user).gid(group);
    }
    keep.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let keeper = keep.spawn().expect("sh runs");
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let told = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(begun.elapsed() < START_WAIT_MAX, "PgBouncer does not answer: {}", told());
        thread::sleep(START_LOOK_EVERY);
    }
    Pooler { port, _keeper: keeper }
}

/// The server of the tests in the words of PgBouncer.
fn server(url: &SecretString) -> String {
    let url = url.expose_secret();
    let (_, rest) = url.split_once("://").expect("an address has a scheme");
    let (user, place) = rest.split_once('@').expect("the address of a server for tests names a user");
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, query) = place.split_once('/').expect("it names a database");
    let socket = query.split(['?', '&']).find_map(|parameter| parameter.strip_prefix("host="));
    let (host, port) = host.split_once(':').unwrap_or((host, "5432"));
    let secret = if password.is_empty() { String::new() } else { format!(" password={password}") };
    format!("host={} port={port} user={user}{secret}", socket.unwrap_or(host))
}

#[expect(clippy::disallowed_methods, reason = "programs are found on the path")]
fn program() -> PathBuf {
    let on_path = std::env::var_os("PATH");
    let folders = on_path.iter().flat_map(std::env::split_paths).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("pgbouncer")).find(|program| Path::exists(program));
    found.expect("these tests need PgBouncer: `make test` installs it")
}
