//! `/chat/new` and `/chat/history`: what was asked and answered, whichever door it came through.

use serde_json::{Value, json};

use crate::support::client::{Reader, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};

const SELECTION: &str = "A hinge joint turns about one axis only, and its range is limited by the frame.";
const QUESTION: &str = "Which gyroscope and which accelerometer does an IMU combine?";
const FROM_THE_BOOK: &str = "An IMU combines a three-axis gyroscope and a three-axis accelerometer [1].";

async fn post(reader: &Reader, path: &str, body: Value) -> Value {
    let answer = reader.post_to(path, body.to_string()).await;
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
    answer.body
}

/// The thread of a conversation.
fn thread(conversation: &Value) -> String {
    format!("thr_{}", conversation.as_str().unwrap().replace('-', ""))
}

async fn on_both(model: &FakeModel) -> [House; 2] {
    let with_model =
        |ground: Ground| answered_by(model).iter().fold(ground, |ground, (name, value)| ground.with(name, value));
    [with_model(Ground::sqlite(&[])).build().await, with_model(Ground::postgres(&[]).await).build().await]
}

#[tokio::test]
async fn a_conversation_that_is_begun_empty_goes_on_at_every_door() {
    let model = FakeModel::start().await;
    model.always(Reply::text([FROM_THE_BOOK]));
    for house in on_both(&model).await {
        let reader = house.visitor().await;
        let begun = reader.post_to("/chat/new", "").await;
        assert_eq!(begun.status, 201);
        let conversation = begun.body["conversation_id"].clone();
        assert_eq!(conversation.as_str().unwrap().len(), 36);
        let empty = reader.get(&format!("/chat/history/{}", conversation.as_str().unwrap())).await.body;
        assert_eq!((&empty["interactions"], &empty["message_count"]), (&json!([]), &json!(0)));
        assert_eq!(empty["created_at"], begun.body["created_at"]);

        let from_book =
            post(&reader, "/chat/global", json!({"query": QUESTION, "conversation_id": conversation})).await;
        assert_eq!(from_book["conversation_id"], conversation);
        let in_session = post(&reader, "/chat", json!({"message": "second?", "session_id": conversation})).await;
        assert_eq!(in_session["session_id"], conversation);
        reader.say(&thread(&conversation), "third?").await;
        let simple = json!({"action": "chat", "message": "fourth?", "thread_id": thread(&conversation)});
        assert_eq!(reader.post_to("/chatkit", simple.to_string()).await.status, 200);
        let kept = reader.get(&format!("/chat/history/{}", conversation.as_str().unwrap())).await.body;
        let asked: Vec<&Value> = kept["interactions"].as_array().unwrap().iter().map(|one| &one["query"]).collect();
        assert_eq!(asked, [QUESTION, "second?", "third?", "fourth?"]);
        assert_eq!(kept["message_count"], 8);
        // By the id that the other doors give it, too.
        assert_eq!(reader.get(&format!("/chat/history/{}", thread(&conversation))).await.body, kept);
    }
}

#[tokio::test]
async fn an_interaction_is_read_again_as_it_was_answered() {
    let model = FakeModel::start().await;
    model.always(Reply::text([FROM_THE_BOOK]));
    for house in on_both(&model).await {
        let reader = house.visitor().await;
        let from_book = post(&reader, "/chat/global", json!({"query": QUESTION})).await;
        let conversation = from_book["conversation_id"].clone();
        let asked = json!({"query": "What turns?", "selected_text": SELECTION, "file_path": "joints.md",
            "conversation_id": conversation});
        let about_selection = post(&reader, "/chat/local", asked).await;
        assert_eq!(about_selection["sources"][0]["file_path"], "joints.md");
        house.quiet().await;
        let kept = reader.get(&format!("/chat/history/{}", conversation.as_str().unwrap())).await.body;
        for (kept, told) in kept["interactions"].as_array().unwrap().iter().zip([&from_book, &about_selection]) {
            for member in ["interaction_id", "answer", "sources", "query_mode"] {
                assert_eq!(kept[member], told[member], "{member}");
            }
            assert!(kept["created_at"].as_str().unwrap().ends_with('Z'), "{kept}");
        }
        let shown = reader.items(&thread(&conversation)).await;
        assert!(!json!(shown).to_string().contains("joints.md"), "what is noted is never on the wire of the protocol");
    }
}

#[tokio::test]
async fn conversations_list_by_their_last_change_a_stretch_at_a_time() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Fine."]));
    for house in on_both(&model).await {
        let reader = house.visitor().await;
        let mut begun = Vec::new();
        for message in ["first", "second", "third"] {
            begun.push(post(&reader, "/chat", json!({"message": message})).await["session_id"].clone());
        }
        post(&reader, "/chat", json!({"message": "more", "session_id": begun[0]})).await;
        reader.ask("threads.update", json!({"thread_id": thread(&begun[0]), "title": "Robots"})).await;
        let all = reader.get("/chat/history").await;
        assert_eq!((all.status, &all.body["total"]), (200, &json!(3)));
        let listed = |body: &Value| -> Vec<Value> {
            body["conversations"].as_array().unwrap().iter().map(|one| one["conversation_id"].clone()).collect()
        };
        assert_eq!(listed(&all.body), [begun[0].clone(), begun[2].clone(), begun[1].clone()]);
        let newest = &all.body["conversations"][0];
        assert_eq!((&newest["title"], &newest["message_count"]), (&json!("Robots"), &json!(4)));
        assert!(newest["updated_at"].as_str().unwrap() > newest["created_at"].as_str().unwrap(), "{newest}");
        let second = reader.get("/chat/history?limit=1&offset=1").await.body;
        assert_eq!((listed(&second), &second["total"]), (vec![begun[2].clone()], &json!(3)));
        let beyond = reader.get("/chat/history?offset=9").await.body;
        assert_eq!(beyond, json!({"conversations": [], "total": 3}));
        for nobody in [house.visitor().await, house.stranger()] {
            assert_eq!(nobody.get("/chat/history").await.body, json!({"conversations": [], "total": 0}));
        }
        let wrong = reader.get("/chat/history?limit=many&offset=-1").await;
        wrong.refuses(400, "`limit`");
        wrong.refuses(400, "`offset`");
    }
}

#[tokio::test]
async fn a_conversation_of_somebody_else_is_not_there_and_one_of_nobody_opens_by_its_name() {
    let house = House::offline().await;
    let (owner, stranger) = (house.visitor().await, house.stranger());
    let theirs = post(&owner, "/chat", json!({"message": "a secret"})).await["session_id"].clone();
    let path = format!("/chat/history/{}", theirs.as_str().unwrap());
    for other in [house.visitor().await, house.stranger()] {
        other.get(&path).await.refuses(404, "conversation_id");
        other.get("/chat/history/6f9619ff-8b86-d011-b42d-00c04fc964ff").await.refuses(404, "conversation_id");
    }
    let nobodys = post(&stranger, "/chat", json!({"message": "hello"})).await["session_id"].clone();
    let path = format!("/chat/history/{}", nobodys.as_str().unwrap());
    for reader in [house.visitor().await, house.stranger()] {
        assert_eq!(reader.get(&path).await.body["interactions"][0]["query"], "hello");
    }
}

#[tokio::test]
async fn a_question_without_an_answer_and_one_from_the_protocol_have_their_place() {
    let model = FakeModel::start().await;
    model.reply(Reply::text([FROM_THE_BOOK])).reply(Reply::status(401, "{}"));
    let house = House::with_model_and(&model, &[("GROUNDING", "strict")]).await;
    let reader = house.visitor().await;
    let thread_id = thread_of(&reader.create(QUESTION).await);
    reader.say(&thread_id, QUESTION).await;
    house.quiet().await;
    let kept = reader.get(&format!("/chat/history/{thread_id}")).await.body["interactions"].clone();
    assert_eq!((&kept[0]["query_mode"], &kept[1]["answer"]), (&json!("global"), &json!("")));
    assert!(kept[0]["sources"][0]["content"].as_str().unwrap().contains("three-axis"), "{kept}");
    assert_eq!(
        kept[1]["interaction_id"],
        reader.items(&thread_id).await.iter().rev().find(|item| item["type"] == "user_message").unwrap()["id"]
    );
}
