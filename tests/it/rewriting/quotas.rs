//! Two hundred at once, where there are fifty; and tokens.

use futures_util::future::join_all;
use serde_json::json;

use super::scene::{Scene, code, post, used};
use crate::support::house::Ground;
use crate::support::pooler;

/// Asks for two hundred different texts at once, by two instances where there can be two.
async fn fifty_of_two_hundred(ground: Ground) {
    let scene = Scene::on(ground, &[("PERSONALIZATIONS_PER_DAY", "50")]).await;
    let ada = scene.reader("ada", "hardware").await;
    let asking = (0..200).map(|number| {
        let body = json!({"page_url": format!("/{number}"), "page_content": format!("{number} robots sense and act.")});
        let ada = ada.clone();
        async move { post(&ada, "/personalization/personalize", &body).await }
    });
    let answers = join_all(asking).await;
    let written = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| code(answer) == (429, "quota_exceeded")).count();
    assert_eq!((written, refused), (50, 150));
    assert_eq!(scene.model.asked().len(), 50);
    assert_eq!(used(&ada, "/personalization/quota").await, (50, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_fifty_are_written_on_sqlite() {
    fifty_of_two_hundred(Ground::sqlite(&[])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_fifty_are_written_on_postgres_behind_a_pooler() {
    use secrecy::ExposeSecret;
    let ground = Ground::postgres(&[]).await;
    let url = pooler::url(ground.database()).await;
    fifty_of_two_hundred(ground.with("DATABASE_URL", url.expose_secret())).await;
}

#[tokio::test]
async fn what_is_written_counts_among_the_tokens_of_its_reader() {
    let scene = Scene::on(Ground::sqlite(&[]), &[("TOKENS_PER_DAY", "150")]).await;
    let ada = scene.user("ada");
    let ask = async |text: &str| post(&ada, "/translate", &json!({"text": text, "target_language": "ur"})).await;
    assert_eq!(ask("One of the robots.").await.status, 200);
    assert_eq!(ask("Two of the robots.").await.status, 200, "100 of 150 tokens are spent");
    let answer = ask("Three of the robots.").await;
    assert_eq!(code(&answer), (429, "too_many_tokens"), "{answer:?}");
    assert_eq!(ask("One of the robots.").await.status, 200, "what is there costs nothing");
    let spent = scene
        .house
        .ground()
        .rows("select cast(sum(input_tokens) as text) from chat_usage where owner = 'user:ada'")
        .await;
    assert_eq!(spent, ["180"]);
    let grace = scene.user("grace");
    let body = json!({"text": "One of the robots.", "target_language": "ur"});
    assert_eq!(post(&grace, "/translate", &body).await.status, 200);
}

#[tokio::test]
async fn a_house_that_stops_lets_texts_come_to_their_end() {
    let scene = Scene::on(Ground::sqlite(&[]), &[("TRANSLATIONS_PER_DAY", "9")]).await;
    let ada = scene.user("ada");
    let body = json!({"text": "HANG on, robots, for a while.", "target_language": "ur"});
    let (answer, ()) = tokio::join!(post(&ada, "/translate", &body), async {
        scene.model.was_asked(1).await;
        let stopping = scene.house.begin_to_stop();
        scene.model.open();
        stopping.finished().await;
    });
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["translated_text"], "HANG on, ROBOTS, for a while.");
}

#[tokio::test]
async fn a_house_without_grace_gives_back_what_it_did_not_write() {
    let scene = Scene::on(Ground::sqlite(&[]), &[("TRANSLATIONS_PER_DAY", "9"), ("SHUTDOWN_GRACE_SECONDS", "0")]).await;
    let ada = scene.user("ada");
    let body = json!({"text": "HANG on, robots, for a while.", "target_language": "ur"});
    let ((), ground) = tokio::join!(async { drop(post(&ada, "/translate", &body).await) }, async {
        scene.model.was_asked(1).await;
        scene.house.begin_to_stop().finished().await
    });
    let counted = ground.rows("select cast(used as text) from limit_counts where key like 'translations/%'").await;
    assert_eq!(counted, ["0"]);
}
