//! Settings: what is made of the variables in `variables.rs`.
//!
//! Providers of models read theirs in `llm::presets`, through the same [`Reader`].

mod access;
mod attachments;
mod browsers;
mod limits;
mod patience;
mod shown;
mod source;
mod variables;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

pub use access::{AccessSettings, AccountSettings, IssuerSettings, SameSite};
pub use attachments::{AttachmentPlace, AttachmentSettings, BucketSettings};
pub use browsers::BrowserSettings;
pub use limits::LimitSettings;
pub use patience::{Patience, UNREAD_TIME_MAX};
pub use shown::Shown;
pub use source::{Mistake, Mistakes, Reader, Variables};
pub(crate) use variables::{LOG, QDRANT_API_KEY, QDRANT_SHAPE, QDRANT_URL};
pub use variables::{VARIABLES, Variable};

use crate::language::Language;

use variables::*;

/// Where the server listens and who may call it.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Where readers reach this server, without a slash at the end, if it was given.
    pub public_url: Option<String>,
    /// What readers are spoken to in whose browsers ask for nothing that there is.
    pub default_language: Language,
    /// The paths of the ChatKit protocol.
    pub chatkit_paths: Vec<String>,
    /// Origins, perhaps with a wildcard.
    pub cors_origins: Vec<String>,
    /// The largest body, in bytes, but for a recording.
    pub body_bytes_max: usize,
    /// The largest body with a recording, in bytes.
    pub recording_bytes_max: usize,
    /// How long running turns may go on after the signal to stop.
    pub shutdown_grace: Duration,
    /// How long clients are waited for.
    pub patience: Patience,
}

impl HttpSettings {
    /// Where the server is reached from its own machine: an address that means *all* is none to call.
    pub fn nearest(&self) -> SocketAddr {
        let host = match self.host {
            IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            host => host,
        };
        SocketAddr::new(host, self.port)
    }
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseSettings {
    /// A SQLite file.
    Sqlite {
        /// The file; its folder is made when it is missing.
        path: PathBuf,
    },
    /// A Postgres server.
    Postgres {
        /// Where it is.
        url: SecretString,
        /// Where it is for migrations, if that differs.
        direct_url: Option<SecretString>,
    },
}

/// What happens to a turn whose listener has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// It runs to its end, and all of it is kept.
    Finish,
    /// It stops, and what was shown is kept.
    Cancel,
}

/// What becomes of a message to a locked or closed thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedThreads {
    /// The reader is told, and nothing is kept.
    Refuse,
    /// It is answered like any other; the status is only shown.
    Allow,
}

/// Limits and habits of conversations.
#[derive(Clone, Debug)]
pub struct ChatSettings {
    /// What a closed connection means.
    pub on_disconnect: OnDisconnect,
    /// What becomes of a message to a locked or closed thread.
    pub locked_threads: LockedThreads,
    /// The largest message of a reader, in bytes.
    pub message_bytes_max: usize,
}

/// What an answer of the tutor may rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounding {
    /// The book, and where it has nothing, general knowledge that is marked as such.
    Prefer,
    /// The book alone: what it does not cover is not answered.
    Strict,
}

/// What a new conversation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Titles {
    /// What the model finds, or else the reader's words.
    Model,
    /// The reader's words.
    Question,
    /// Nothing.
    Off,
}

/// A model that has found no title by then need not look any longer: the reader's words will do.
const TITLE_TIME_MAX: Duration = Duration::from_secs(5);

/// What the tutor sees and says.
#[derive(Clone, Debug)]
pub struct TutorSettings {
    /// What its answers may rest on.
    pub grounding: Grounding,
    /// Passages per search.
    pub passages: usize,
    /// Earlier messages the model sees.
    pub history_messages_max: usize,
    /// Bytes of earlier messages the model sees.
    pub history_bytes_max: usize,
    /// Where a selected text is cut, in bytes.
    pub selection_bytes_max: usize,
    /// Where an answer is cut, in tokens.
    pub answer_tokens_max: Option<u32>,
    /// How long a model may be silent.
    pub model_silence: Duration,
    /// How long a text may take to be written anew.
    pub rewrite_time: Duration,
    /// The pause between two words of the offline model.
    pub offline_pace: Duration,
    /// What a new conversation is called.
    pub titles: Titles,
    /// How long the model may look for a title.
    pub title_time_max: Duration,
}

/// The book and where it is read.
#[derive(Clone, Debug)]
pub struct KnowledgeSettings {
    /// The collection's name.
    pub collection: String,
    /// The site of the ingested book, without a slash at the end.
    pub site_url: Option<String>,
    /// The path of the book's pages on the site, if it was given.
    pub site_base: Option<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// A filter of `tracing`.
    pub filter: String,
    /// Whether lines are JSON.
    pub json: bool,
}

/// All settings but those of the model's provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Listening.
    pub http: HttpSettings,
    /// Keeping.
    pub database: DatabaseSettings,
    /// Whether `serve` migrates.
    pub migrate_at_start: bool,
    /// Where files live.
    pub data_dir: PathBuf,
    /// Conversations.
    pub chat: ChatSettings,
    /// The tutor.
    pub tutor: TutorSettings,
    /// The book.
    pub knowledge: KnowledgeSettings,
    /// Attachments.
    pub attachments: AttachmentSettings,
    /// Logging.
    pub log: LogSettings,
    /// Who may come in.
    pub access: AccessSettings,
    /// How much somebody may do.
    pub limits: LimitSettings,
}

impl Settings {
    /// Reads all of them; mistakes stay with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let data_dir = data_dir(reader);
        Self {
            http: http(reader),
            database: database(reader, &data_dir),
            migrate_at_start: reader.parsed(&MIGRATE_AT_START, "`true` or `false`"),
            chat: ChatSettings {
                on_disconnect: on_disconnect(reader),
                locked_threads: locked_threads(reader),
                message_bytes_max: size(reader, &MESSAGE_BYTES, 1..=1 << 24),
            },
            tutor: TutorSettings {
                grounding: grounding(reader),
                passages: size(reader, &PASSAGES, 1..=20),
                history_messages_max: size(reader, &HISTORY_MESSAGES, 0..=200),
                history_bytes_max: size(reader, &HISTORY_BYTES, 0..=1 << 24),
                selection_bytes_max: size(reader, &SELECTED_TEXT_BYTES, 200..=16_000),
                answer_tokens_max: answer_tokens(reader),
                model_silence: Duration::from_secs(reader.number(&MODEL_SILENCE, 1..=3600)),
                rewrite_time: Duration::from_secs(reader.number(&REWRITE_TIME, 1..=3600)),
                offline_pace: Duration::from_millis(reader.number(&OFFLINE_PACE, 0..=1000)),
                titles: titles(reader),
                title_time_max: TITLE_TIME_MAX,
            },
            knowledge: KnowledgeSettings {
                collection: reader.text(&COLLECTION).unwrap_or_default(),
                site_url: web_address(reader, &SITE_URL),
                site_base: path(reader, &SITE_BASE),
            },
            attachments: attachments::read(reader, &data_dir),
            log: LogSettings { filter: reader.text(&LOG).unwrap_or_default(), json: log_format(reader) },
            access: access::read(reader),
            limits: limits::read(reader),
            data_dir,
        }
    }
}

fn http(reader: &mut Reader<'_>) -> HttpSettings {
    HttpSettings {
        host: reader.parsed(&HOST, "an IP address such as 127.0.0.1 or 0.0.0.0"),
        port: reader.parsed(&PORT, "a port from 0 to 65535"),
        public_url: web_address(reader, &PUBLIC_URL),
        default_language: default_language(reader),
        chatkit_paths: chatkit_paths(reader),
        cors_origins: cors_origins(reader),
        body_bytes_max: size(reader, &BODY_BYTES, 1024..=1 << 28),
        recording_bytes_max: size(reader, &RECORDING_BYTES, 0..=1 << 28),
        shutdown_grace: Duration::from_secs(reader.number(&GRACE, 0..=3600)),
        patience: Patience::default(),
    }
}

fn default_language(reader: &mut Reader<'_>) -> Language {
    let known: Vec<&str> = Language::all().map(Language::tag).collect();
    reader.parsed(&DEFAULT_LANGUAGE, &format!("one of `{}`", known.join("`, `")))
}

fn size(reader: &mut Reader<'_>, variable: &Variable, bounds: std::ops::RangeInclusive<u64>) -> usize {
    usize::try_from(reader.number(variable, bounds)).unwrap_or(usize::MAX)
}

fn data_dir(reader: &mut Reader<'_>) -> PathBuf {
    match reader.text(&DATA_DIR) {
        Some(path) => PathBuf::from(path),
        None => platform_data_dir(),
    }
}

/// The folder in which programs of this platform keep a person's data, or the working directory.
fn platform_data_dir() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the platform names its folders by variables of its own")]
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_DATA_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."))
        .join("chatkit-gateway")
}

fn database(reader: &mut Reader<'_>, data_dir: &std::path::Path) -> DatabaseSettings {
    let embedded = || DatabaseSettings::Sqlite { path: data_dir.join("gateway.sqlite") };
    let direct_url = reader.secret(&DATABASE_URL_DIRECT);
    let Some(url) = reader.secret(&DATABASE_URL) else { return embedded() };
    let text = url.expose_secret();
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    match scheme {
        "sqlite" => {
            let path = text.trim_start_matches("sqlite:").trim_start_matches("//");
            let path = path.split('?').next().unwrap_or_default();
            // Every connection would have a database of its own, gone with it.
            if path.is_empty() || path == ":memory:" {
                reader.mistake(DATABASE_URL.name, "must name a file, such as sqlite:///var/lib/gateway.sqlite");
            }
            DatabaseSettings::Sqlite { path: PathBuf::from(path) }
        }
        "postgres" | "postgresql" | "postgresql+asyncpg" | "postgresql+psycopg" => {
            DatabaseSettings::Postgres { url, direct_url }
        }
        _ => {
            reader
                .mistake(DATABASE_URL.name, "must begin with postgres:// or sqlite://; leave it out for a SQLite file");
            embedded()
        }
    }
}

fn on_disconnect(reader: &mut Reader<'_>) -> OnDisconnect {
    match reader.text(&ON_DISCONNECT).as_deref() {
        Some("finish") => OnDisconnect::Finish,
        Some("cancel") => OnDisconnect::Cancel,
        _ => {
            reader.mistake(ON_DISCONNECT.name, "must be `finish` or `cancel`");
            OnDisconnect::Finish
        }
    }
}

fn locked_threads(reader: &mut Reader<'_>) -> LockedThreads {
    match reader.text(&LOCKED_THREADS).as_deref() {
        Some("refuse") => LockedThreads::Refuse,
        Some("allow") => LockedThreads::Allow,
        _ => {
            reader.mistake(LOCKED_THREADS.name, "must be `refuse` or `allow`");
            LockedThreads::Refuse
        }
    }
}

fn grounding(reader: &mut Reader<'_>) -> Grounding {
    match reader.text(&GROUNDING).as_deref() {
        Some("prefer") => Grounding::Prefer,
        Some("strict") => Grounding::Strict,
        _ => {
            reader.mistake(GROUNDING.name, "must be `prefer` or `strict`");
            Grounding::Strict
        }
    }
}

fn titles(reader: &mut Reader<'_>) -> Titles {
    match reader.text(&TITLES).as_deref() {
        Some("model") => Titles::Model,
        Some("question") => Titles::Question,
        Some("off") => Titles::Off,
        _ => {
            reader.mistake(TITLES.name, "must be `model`, `question` or `off`");
            Titles::Off
        }
    }
}

fn answer_tokens(reader: &mut Reader<'_>) -> Option<u32> {
    if !reader.is_given(&ANSWER_TOKENS) {
        return None;
    }
    u32::try_from(reader.number(&ANSWER_TOKENS, 1..=1_000_000)).ok()
}

fn log_format(reader: &mut Reader<'_>) -> bool {
    match reader.text(&LOG_FORMAT).as_deref() {
        Some("json") => true,
        Some("text") => false,
        _ => {
            reader.mistake(LOG_FORMAT.name, "must be `text` or `json`");
            false
        }
    }
}

fn web_address(reader: &mut Reader<'_>, variable: &Variable) -> Option<String> {
    let address = reader.text(variable)?;
    let is_web =
        ["http://", "https://"].iter().any(|scheme| address.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !is_web {
        reader.mistake(variable.name, "must be an address such as https://book.example.org");
    }
    Some(address.trim_end_matches('/').to_owned())
}

/// A path, which begins with a slash.
fn path(reader: &mut Reader<'_>, variable: &Variable) -> Option<String> {
    let path = reader.text(variable)?;
    if !path.starts_with('/') {
        reader.mistake(variable.name, "must begin with a slash");
    }
    Some(path)
}

fn chatkit_paths(reader: &mut Reader<'_>) -> Vec<String> {
    let paths = reader.list(&CHATKIT_PATHS);
    let plain =
        |path: &String| path.len() > 1 && path.starts_with('/') && !path.contains(['{', '}', '*', '?', '#', ' ']);
    if paths.is_empty() || !paths.iter().all(plain) {
        reader.mistake(CHATKIT_PATHS.name, "must be paths such as /chatkit, separated by commas");
        return vec!["/chatkit".to_owned()];
    }
    paths
}

fn cors_origins(reader: &mut Reader<'_>) -> Vec<String> {
    let origins = reader.list(&CORS_ORIGINS);
    for origin in &origins {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let fine = origin == "*"
            || host.is_some_and(|host| {
                !host.trim_end_matches('/').is_empty() && !host.trim_end_matches('/').contains('/')
            });
        if !fine {
            reader.mistake(
                CORS_ORIGINS.name,
                format!(
                    "`{}` must be `*` or an origin such as https://book.example.org, without a path",
                    Shown(origin)
                ),
            );
        }
    }
    origins.into_iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect()
}

#[cfg(test)]
mod tests;
