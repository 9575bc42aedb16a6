//! Attachments in a bucket: a small store that speaks S3, behind a real socket.

use chatkit_gateway::attachments::{AttachmentError, Incoming, Swept};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{PNG, Scene, file_form, link, preview, streamed, url};
use crate::support::bucket::FakeBucket;
use crate::support::house::{Ground, until};

/// More than one part of an upload in parts, and text.
fn large() -> Vec<u8> {
    (0..1_500_000).map(|number| format!("{number:07}\n")).collect::<String>().into_bytes()
}

#[tokio::test]
async fn files_of_any_size_go_to_the_bucket_and_come_back() {
    let bucket = FakeBucket::start().await;
    let scene = Scene::with(&bucket.variables()).await;
    let (picture, text) = (scene.create("cat.png", "image/png").await, scene.create("a.txt", "text/plain").await);
    assert_eq!(scene.put(&url(&picture), PNG).await.status, 200);
    assert_eq!(scene.put(&url(&text), streamed(&large())).await.status, 200);
    assert_eq!(scene.post_form("/chatkit/upload", file_form("b.txt", "text/plain", b"small")).await.status, 200);
    assert_eq!((bucket.objects().len(), bucket.open_uploads()), (3, 0));
    assert!(bucket.objects().iter().all(|path| path.starts_with("/bucket/tutor/files/obj_")), "{:?}", bucket.objects());
    assert_eq!(scene.read(&picture).await.unwrap(), PNG);
    assert_eq!(scene.read(&text).await.unwrap(), large());
    let shown = scene.house.stranger().request("GET", &preview(&picture)).send().await.unwrap();
    assert_eq!(shown.bytes().await.unwrap(), PNG);
    scene.attachments().delete(&scene.reader.owner(&scene.house), &text.id).await.unwrap();
    assert_eq!(scene.attachments().sweep().await.unwrap(), Swept { attachments: 1, objects: 1, more: false });
    assert_eq!(bucket.objects().len(), 2);
}

#[tokio::test]
async fn nothing_of_a_refused_file_stays_in_the_bucket() {
    let bucket = FakeBucket::start().await;
    let scene = Scene::with(&[&bucket.variables()[..], &[("ATTACHMENT_BYTES_MAX", "11000000")]].concat()).await;
    let text = scene.create("a.txt", "text/plain").await;
    let lying = [&large()[..10_999_999], &[0]].concat();
    scene.put(&url(&text), streamed(&lying)).await.refuses(415, "text/plain");
    scene.put(&url(&text), streamed(&large())).await.refuses(413, "11000000");
    assert_eq!((bucket.objects().len(), bucket.open_uploads()), (0, 0));
    assert_eq!(scene.put(&url(&text), "good").await.status, 200);
}

#[tokio::test]
async fn nothing_of_an_upload_that_is_cut_off_stays_in_the_bucket() {
    let bucket = FakeBucket::start().await;
    let scene = Scene::with(&bucket.variables()).await;
    let text = scene.create("a.txt", "text/plain").await;
    let target = url(&text);
    let (host, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 12000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&large()[..6_000_000]).await.unwrap();
    until("a part has arrived", async || bucket.open_uploads() == 1).await;
    drop(stream);
    until("the parts are gone", async || {
        scene.attachments().sweep().await.unwrap();
        bucket.open_uploads() == 0
    })
    .await;
    assert_eq!(bucket.objects().len(), 0);
    assert_eq!(scene.put(&target, "good").await.status, 200);
}

#[tokio::test]
async fn an_upload_whose_request_goes_away_is_taken_back_by_the_sweep() {
    let bucket = FakeBucket::start().await;
    let scene = Scene::with(&bucket.variables()).await;
    let text = scene.create("a.txt", "text/plain").await;
    let (uploading, link) = (scene.attachments().clone(), link(&text));
    let endless = stream::iter([Ok::<_, std::io::Error>(large().into())]).chain(stream::pending());
    let upload = uploading.upload(&link, Incoming { announced_bytes: None, pieces: Box::pin(endless) });
    tokio::select! {
        told = upload => panic!("it cannot end: {told:?}"),
        () = until("a part has arrived", async || bucket.open_uploads() == 1) => {}
    }
    scene.attachments().sweep().await.unwrap();
    assert_eq!((bucket.objects().len(), bucket.open_uploads()), (0, 0));
}

#[tokio::test]
async fn a_bucket_that_is_away_is_said_so_and_nothing_is_half_kept() {
    let bucket = FakeBucket::start().await;
    let scene = Scene::with(&bucket.variables()).await;
    let (picture, text) = (scene.create("cat.png", "image/png").await, scene.create("a.txt", "text/plain").await);
    assert_eq!(scene.put(&url(&picture), PNG).await.status, 200);
    bucket.is_broken(true);
    let refused = scene.put(&url(&text), "hello").await;
    refused.refuses(503, "try again");
    assert!(refused.headers.contains_key("retry-after"));
    scene.house.stranger().get(&preview(&picture)).await.refuses(503, "try again");
    assert!(matches!(scene.read(&text).await, Err(AttachmentError::NotArrived(_))));
    bucket.is_broken(false);
    assert_eq!(scene.put(&url(&text), "hello").await.status, 200);
    assert_eq!(scene.read(&text).await.unwrap(), "hello");
}

#[tokio::test]
async fn what_one_instance_took_another_hands_out() {
    let bucket = FakeBucket::start().await;
    let secret = "s".repeat(32);
    let variables = [&bucket.variables()[..], &[("VISITOR_SECRET", secret.as_str())]].concat();
    let ground = Ground::postgres(&variables).await;
    let beside = ground.beside().build().await;
    let scene = Scene::at(ground.build().await).await;
    let picture = scene.create("cat.png", "image/png").await;
    let elsewhere = |url: &str| url.replace(&scene.house.url, &beside.url);
    assert_eq!(scene.put(&elsewhere(&url(&picture)), PNG).await.status, 200);
    assert_eq!(scene.read(&picture).await.unwrap(), PNG);
    let shown = beside.stranger().request("GET", &elsewhere(&preview(&picture))).send().await.unwrap();
    assert_eq!(shown.bytes().await.unwrap(), PNG);
}
