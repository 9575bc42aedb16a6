//! Threads: what is kept of them, whose they are, how they list.

use chatkit_gateway::store::{
    FeedbackKind, Lease, Opening, PAGE_ROWS_MAX, StoreError, ThreadChange, TurnKey, TurnThread, Write,
};
use chatkit_protocol::{Order, ThreadId, ThreadRecord, ThreadStatus};
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, asked, at, begin, grace, question, record};

on_both_homes!(
    a_thread_is_read_back_to_the_letter,
    a_stranger_finds_nothing_and_changes_nothing,
    threads_list_in_the_order_they_were_made_whatever_the_clock_said,
    every_thread_is_on_exactly_one_page,
    a_cursor_that_is_no_thread_of_theirs_is_unknown,
    no_page_is_larger_than_the_largest_page,
    a_change_touches_only_the_fields_it_names,
    changes_of_different_fields_at_once_all_survive,
    a_title_is_given_once_and_never_in_the_place_of_another,
    deleting_a_thread_takes_all_that_hangs_on_it,
    an_id_that_nobody_could_have_is_simply_not_found,
    a_new_thread_does_not_replace_an_old_one,
);

async fn a_thread_is_read_back_to_the_letter(scene: Scene) {
    let mut thread = record("t");
    thread.title = Some("Grüße, 世界 🤖".to_owned());
    thread.status = ThreadStatus::Locked { reason: Some("exam\u{0}".to_owned()) };
    thread.allowed_image_domains = Some(vec![]);
    let metadata =
        r#"{"zebra":18446744073709551615,"ant":-9223372036854775808,"nul":"\u0000","half":0.5,"in":{"b":1,"a":null}}"#;
    thread.metadata = serde_json::from_str(metadata).unwrap();
    scene.new_thread(&ada(), &thread).await;
    let kept = scene.store.thread(&ada(), &thread.id).await.unwrap();
    assert_eq!(kept, thread);
    assert_eq!(serde_json::to_string(&kept.metadata).unwrap(), metadata);
}

async fn a_stranger_finds_nothing_and_changes_nothing(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "yes")]).await;
    let (t, page) = (ThreadId::new("t"), asked(20, Order::Asc, None));
    for (owner, id) in [(grace(), t.clone()), (ada(), ThreadId::new("other"))] {
        let store = &scene.store;
        let not_found =
            |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::NoThread)), "{result:?}");
        not_found(store.thread(&owner, &id).await.map(drop));
        not_found(
            store
                .change_thread(&owner, &id, &ThreadChange { title: Some(None), ..Default::default() }, at(9))
                .await
                .map(drop),
        );
        not_found(store.items(&owner, &id, &page).await.map(drop));
        not_found(store.thread_with_items(&owner, &id, &page).await.map(drop));
        not_found(store.item(&owner, &id, &"a".into()).await.map(drop));
        not_found(store.keep_feedback(&owner, &id, &["a".into()], FeedbackKind::Positive, at(9)).await);
        not_found(store.ask_to_stop(&owner, &id, at(9)).await.map(drop));
        for opening in [Opening::Question(question("t", "q2")), Opening::Retry { item_id: "q".into() }, Opening::Resume]
        {
            let mut wish = begin(id.as_str(), "theirs", opening);
            wish.thread = TurnThread::Existing(id.clone());
            not_found(store.begin_turn(&owner, &wish).await.map(drop));
        }
        store.delete_thread(&owner, &id).await.unwrap();
    }
    assert!(scene.store.threads(&grace(), &page).await.unwrap().data.is_empty());
    scene.begin("t", "hers", Opening::Resume).await.unwrap();
    let as_grace = TurnKey { owner: grace(), thread_id: t.clone(), turn_id: "hers".to_owned() };
    let written = scene.store.record(&as_grace, &[Write::Delete("a".into())], Lease::Release, at(9)).await;
    assert!(matches!(written, Err(StoreError::TurnLost)));
    assert_eq!(scene.shown("t").await, ["q", "a"]);
    assert!(scene.home.look("select kind from chat_feedback").await.is_empty());
}

async fn threads_list_in_the_order_they_were_made_whatever_the_clock_said(scene: Scene) {
    for (id, seconds) in [("m", 50), ("z", 50), ("a", 50), ("k", 10), ("b", 99)] {
        let mut thread = record(id);
        thread.created_at = at(seconds);
        scene.new_thread(&ada(), &thread).await;
    }
    scene.new_thread(&grace(), &record("hers")).await;
    let rename = ThreadChange { title: Some(Some("New".to_owned())), ..Default::default() };
    scene.store.change_thread(&ada(), &ThreadId::new("z"), &rename, at(500)).await.unwrap();
    assert_eq!(listed(&scene, 20, Order::Asc, None).await.0, ["m", "z", "a", "k", "b"]);
    assert_eq!(listed(&scene, 20, Order::Desc, None).await.0, ["b", "k", "a", "z", "m"]);
}

async fn listed(scene: &Scene, limit: u32, order: Order, after: Option<&str>) -> (Vec<String>, Option<String>) {
    let page = scene.store.threads(&ada(), &asked(limit, order, after)).await.unwrap();
    assert_eq!(page.has_more, page.after.is_some());
    (page.data.iter().map(|thread| thread.id.as_str().to_owned()).collect(), page.after)
}

async fn every_thread_is_on_exactly_one_page(scene: Scene) {
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(format!("t{number}"));
        scene.new_thread(&ada(), &record(&made[number])).await;
        scene.new_thread(&grace(), &record(&format!("g{number}"))).await;
    }
    for order in [Order::Asc, Order::Desc] {
        for limit in [1, 2, 3, 6, 7, 8] {
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let (page, next) = listed(&scene, limit, order, after.as_deref()).await;
                found.extend(page);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            if order == Order::Desc {
                found.reverse();
            }
            assert_eq!(found, made, "{order:?} by {limit}");
        }
    }
    assert_eq!(listed(&scene, 3, Order::Asc, Some("t6")).await, (vec![], None), "after the last one comes nothing");
    assert_eq!(listed(&scene, 1, Order::Asc, Some("")).await.0, ["t0"], "an empty cursor is none");
}

async fn a_cursor_that_is_no_thread_of_theirs_is_unknown(scene: Scene) {
    scene.new_thread(&ada(), &record("t")).await;
    scene.new_thread(&grace(), &record("hers")).await;
    for cursor in ["hers", "nothing", "a\u{0}b"] {
        for order in [Order::Asc, Order::Desc] {
            let page = scene.store.threads(&ada(), &asked(5, order, Some(cursor))).await;
            assert!(matches!(page, Err(StoreError::UnknownCursor)), "{cursor:?}");
        }
    }
}

async fn no_page_is_larger_than_the_largest_page(scene: Scene) {
    let items: Vec<_> = (0..=PAGE_ROWS_MAX).map(|number| answer("t", &format!("a{number}"), "x")).collect();
    scene.thread("t", &items).await;
    for (limit, rows) in [(0, 20), (u32::MAX, PAGE_ROWS_MAX as usize), (PAGE_ROWS_MAX, PAGE_ROWS_MAX as usize)] {
        let page = scene.store.items(&ada(), &ThreadId::new("t"), &asked(limit, Order::Asc, None)).await.unwrap();
        assert_eq!((page.data.len(), page.has_more), (rows, true));
    }
}

async fn a_change_touches_only_the_fields_it_names(scene: Scene) {
    let mut thread = record("t");
    thread.title = Some("Old".to_owned());
    thread.allowed_image_domains = Some(vec!["a.example".to_owned()]);
    thread.metadata = serde_json::from_str(r#"{"k":1}"#).unwrap();
    scene.new_thread(&ada(), &thread).await;
    let changes: [fn(&mut ThreadRecord); 6] = [
        |thread| thread.title = Some("New".to_owned()),
        |thread| thread.status = ThreadStatus::Closed { reason: None },
        |thread| thread.allowed_image_domains = None,
        |thread| thread.metadata = serde_json::from_value(json!({"b": 1, "a": 2})).unwrap(),
        |thread| thread.title = None,
        |thread| thread.allowed_image_domains = Some(vec![]),
    ];
    for change in changes {
        let before = thread.clone();
        change(&mut thread);
        let change = ThreadChange::between(&before, &thread);
        assert_eq!(scene.store.change_thread(&ada(), &thread.id, &change, at(9)).await.unwrap(), thread);
        assert_eq!(scene.store.thread(&ada(), &thread.id).await.unwrap(), thread);
    }
}

async fn changes_of_different_fields_at_once_all_survive(scene: Scene) {
    scene.thread("t", &[]).await;
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    let t = ThreadId::new("t");
    for number in 0..20 {
        let title = ThreadChange { title: Some(Some(format!("title {number}"))), ..Default::default() };
        let metadata = serde_json::from_value(json!({"number": number})).unwrap();
        let metadata = Write::Change(ThreadChange { metadata: Some(metadata), ..Default::default() });
        let text = format!("a{number}");
        let writes = [metadata, Write::Save(answer("t", &text, "x"))];
        let owner = ada();
        let (renamed, written) = futures_util::join!(
            scene.store.change_thread(&owner, &t, &title, at(9)),
            scene.write("t", "turn", &writes, Lease::Until(at(60))),
        );
        renamed.unwrap();
        written.unwrap();
        let thread = scene.store.thread(&ada(), &t).await.unwrap();
        assert_eq!(thread.title, Some(format!("title {number}")));
        assert_eq!(thread.metadata["number"], json!(number));
        assert_eq!(scene.item("t", &text).await.id.as_str(), text);
    }
}

async fn a_title_is_given_once_and_never_in_the_place_of_another(scene: Scene) {
    for id in ["t", "named"] {
        scene.new_thread(&ada(), &record(id)).await;
    }
    let store = &scene.store;
    let own = ThreadChange { title: Some(Some("Her own".to_owned())), ..Default::default() };
    store.change_thread(&ada(), &"named".into(), &own, at(5)).await.unwrap();
    assert_eq!(store.entitle(&ada(), &"named".into(), "Another", at(6)).await.unwrap(), None);
    assert_eq!(store.thread(&ada(), &"named".into()).await.unwrap().title.as_deref(), Some("Her own"));
    let (one, other) = (scene.home.another().await, scene.home.another().await);
    let thread = ThreadId::new("t");
    let (owner, owner_too) = (ada(), ada());
    let (first, second) = tokio::join!(
        one.entitle(&owner, &thread, "One\u{0}", at(7)),
        other.entitle(&owner_too, &thread, "Other", at(7))
    );
    let given: Vec<ThreadRecord> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
    assert_eq!(given, [store.thread(&ada(), &"t".into()).await.unwrap()], "one of two at once");
    assert!(matches!(given[0].title.as_deref(), Some("One" | "Other")), "{given:?}");
    for (owner, id) in [(grace(), "t"), (ada(), "nowhere"), (ada(), "a\u{0}b")] {
        let refused = store.entitle(&owner, &id.into(), "Hers", at(8)).await;
        assert!(matches!(refused, Err(StoreError::NoThread)), "{refused:?}");
    }
}

async fn deleting_a_thread_takes_all_that_hangs_on_it(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "yes")]).await;
    scene.thread("kept", &[question("kept", "q")]).await;
    let t = ThreadId::new("t");
    scene.store.keep_feedback(&ada(), &t, &["a".into()], FeedbackKind::Positive, at(1)).await.unwrap();
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    scene.store.delete_thread(&ada(), &t).await.unwrap();
    assert!(matches!(scene.store.thread(&ada(), &t).await, Err(StoreError::NoThread)));
    for lease in [Lease::Until(at(90)), Lease::Release] {
        let written = scene.write("t", "turn", &[Write::Save(answer("t", "late", "late"))], lease).await;
        assert!(matches!(written, Err(StoreError::TurnLost)), "{written:?}");
    }
    assert!(matches!(scene.store.thread(&ada(), &t).await, Err(StoreError::NoThread)), "it does not come back");
    scene.store.delete_thread(&ada(), &t).await.unwrap();
    assert_eq!(scene.home.look("select thread_id from chat_thread_items").await, ["kept"]);
    assert!(
        scene
            .home
            .look("select thread_id from chat_turns union all select thread_id from chat_feedback")
            .await
            .is_empty()
    );
}

async fn an_id_that_nobody_could_have_is_simply_not_found(scene: Scene) {
    scene.thread("t", &[question("t", "q")]).await;
    for id in ["", "a\u{0}b", "';drop table chat_threads;--", &"x".repeat(10_000)] {
        let found = scene.store.thread(&ada(), &ThreadId::new(id)).await;
        assert!(matches!(found, Err(StoreError::NoThread)), "{found:?}");
        let found = scene.store.item(&ada(), &ThreadId::new("t"), &id.into()).await;
        assert!(matches!(found, Err(StoreError::NoItem)), "{found:?}");
        let begun = scene.begin("t", "turn", Opening::Retry { item_id: id.into() }).await;
        assert!(matches!(begun, Err(StoreError::NoItem)), "{begun:?}");
        let written = scene.write(id, "turn", &[], Lease::Release).await;
        assert!(matches!(written, Err(StoreError::TurnLost)), "{written:?}");
        scene.store.delete_thread(&ada(), &ThreadId::new(id)).await.unwrap();
        let (t, named) = (ThreadId::new("t"), [id.into()]);
        scene.store.keep_feedback(&ada(), &t, &named, FeedbackKind::Positive, at(0)).await.unwrap();
    }
}

async fn a_new_thread_does_not_replace_an_old_one(scene: Scene) {
    scene.thread("t", &[question("t", "q")]).await;
    for owner in [ada(), grace()] {
        let mut wish = begin("t", "turn", Opening::Question(question("t", "q2")));
        wish.thread = TurnThread::New(record("t"));
        assert!(matches!(scene.store.begin_turn(&owner, &wish).await, Err(StoreError::Refused(_))));
    }
    assert_eq!(scene.shown("t").await, ["q"]);
    scene.begin("t", "next", Opening::Resume).await.expect("nobody holds the thread");
}
