//! The whole corpus against the scripted host, on both databases, in its three set-ups.

#[expect(dead_code, reason = "its `main` is for whoever runs the example")]
#[path = "../../examples/scripted/main.rs"]
mod scripted;

use chatkit_gateway::conformance::{Corpus, Features, Policy, Target};
use clap::Parser;
use tokio_util::sync::CancellationToken;

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

async fn every_case_passes(set_up: SetUp, database: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let mut line = vec!["scripted", "--port", "0"];
    line.extend(set_up.options);
    line.extend(database.into_iter().flat_map(|url| ["--database", url]));
    let serving = scripted::open(&scripted::Options::parse_from(line), folder.path()).await.unwrap();
    let url = format!("http://{}/chatkit", serving.address());
    let stop = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "the host is no turn; it ends with the test")]
    let served = tokio::spawn(serving.run(stop.clone().cancelled_owned()));

    let have: Features = set_up.have.parse().unwrap();
    let target = Target { policy: set_up.policy, have, ..Target::at(&url) };
    let report = Corpus::bundled().unwrap().run(&target).await.unwrap();
    assert!(report.is_good(), "{report}");
    assert!(report.counts().passed >= set_up.played_min, "{report}");

    stop.cancel();
    served.await.unwrap().unwrap();
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
