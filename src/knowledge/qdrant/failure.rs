//! What can go wrong with Qdrant, each with a sentence of its own and a remedy.

use qdrant_client::QdrantError;

use super::client::Surroundings;
use crate::knowledge::KnowledgeError;

/// What the server says of itself is repeated up to so many characters.
const DETAIL_CHARS_MAX: usize = 200;

// The numbers of gRPC's codes, which are fixed.
const CANCELLED: i32 = 1;
const UNKNOWN: i32 = 2;
const DEADLINE_EXCEEDED: i32 = 4;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

/// What can be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may be over in a moment.
    Passing,
    /// There is no such collection.
    Missing,
    /// What was to be made is there already.
    Exists,
    /// The collection's vectors are others than those of the request.
    OtherVectors,
    /// The operator has to change something.
    Wrong,
}

/// Why a request did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// What happened and the remedy.
    pub(super) sentence: String,
}

impl From<Failure> for KnowledgeError {
    fn from(Failure { kind, sentence }: Failure) -> Self {
        match kind {
            Kind::Passing => Self::Away(sentence),
            Kind::Missing | Kind::Exists | Kind::OtherVectors | Kind::Wrong => Self::Unusable(sentence),
        }
    }
}

/// What an error of the client means.
pub(super) fn of(error: &QdrantError, around: &Surroundings) -> Failure {
    let status = match error {
        QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. } => status,
        QdrantError::InvalidUri(_) => {
            return wrong(format!("`{}` is no address: check QDRANT_URL", around.uri));
        }
        _ => return wrong(format!("Qdrant's client failed: {}", around.cleaned(&error.to_string()))),
    };
    told(status.code() as i32, status.message(), around)
}

/// No answer within the time there was.
pub(super) fn silence(around: &Surroundings) -> Failure {
    passing(format!("Qdrant at {} did not answer in time{}", around.uri, around.asleep()))
}

fn passing(sentence: String) -> Failure {
    Failure { kind: Kind::Passing, sentence }
}

fn wrong(sentence: String) -> Failure {
    Failure { kind: Kind::Wrong, sentence }
}

fn told(code: i32, message: &str, around: &Surroundings) -> Failure {
    let says = message.to_lowercase();
    let Surroundings { uri, collection, .. } = around;
    // Strict mode refuses under several codes, by version; its words are always the same.
    if says.contains("index required") {
        let field = message.split('"').nth(1).unwrap_or("path");
        return wrong(format!(
            "`{collection}` is in strict mode and has no payload index on `{field}`: make a keyword index on it, or use \
             another KNOWLEDGE_COLLECTION, where the indexes are made first"
        ));
    }
    // Servers before 1.13 do not read vectors in the form they have now, and find none.
    if says.contains("vector dimension error") && says.contains("got 0") {
        return too_old(around);
    }
    if says.contains("vector dimension error")
        || says.contains("vector name error")
        || says.contains("wrong input: vector")
    {
        return Failure {
            kind: Kind::OtherVectors,
            sentence: format!(
                "the vectors of `{collection}` are others than those of the embedding model ({}): put EMBEDDING_MODEL and \
                 EMBEDDING_DIMENSIONS back as they were, or run `ingest --reembed`",
                around.cleaned(message)
            ),
        };
    }
    match code {
        UNAUTHENTICATED | PERMISSION_DENIED if !around.has_key => {
            wrong(format!("Qdrant at {uri} asks for a key: set QDRANT_API_KEY"))
        }
        UNAUTHENTICATED => wrong(format!(
            "Qdrant at {uri} refuses the key: put the key of this cluster into QDRANT_API_KEY; a key of another cluster, \
             or one that ran out, will not do"
        )),
        PERMISSION_DENIED => wrong(format!(
            "the key in QDRANT_API_KEY may not do this on `{collection}` at {uri} ({}): use one that may read, and for \
             `ingest` write and manage collections",
            around.cleaned(message)
        )),
        NOT_FOUND => Failure {
            kind: Kind::Missing,
            sentence: format!(
                "there is no collection `{collection}` at {uri}: run `ingest`, or check KNOWLEDGE_COLLECTION and \
                 QDRANT_URL"
            ),
        },
        UNIMPLEMENTED if says.contains("404") => passing(format!(
            "there is no Qdrant behind {uri} any more (404): the cluster was suspended or removed; wake it in the \
             console, or check QDRANT_URL{}",
            around.asleep()
        )),
        UNIMPLEMENTED => too_old(around),
        RESOURCE_EXHAUSTED => passing(format!("Qdrant at {uri} has too much to do ({})", around.cleaned(message))),
        _ if says.contains("already exists") => {
            Failure { kind: Kind::Exists, sentence: format!("`{collection}` exists already at {uri}") }
        }
        INTERNAL if says.contains("failed to connect") || says.contains("tls config") => unconnected(&says, around),
        CANCELLED | DEADLINE_EXCEEDED => silence(around),
        UNKNOWN | INTERNAL | UNAVAILABLE
            if ["transport error", "protocol error", "http2", "frame", "http/1", "grpc-status header missing"]
                .iter()
                .any(|sign| says.contains(sign)) =>
        {
            passing(format!(
                "what listens at {uri} broke the connection off: either Qdrant is just starting, or this is not its gRPC \
                 port; that is 6334 (6333 is REST), and https:// where it is encrypted: check QDRANT_URL"
            ))
        }
        UNAVAILABLE => {
            passing(format!("Qdrant at {uri} is not available ({}){}", around.cleaned(message), around.asleep()))
        }
        UNKNOWN | INTERNAL => passing(format!("Qdrant at {uri} failed ({})", around.cleaned(message))),
        _ => wrong(format!("Qdrant at {uri} refused a request on `{collection}`: {}", around.cleaned(message))),
    }
}

fn too_old(around: &Surroundings) -> Failure {
    wrong(format!("Qdrant at {} is too old for what is asked of it: run version 1.13 or newer", around.uri))
}

/// Why there is no connection, by what the layers below say.
fn unconnected(says: &str, around: &Surroundings) -> Failure {
    let uri = &around.uri;
    let has = |signs: &[&str]| signs.iter().any(|sign| says.contains(sign));
    if has(&["native root", "no ca certificates", "tls config", "unknownissuer"]) {
        return wrong(format!(
            "the certificate of {uri} cannot be checked: install the system's certificates (the package \
             ca-certificates), or name the file with your own authority in SSL_CERT_FILE"
        ));
    }
    if has(&["certificate", "notvalidforname"]) {
        return wrong(format!("the certificate of {uri} is not one for this address: check QDRANT_URL"));
    }
    if has(&["invalidcontenttype", "corrupt message"]) {
        return wrong(format!("{uri} does not speak TLS: write http:// in QDRANT_URL"));
    }
    if has(&["dns error", "lookup address", "name or service"]) {
        return passing(format!(
            "the host of {uri} is not known: check QDRANT_URL; a cluster that was removed loses its name{}",
            around.asleep()
        ));
    }
    if has(&["refused"]) {
        return passing(format!(
            "nothing listens at {uri}: start Qdrant, or check QDRANT_URL; its gRPC port must be published, too{}",
            around.asleep()
        ));
    }
    if has(&["deadline", "timedout", "timed out", "unreachable"]) {
        return silence(around);
    }
    passing(format!("no connection to Qdrant at {uri}{}", around.asleep()))
}

impl Surroundings {
    /// A text of the server, short and without the key.
    fn cleaned(&self, text: &str) -> String {
        let without_key = match self.key() {
            Some(key) => text.replace(key, "***"),
            None => text.to_owned(),
        };
        let line = without_key.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(DETAIL_CHARS_MAX).collect()
    }

    /// What often is the reason in the cloud.
    fn asleep(&self) -> &'static str {
        if self.in_cloud {
            "; a free cluster that nobody used for a week is suspended, and later removed: look in Qdrant's console"
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(key: Option<&str>) -> Surroundings {
        Surroundings::of("http://h:6334", false, key.map(Into::into), "book")
    }

    #[track_caller]
    fn check(code: i32, message: &str, kind: Kind, told_words: &[&str]) {
        let failure = told(code, message, &around(Some("s3cret")));
        assert_eq!(failure.kind, kind, "{failure:?}");
        for words in told_words {
            assert!(failure.sentence.contains(words), "{words}: {}", failure.sentence);
        }
        assert!(!failure.sentence.contains("s3cret"), "{}", failure.sentence);
    }

    #[test]
    fn each_failure_has_its_own_remedy_and_never_the_key() {
        check(UNAUTHENTICATED, "Invalid API key s3cret", Kind::Wrong, &["refuses the key", "QDRANT_API_KEY"]);
        check(PERMISSION_DENIED, "Write access s3cret", Kind::Wrong, &["may not do this"]);
        check(NOT_FOUND, "Not found: Collection `book`", Kind::Missing, &["no collection `book`", "ingest"]);
        check(UNIMPLEMENTED, "mapped from HTTP status code 404", Kind::Passing, &["suspended"]);
        check(UNIMPLEMENTED, "", Kind::Wrong, &["too old"]);
        check(3, "Wrong input: Vector dimension error: expected dim: 768, got 0", Kind::Wrong, &["too old", "1.13"]);
        check(3, "Bad request: Index required but not found for \"path\" of", Kind::Wrong, &["index on `path`"]);
        check(PERMISSION_DENIED, "Forbidden: Index required but not found for \"kind\"", Kind::Wrong, &["`kind`"]);
        check(3, "Vector dimension error: expected dim: 3, got 4", Kind::OtherVectors, &["--reembed", "got 4"]);
        check(RESOURCE_EXHAUSTED, "rate limit", Kind::Passing, &["too much to do"]);
        check(INTERNAL, "protocol error: received message with invalid compression flag", Kind::Passing, &["6334"]);
        check(UNKNOWN, "transport error", Kind::Passing, &["6334"]);
        check(CANCELLED, "Timeout expired", Kind::Passing, &["in time"]);
        check(INTERNAL, "Failed to connect to x: dns error", Kind::Passing, &["is not known"]);
        check(INTERNAL, "Failed to connect: UnknownIssuer", Kind::Wrong, &["ca-certificates"]);
        check(INTERNAL, "Failed to connect: kind: ConnectionRefused", Kind::Passing, &["nothing listens"]);
        check(INTERNAL, "Failed to connect: InvalidContentType", Kind::Wrong, &["write http://"]);
        let keyless = told(UNAUTHENTICATED, "", &around(None));
        assert!(keyless.sentence.contains("asks for a key: set QDRANT_API_KEY"));
        let cloud = Surroundings::of("https://x.cloud.qdrant.io:6334", true, None, "book");
        assert!(silence(&cloud).sentence.contains("suspended"));
    }
}
