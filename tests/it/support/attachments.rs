//! Attachments of a data folder, seen by another instance at another time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::attachments::{AttachmentOptions, Attachments, Surroundings};
use chatkit_gateway::clock::Clock;
use chatkit_gateway::identity::Ids;
use chatkit_gateway::store::sqlite::SqliteStore;
use secrecy::SecretString;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An instance that lives so many days later, or earlier.
pub(crate) async fn days_later(data_dir: &Path, base_url: &str, days: i32) -> Attachments {
    let now = Clock::system().now().utc();
    let then = if days < 0 { now - DAY * days.unsigned_abs() } else { now + DAY * days.unsigned_abs() };
    let store = SqliteStore::open(&data_dir.join("gateway.sqlite")).await.unwrap();
    let secret = SecretString::from(std::fs::read_to_string(data_dir.join("visitor.key")).unwrap());
    let options = AttachmentOptions {
        bytes_max: 1 << 24,
        per_message_max: 10,
        unused_max: 40,
        types: vec!["text/*".to_owned(), "image/png".to_owned()],
        link_lifetime: Duration::from_secs(60),
    };
    let (clock, ids) = (Clock::fixed(then), Ids::random());
    let house = Surroundings { store: Arc::new(store), secrets: std::slice::from_ref(&secret), base_url, clock, ids };
    Attachments::in_folder(&data_dir.join("attachments"), options, house).unwrap()
}
