//! The whole corpus against the scripted host, on both databases, in its three set-ups.

#[expect(dead_code, reason = "its `main` is for whoever runs the example")]
#[path = "../../examples/scripted/main.rs"]
pub(crate) mod scripted;

use chatkit_gateway::conformance::{Corpus, Features, Policy, Target};
use clap::Parser;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::client::{Reader, thread_of, types};
use crate::support::postgres::TestDatabase;

/// How a host is started, and what the corpus is told of it.
struct SetUp {
    options: &'static [&'static str],
    policy: Policy,
    have: &'static str,
    /// How many cases must have been played at least: a runner that skips them all proves nothing.
    played_min: usize,
}

const EVERYTHING: SetUp = SetUp {
    options: &[],
    policy: Policy::Finish,
    have: "attachments,transcribe,refuse_locked,stream_widget",
    played_min: 120,
};
const CANCEL: SetUp = SetUp { options: &["--on-disconnect", "cancel"], policy: Policy::Cancel, ..EVERYTHING };
const BARE: SetUp = SetUp {
    options: &["--attachments", "off", "--transcriber", "off", "--locked", "allow"],
    have: "",
    played_min: 115,
    ..EVERYTHING
};

/// A host that runs until it is stopped.
struct Running {
    url: String,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start(options: &[&str], database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut line = vec!["scripted", "--port", "0"];
        line.extend(options);
        line.extend(database.into_iter().flat_map(|url| ["--database", url]));
        let serving = scripted::open(&scripted::Options::parse_from(line), folder.path()).await.unwrap();
        let (url, stop) = (format!("http://{}", serving.address()), CancellationToken::new());
        #[expect(clippy::disallowed_methods, reason = "the host is no turn; it ends with the test")]
        let served = tokio::spawn(serving.run(stop.clone().cancelled_owned()));
        Self { url, stop, served, _folder: folder }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

async fn every_case_passes(set_up: SetUp, database: Option<&str>) {
    let host = Running::start(set_up.options, database).await;
    let have: Features = set_up.have.parse().unwrap();
    let target = Target { policy: set_up.policy, have, ..Target::at(format!("{}/chatkit", host.url)) };
    let report = Corpus::bundled().unwrap().run(&target).await.unwrap();
    assert!(report.is_good(), "{report}");
    assert!(report.counts().passed >= set_up.played_min, "{report}");
    host.stop().await;
}

#[tokio::test]
async fn what_a_responder_goes_on_to_do_after_an_event_that_is_refused_is_neither_kept_nor_shown() {
    let host = Running::start(&[], None).await;
    let reader = Reader::new(&host.url, None);
    let workflow = json!({"id": "$id:w:workflow", "thread_id": "$thread", "created_at": "$now", "type": "workflow",
                          "workflow": {"type": "custom", "tasks": []}});
    let update = json!({"type": "workflow.task.updated", "task_index": 3, "task": {"type": "custom", "title": "t"}});
    let script = json!({"respond": [
        {"set_title": "before"},
        {"emit": {"type": "thread.item.added", "item": workflow}},
        {"emit": {"type": "progress_update", "text": "on the way"}},
        {"emit": {"type": "thread.item.updated", "item_id": "$id:w:workflow", "update": update}},
        {"set_title": "after"},
        {"emit": {"type": "progress_update", "text": "too late"}},
    ]});
    let events = reader.create(&script.to_string()).await;
    let expected = ["thread.item.added workflow", "thread.updated", "progress_update", "error"];
    assert_eq!(types(&events)[3..], expected);
    let kept = reader.ask("threads.get_by_id", json!({"thread_id": thread_of(&events)})).await.body;
    assert_eq!(kept["title"], "before");
    host.stop().await;
}

macro_rules! on_both_databases {
    ($($name:ident: $set_up:expr),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::every_case_passes($set_up, None).await;
            })+
        }
        mod postgres {
            use secrecy::ExposeSecret;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let database = super::TestDatabase::migrated().await;
                super::every_case_passes($set_up, Some(database.url().expose_secret())).await;
            })+
        }
    };
}

on_both_databases!(
    a_host_with_everything_does_what_the_corpus_says: super::EVERYTHING,
    a_host_that_stops_when_its_reader_leaves_does_so_too: super::CANCEL,
    a_host_without_attachments_and_transcriber_does_so_too: super::BARE,
);
