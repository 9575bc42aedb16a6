//! What a responder notes beside its items is stored with them, however the turn ends, and never shown.

use std::sync::Arc;

use async_stream::stream;
use async_trait::async_trait;
use chatkit_gateway::chat::{EventStream, Responder, Turn, TurnError};
use chatkit_gateway::store::{ItemNote, Tokens};
use chatkit_protocol::{
    Action, AssistantContent, AssistantMessage, ItemId, ItemKind, ItemUpdate, ThreadEvent, ThreadItem, Timestamp,
};
use serde_json::{Value, json};

use crate::support::client::{Reader, thread_of};
use crate::support::house::{Ground, House};

/// Says `half`, notes, and then does what it was told.
struct Notes;

fn note(model: &str) -> ItemNote {
    let tokens = Some(Tokens { input: 7, output: 2 });
    ItemNote { model: Some(model.to_owned()), tokens, grounding: Some(json!({"sure": true})) }
}

fn message(turn: &Turn) -> (ThreadItem, Vec<ThreadEvent>) {
    let empty = ItemKind::AssistantMessage(AssistantMessage { content: Vec::new() });
    let item = turn.item("msg", empty);
    let part = ItemUpdate::ContentPartAdded { content_index: 0, content: AssistantContent::text("") };
    let events = vec![
        ThreadEvent::ItemAdded { item: item.clone() },
        ThreadEvent::ItemUpdated { item_id: item.id.clone(), update: part },
        ThreadEvent::text_delta(&item.id, 0, "half".to_owned()),
    ];
    (item, events)
}

#[async_trait]
impl Responder for Notes {
    fn respond(&self, turn: Turn) -> EventStream {
        let told = turn.question().map(|question| question.text()).unwrap_or_default();
        Box::pin(stream! {
            let (item, events) = message(&turn);
            for event in events { yield Ok(event) }
            turn.note(&item.id, note("early"));
            turn.spend(Tokens { input: 7, output: 2 });
            match told.as_str() {
                "fail" => yield Err(TurnError::Stream { allow_retry: true }),
                "wait" => std::future::pending().await,
                "last word" => {
                    turn.last_word();
                    turn.note(&item.id, ItemNote { model: Some("late".to_owned()), ..ItemNote::default() });
                    yield Ok(done(item));
                }
                _ => {
                    let id = item.id.clone();
                    yield Ok(done(item));
                    turn.note(&id, ItemNote { model: Some("late".to_owned()), ..ItemNote::default() });
                    turn.spend(Tokens { input: 1, output: 1 });
                }
            }
        })
    }

    async fn act_at_once(&self, turn: Turn, _: Action) -> Result<Option<ThreadItem>, TurnError> {
        let item = turn.item("msg", ItemKind::message("at once".to_owned()));
        turn.note(&item.id, note("at once"));
        turn.spend(Tokens { input: 100, output: 100 });
        Ok(Some(item))
    }
}

fn done(item: ThreadItem) -> ThreadEvent {
    let content = vec![AssistantContent::text("half")];
    ThreadEvent::ItemDone {
        item: ThreadItem { kind: ItemKind::AssistantMessage(AssistantMessage { content }), ..item },
    }
}

async fn house() -> House {
    let responder: Arc<dyn Responder> = Arc::new(Notes);
    Ground::sqlite(&[]).build_for(Some(responder)).await
}

/// The text of the answer, what is noted of it, and what the reader's turns have cost.
async fn kept(house: &House, reader: &Reader, thread_id: &str) -> (Value, Option<ItemNote>, Tokens) {
    house.quiet().await;
    let answer = reader.items(thread_id).await.pop().unwrap();
    let id = ItemId::from(answer["id"].as_str().unwrap().to_owned());
    let owner = reader.owner(house);
    let mut notes = house.app.store.item_notes(&owner, &thread_id.into(), std::slice::from_ref(&id)).await.unwrap();
    let long_ago = Timestamp::new(chrono::DateTime::UNIX_EPOCH);
    let spent = house.app.store.spent_since(&owner, long_ago).await.unwrap();
    (answer["content"][0]["text"].clone(), notes.remove(&id), spent)
}

#[tokio::test]
async fn a_note_is_stored_with_the_answer_and_never_shown() {
    let house = house().await;
    for told in ["go on", "last word"] {
        let reader = house.visitor().await;
        let events = reader.create(told).await;
        let (text, noted, spent) = kept(&house, &reader, &thread_of(&events)).await;
        assert_eq!((text, noted), (json!("half"), Some(ItemNote { model: Some("late".to_owned()), ..note("") })));
        let expected = if told == "last word" { (7, 2) } else { (8, 3) };
        assert_eq!((spent.input, spent.output), expected);
        let shown = json!([events, reader.items(&thread_of(&events)).await]).to_string();
        assert!(!shown.contains("early") && !shown.contains("late") && !shown.contains("sure"), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_that_fails_or_is_stopped_is_kept_with_what_was_noted_so_far() {
    let house = house().await;
    let reader = house.visitor().await;
    let failed = thread_of(&reader.create("fail").await);
    assert_eq!(kept(&house, &reader, &failed).await.1, Some(note("early")));
    let mut stream = reader.open("threads.create", json!({"input": crate::support::client::input("wait")})).await;
    let heard = stream.until(|event| event["update"]["delta"] == "half").await;
    let stopped = thread_of(&heard);
    assert!(house.app.chat.stop(&who(&house, &reader), &stopped.as_str().into()).await.unwrap());
    drop(stream);
    let (text, noted, spent) = kept(&house, &reader, &stopped).await;
    assert_eq!((text, noted), (json!("half"), Some(note("early"))));
    assert_eq!(spent, Tokens { input: 14, output: 4 });
}

#[tokio::test]
async fn what_is_noted_at_once_is_stored_too() {
    let house = house().await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create("last word").await);
    let asked = json!({"thread_id": thread_id, "action": {"type": "any"}});
    assert_eq!(reader.ask("threads.sync_custom_action", asked).await.status, 200);
    let (text, noted, spent) = kept(&house, &reader, &thread_id).await;
    assert_eq!((text, noted), (json!("at once"), Some(note("at once"))));
    assert_eq!(spent, Tokens { input: 107, output: 102 });
}

fn who(house: &House, reader: &Reader) -> chatkit_gateway::identity::Identity {
    chatkit_gateway::identity::Identity::Visitor { id: reader.owner(house) }
}
