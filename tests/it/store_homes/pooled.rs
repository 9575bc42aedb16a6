//! Through a pooler that lends its connections for one transaction at a time and knows nothing of named statements.

use std::sync::Arc;

use chatkit_gateway::store::postgres::{PostgresOptions, PostgresStore};
use chatkit_gateway::store::{Lease, Opening, ThreadStore, TurnThread, Write};
use chatkit_protocol::Order;
use futures_util::future::join_all;
use secrecy::SecretString;

use super::originals;
use crate::store_contract::scene::{ada, answer, asked, at, begin, question, record, turn};
use crate::support::pooler;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_behind_one_pooler_take_over_an_old_database_and_work_side_by_side() {
    let database = originals::database().await;
    check(&pooler::url(&database).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_drops_what_it_does_not_know_is_known_for_one_too() {
    let database = originals::database().await;
    check(&pooler::lenient_url(&database).await).await;
}

/// Two instances take over, and write and read at once.
async fn check(url: &SecretString) {
    let instances: Vec<Arc<PostgresStore>> = join_all(
        (0..2).map(|_| async { Arc::new(PostgresStore::open(url, &PostgresOptions::default()).await.unwrap()) }),
    )
    .await;
    let migrated = join_all(instances.iter().map(|store| async { store.migrate().await.unwrap().applied.len() })).await;
    assert_eq!(migrated.iter().filter(|applied| **applied > 0).count(), 1, "{migrated:?}");
    let writers = (0..16).map(|writer| {
        let store = Arc::clone(&instances[writer % 2]);
        async move {
            for round in 0..8 {
                let id = format!("t-{writer}-{round}");
                let mut wish = begin(&id, "turn", Opening::Question(question(&id, "q")));
                wish.thread = TurnThread::New(record(&id));
                store.begin_turn(&ada(), &wish).await.unwrap();
                let half = [Write::Checkpoint(answer(&id, "a", "half"))];
                store.record(&turn(&id, "turn"), &half, Lease::Until(at(60)), at(1)).await.unwrap();
                let whole = [Write::Save(answer(&id, "a", "whole"))];
                store.record(&turn(&id, "turn"), &whole, Lease::Release, at(2)).await.unwrap();
                let items = store.items(&ada(), &id.into(), &asked(20, Order::Asc, None)).await.unwrap().data;
                assert_eq!(items.len(), 2);
            }
        }
    });
    join_all(writers.map(Box::pin)).await;
    let page = instances[0].threads(&ada(), &asked(200, Order::Asc, None)).await.unwrap();
    assert_eq!(page.data.len(), 128);
}
