//! What readers were answered, written down for `tests/python/transcripts.py`, which reads it with foreign types.
//!
//! Nothing is written unless somebody made the folder, as `make test` does before it runs the tests.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use chatkit_protocol::sse::Decoder;
use serde_json::{Value, json};

/// A file per process, because every process of a run adds to the folder.
static FILE: LazyLock<Option<Mutex<Paper>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transcripts");
    let file = File::create_new(folder.join(format!("{}.jsonl", std::process::id()))).ok()?;
    Some(Mutex::new(Paper { file, left_bytes: PAPER_BYTES_MAX }))
});

/// A run that says more than this is a mistake.
const PAPER_BYTES_MAX: usize = 256 << 20;
/// Where a browser brings a file that was not announced.
const UPLOAD_DOOR: &str = "/chatkit/upload";

struct Paper {
    file: File,
    left_bytes: usize,
}

/// The type of a ChatKit request, if it is one; uploads to the door beside the endpoint are answered as ChatKit says, too.
pub(crate) fn kind_of(request: &reqwest::Request) -> Option<String> {
    let path = request.url().path();
    if request.method() != "POST" {
        return None;
    }
    if path.ends_with(UPLOAD_DOOR) {
        return Some(UPLOAD_DOOR.to_owned());
    }
    if !path.ends_with("/chatkit") {
        return None;
    }
    let asked: Value = serde_json::from_slice(request.body()?.as_bytes()?).ok()?;
    Some(asked["type"].as_str()?.to_owned())
}

/// An answer that was read to its end.
pub(crate) fn answered(kind: &str, status: u16, content_type: &str, body: &str) {
    if content_type.starts_with("text/event-stream") {
        let mut decoder = Decoder::new(body.len());
        decoder.push(body.as_bytes()).unwrap();
        while let Some(payload) = decoder.next_payload() {
            heard(kind, &payload);
        }
    } else {
        write(kind, &format!(r#""status":{status},"body":{}"#, json!(body)));
    }
}

/// One event of a stream.
pub(crate) fn heard(kind: &str, payload: &str) {
    write(kind, &format!(r#""event":{}"#, json!(payload)));
}

/// What was received stands in the line as a string, so that not a byte of it is changed on the way.
fn write(kind: &str, members: &str) {
    let Some(paper) = &*FILE else { return };
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let line = format!("{{\"test\":{},\"request\":{},{members}}}\n", json!(test), json!(kind));
    let mut paper = paper.lock().unwrap();
    let Some(left_bytes) = paper.left_bytes.checked_sub(line.len()) else { return };
    paper.left_bytes = left_bytes;
    paper.file.write_all(line.as_bytes()).unwrap();
}
