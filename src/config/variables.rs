//! Every variable the program reads, with its names, its default and its sentence.

/// A variable that the program reads.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its canonical name.
    pub name: &'static str,
    /// Other names it may be given by; the canonical one wins.
    pub aliases: &'static [&'static str],
    /// What holds when it is not given, if anything.
    pub default: Option<&'static str>,
    /// Whether its value is kept out of sight; such a variable may also be given as `NAME_FILE`.
    pub secret: bool,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

impl Variable {
    /// All names, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

macro_rules! variables {
    ($($constant:ident = $name:literal $(| $alias:literal)* $(, default $default:literal)? $(, secret $secret:literal)? => $meaning:literal;)*) => {
        $(pub(crate) const $constant: Variable = Variable {
            name: $name,
            aliases: &[$($alias),*],
            default: variables!(@default $($default)?),
            secret: variables!(@secret $($secret)?),
            meaning: $meaning,
        };)*

        /// Every variable of this file, in the order of the documentation.
        pub const VARIABLES: &[Variable] = &[$($constant),*];
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@secret) => { false };
    (@secret $secret:literal) => { $secret };
}

variables! {
    HOST = "HOST", default "127.0.0.1" => "The address to listen on; `0.0.0.0` for all.";
    PORT = "PORT", default "8000" => "The port to listen on; 0 takes a free one.";
    PUBLIC_URL = "PUBLIC_URL" => "Where readers reach this server, for links into the bundled book and to attachments; `http://HOST:PORT` when not given.";
    DEFAULT_LANGUAGE = "DEFAULT_LANGUAGE", default "en"
        => "The language of errors and other sentences of this server for readers whose browsers ask for none that it has: `en` or `ur`.";
    CHATKIT_PATHS = "CHATKIT_PATHS", default "/chatkit,/api/chatkit" => "Where the ChatKit protocol is served, comma-separated.";
    CORS_ORIGINS = "CORS_ORIGINS" | "FRONTEND_URL", default "http://localhost:3000"
        => "Sites whose pages may call this server, comma-separated; `https://*.example.org` covers sub-domains, `*` everybody without cookies.";
    DATA_DIR = "DATA_DIR" => "Where files live: the SQLite database, attachments; the platform's data folder when not given.";
    DATABASE_URL = "DATABASE_URL" | "NEON_CONNECTION_STRING", secret true
        => "`postgres://…` or `sqlite:///path/to/file`; a SQLite file in `DATA_DIR` when not given.";
    DATABASE_URL_DIRECT = "DATABASE_URL_DIRECT" | "DATABASE_URL_UNPOOLED" | "DIRECT_URL", secret true
        => "A Postgres address without a pooler, for migrations; made from a Neon pooler's address when not given.";
    MIGRATE_AT_START = "MIGRATE_AT_START", default "true" => "Whether `serve` brings the database up to date itself.";
    COLLECTION = "KNOWLEDGE_COLLECTION" | "QDRANT_COLLECTION", default "knowledge_base" => "The name of the collection of passages.";
    QDRANT_URL = "QDRANT_URL" | "QDRANT_ENDPOINT"
        => "Where Qdrant is, such as `http://localhost:6334` or `https://name.cloud.qdrant.io`; the passages are kept there, and in the database when not given.";
    QDRANT_API_KEY = "QDRANT_API_KEY", secret true => "The key that Qdrant asks for.";
    QDRANT_SHAPE = "QDRANT_SHAPE", default "auto"
        => "What the collection looks like: `gateway` as this program makes it, `tutor` or `book` as earlier programs did, which can be read only; `auto` looks.";
    SITE_URL = "SITE_URL" => "Where the ingested book is read, such as `https://book.example.org`; citations link there.";
    SITE_BASE = "SITE_BASE" => "The path below `SITE_URL` at which the book's pages lie; when not given, what the configuration of the site says, or `/docs`.";
    GROUNDING = "GROUNDING", default "prefer"
        => "What answers rest on: `prefer` says when the book has nothing, and then answers from general knowledge; `strict` answers from the book alone, and checks each sentence against it.";
    PASSAGES = "PASSAGES_PER_SEARCH", default "3" => "How many passages one search brings.";
    HISTORY_MESSAGES = "HISTORY_MESSAGES", default "10" => "How many earlier messages of a thread the model sees.";
    HISTORY_BYTES = "HISTORY_BYTES", default "24000" => "How much text of earlier messages the model sees, in bytes.";
    SELECTED_TEXT_BYTES = "SELECTED_TEXT_BYTES_MAX", default "8000"
        => "How much of a selected text an answer rests on, in bytes, 16000 at most; a longer one is cut at the end of a sentence.";
    ANSWER_TOKENS = "ANSWER_TOKENS_MAX" => "Where an answer is cut, in tokens; the provider's limit when not given.";
    MODEL_SILENCE = "MODEL_SILENCE_SECONDS", default "60" => "How long a model may be silent before its answer is given up, in seconds.";
    REWRITE_TIME = "REWRITE_SECONDS", default "120" => "How long a text may take to be personalized or translated, in seconds, before it is given up.";
    OFFLINE_PACE = "OFFLINE_PACE_MS", default "12" => "The pause between two words of the offline model, in milliseconds.";
    TITLES = "TITLES", default "model"
        => "What a new conversation is called after its first answer: `model` asks the model for a few words, `question` takes those of the reader, `off` gives no titles.";
    MESSAGE_BYTES = "MESSAGE_BYTES_MAX", default "32768" => "The largest message of a reader, in bytes.";
    BODY_BYTES = "BODY_BYTES_MAX", default "1048576" => "The largest request body, in bytes, but for a recording.";
    RECORDING_BYTES = "RECORDING_BYTES_MAX", default "8388608" => "The largest body of `input.transcribe`, in bytes; in base64, a recording is a third larger than it is.";
    ON_DISCONNECT = "ON_DISCONNECT", default "finish"
        => "What happens to an answer whose reader has gone: `finish` writes it to its end and keeps it, `cancel` stops and keeps what was shown.";
    LOCKED_THREADS = "LOCKED_THREADS", default "refuse"
        => "What becomes of a message to a locked or closed thread: `refuse` tells the reader and keeps nothing, `allow` answers it.";
    GRACE = "SHUTDOWN_GRACE_SECONDS", default "30" => "How long running answers may go on after the signal to stop, in seconds.";
    ATTACHMENTS_URL = "ATTACHMENTS_URL"
        => "Where the bytes of attachments lie: `file:///path/to/folder`, `s3://bucket/prefix`, or `off` for no attachments; the folder `attachments` in `DATA_DIR` when not given.";
    ATTACHMENT_BYTES = "ATTACHMENT_BYTES_MAX", default "20971520" => "The largest attachment, in bytes.";
    ATTACHMENTS_PER_MESSAGE = "ATTACHMENTS_PER_MESSAGE", default "10" => "How many attachments a message may have.";
    ATTACHMENTS_UNUSED = "ATTACHMENTS_UNUSED", default "40" => "How many attachments one reader may have that no message names yet.";
    ATTACHMENT_TYPES = "ATTACHMENT_TYPES", default "image/png,image/jpeg,image/gif,image/webp,application/pdf,text/*,application/json"
        => "What attachments may be, comma-separated; their bytes must be what their type says.";
    UPLOAD_LINK_MINUTES = "UPLOAD_LINK_MINUTES", default "15" => "How long the address for an upload is good, in minutes.";
    AWS_ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID", secret true
        => "A key for the bucket; without keys, the role of the machine or the container is asked for some.";
    AWS_SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY", secret true => "The other half of the key.";
    AWS_SESSION_TOKEN = "AWS_SESSION_TOKEN", secret true => "What belongs to a key that does not last.";
    AWS_REGION = "AWS_REGION" | "AWS_DEFAULT_REGION" => "The bucket's region; `us-east-1` when not given, `auto` for R2.";
    AWS_ENDPOINT = "AWS_ENDPOINT" | "AWS_ENDPOINT_URL_S3" | "AWS_ENDPOINT_URL"
        => "Where the bucket is when it is not at Amazon, such as `https://ACCOUNT.r2.cloudflarestorage.com` or `http://minio:9000`.";
    AWS_ROLE_ARN = "AWS_ROLE_ARN" => "A role to take on, as platforms set it together with `AWS_WEB_IDENTITY_TOKEN_FILE`.";
    AWS_WEB_IDENTITY_TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE" => "Where the token for the role is.";
    AWS_CONTAINER_RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => "Where a container gets keys for the bucket, as platforms set it.";
    AWS_CONTAINER_FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI" => "The same, on other platforms.";
    AWS_CONTAINER_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => "What a container shows to get them.";
    LOG = "LOG_LEVEL" | "RUST_LOG", default "info" => "What is logged: `error`, `warn`, `info`, `debug`, or a filter per module.";
    LOG_FORMAT = "LOG_FORMAT", default "text" => "`text` for people, `json` for machines.";
    METRICS_TOKEN = "METRICS_TOKEN", secret true
        => "What whoever reads `/metrics` must show as `Authorization: Bearer`; anybody may read it when not given.";
    JWKS_URL = "JWKS_URL"
        => "Where the issuers of tokens publish their keys, such as `https://site.example.org/api/auth/jwks`: one address, or one for each name of `JWT_ISSUER`, comma-separated; no tokens are accepted when not given.";
    JWT_ISSUER = "JWT_ISSUER" => "What the `iss` of accepted tokens is, comma-separated; with Better Auth, its base URL.";
    JWT_AUDIENCE = "JWT_AUDIENCE"
        => "What the `aud` of accepted tokens is, comma-separated; the issuer's own name when not given, `*` for anything.";
    SESSION_SECRET = "SESSION_SECRET", secret true
        => "Turns accounts on, and signs their sessions; at least 32 characters, the same on every instance. Of several, comma-separated, the first signs and all verify.";
    SESSION_HOURS = "SESSION_EXPIRATION_HOURS", default "24" => "How long a session lasts, in hours.";
    SESSION_REMEMBER_DAYS = "SESSION_REMEMBER_DAYS", default "30" => "How long a session lasts whose reader asked to be remembered, in days.";
    VISITOR_SECRET = "VISITOR_SECRET", secret true
        => "Signs the identity of anonymous visitors; at least 32 characters, the same on every instance. Of several, comma-separated, the first signs and all verify. `SESSION_SECRET` when not given, or else one that is kept in the data folder.";
    ADOPT_VISITOR_THREADS = "ADOPT_VISITOR_THREADS", default "true" => "Whether the conversations of a visitor become theirs when they sign in.";
    ANONYMOUS = "ANONYMOUS", default "true" => "Whether readers without an account or a token may have conversations.";
    COOKIE_SAME_SITE = "COOKIE_SAME_SITE", default "none"
        => "When browsers send the cookies from pages of other sites: `none` always (over https), `lax` or `strict` never.";
    MESSAGES_PER_MINUTE = "MESSAGES_PER_MINUTE", default "20" => "How many messages a reader may send in a minute; 0 for any number, as with the limits below.";
    MESSAGES_PER_DAY = "MESSAGES_PER_DAY", default "500" => "How many messages a reader may send in a day.";
    MESSAGES_PER_MINUTE_PER_ADDRESS = "MESSAGES_PER_MINUTE_PER_ADDRESS", default "60" => "How many messages may come from one address in a minute.";
    MESSAGES_PER_DAY_PER_ADDRESS = "MESSAGES_PER_DAY_PER_ADDRESS", default "3000" => "How many messages may come from one address in a day.";
    TOKENS_PER_DAY = "TOKENS_PER_DAY", default "0" => "How many tokens a reader's answers may cost in a day, read and written ones together.";
    PERSONALIZATIONS_PER_DAY = "PERSONALIZATIONS_PER_DAY", default "50" => "How many texts may be written anew for a reader in a day; what is answered from the cache does not count.";
    TRANSLATIONS_PER_DAY = "TRANSLATIONS_PER_DAY", default "100" => "How many texts a reader may have translated in a day; what is answered from the cache does not count.";
    TRANSLATIONS_PER_DAY_PER_ADDRESS = "TRANSLATIONS_PER_DAY_PER_ADDRESS", default "300"
        => "How many texts readers without an account may have translated from one address in a day.";
    STREAMS_PER_READER = "STREAMS_PER_READER", default "8" => "How many answers a reader may listen to at once.";
    STREAMS_PER_ADDRESS = "STREAMS_PER_ADDRESS", default "64" => "How many answers one address may listen to at once.";
    REQUESTS_PER_MINUTE_PER_ADDRESS = "REQUESTS_PER_MINUTE_PER_ADDRESS", default "600" => "How many requests of any kind one address may send to one instance in a minute.";
    AUTH_ATTEMPTS_PER_MINUTE = "AUTH_ATTEMPTS_PER_MINUTE", default "5" => "How many attempts to sign up or in may come from one address in a minute.";
    CONNECTIONS = "CONNECTIONS_MAX", default "10000" => "How many connections one instance keeps open.";
    CONNECTIONS_PER_ADDRESS = "CONNECTIONS_PER_ADDRESS_MAX", default "256" => "How many connections of one address one instance keeps open.";
    TRUSTED_PROXIES = "TRUSTED_PROXIES"
        => "Proxies in front of this server, as addresses or networks, comma-separated: what they say in `X-Forwarded-For` or `Forwarded` is where a request comes from.";
}
