//! What goes by itself: bytes of deleted attachments and threads, of files nobody used, and links that are too old.

use chatkit_gateway::attachments::Swept;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use super::{PNG, Scene, preview, url};
use crate::support::attachments::days_later;
use crate::support::client::thread_of;
use crate::support::house::Ground;

/// Makes a thread, and names the attachment in it as a message does.
async fn claim(scene: &Scene, attachment: &str) -> String {
    let thread = thread_of(&scene.reader.create("hello").await);
    let url = format!("sqlite://{}", scene.house.ground().folder().join("gateway.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("update chat_attachments set thread_id = $1, used = true where id = $2 and not deleted")
        .bind(&thread)
        .bind(attachment)
        .execute(&mut connection)
        .await
        .unwrap();
    thread
}

#[tokio::test]
async fn a_deleted_attachment_is_shown_to_nobody_and_its_bytes_go_with_the_sweep() {
    let scene = Scene::new().await;
    let (picture, other) = (scene.create("cat.png", "image/png").await, scene.create("dog.png", "image/png").await);
    scene.put(&url(&picture), PNG).await;
    scene.put(&url(&other), PNG).await;
    let owner = scene.reader.owner(&scene.house);
    scene.attachments().delete(&owner, &picture.id).await.unwrap();
    scene.attachments().delete(&owner, &picture.id).await.unwrap();
    scene.attachments().delete(&owner, &"atc_unknown".into()).await.unwrap();
    scene.house.stranger().get(&preview(&picture)).await.refuses(404, picture.id.as_str());
    scene.house.stranger().get(&scene.attachments().download_url(&picture.id)).await.refuses(404, picture.id.as_str());
    scene.put(&url(&picture), PNG).await.refuses(404, picture.id.as_str());
    assert_eq!(scene.files().len(), 2);
    let swept = scene.attachments().sweep().await.unwrap();
    assert_eq!(swept, Swept { attachments: 1, objects: 1, more: false });
    assert_eq!((scene.files().len(), scene.folders()), (1, 1));
    assert_eq!(scene.read(&other).await.unwrap(), PNG);
    assert_eq!(scene.attachments().sweep().await.unwrap(), Swept::default());
}

#[tokio::test]
async fn the_bytes_of_a_deleted_thread_go() {
    let scene = Scene::new().await;
    let picture = scene.create("cat.png", "image/png").await;
    scene.put(&url(&picture), PNG).await;
    let thread = claim(&scene, picture.id.as_str()).await;
    assert_eq!(days_later(scene.house.ground().folder(), "", 400).await.sweep().await.unwrap(), Swept::default());
    assert_eq!(scene.house.stranger().get(&preview(&picture)).await.status, 200);
    assert_eq!(scene.reader.ask("threads.delete", json!({"thread_id": thread})).await.status, 200);
    scene.house.stranger().get(&preview(&picture)).await.refuses(404, picture.id.as_str());
    assert_eq!(scene.attachments().sweep().await.unwrap(), Swept { attachments: 1, objects: 1, more: false });
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
}

#[tokio::test]
async fn what_no_message_names_within_a_day_goes() {
    let scene = Scene::new().await;
    let unused = scene.create("cat.png", "image/png").await;
    scene.put(&url(&unused), PNG).await;
    let announced = scene.create("never-sent.png", "image/png").await;
    assert_eq!(scene.attachments().sweep().await.unwrap(), Swept::default());
    let tomorrow = days_later(scene.house.ground().folder(), "", 1).await;
    assert_eq!(tomorrow.sweep().await.unwrap(), Swept { attachments: 2, objects: 1, more: false });
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
    for gone in [unused, announced] {
        scene.put(&url(&gone), PNG).await.refuses(404, gone.id.as_str());
    }
}

#[tokio::test]
async fn what_is_to_go_goes_when_a_house_starts() {
    let scene = Scene::new().await;
    let picture = scene.create("cat.png", "image/png").await;
    scene.put(&url(&picture), PNG).await;
    scene.attachments().delete(&scene.reader.owner(&scene.house), &picture.id).await.unwrap();
    let ground: Ground = scene.house.shut_down().await;
    let scene = Scene::at(ground.build().await).await;
    crate::support::house::until("the bytes are gone", async || scene.folders() == 0).await;
}

#[tokio::test]
async fn a_link_that_has_expired_is_forbidden_and_a_picture_is_shown_for_good() {
    let scene = Scene::new().await;
    let yesterday = days_later(scene.house.ground().folder(), &scene.house.url, -1).await;
    let asked =
        chatkit_protocol::AttachmentsCreate { name: "cat.png".to_owned(), size: 1, mime_type: "image/png".to_owned() };
    let picture = yesterday.create(&scene.reader.owner(&scene.house), &asked).await.unwrap();
    scene.put(&url(&picture), PNG).await.refuses(403, "expired");
    scene.house.stranger().get(&yesterday.download_url(&picture.id)).await.refuses(403, "expired");
    scene.house.stranger().get(&preview(&picture)).await.refuses(404, "not been uploaded");
}
