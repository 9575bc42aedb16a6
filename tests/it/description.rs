//! What the doors say of themselves: all of them, whole, and served as a document and as a page.
//!
//! Whether it is true is tried by `tests/python/described.py` and `tests/python/fuzzed.py`.

use std::collections::BTreeSet;

use chatkit_gateway::routes::{self, Door, Entry};
use serde_json::Value;

use crate::support::house::{Ground, House};

fn paths() -> Vec<String> {
    ["/chatkit", "/api/chatkit"].map(str::to_owned).to_vec()
}

/// The doors, with what they say.
fn described(document: &Value) -> Vec<(Door, &Value)> {
    let operation = |door: Door| {
        let method = door.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][door.path.replace("{*", "{")][method];
        assert!(operation.is_object(), "{} {} says nothing of itself", door.method, door.path);
        (door, operation)
    };
    routes::list(&paths()).into_iter().map(operation).collect()
}

#[test]
fn every_door_says_what_it_is_for_and_what_it_answers() {
    let document = routes::description(&paths(), None);
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    let doors = described(&document);
    for (door, operation) in &doors {
        let name = format!("{} {}", door.method, door.path);
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{name} has no summary");
        let [tag] = operation["tags"].as_array().unwrap().as_slice() else { panic!("{name} has a subject") };
        assert!(tags.contains(tag.as_str().unwrap()), "{name} has a subject that nothing is said of: {tag}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name} has the name of another door");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with(['1', '2', '3'])), "{name} never succeeds");
        for (status, response) in responses {
            let about = response["description"].as_str().or(response["$ref"].as_str());
            assert!(about.is_some_and(|about| !about.is_empty()), "{name} does not say what {status} means");
        }
        for parameter in door.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let parameter = parameter.trim_start_matches('*');
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            assert!(
                parameters.iter().any(|known| known["name"] == parameter && known["in"] == "path"),
                "{name}: {parameter}"
            );
        }
    }
    let operations = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len());
    assert_eq!(operations.sum::<usize>(), doors.len(), "something is described that is no door");
}

#[test]
fn every_door_says_whom_it_lets_in() {
    let document = routes::description(&paths(), None);
    for (door, operation) in described(&document) {
        let ways = operation["security"].as_array().unwrap();
        let refuses = operation["responses"].get("401").is_some();
        let strangers = ways.iter().any(|way| way.as_object().unwrap().is_empty());
        match door.entry {
            Entry::Everybody | Entry::Link => assert!(ways.is_empty(), "{door:?}"),
            Entry::Caller => assert!(strangers && refuses && ways.len() > 1, "{door:?}"),
            Entry::User => assert!(!strangers && refuses && !ways.is_empty(), "{door:?}"),
        }
        let known = document["components"]["securitySchemes"].as_object().unwrap();
        let named = ways.iter().flat_map(|way| way.as_object().unwrap().keys());
        assert!(named.into_iter().all(|name| known.contains_key(name)), "{door:?}");
    }
}

#[test]
fn all_that_is_referred_to_is_there() {
    let document = routes::description(&paths(), None);
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} is not there");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_served_and_is_not_sent_twice_to_who_has_it() {
    let house = House::offline().await;
    let served = house.stranger().get("/openapi.json").await;
    assert_eq!((served.status, &served.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(served.body, routes::description(&paths(), None));
    let tag = served.headers["etag"].to_str().unwrap();
    let again = house.stranger().request("GET", "/openapi.json").header("if-none-match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag));
    assert!(again.bytes().await.unwrap().is_empty());
    let other = house.stranger().request("GET", "/openapi.json").header("if-none-match", "\"other\"");
    assert_eq!(other.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_document_tells_the_paths_and_the_address_of_the_settings() {
    let settings = [("CHATKIT_PATHS", "/here,/there"), ("PUBLIC_URL", "https://tutor.example.org/chat")];
    let house = Ground::sqlite(&settings).build().await;
    let document = house.stranger().get("/openapi.json").await.body;
    assert_eq!(document["servers"][0]["url"], "https://tutor.example.org/chat");
    assert_eq!(document["paths"]["/here"]["post"]["operationId"], "chatkit");
    assert_eq!(document["paths"]["/there"]["post"]["operationId"], "chatkit_at_there");
    assert!(document["paths"].get("/chatkit").is_none());
}

#[tokio::test]
async fn the_page_asks_for_nothing_that_is_not_here_and_runs_nothing_that_stands_in_it() {
    let house = House::offline().await;
    let stranger = house.stranger();
    let page = stranger.request("GET", "/docs").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(!html.contains("<style") && !html.contains("://"), "{html}");
    let files: Vec<_> =
        html.split(['"']).filter(|part| part.starts_with("docs/")).map(|file| format!("/{file}")).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let plain = stranger.request("GET", &file).header("accept-encoding", "identity").send().await.unwrap();
        assert_eq!(plain.status(), 200, "{file}");
        assert!(!plain.headers().contains_key("content-encoding"), "{file}");
        let kind = plain.headers()["content-type"].to_str().unwrap().to_owned();
        let ending = file.rsplit('.').next().unwrap();
        let expected = [("js", "text/javascript"), ("css", "text/css"), ("png", "image/png")];
        assert!(expected.contains(&(ending, kind.split(';').next().unwrap())), "{file}: {kind}");
        let bytes = plain.bytes().await.unwrap();
        // Our client unpacks what comes packed.
        let packed = stranger.request("GET", &file).send().await.unwrap().bytes().await.unwrap();
        assert!(bytes == packed && !bytes.starts_with(&[0x1f, 0x8b]), "{file}");
    }
    house.stranger().get("/docs/index.html").await.refuses(404, "file");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_shape_of_all_refusals() {
    let house = House::offline().await;
    house.stranger().get("/book/%FF").await.refuses(404, "UTF-8");
    house.stranger().get("/docs/%FF").await.refuses(404, "UTF-8");
    house.stranger().post_to("/chatkit/threads/%FF/stop", "").await.refuses(404, "UTF-8");
}
