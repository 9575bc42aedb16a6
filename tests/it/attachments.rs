//! Attachments through real doors: bytes in, bytes out, and nothing left of what was refused.

use std::path::PathBuf;

use bytes::Bytes;
use chatkit_gateway::attachments::{AttachmentError, Attachments, Incoming, Link};
use chatkit_protocol::{Attachment, AttachmentKind, AttachmentsCreate};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::attachments::days_later;
use crate::support::client::{Answer, Reader};
use crate::support::fake_model::PATIENCE;
use crate::support::house::{Ground, House, until};

mod bucket;
mod sweep;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
const BOUNDARY: &str = "----a-boundary";

/// A house with a reader, and what they do with files.
struct Scene {
    house: House,
    reader: Reader,
}

impl Scene {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(variables: &[(&str, &str)]) -> Self {
        Self::at(Ground::sqlite(variables).build().await).await
    }

    async fn at(house: House) -> Self {
        let reader = house.visitor().await;
        Self { house, reader }
    }

    fn attachments(&self) -> &Attachments {
        self.house.app.attachments.as_ref().unwrap()
    }

    async fn create(&self, name: &str, mime_type: &str) -> Attachment {
        self.try_to_create(name, mime_type, 1).await.unwrap()
    }

    async fn try_to_create(&self, name: &str, mime_type: &str, size: i64) -> Result<Attachment, AttachmentError> {
        let asked = AttachmentsCreate { name: name.to_owned(), size, mime_type: mime_type.to_owned() };
        self.attachments().create(&self.reader.owner(&self.house), &asked).await
    }

    async fn read(&self, attachment: &Attachment) -> Result<Bytes, AttachmentError> {
        self.attachments().read(&self.reader.owner(&self.house), &attachment.id, 1 << 30).await
    }

    /// Sends bytes to the address of a descriptor, as somebody without any credential.
    async fn put(&self, url: &str, bytes: impl Into<reqwest::Body>) -> Answer {
        let stranger = self.house.stranger();
        stranger.send(stranger.request("PUT", url).body(bytes)).await
    }

    async fn post(&self, url: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.reader.request("POST", url).header("content-type", kind);
        self.reader.send(request.body(body)).await
    }

    async fn post_form(&self, url: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.post(url, &format!("multipart/form-data; boundary={BOUNDARY}"), body).await
    }

    /// The files with bytes of attachments, whole ones and others.
    fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.house.ground().folder().join("attachments")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        files
    }

    /// Folders of objects, empty ones too.
    fn folders(&self) -> usize {
        std::fs::read_dir(self.house.ground().folder().join("attachments")).unwrap().count()
    }
}

fn url(attachment: &Attachment) -> String {
    let descriptor = attachment.upload_descriptor.as_ref().unwrap();
    assert_eq!(serde_json::to_value(descriptor.method).unwrap(), "PUT");
    assert!(descriptor.headers.is_empty());
    descriptor.url.clone()
}

/// The link of a descriptor.
fn link(attachment: &Attachment) -> Link {
    let url = url(attachment);
    let value = |name: &str| url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap().to_owned();
    let expires = value("expires=").parse().unwrap();
    Link { id: attachment.id.clone(), expires: Some(expires), signature: value("signature=") }
}

fn preview(attachment: &Attachment) -> String {
    let AttachmentKind::Image { preview_url } = &attachment.kind else { panic!("{attachment:?} is no picture") };
    preview_url.clone()
}

/// A part of a form.
fn part(head: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(), bytes, b"\r\n"].concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

/// A form with a file of this name and type.
fn file_form(name: &str, mime_type: &str, bytes: &[u8]) -> Vec<u8> {
    form(&[part(&format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: {mime_type}"), bytes)])
}

/// A body whose length nobody is told.
fn streamed(bytes: &[u8]) -> reqwest::Body {
    let pieces: Vec<_> = bytes.chunks(64 * 1024).map(Bytes::copy_from_slice).map(Ok::<_, std::io::Error>).collect();
    reqwest::Body::wrap_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_picture_is_announced_uploaded_shown_and_read() {
    let scene = Scene::new().await;
    let picture = scene.create("größe 😀.png", "image/png").await;
    assert!(url(&picture).starts_with(&format!("{}/attachments/{}/upload?expires=", scene.house.url, picture.id)));
    let answer = scene.put(&url(&picture), PNG).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let expected = json!({
        "id": picture.id, "name": "größe 😀.png", "mime_type": "image/png", "type": "image",
        "preview_url": preview(&picture),
    });
    assert_eq!(answer.body, expected);
    assert_eq!(scene.read(&picture).await.unwrap(), PNG);
    assert_eq!(scene.files().len(), 1);
    let shown = scene.house.stranger().request("GET", &preview(&picture)).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "29"),
        (
            "content-disposition",
            "inline; filename=\"gr__e _.png\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%F0%9F%98%80.png",
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, max-age=3600"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(shown.headers()[name], value, "{name}");
    }
    assert_eq!(shown.bytes().await.unwrap(), PNG);
}

#[tokio::test]
async fn a_form_with_the_field_file_is_as_good_as_plain_bytes() {
    let scene = Scene::new().await;
    let notes = scene.create("notes.md", "").await;
    assert_eq!((notes.mime_type.as_str(), &notes.kind), ("text/markdown", &AttachmentKind::File));
    // What the form says of name and type does not count: they were announced.
    let other = part("name=\"file_name\"", b"other.txt");
    let file =
        part("name=\"file\"; filename=\"x.exe\"\r\nContent-Type: application/x-msdownload", "# Größe".as_bytes());
    let last = part("name=\"last\"", b"ignored");
    let answer = scene.post_form(&url(&notes), form(&[other, file, last])).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body, json!({"id": notes.id, "name": "notes.md", "mime_type": "text/markdown", "type": "file"}));
    assert_eq!(scene.read(&notes).await.unwrap(), "# Größe");
    let fetched =
        scene.house.stranger().request("GET", &scene.attachments().download_url(&notes.id)).send().await.unwrap();
    assert_eq!(fetched.headers()["content-type"], "text/markdown; charset=utf-8");
    assert_eq!(fetched.headers()["content-disposition"], "attachment; filename=\"notes.md\"");
    assert_eq!(fetched.text().await.unwrap(), "# Größe");
}

#[tokio::test]
async fn a_file_that_was_not_announced_is_taken_at_the_upload_door() {
    let scene = Scene::new().await;
    for path in ["/chatkit/upload", "/api/chatkit/upload"] {
        let answer = scene.post_form(path, file_form("../größe.png", "image/png", PNG)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let picture: Attachment = serde_json::from_value(answer.body.clone()).unwrap();
        let expected = json!({
            "id": picture.id, "name": "größe.png", "mime_type": "image/png", "type": "image",
            "preview_url": preview(&picture),
        });
        assert_eq!(answer.body, expected);
        assert_eq!(scene.read(&picture).await.unwrap(), PNG);
        let owner = scene.house.visitor().await.owner(&scene.house);
        let stolen = scene.attachments().find(&owner, std::slice::from_ref(&picture.id)).await;
        assert!(matches!(stolen, Err(AttachmentError::NoAttachment(id)) if id == picture.id));
    }
    let request = scene.house.stranger().request("POST", "/chatkit/upload").header("x-chatkit-visitor", "forged");
    assert_eq!(scene.reader.send(request).await.status, 401);
}

#[tokio::test]
async fn a_large_file_comes_and_goes_whole() {
    let scene = Scene::new().await;
    let text: String = (0..200_000).map(|number| format!("{number} größe\n")).collect();
    let notes = scene.create("large.txt", "text/plain").await;
    assert_eq!(scene.put(&url(&notes), streamed(text.as_bytes())).await.status, 200);
    assert_eq!(scene.read(&notes).await.unwrap(), text.as_bytes());
    let by_form = scene.create("large.txt", "text/plain").await;
    assert_eq!(
        scene.post_form(&url(&by_form), streamed(&file_form("x", "text/plain", text.as_bytes()))).await.status,
        200
    );
    assert_eq!(scene.read(&by_form).await.unwrap(), text.as_bytes());
    let small = scene.attachments().read(&scene.reader.owner(&scene.house), &notes.id, 10).await;
    assert!(matches!(small, Err(AttachmentError::TooLarge { max: 10 })));
    let fetched =
        scene.house.stranger().request("GET", &scene.attachments().download_url(&notes.id)).send().await.unwrap();
    assert_eq!(fetched.bytes().await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_nothing_of_it_is_left() {
    let scene = Scene::with(&[("ATTACHMENT_BYTES_MAX", "1000000")]).await;
    let refused = scene.try_to_create("a.txt", "text/plain", 1_000_001).await;
    assert!(matches!(refused, Err(AttachmentError::TooLarge { max: 1_000_000 })));
    let (fits, over) = (vec![b'x'; 1_000_000], vec![b'x'; 1_000_001]);
    let notes = scene.create("a.txt", "text/plain").await;
    scene.put(&url(&notes), over.clone()).await.refuses(413, "1000000");
    scene.put(&url(&notes), streamed(&over)).await.refuses(413, "1000000");
    scene.post_form(&url(&notes), file_form("a", "text/plain", &over)).await.refuses(413, "1000000");
    scene.post_form("/chatkit/upload", streamed(&file_form("a", "text/plain", &over))).await.refuses(413, "1000000");
    let far_over = vec![b'x'; 20_000_000];
    scene.put(&url(&notes), streamed(&far_over)).await.refuses(413, "1000000");
    scene.put(&url(&notes), far_over).await.refuses(413, "1000000");
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
    assert_eq!(scene.put(&url(&notes), streamed(&fits)).await.status, 200);
    let by_form = scene.post_form("/chatkit/upload", file_form("a", "text/plain", &fits)).await;
    assert_eq!(by_form.status, 200, "what is around a file does not count: {:?}", by_form.body);
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_or_is_empty_is_refused_and_nothing_of_it_is_left() {
    let scene = Scene::new().await;
    let picture = scene.create("cat.png", "image/png").await;
    let text = scene.create("a.txt", "text/plain").await;
    scene.put(&url(&picture), "<script>alert(1)</script>").await.refuses(415, "image/png");
    scene.put(&url(&picture), &b"%PDF-1.7 and so on"[..]).await.refuses(415, "image/png");
    scene.put(&url(&text), PNG).await.refuses(415, "text/plain");
    scene.put(&url(&text), [&[b'x'; 500_000][..], &[0]].concat()).await.refuses(415, "text/plain");
    scene.put(&url(&text), &b"gr\xf6\xdfe"[..]).await.refuses(415, "UTF-8");
    scene.put(&url(&text), "").await.refuses(400, "empty");
    scene
        .post_form("/chatkit/upload", file_form("a.exe", "application/x-msdownload", b"MZ"))
        .await
        .refuses(415, "image/png");
    scene.post_form("/chatkit/upload", file_form("a.png", "image/png", b"MZ")).await.refuses(415, "image/png");
    scene.post_form("/chatkit/upload", file_form("a.png", "image/png", b"")).await.refuses(400, "empty");
    let refused = scene.try_to_create("a.svg", "image/svg+xml", 1).await;
    assert!(matches!(refused, Err(AttachmentError::TypeNotAccepted { .. })));
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
    assert_eq!(scene.put(&url(&picture), PNG).await.status, 200, "the link is as good as before");
}

#[tokio::test]
async fn a_picture_that_can_hold_a_script_is_shown_by_nothing_that_would_run_it() {
    let scene = Scene::with(&[("ATTACHMENT_TYPES", "image/*")]).await;
    let drawing = scene.create("a.svg", "image/svg+xml").await;
    let bytes = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    assert_eq!(scene.put(&url(&drawing), bytes).await.status, 200);
    let shown = scene.house.stranger().request("GET", &preview(&drawing)).send().await.unwrap();
    assert_eq!(shown.headers()["content-security-policy"], "default-src 'none'; sandbox");
    assert!(shown.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(shown.text().await.unwrap(), bytes);
}

#[tokio::test]
async fn what_is_no_form_with_a_file_is_refused() {
    let scene = Scene::new().await;
    let text = scene.create("a.txt", "text/plain").await;
    let good = file_form("a.txt", "text/plain", b"hello");
    for target in [url(&text), "/chatkit/upload".to_owned()] {
        scene.post(&target, "application/json", "{}").await.refuses(400, "multipart/form-data");
        scene.post(&target, "multipart/form-data", good.clone()).await.refuses(400, "boundary");
        scene.post(&target, "multipart/form-data; boundary=other", good.clone()).await.refuses(400, "boundary");
        scene.post_form(&target, form(&[part("name=\"other\"", b"x")])).await.refuses(400, "`file`");
        scene.post_form(&target, "").await.refuses(400, "form");
        scene.post_form(&target, good[..good.len() / 2].to_vec()).await.refuses(400, "cut off");
        scene.post_form(&target, good[..good.len() - 23].to_vec()).await.refuses(400, "broke off");
        let before = part("name=\"other\"", &vec![b'x'; 2_000_000]);
        scene.post_form(&target, form(&[before, part("name=\"file\"", b"hello")])).await.refuses(400, "form");
        let endless_head = format!("--{BOUNDARY}\r\nX-A: {}", "x".repeat(2_000_000));
        scene.post_form(&target, endless_head).await.refuses(400, "form");
    }
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
}

#[tokio::test]
async fn a_link_that_was_changed_or_is_for_something_else_is_forbidden() {
    let scene = Scene::new().await;
    let picture = scene.create("cat.png", "image/png").await;
    let other = scene.create("dog.png", "image/png").await;
    let (upload, preview) = (url(&picture), preview(&picture));
    let signature = |url: &str| url.split("signature=").nth(1).unwrap().to_owned();
    let wrong = [
        upload.replace("signature=", "signature=0"),
        upload.replace(picture.id.as_str(), other.id.as_str()),
        upload.replace("expires=1", "expires=2"),
        upload.replace("expires=", "expired="),
        upload.split('?').next().unwrap().to_owned(),
        format!("{}?signature={}", upload.split('?').next().unwrap(), signature(&preview)),
        format!("{}?expires=x&signature=y", upload.split('?').next().unwrap()),
        upload.replace("/atc_", "/%ff%00atc_"),
    ];
    for url in wrong {
        scene.put(&url, PNG).await.refuses(403, "link");
        scene.post_form(&url, file_form("a", "image/png", PNG)).await.refuses(403, "link");
    }
    assert_eq!((scene.files().len(), scene.folders()), (0, 0));
    scene.house.stranger().get(&preview).await.refuses(404, "not been uploaded");
    assert_eq!(scene.put(&upload, PNG).await.status, 200);
    for url in [
        format!("{preview}0"),
        preview.replace("/preview", "/download"),
        upload.replace("/upload", "/preview"),
        upload.replace("/upload", "/download"),
        preview.replace(picture.id.as_str(), other.id.as_str()),
    ] {
        scene.house.stranger().get(&url).await.refuses(403, "link");
    }
}

#[tokio::test]
async fn a_second_upload_is_refused_and_the_first_one_stays() {
    let scene = Scene::new().await;
    let text = scene.create("a.txt", "text/plain").await;
    assert_eq!(scene.put(&url(&text), "first").await.status, 200);
    scene.put(&url(&text), "second").await.refuses(409, "already");
    scene.post_form(&url(&text), file_form("a", "text/plain", b"third")).await.refuses(409, "already");
    assert_eq!(scene.read(&text).await.unwrap(), "first");
    assert_eq!((scene.files().len(), scene.folders()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_uploads_at_the_same_time_exactly_one_wins() {
    for ground in [Ground::sqlite(&[]), Ground::postgres(&[]).await] {
        let scene = Scene::at(ground.build().await).await;
        let text = scene.create("a.txt", "text/plain").await;
        let target = url(&text);
        let bodies: Vec<String> = (0..6).map(|number| number.to_string().repeat(400_000)).collect();
        let answers =
            futures_util::future::join_all(bodies.iter().map(|body| scene.put(&target, streamed(body.as_bytes()))))
                .await;
        let won: Vec<_> = bodies.iter().zip(&answers).filter(|(_, answer)| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 5);
        assert_eq!(scene.read(&text).await.unwrap(), won[0].0);
        assert_eq!((scene.files().len(), scene.folders()), (1, 1));
    }
}

/// Begins an upload by hand, sends some bytes of it, and sees that some are written.
async fn begin(scene: &Scene, url: &str) -> TcpStream {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 5000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 2_000_000]).await.unwrap();
    until("some bytes are written", async || !scene.files().is_empty()).await;
    stream
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing_and_the_same_link_works_again() {
    let scene = Scene::new().await;
    let text = scene.create("a.txt", "text/plain").await;
    let stream = begin(&scene, &url(&text)).await;
    drop(stream);
    until("the bytes are gone", async || scene.files().is_empty() && scene.folders() == 0).await;
    assert!(matches!(scene.read(&text).await, Err(AttachmentError::NotArrived(_))));
    let mut polite = begin(&scene, &url(&text)).await;
    polite.shutdown().await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, polite.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    until("the bytes are gone", async || scene.files().is_empty() && scene.folders() == 0).await;
    assert_eq!(scene.put(&url(&text), "whole").await.status, 200);
    assert_eq!(scene.read(&text).await.unwrap(), "whole");
}

#[tokio::test]
async fn an_upload_whose_request_goes_away_leaves_no_bytes() {
    let scene = Scene::new().await;
    let text = scene.create("a.txt", "text/plain").await;
    let endless = stream::iter([Ok::<_, std::io::Error>(vec![b'x'; 1_000_000].into())]).chain(stream::pending());
    let (link, attachments) = (link(&text), scene.attachments().clone());
    let upload = attachments.upload(&link, Incoming { announced_bytes: None, pieces: Box::pin(endless) });
    tokio::select! {
        told = upload => panic!("it cannot end: {told:?}"),
        () = until("some bytes are written", async || !scene.files().is_empty()) => {}
    }
    until("the bytes are gone", async || scene.files().is_empty()).await;
    let tomorrow = days_later(scene.house.ground().folder(), "", 1).await;
    assert_eq!(tomorrow.sweep().await.unwrap().objects, 1);
    assert_eq!(scene.folders(), 0, "its folder goes as soon as no upload can still be running");
}

#[tokio::test]
async fn somebody_elses_attachment_is_neither_found_nor_read_nor_deleted() {
    let scene = Scene::new().await;
    let text = scene.create("a.txt", "text/plain").await;
    scene.put(&url(&text), "mine").await;
    for other in [scene.house.visitor().await, scene.house.stranger()] {
        let (owner, ids) = (other.owner(&scene.house), [text.id.clone()]);
        assert!(matches!(scene.attachments().find(&owner, &ids).await, Err(AttachmentError::NoAttachment(_))));
        assert!(matches!(scene.attachments().read(&owner, &text.id, 100).await, Err(AttachmentError::NoAttachment(_))));
        scene.attachments().delete(&owner, &text.id).await.unwrap();
    }
    let found =
        scene.attachments().find(&scene.reader.owner(&scene.house), std::slice::from_ref(&text.id)).await.unwrap();
    assert_eq!(found[0].attachment, Attachment { upload_descriptor: None, ..text.clone() });
    assert_eq!(scene.read(&text).await.unwrap(), "mine");
}

#[tokio::test]
async fn an_owner_who_has_many_files_waiting_is_told_so_and_another_is_not() {
    let scene = Scene::with(&[("ATTACHMENT_BYTES_MAX", "10")]).await;
    for _ in 0..39 {
        scene.create("a.txt", "text/plain").await;
    }
    let last = scene.create("a.txt", "text/plain").await;
    assert!(matches!(scene.try_to_create("a.txt", "text/plain", 1).await, Err(AttachmentError::TooMany)));
    let refused = scene.post_form("/chatkit/upload", file_form("a", "text/plain", b"x")).await;
    refused.refuses(429, "wait");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(scene.folders(), 0);
    let other = scene.house.visitor().await;
    let request = other
        .request("POST", "/chatkit/upload")
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    assert_eq!(other.send(request.body(file_form("a", "text/plain", b"x"))).await.status, 200);
    scene.attachments().delete(&scene.reader.owner(&scene.house), &last.id).await.unwrap();
    scene.create("a.txt", "text/plain").await;
}

#[tokio::test]
async fn a_house_without_attachments_says_so() {
    let scene = Scene::with(&[("ATTACHMENTS_URL", "off")]).await;
    assert!(scene.house.app.attachments.is_none());
    let link = "/attachments/atc_1/upload?signature=0";
    scene.put(link, "x").await.refuses(400, "ATTACHMENTS_URL");
    scene.post_form(link, file_form("a", "text/plain", b"x")).await.refuses(400, "ATTACHMENTS_URL");
    scene.post_form("/chatkit/upload", file_form("a", "text/plain", b"x")).await.refuses(400, "ATTACHMENTS_URL");
    scene.house.stranger().get("/attachments/atc_1/preview?signature=0").await.refuses(400, "ATTACHMENTS_URL");
}

#[tokio::test]
async fn a_page_on_another_site_may_upload_and_show() {
    let scene = Scene::with(&[("CORS_ORIGINS", "https://book.example.org")]).await;
    let picture = scene.create("cat.png", "image/png").await;
    let asked = scene.house.stranger().request("OPTIONS", &url(&picture)).header("origin", "https://book.example.org");
    let asked =
        asked.header("access-control-request-method", "PUT").header("access-control-request-headers", "content-type");
    let allowed = asked.send().await.unwrap();
    assert!(allowed.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    scene.put(&url(&picture), PNG).await;
    let shown = scene.house.stranger().request("GET", &preview(&picture)).header("origin", "https://book.example.org");
    assert_eq!(shown.send().await.unwrap().headers()["access-control-allow-origin"], "https://book.example.org");
}

#[tokio::test]
async fn links_lead_to_the_public_address_and_survive_a_restart() {
    let scene = Scene::with(&[("PUBLIC_URL", "https://tutor.example.org/base/")]).await;
    let picture = scene.create("cat.png", "image/png").await;
    let (upload, preview) = (url(&picture), preview(&picture));
    assert!(upload.starts_with("https://tutor.example.org/base/attachments/"), "{upload}");
    let here = |url: &str| url.replace("https://tutor.example.org/base", "");
    let house = scene.house.shut_down().await.build().await;
    let reader = house.stranger();
    let answer = reader.send(reader.request("PUT", &here(&upload)).body(PNG)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(reader.request("GET", &here(&preview)).send().await.unwrap().bytes().await.unwrap(), PNG);
}

fn object_keys(scene: &Scene) -> Vec<String> {
    let folder = scene.house.ground().folder().join("attachments");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn names_of_readers_are_never_names_of_files() {
    let scene = Scene::new().await;
    for name in ["../../../evil.txt", "a\0b/c.txt", ".htaccess.txt", "CON.txt"] {
        let text = scene.create(name, "text/plain").await;
        assert_eq!(scene.put(&url(&text), "x").await.status, 200);
    }
    for key in object_keys(&scene) {
        assert!(key.starts_with("obj_") && key.len() == 36, "{key}");
    }
    let value: Value = serde_json::to_value(scene.create("a\r\nb.txt", "text/plain").await).unwrap();
    assert_eq!(value["name"], "ab.txt");
}
