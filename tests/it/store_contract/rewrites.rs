//! Texts that were written anew, and pages that are noted.

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::rewrites::{KeptText, NotedPage, RewriteKind, SweptRewrites};
use chatkit_gateway::store::{AdoptionStore, RewriteStore, Tokens};

use super::on_both_homes;
use super::scene::{Scene, ada, at, grace};

on_both_homes!(
    a_text_is_found_by_its_owner_under_its_key_as_long_as_it_is_young,
    of_too_many_texts_the_oldest_of_the_same_owner_go,
    a_page_is_noted_once_as_of_the_last_time,
    of_too_many_pages_the_oldest_of_the_same_kind_go,
    what_a_rewrite_cost_counts_once_and_for_the_adopter_of_a_visitor,
    pages_of_a_visitor_become_those_of_the_user_whose_own_stay,
    what_is_old_is_swept_a_few_rows_at_a_time,
    whatever_a_text_says_nothing_breaks,
);

fn text(owner: &OwnerId, key: &str, text: &str, seconds: i64) -> KeptText {
    KeptText { owner: owner.clone(), key: key.to_owned(), text: text.to_owned(), now: at(seconds), together_max: 100 }
}

fn page(kind: RewriteKind, url: &str, hash: &str, seconds: i64) -> NotedPage {
    NotedPage { kind, url: url.to_owned(), content_hash: Some(hash.to_owned()), profile_hash: None, at: at(seconds) }
}

async fn urls(store: &dyn RewriteStore, owner: &OwnerId, kind: RewriteKind) -> Vec<String> {
    store.noted_pages(owner, kind, 100).await.unwrap().into_iter().map(|page| page.url).collect()
}

async fn a_text_is_found_by_its_owner_under_its_key_as_long_as_it_is_young(scene: Scene) {
    let store = &*scene.home.rewrites;
    store.keep_rewritten(&text(&ada(), "a", "Robots sense.", 10)).await.unwrap();
    let found = async |owner: &OwnerId, key: &str, since: i64| store.rewritten(owner, key, at(since)).await.unwrap();
    assert_eq!(found(&ada(), "a", 10).await.as_deref(), Some("Robots sense."));
    assert_eq!(found(&ada(), "a", 11).await, None);
    assert_eq!(found(&ada(), "b", 0).await, None);
    assert_eq!(found(&grace(), "a", 0).await, None);
    store.keep_rewritten(&text(&ada(), "a", "Robots act.", 20)).await.unwrap();
    assert_eq!(found(&ada(), "a", 20).await.as_deref(), Some("Robots act."));
}

async fn of_too_many_texts_the_oldest_of_the_same_owner_go(scene: Scene) {
    let store = &*scene.home.rewrites;
    store.keep_rewritten(&text(&grace(), "a", "hers", 0)).await.unwrap();
    for (key, seconds) in [("a", 1), ("b", 2), ("c", 3)] {
        store.keep_rewritten(&KeptText { together_max: 2, ..text(&ada(), key, key, seconds) }).await.unwrap();
    }
    let mut left = Vec::new();
    for key in ["a", "b", "c"] {
        left.extend(store.rewritten(&ada(), key, at(0)).await.unwrap());
    }
    assert_eq!(left, ["b", "c"]);
    assert!(store.rewritten(&grace(), "a", at(0)).await.unwrap().is_some());
}

async fn a_page_is_noted_once_as_of_the_last_time(scene: Scene) {
    let store = &*scene.home.rewrites;
    for (url, hash, seconds) in [("/a", "1", 1), ("/b", "2", 2), ("/a", "3", 3)] {
        store.note_page(&ada(), &page(RewriteKind::Personalized, url, hash, seconds), 100).await.unwrap();
    }
    store.note_page(&ada(), &page(RewriteKind::Translated, "/c", "4", 4), 100).await.unwrap();
    assert_eq!(urls(store, &ada(), RewriteKind::Personalized).await, ["/a", "/b"]);
    assert_eq!(urls(store, &ada(), RewriteKind::Translated).await, ["/c"]);
    let found = store.noted_page(&ada(), RewriteKind::Personalized, "/a").await.unwrap();
    assert_eq!(found, Some(page(RewriteKind::Personalized, "/a", "3", 3)));
    assert_eq!(store.noted_page(&ada(), RewriteKind::Translated, "/a").await.unwrap(), None);
    assert_eq!(store.noted_page(&grace(), RewriteKind::Personalized, "/a").await.unwrap(), None);
    assert!(urls(store, &grace(), RewriteKind::Personalized).await.is_empty());
    assert_eq!(store.noted_pages(&ada(), RewriteKind::Personalized, 1).await.unwrap().len(), 1);
}

async fn of_too_many_pages_the_oldest_of_the_same_kind_go(scene: Scene) {
    let store = &*scene.home.rewrites;
    for (kind, url, seconds) in [
        (RewriteKind::Translated, "/t", 0),
        (RewriteKind::Personalized, "/a", 1),
        (RewriteKind::Personalized, "/b", 2),
        (RewriteKind::Personalized, "/c", 3),
    ] {
        store.note_page(&ada(), &page(kind, url, "1", seconds), 2).await.unwrap();
    }
    assert_eq!(urls(store, &ada(), RewriteKind::Personalized).await, ["/c", "/b"]);
    assert_eq!(urls(store, &ada(), RewriteKind::Translated).await, ["/t"]);
}

async fn what_a_rewrite_cost_counts_once_and_for_the_adopter_of_a_visitor(scene: Scene) {
    let store = &*scene.home.rewrites;
    let visitor = OwnerId::visitor("0a1b");
    let cost = |output| Tokens { input: 90, output };
    store.count_rewrite(&visitor, "rewrite_1", cost(5), at(1)).await.unwrap();
    store.count_rewrite(&visitor, "rewrite_1", cost(10), at(1)).await.unwrap();
    assert_eq!(scene.store.spent_since(&visitor, at(0)).await.unwrap(), cost(10));
    scene.store.adopt(&visitor, &ada(), at(2)).await.unwrap();
    store.count_rewrite(&visitor, "rewrite_2", cost(20), at(3)).await.unwrap();
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), cost(10) + cost(20));
    assert_eq!(scene.store.spent_since(&visitor, at(0)).await.unwrap(), Tokens::default());
}

async fn pages_of_a_visitor_become_those_of_the_user_whose_own_stay(scene: Scene) {
    let store = &*scene.home.rewrites;
    let visitor = OwnerId::visitor("0a1b");
    for (owner, url, hash) in [(&ada(), "/a", "hers"), (&visitor, "/a", "theirs"), (&visitor, "/b", "theirs")] {
        store.note_page(owner, &page(RewriteKind::Translated, url, hash, 1), 100).await.unwrap();
    }
    scene.store.adopt(&visitor, &ada(), at(2)).await.unwrap();
    assert!(urls(store, &visitor, RewriteKind::Translated).await.is_empty());
    let own = store.noted_page(&ada(), RewriteKind::Translated, "/a").await.unwrap().unwrap();
    assert_eq!(own.content_hash.as_deref(), Some("hers"));
    // What was on its way when they signed in.
    store.note_page(&visitor, &page(RewriteKind::Translated, "/c", "late", 3), 100).await.unwrap();
    let mut all = urls(store, &ada(), RewriteKind::Translated).await;
    all.sort();
    assert_eq!(all, ["/a", "/b", "/c"]);
}

async fn what_is_old_is_swept_a_few_rows_at_a_time(scene: Scene) {
    let store = &*scene.home.rewrites;
    for seconds in 0..5 {
        store.keep_rewritten(&text(&ada(), &seconds.to_string(), "text", seconds)).await.unwrap();
        let page = page(RewriteKind::Personalized, &format!("/{seconds}"), "1", seconds);
        store.note_page(&ada(), &page, 100).await.unwrap();
    }
    let swept = async || store.sweep_rewrites(at(3), at(1), 2).await.unwrap();
    assert_eq!(swept().await, SweptRewrites { texts: 2, pages: 1 });
    assert_eq!(swept().await, SweptRewrites { texts: 1, pages: 0 });
    assert_eq!(swept().await, SweptRewrites::default());
    assert_eq!(urls(store, &ada(), RewriteKind::Personalized).await, ["/4", "/3", "/2", "/1"]);
    assert_eq!(store.rewritten(&ada(), "2", at(0)).await.unwrap(), None);
    assert!(store.rewritten(&ada(), "3", at(0)).await.unwrap().is_some());
}

async fn whatever_a_text_says_nothing_breaks(scene: Scene) {
    let store = &*scene.home.rewrites;
    for odd in ["", "with\0nothing", "'; drop table chat_rewrites; --", "ہاں 🤖", &"k".repeat(100_000)] {
        store.keep_rewritten(&text(&ada(), "odd", odd, 1)).await.unwrap();
        store.rewritten(&ada(), "odd", at(0)).await.unwrap();
        store.note_page(&ada(), &page(RewriteKind::Personalized, odd, "1", 1), 100).await.unwrap();
        store.noted_page(&ada(), RewriteKind::Personalized, odd).await.unwrap();
    }
}
