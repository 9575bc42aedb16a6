//! Reports that read the tables of the earlier back ends past the server.

use serde_json::{Value, json};

use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, House, answered_by};

const SELECTED: &str = "A PID controller has three terms, and each of them answers to the error in its own way.";

async fn house(mut ground: Ground, model: &FakeModel) -> House {
    for (name, value) in answered_by(model) {
        ground = ground.with(name, &value);
    }
    ground.with("TITLES", "off").build().await
}

async fn reports_find_what_was_said(ground: Ground) {
    let model = FakeModel::start().await;
    model.reply(Reply::text(["It answers to the error [1]."])).reply(Reply::text(["Three."]));
    let house = house(ground, &model).await;
    let reader = house.visitor().await;
    let first = json!({"query": "What does a PID controller do?"});
    let first = reader.post_to("/chat/global", first.to_string()).await.body;
    let id = first["conversation_id"].as_str().unwrap();
    let second = json!({"query": "How many terms?", "selected_text": SELECTED, "conversation_id": id});
    let second = reader.post_to("/chat/local", second.to_string()).await.body;
    house.quiet().await;

    let rows = async |sql| house.ground().rows(sql).await;
    assert_eq!(rows("select id || ' ' || message_count from conversations").await, [format!("{id} 4")]);
    assert_eq!(rows("select id || ' ' || message_count from chat_sessions").await, [format!("{id} 4")]);
    let said = rows("select session_id || ' ' || role || ': ' || content from messages order by position").await;
    let answers = [first["answer"].as_str().unwrap(), second["answer"].as_str().unwrap()];
    let expected = [
        format!("{id} user: What does a PID controller do?"),
        format!("{id} assistant: {}", answers[0]),
        format!("{id} user: How many terms?"),
        format!("{id} assistant: {}", answers[1]),
    ];
    assert_eq!(said, expected);
    let sql = "select conversation_id || ' ' || query_mode || ' ' || query || ' ' || answer from chat_interactions
                order by created_at, query desc";
    let expected = [
        format!("{id} global What does a PID controller do? {}", answers[0]),
        format!("{id} local How many terms? {}", answers[1]),
    ];
    assert_eq!(rows(sql).await, expected);
    let sources = rows("select cast(sources as text) from chat_interactions where query_mode = 'global'").await;
    let sources: Value = serde_json::from_str(&sources[0]).unwrap();
    assert_eq!(sources.as_array().unwrap().len(), first["sources"].as_array().unwrap().len());
}

#[tokio::test]
async fn reports_of_earlier_back_ends_find_their_tables_as_views() {
    reports_find_what_was_said(Ground::sqlite(&[])).await;
}

#[tokio::test]
async fn reports_of_earlier_back_ends_find_their_tables_as_views_on_postgres() {
    reports_find_what_was_said(Ground::postgres(&[]).await).await;
}
