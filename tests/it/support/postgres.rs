//! A Postgres server of our own for one run of the test binary, and a fresh, migrated database for each test.
//!
//! With `TEST_DATABASE_URL` set, that server is used instead; its user must be allowed to create databases.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chatkit_gateway::store::postgres::{PostgresOptions, PostgresStore};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// How long the server may take to start.
const START_WAIT_MAX: Duration = Duration::from_secs(60);

/// How often to look whether it has.
const START_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs the server and ends it when this process ends, however that happens: the pipe on its standard input closes with
/// us, even on `kill -9`. It takes the folder along. Signals of the terminal are for the tests; this one follows them.
/// A server that is only just starting does not hear, so it is told again until it has ended.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$2/log" 2>&1 </dev/null
"$1/postgres" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c shared_buffers=32MB -c autovacuum=off -c max_connections=300 >>"$2/log" 2>&1 &
server=$!
read -r _
(while kill -QUIT "$server"; do sleep 0.2; done) &
again=$!
wait "$server"
kill -KILL "$again"
rm -rf "$2"
"#;

/// A database for one test.
pub(crate) struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// A database that has all tables and no rows.
    pub(crate) async fn migrated() -> Self {
        let server = Server::get().await;
        Self::create(&format!("template {}", server.template)).await
    }

    /// A database without tables.
    pub(crate) async fn empty() -> Self {
        Self::create("template template0").await
    }

    async fn create(from: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::get().await;
        let name = format!("{}_{}", server.template, COUNT.fetch_add(1, Ordering::SeqCst));
        server.command(&format!("create database {name} {from}")).await;
        Self { name }
    }

    /// What the server knows it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub(crate) fn url(&self) -> SecretString {
        Server::started().url(&self.name)
    }

    /// Its address for somebody else: a role that can log in, and nothing more.
    pub(crate) async fn url_as_newcomer(&self) -> (String, SecretString) {
        use secrecy::ExposeSecret;
        let role = format!("{}_newcomer", self.name);
        let server = Server::started();
        server.command(&format!("create role {role} login password 'newcomer'")).await;
        let url = self.url().expose_secret().to_owned();
        let (scheme, rest) = url.split_once("://").expect("an address has a scheme");
        let (_, place) = rest.split_once('@').expect("the address of a server for tests names a user");
        let url = SecretString::from(format!("{scheme}://{role}:newcomer@{place}"));
        (role, url)
    }

    /// A plain connection to it.
    pub(crate) async fn connect(&self) -> PgConnection {
        use secrecy::ExposeSecret;
        PgConnection::connect(self.url().expose_secret()).await.expect("the test database answers")
    }

    /// A store on it.
    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.url(), &PostgresOptions::default()).await.expect("the test database opens")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = Server::started();
        if server.keeper.is_some() {
            return; // Goes with its server.
        }
        let drop = format!("drop database if exists {} with (force)", self.name);
        let drop_role = format!("drop role if exists {}_newcomer", self.name);
        thread::scope(|scope| {
            scope.spawn(|| {
                block_on(async {
                    server.command(&drop).await;
                    server.command(&drop_role).await;
                });
            });
        });
    }
}

struct Server {
    /// An address with `{}` for the database.
    address: String,
    admin: String,
    template: String,
    /// Lives as long as this process.
    keeper: Option<Child>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

impl Server {
    async fn get() -> &'static Self {
        // Starting blocks, and several tests may want to: each waits in a thread of its own.
        tokio::task::spawn_blocking(|| {
            SERVER.get_or_init(|| thread::spawn(Self::start).join().expect("Postgres starts"))
        })
        .await
        .expect("Postgres starts")
    }

    fn started() -> &'static Self {
        SERVER.get().expect("there is a database, so there is a server")
    }

    #[expect(clippy::disallowed_methods, reason = "tests are told of a server by their environment")]
    fn start() -> Self {
        let template = format!("chatkit_test_{}", std::process::id());
        let server = match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => Self::at(&url, template),
            Err(_) => Self::of_our_own(template),
        };
        block_on(async {
            server.wait().await;
            server.command(&format!("create database {} template template0", server.template)).await;
            let (url, options) = (server.url(&server.template), PostgresOptions::default());
            let store = PostgresStore::open(&url, &options).await.expect("the template opens");
            store.migrate().await.expect("the template migrates");
            store.close().await;
        });
        server
    }

    fn at(url: &str, template: String) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (server, database) = base.rsplit_once('/').expect("TEST_DATABASE_URL names a database");
        Self { address: format!("{server}/{{}}?{query}"), admin: database.to_owned(), template, keeper: None }
    }

    fn of_our_own(template: String) -> Self {
        let programs = programs();
        let folder = PathBuf::from(format!("/tmp/chatkit-pg-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder under /tmp can be made");
        let us = fs::metadata(&folder).expect("the folder is there").uid();
        let mut keep = Command::new("sh");
        keep.args(["-c", KEEPER, "sh"]).arg(&programs).arg(&folder).current_dir("/").process_group(0);
        // The server refuses to run as root.
        if us == 0 {
            let (user, group) = user_for_the_server();
            chown(&folder, Some(user), Some(group)).expect("root may give a folder away");
            keep.uid(user).gid(group);
        }
        keep.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keep.spawn().expect("sh runs");
        let address = format!("postgres://postgres@localhost/{{}}?host={}", folder.display());
        Self { address, admin: "postgres".to_owned(), template, keeper: Some(keeper) }
    }

    fn url(&self, database: &str) -> SecretString {
        SecretString::from(self.address.replace("{}", database))
    }

    async fn admin(&self) -> Result<PgConnection, sqlx::Error> {
        use secrecy::ExposeSecret;
        PgConnection::connect(self.url(&self.admin).expose_secret()).await
    }

    async fn wait(&self) {
        let begun = Instant::now();
        while let Err(error) = self.admin().await {
            assert!(begun.elapsed() < START_WAIT_MAX, "Postgres does not answer: {error}");
            tokio::time::sleep(START_LOOK_EVERY).await;
        }
    }

    async fn command(&self, sql: &str) {
        let mut admin = self.admin().await.expect("Postgres answers");
        admin.execute(AssertSqlSafe(sql.to_owned())).await.expect("Postgres does what it is told");
        admin.close().await.expect("Postgres says goodbye");
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(work)
}

/// The folder with `initdb` and `postgres`: of the newest version installed, or on the path.
#[expect(clippy::disallowed_methods, reason = "programs are found on the path")]
fn programs() -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort_by_key(|folder| folder.parent().and_then(Path::file_name).map(|name| (name.len(), name.to_owned())));
    folders.reverse();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let complete = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    folders.into_iter().find(complete).expect(
        "these tests need Postgres: `make test` installs it, or set TEST_DATABASE_URL to a server with throw-away data",
    )
}

/// User and group of `postgres`, or of `nobody`.
pub(super) fn user_for_the_server() -> (u32, u32) {
    let mut text = String::new();
    fs::File::open("/etc/passwd").and_then(|mut file| file.read_to_string(&mut text)).expect("the users can be read");
    let ids = |name: &str| {
        let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).expect("there is a user `postgres` or `nobody`")
}
