//! A visitor who signs in: everything moves, once, and nothing that is being written is lost.

use std::sync::Arc;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::attachments::{Kept, Room, StoredObject};
use chatkit_gateway::store::{
    Lease, Newest, Opening, Spent, Standing, StoreError, ThreadStore, Tokens, TurnKey, TurnThread, Write,
};
use chatkit_protocol::{Attachment, AttachmentId, AttachmentKind, FeedbackKind, Order, StoredAttachment, ThreadId};
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, asked, at, begin, grace, ids, question, record};

on_both_homes!(
    what_a_visitor_has_becomes_the_users,
    a_visitor_is_adopted_once_by_whoever_comes_first,
    of_many_who_adopt_a_visitor_at_once_one_has_it,
    nobody_adopts_strangers_or_users_and_no_visitor_adopts,
    what_a_visitor_writes_later_is_a_visitors,
    a_turn_that_runs_goes_on_and_keeps_its_whole_answer,
    a_turn_of_an_adopted_visitor_that_lost_its_thread_writes_nothing,
    the_user_stops_and_supersedes_a_turn_of_the_visitor,
    an_upload_that_was_announced_before_arrives_after,
    threads_that_begin_at_the_same_moment_are_before_or_after,
    writes_at_the_same_moment_are_all_kept,
);

fn visitor() -> OwnerId {
    OwnerId::visitor("0a1b")
}

fn key(owner: &OwnerId, thread: &str, turn: &str) -> TurnKey {
    TurnKey { owner: owner.clone(), thread_id: ThreadId::new(thread), turn_id: turn.to_owned() }
}

/// A thread of the visitor's, with a question and a turn that runs.
async fn running(scene: &Scene, thread: &str) {
    let mut wish = begin(thread, "turn", Opening::Question(question(thread, "q")));
    wish.thread = TurnThread::New(record(thread));
    scene.store.begin_turn(&visitor(), &wish).await.unwrap();
}

async fn finish(scene: &Scene, thread: &str) {
    let answer = [Write::Save(answer(thread, "a", "whole"))];
    scene.store.record(&key(&visitor(), thread, "turn"), &answer, Lease::Release, at(1)).await.unwrap();
}

async fn listed(scene: &Scene, owner: &OwnerId) -> Vec<String> {
    let page = scene.store.threads(owner, &asked(200, Order::Asc, None)).await.unwrap();
    page.data.iter().map(|thread| thread.id.as_str().to_owned()).collect()
}

async fn shown(scene: &Scene, owner: &OwnerId, thread: &str) -> Result<Vec<String>, StoreError> {
    let page = scene.store.items(owner, &ThreadId::new(thread), &asked(200, Order::Asc, None)).await?;
    Ok(page.data.iter().map(|item| item.id.as_str().to_owned()).collect())
}

fn room() -> Room {
    Room { count_max: 100, bytes_max: 1_000, announced_after: at(-100) }
}

fn file(id: &str) -> StoredAttachment {
    StoredAttachment {
        attachment: Attachment {
            id: id.into(),
            name: "notes.txt".to_owned(),
            mime_type: "text/plain".to_owned(),
            upload_descriptor: None,
            thread_id: None,
            kind: AttachmentKind::File,
        },
        metadata: Default::default(),
    }
}

async fn adopted(store: &dyn ThreadStore) -> Option<u64> {
    store.adopt(&visitor(), &ada(), at(1)).await.unwrap()
}

async fn has_file(scene: &Scene, owner: &OwnerId, id: &str) -> bool {
    scene.home.attachments.attachments(owner, &[AttachmentId::from(id)]).await.is_ok()
}

async fn what_a_visitor_has_becomes_the_users(scene: Scene) {
    scene.thread("older of Ada", &[]).await;
    for id in ["used", "unused"] {
        assert!(scene.home.attachments.announce(&visitor(), &file(id), &room(), at(0)).await.unwrap());
    }
    let mut wish = begin("t", "turn", Opening::Question(question("t", "q")));
    wish.thread = TurnThread::New(record("t"));
    wish.attachments = vec!["used".into()];
    scene.store.begin_turn(&visitor(), &wish).await.unwrap();
    let spent = Spent { turn_id: "turn".to_owned(), payer: visitor(), tokens: Tokens { input: 7, output: 3 } };
    let writes = [Write::Save(answer("t", "a", "x")), Write::Spend(spent)];
    scene.store.record(&key(&visitor(), "t", "turn"), &writes, Lease::Release, at(1)).await.unwrap();
    let liked = ["a".into()];
    scene.store.keep_feedback(&visitor(), &"t".into(), &liked, FeedbackKind::Positive, at(2)).await.unwrap();
    let other = OwnerId::visitor("ffff");
    scene.new_thread(&other, &record("of another")).await;

    assert_eq!(scene.store.adopt(&visitor(), &ada(), at(3)).await.unwrap(), Some(1));

    assert_eq!(listed(&scene, &ada()).await, ["older of Ada", "t"]);
    assert_eq!(shown(&scene, &ada(), "t").await.unwrap(), ["q", "a"]);
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 7, output: 3 });
    assert!(has_file(&scene, &ada(), "used").await && has_file(&scene, &ada(), "unused").await);
    assert_eq!(scene.home.look("select owner from chat_feedback").await, ["user:ada"]);
    assert_eq!(scene.home.look("select user_id from chat_threads where id = 't'").await, ["ada"]);
    assert_eq!(scene.store.adopter(&visitor()).await.unwrap(), Some(ada()));

    assert_eq!(listed(&scene, &visitor()).await, [""; 0]);
    assert!(matches!(shown(&scene, &visitor(), "t").await, Err(StoreError::NoThread)));
    assert_eq!(scene.store.spent_since(&visitor(), at(0)).await.unwrap(), Tokens::default());
    assert!(!has_file(&scene, &visitor(), "used").await && !has_file(&scene, &visitor(), "unused").await);
    assert_eq!(listed(&scene, &other).await, ["of another"]);
    assert_eq!(listed(&scene, &grace()).await, [""; 0]);
}

async fn a_visitor_is_adopted_once_by_whoever_comes_first(scene: Scene) {
    running(&scene, "t").await;
    finish(&scene, "t").await;
    assert_eq!(scene.store.adopt(&visitor(), &ada(), at(1)).await.unwrap(), Some(1));
    running(&scene, "later").await;
    for user in [ada(), grace()] {
        assert_eq!(scene.store.adopt(&visitor(), &user, at(2)).await.unwrap(), None);
    }
    assert_eq!(scene.store.adopter(&visitor()).await.unwrap(), Some(ada()));
    assert_eq!(listed(&scene, &ada()).await, ["t"]);
    assert_eq!(listed(&scene, &grace()).await, [""; 0]);
    assert_eq!(scene.store.adopter(&OwnerId::visitor("ffff")).await.unwrap(), None);
}

async fn of_many_who_adopt_a_visitor_at_once_one_has_it(scene: Scene) {
    for thread in ["a", "b", "c"] {
        running(&scene, thread).await;
    }
    let other = scene.home.another().await;
    let users: Vec<OwnerId> = (0..20).map(|number| OwnerId::user(&number.to_string())).collect();
    let adoptions = users.iter().enumerate().map(|(number, user)| {
        let store = if number % 2 == 0 { Arc::clone(&scene.store) } else { Arc::clone(&other) };
        async move { store.adopt(&visitor(), user, at(1)).await.unwrap() }
    });
    let moved = join_all(adoptions).await;
    let winners: Vec<usize> = (0..20).filter(|number| moved[*number].is_some()).collect();
    assert_eq!(winners.len(), 1, "{moved:?}");
    for (number, user) in users.iter().enumerate() {
        let expected = if number == winners[0] { 3 } else { 0 };
        assert_eq!(listed(&scene, user).await.len(), expected);
    }
}

async fn nobody_adopts_strangers_or_users_and_no_visitor_adopts(scene: Scene) {
    let all = [OwnerId::stranger(), grace(), visitor()];
    for (number, owner) in all.iter().enumerate() {
        scene.new_thread(owner, &record(&format!("t{number}"))).await;
    }
    for (from, to) in [
        (OwnerId::stranger(), ada()),
        (grace(), ada()),
        (OwnerId::account("1"), ada()),
        (visitor(), OwnerId::visitor("ffff")),
        (visitor(), OwnerId::stranger()),
    ] {
        assert_eq!(scene.store.adopt(&from, &to, at(1)).await.unwrap(), None, "{from:?} by {to:?}");
        assert_eq!(scene.store.adopter(&from).await.unwrap(), None);
    }
    for (number, owner) in all.iter().enumerate() {
        assert_eq!(listed(&scene, owner).await, [format!("t{number}")]);
    }
}

async fn what_a_visitor_writes_later_is_a_visitors(scene: Scene) {
    scene.store.adopt(&visitor(), &ada(), at(1)).await.unwrap();
    running(&scene, "later").await;
    finish(&scene, "later").await;
    assert_eq!(listed(&scene, &visitor()).await, ["later"]);
    assert_eq!(shown(&scene, &visitor(), "later").await.unwrap(), ["q", "a"]);
    assert_eq!(listed(&scene, &ada()).await, [""; 0]);
}

async fn a_turn_that_runs_goes_on_and_keeps_its_whole_answer(scene: Scene) {
    running(&scene, "t").await;
    let turn = key(&visitor(), "t", "turn");
    let half = [Write::Checkpoint(answer("t", "a", "half"))];
    scene.store.record(&turn, &half, Lease::Until(at(60)), at(1)).await.unwrap();
    scene.store.adopt(&visitor(), &ada(), at(2)).await.unwrap();
    let spent = Spent { turn_id: "turn".to_owned(), payer: visitor(), tokens: Tokens { input: 5, output: 5 } };
    let more = [Write::Checkpoint(answer("t", "a", "more")), Write::Spend(spent)];
    scene.store.record(&turn, &more, Lease::Until(at(70)), at(3)).await.unwrap();
    let newest = Newest { kind: None, limit: 10 };
    let (_, items) = scene.store.newest_items(&ada(), &"t".into(), &newest).await.unwrap();
    assert_eq!(ids(&items), ["q"], "what is in progress is left out");
    scene.store.record(&turn, &[Write::Save(answer("t", "a", "whole"))], Lease::Release, at(4)).await.unwrap();
    assert_eq!(scene.item("t", "a").await, answer("t", "a", "whole"));
    assert_eq!(scene.shown("t").await, ["q", "a"]);
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 5, output: 5 });
    assert!(scene.begin("t", "next", Opening::Resume).await.is_ok(), "it has given the thread back");
}

async fn a_turn_of_an_adopted_visitor_that_lost_its_thread_writes_nothing(scene: Scene) {
    running(&scene, "gone").await;
    running(&scene, "taken").await;
    scene.store.adopt(&visitor(), &ada(), at(1)).await.unwrap();
    scene.store.delete_thread(&ada(), &"gone".into()).await.unwrap();
    let mut next = begin("taken", "next", Opening::Resume);
    (next.now, next.lease_until) = (at(61), at(120));
    scene.store.begin_turn(&ada(), &next).await.unwrap();
    for thread in ["gone", "taken"] {
        let late = [Write::Save(answer(thread, "a", "late"))];
        let written = scene.store.record(&key(&visitor(), thread, "turn"), &late, Lease::Release, at(62)).await;
        assert!(matches!(written, Err(StoreError::TurnLost)), "{written:?}");
    }
    assert_eq!(scene.shown("taken").await, ["q"]);
    let forged = scene.store.record(&key(&visitor(), "taken", "guess"), &[], Lease::Release, at(62)).await;
    assert!(matches!(forged, Err(StoreError::TurnLost)), "{forged:?}");
}

async fn the_user_stops_and_supersedes_a_turn_of_the_visitor(scene: Scene) {
    running(&scene, "t").await;
    scene.store.adopt(&visitor(), &ada(), at(1)).await.unwrap();
    let refused = scene.store.ask_to_stop(&visitor(), &"t".into(), at(2)).await;
    assert!(matches!(refused, Err(StoreError::NoThread)), "{refused:?}");
    assert!(matches!(scene.begin("t", "next", Opening::Resume).await, Err(StoreError::Busy)));
    assert!(scene.store.ask_to_stop(&ada(), &"t".into(), at(2)).await.unwrap());
    let turn = key(&visitor(), "t", "turn");
    let half = [Write::Save(answer("t", "a", "half"))];
    assert_eq!(scene.store.record(&turn, &half, Lease::Release, at(3)).await.unwrap(), Standing::Stop);
    let begun = scene.begin("t", "next", Opening::Question(question("t", "q2"))).await.unwrap();
    assert_eq!(ids(&begun.history), ["q", "a", "q2"]);
}

async fn an_upload_that_was_announced_before_arrives_after(scene: Scene) {
    let attachments = &scene.home.attachments;
    assert!(attachments.announce(&visitor(), &file("f"), &room(), at(0)).await.unwrap());
    attachments.expect_bytes("k", at(60)).await.unwrap();
    scene.store.adopt(&visitor(), &ada(), at(1)).await.unwrap();
    let object = StoredObject { key: "k".to_owned(), size_bytes: 5 };
    assert_eq!(attachments.keep_bytes(&"f".into(), &object, &room()).await.unwrap(), Kept::Now);
    let kept = attachments.attachments(&ada(), &["f".into()]).await.unwrap();
    assert_eq!(kept[0].object, Some(object));
}

async fn threads_that_begin_at_the_same_moment_are_before_or_after(scene: Scene) {
    let threads: Vec<String> = (0..40).map(|number| format!("t{number}")).collect();
    let other = scene.home.another().await;
    let beginning = threads.iter().enumerate().map(|(number, id)| {
        let (scene, store) = (&scene, if number % 2 == 0 { &scene.store } else { &other });
        async move {
            let mut wish = begin(id, "turn", Opening::Question(question(id, "q")));
            wish.thread = TurnThread::New(record(id));
            store.begin_turn(&visitor(), &wish).await.unwrap();
            let attachment = format!("of {id}");
            assert!(announced(scene, &attachment).await);
        }
    });
    let (_, moved) = futures_util::join!(join_all(beginning), adopted(&*other));
    let mut both = listed(&scene, &ada()).await;
    assert_eq!(Some(both.len() as u64), moved, "nothing came after as the user's");
    both.extend(listed(&scene, &visitor()).await);
    both.sort();
    let mut expected = threads.clone();
    expected.sort();
    assert_eq!(both, expected);
    for id in &threads {
        let attachment = format!("of {id}");
        let whose = [has_file(&scene, &ada(), &attachment).await, has_file(&scene, &visitor(), &attachment).await];
        assert!(whose[0] != whose[1], "{attachment} is {whose:?}");
    }
}

async fn announced(scene: &Scene, id: &str) -> bool {
    scene.home.attachments.announce(&visitor(), &file(id), &room(), at(0)).await.unwrap()
}

async fn writes_at_the_same_moment_are_all_kept(scene: Scene) {
    let threads: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
    for id in &threads {
        running(&scene, id).await;
    }
    let other = scene.home.another().await;
    let writing = threads.iter().enumerate().map(|(number, id)| {
        let store = if number % 2 == 0 { Arc::clone(&scene.store) } else { Arc::clone(&other) };
        async move {
            let turn = key(&visitor(), id, "turn");
            for text in ["w", "wh", "who"] {
                let half = [Write::Checkpoint(answer(id, "a", text))];
                store.record(&turn, &half, Lease::Until(at(60)), at(1)).await.unwrap();
                // Whoever was adopted meanwhile does not find the thread.
                let liked = ["q".into()];
                let _ =
                    store.keep_feedback(&visitor(), &id.as_str().into(), &liked, FeedbackKind::Positive, at(1)).await;
            }
            let spent =
                Spent { turn_id: format!("turn of {id}"), payer: visitor(), tokens: Tokens { input: 1, output: 1 } };
            let whole = [Write::Save(answer(id, "a", "whole")), Write::Spend(spent)];
            store.record(&turn, &whole, Lease::Release, at(2)).await.unwrap();
        }
    });
    let (_, moved) = futures_util::join!(join_all(writing), adopted(&*other));
    assert_eq!(moved, Some(12));
    for id in &threads {
        assert_eq!(shown(&scene, &ada(), id).await.unwrap(), ["q", "a"]);
        assert_eq!(scene.item(id, "a").await, answer(id, "a", "whole"));
    }
    assert_eq!(scene.store.spent_since(&ada(), at(0)).await.unwrap(), Tokens { input: 12, output: 12 });
    assert_eq!(scene.home.look("select owner from chat_feedback where owner like 'visitor:%'").await, [""; 0]);
}
