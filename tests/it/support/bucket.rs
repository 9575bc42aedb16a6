//! A store that speaks as much S3 as the gateway needs, behind a real socket: objects, uploads in parts, and a switch
//! that breaks it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

/// The fake, with one bucket named `bucket`.
pub(crate) struct FakeBucket {
    url: String,
    kept: Arc<Kept>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    objects: Mutex<BTreeMap<String, Bytes>>,
    uploads: Mutex<HashMap<String, BTreeMap<u32, Bytes>>>,
    count: AtomicU32,
    broken: AtomicBool,
}

impl FakeBucket {
    pub(crate) async fn start() -> Self {
        let kept = Arc::<Kept>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(kept.clone());
        #[expect(clippy::disallowed_methods, reason = "the fake is no turn; it ends with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept, server }
    }

    /// The variables of a house whose attachments lie here.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("ATTACHMENTS_URL", "s3://bucket/tutor/files"),
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_REGION", "auto"),
            ("AWS_ACCESS_KEY_ID", "the-key"),
            ("AWS_SECRET_ACCESS_KEY", "the-secret"),
        ]
    }

    /// The paths of all objects.
    pub(crate) fn objects(&self) -> Vec<String> {
        self.kept.objects.lock().unwrap().keys().cloned().collect()
    }

    /// How many uploads in parts have begun and not ended.
    pub(crate) fn open_uploads(&self) -> usize {
        self.kept.uploads.lock().unwrap().len()
    }

    /// Whether it answers everything with 503.
    pub(crate) fn is_broken(&self, broken: bool) {
        self.kept.broken.store(broken, Ordering::SeqCst);
    }
}

impl Drop for FakeBucket {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(kept): State<Arc<Kept>>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if kept.broken.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = header("authorization");
    if !signed.starts_with("AWS4-HMAC-SHA256 Credential=the-key/")
        || !signed.contains("/auto/s3/aws4_request")
        || header("x-amz-content-sha256") != hash
        || header("accept-encoding") != "identity"
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let path = uri.path().to_owned();
    let upload = query.get("uploadId");
    let part = query.get("partNumber").and_then(|number| number.parse().ok());
    match (method.as_str(), upload, part) {
        ("PUT", None, None) => put(&kept, path, body),
        ("GET", None, None) => match kept.objects.lock().unwrap().get(&path) {
            Some(bytes) => {
                ([("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")], Body::from(bytes.clone())).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        },
        ("DELETE", None, None) => {
            kept.objects.lock().unwrap().remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        ("POST", None, None) if query.contains_key("uploads") => {
            let id = format!("upload-{}", kept.count.fetch_add(1, Ordering::SeqCst));
            kept.uploads.lock().unwrap().insert(id.clone(), BTreeMap::new());
            xml("InitiateMultipartUploadResult", &format!("<UploadId>{id}</UploadId>"))
        }
        ("PUT", Some(id), Some(number)) => match kept.uploads.lock().unwrap().get_mut(id) {
            Some(parts) => {
                parts.insert(number, body);
                [("etag", format!("\"part-{number}\""))].into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        },
        ("POST", Some(id), None) => {
            let parts = kept.uploads.lock().unwrap().remove(id).unwrap_or_default();
            // All parts but the last must have the size that real stores ask for.
            let small = parts.values().rev().skip(1).any(|part| part.len() < 5 << 20);
            if small || parts.is_empty() {
                return StatusCode::BAD_REQUEST.into_response();
            }
            put(&kept, path, parts.into_values().collect::<Vec<_>>().concat().into());
            xml("CompleteMultipartUploadResult", "<ETag>\"whole\"</ETag>")
        }
        ("DELETE", Some(id), None) => {
            kept.uploads.lock().unwrap().remove(id);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    }
}

fn put(kept: &Kept, path: String, bytes: Bytes) -> Response {
    kept.objects.lock().unwrap().insert(path, bytes);
    [("etag", "\"whole\"")].into_response()
}

fn xml(name: &str, inside: &str) -> Response {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><{name}>{inside}</{name}>").into_response()
}
