//! SQLite: several processes on one file, and a process that ends without a word.

use std::sync::Arc;

use chatkit_gateway::store::sqlite::SqliteStore;
use chatkit_gateway::store::{Lease, Opening, ThreadStore, TurnThread, Write};
use chatkit_protocol::Order;
use futures_util::future::join_all;

use crate::store_contract::scene::{ada, answer, asked, at, begin, ids, question, record, turn};

#[tokio::test]
async fn preparing_twice_does_nothing_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("new/folders/store.db")).await.unwrap();
    let first = store.migrate().await.unwrap();
    assert_eq!((first.applied.first().map(String::as_str), first.already), (Some("1 conversations"), 0));
    let second = store.migrate().await.unwrap();
    assert_eq!((second.applied.len(), second.already), (0, first.applied.len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_start_at_once_prepare_the_tables_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let instances = join_all((0..4).map(|_| async {
        let store = SqliteStore::open(&path).await.unwrap();
        store.migrate().await.unwrap().applied.len()
    }))
    .await;
    assert_eq!(instances.iter().filter(|applied| **applied > 0).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_one_file_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    SqliteStore::open(&path).await.unwrap().migrate().await.unwrap();
    let writers = (0..8).map(|writer| {
        let path = path.clone();
        async move {
            let store: Arc<dyn ThreadStore> = Arc::new(SqliteStore::open(&path).await.unwrap());
            for round in 0..25 {
                let id = format!("t-{writer}-{round}");
                let mut wish = begin(&id, "turn", Opening::Question(question(&id, "q")));
                wish.thread = TurnThread::New(record(&id));
                store.begin_turn(&ada(), &wish).await.unwrap();
                let answer = [Write::Save(answer(&id, "a", "x"))];
                store.record(&turn(&id, "turn"), &answer, Lease::Release, at(1)).await.unwrap();
            }
        }
    });
    let writers: Vec<_> = writers.map(Box::pin).collect();
    join_all(writers).await;
    let store = SqliteStore::open(&path).await.unwrap();
    let page = store.threads(&ada(), &asked(200, Order::Asc, None)).await.unwrap();
    assert_eq!((page.data.len(), page.has_more), (200, false));
}

#[tokio::test]
async fn what_was_written_is_there_after_an_end_without_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate().await.unwrap();
    let mut wish = begin("t", "dead", Opening::Question(question("t", "q")));
    wish.thread = TurnThread::New(record("t"));
    store.begin_turn(&ada(), &wish).await.unwrap();
    let half = [Write::Checkpoint(answer("t", "a", "half"))];
    store.record(&turn("t", "dead"), &half, Lease::Until(at(60)), at(1)).await.unwrap();
    // What a process leaves that is killed: the file and its log, as they are on disk while it still runs.
    let copy = folder.path().join("copy.db");
    for ending in ["", "-wal"] {
        let from = format!("{}{ending}", path.display());
        std::fs::copy(from, format!("{}{ending}", copy.display())).unwrap();
    }
    let after = SqliteStore::open(&copy).await.unwrap();
    after.migrate().await.unwrap();
    let mut wish = begin("t", "next", Opening::Resume);
    wish.now = at(61);
    let begun = after.begin_turn(&ada(), &wish).await.unwrap();
    assert_eq!(ids(&begun.history), ["q", "a"]);
    assert_eq!(begun.history[1], answer("t", "a", "half"));
}
