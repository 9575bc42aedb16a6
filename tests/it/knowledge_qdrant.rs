//! What only Qdrant as a home has to get right: its failures, its collections of other programs, and one request.

use std::collections::HashMap;
use std::sync::Arc;

use chatkit_gateway::embedding::{Embedder, Role};
use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::{self, Addresses, Options};
use chatkit_gateway::knowledge::qdrant::QdrantKnowledge;
use chatkit_gateway::knowledge::qdrant::address::Address;
use chatkit_gateway::knowledge::qdrant::settings::QdrantSettings;
use chatkit_gateway::knowledge::{Document, KnowledgeBase, KnowledgeError, Search, eval};
use chatkit_gateway::store::sqlite::SqliteStore;
use qdrant_client::Payload;
use qdrant_client::qdrant::{PointId, PointStruct};
use serde_json::{Value, json};
use tonic::Code;

use crate::knowledge_contract::scene::{best, book, document, found, toy};
use crate::support::client::{done_items, streamed_text, thread_of};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::{Ground, answered_by};
use crate::support::qdrant::{Collection, Engine, FakeQdrant, Fault, What};
use crate::support::toy_embedder::ToyEmbedder;

fn open(settings: &QdrantSettings, embedder: Option<Arc<ToyEmbedder>>) -> QdrantKnowledge {
    let site = Addresses::new(Some("https://book.example.org"), None);
    QdrantKnowledge::open(settings, "book", embedder.map(|toy| toy as Arc<dyn Embedder>), site).unwrap()
}

/// Goes wrong so often, from the first request of the method on.
fn refused(method: &'static str, code: Code, times: usize) -> Fault {
    Fault { method, after: 0, times, what: What::Refused(code, "not now") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_one_request() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    qdrant.requests();
    assert_eq!(best(&knowledge, "What is a hinge joint?").await, "Hinges");
    assert_eq!(qdrant.requests(), ["Points/QueryBatch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_homes_answer_the_questions_on_the_bundled_book_alike() {
    let qdrant = FakeQdrant::start().await;
    let there = open(&qdrant.settings(), None);
    there.prepare().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("rows.sqlite")).await.unwrap();
    store.migrate().await.unwrap();
    let here = EmbeddedKnowledge::open(Arc::new(store), "book", None);
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    ingest::ingest(&pages, &Options::default(), &there, &()).await.unwrap();
    ingest::ingest(&pages, &Options::default(), &here, &()).await.unwrap();
    let (questions, _) = eval::questions(include_str!("../../book/questions.jsonl"));
    let mut different = Vec::new();
    for question in &questions {
        let asked = Search { query: &question.question, earlier: &question.history, limit: 3, strict: false };
        let first =
            |found: Vec<chatkit_gateway::knowledge::Found>| found.first().map(|found| found.passage.url.clone());
        let (one, other) = (first(here.search(&asked).await.unwrap()), first(there.search(&asked).await.unwrap()));
        if one != other {
            different.push((&question.id, one, other));
        }
    }
    // What stands elsewhere on a page, and how long its texts usually are, is known in full in the one home only.
    assert!(different.len() * 10 <= questions.len(), "{} of {}: {different:#?}", different.len(), questions.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again_and_a_document_cut_off_is_not_taken_for_stored() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), None);
    knowledge.prepare().await.unwrap();
    qdrant.fault(refused("Points/UpdateBatch", Code::Unavailable, 3));
    knowledge.put(book()).await.unwrap();
    assert_eq!(knowledge.documents().await.unwrap().len(), book().len());

    let sections: Vec<(String, String)> =
        (0..400).map(|number| (format!("Part {number}"), format!("Component c{number} is here."))).collect();
    let sections: Vec<(&str, &str)> = sections.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
    let large = document("large.md", "Parts", &sections);
    let full = What::Refused(Code::PermissionDenied, "disk full");
    qdrant.fault(Fault { method: "Points/UpdateBatch", after: 1, times: 1, what: full });
    assert!(knowledge.put(vec![large.clone()]).await.is_err());
    assert_eq!(knowledge.document("large.md").await.unwrap(), None);
    assert_eq!(knowledge.describe().await.unwrap().documents, book().len());
    knowledge.put(vec![large.clone()]).await.unwrap();
    assert_eq!(knowledge.document("large.md").await.unwrap(), Some(large));
}

/// A page of this edition: the second half of its sections is different in each.
fn edition(name: &str, sections: usize) -> Document {
    let section = |number: usize| match number * 2 < sections {
        true => (format!("Part {number}"), format!("Component c{number} stays where it is.")),
        false => (format!("Part {number}"), format!("Component {name}{number} is of this edition.")),
    };
    let sections: Vec<(String, String)> = (0..sections).map(section).collect();
    let sections: Vec<(&str, &str)> = sections.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
    document("page.md", "Parts", &sections)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_any_change_leaves_nothing_half_no_gap_and_nothing_behind() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    knowledge.prepare().await.unwrap();
    let (old, new) = (edition("a", 150), edition("b", 290));
    let points = |qdrant: &FakeQdrant| qdrant.engine().collection("book").unwrap().points.len();
    let mut crashes = 0;
    for next in ["stored again", "forgotten"] {
        for changes in 0.. {
            knowledge.put(vec![old.clone()]).await.unwrap();
            qdrant.engine().changes_left = Some(changes);
            let is_done = knowledge.put(vec![new.clone()]).await.is_ok();
            qdrant.engine().changes_left = None;
            let whole = knowledge.document("page.md").await.unwrap();
            let expected = if changes == 0 { Some(&old) } else { is_done.then_some(&new) };
            assert_eq!(whole.as_ref(), expected, "after {changes} changes");
            assert_eq!(best(&knowledge, "Where does component c7 stay?").await, "Part 7", "after {changes} changes");

            let listed = knowledge.documents().await.unwrap();
            assert_eq!((listed.len(), &*listed[0].path), (1, "page.md"), "it is not forgotten about");
            assert_eq!(listed[0].fingerprint == new.fingerprint, is_done, "after {changes} changes");
            // The next ingestion stores what has another fingerprint and forgets what has no page.
            if next == "forgotten" {
                knowledge.remove(&listed[0].path).await.unwrap();
                assert_eq!(points(&qdrant), 1, "the record of the collection is left");
            } else {
                knowledge.put(vec![new.clone()]).await.unwrap();
                assert_eq!(points(&qdrant), 290 + 2);
                assert_eq!(knowledge.document("page.md").await.unwrap().as_ref(), Some(&new));
            }
            if is_done {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes >= 10, "{crashes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_comes_while_another_collection_takes_the_place_is_whole_in_that_one() {
    // As `ingest --reembed` of somebody else ends between the first batch of the document and the second.
    fn named_next(engine: &mut Engine) {
        let mut next = engine.collection("book").unwrap().clone();
        next.points.retain(|_, point| {
            point.payload.get("path").is_none_or(|path| path.as_str().is_none_or(|path| path != "page.md"))
        });
        engine.create("book--2", next).unwrap();
        engine.alias("book", "book--2").unwrap();
    }
    fn named_next_and_the_old_one_removed(engine: &mut Engine) {
        named_next(engine);
        engine.delete("book--1");
    }
    let ends: [fn(&mut Engine); 2] = [named_next, named_next_and_the_old_one_removed];
    for meanwhile in ends {
        let qdrant = FakeQdrant::start().await;
        let knowledge = open(&qdrant.settings(), None);
        knowledge.prepare().await.unwrap();
        knowledge.put(book()).await.unwrap();
        qdrant.fault(Fault { method: "Points/UpdateBatch", after: 1, times: 1, what: What::Meanwhile(meanwhile) });
        let page = edition("a", 290);
        knowledge.put(vec![page.clone()]).await.unwrap();
        assert_eq!(knowledge.document("page.md").await.unwrap(), Some(page));
        assert_eq!(knowledge.documents().await.unwrap().len(), book().len() + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_that_was_removed_by_hand_is_made_anew() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    qdrant.engine().delete("book--1");
    knowledge.put(book()).await.unwrap();
    assert_eq!(best(&knowledge, "What is a hinge joint?").await, "Hinges");
    assert_eq!(knowledge.describe().await.unwrap().retrieval, "hybrid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_near_enough_is_learned_once_for_the_same_documents() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    let asked = async || {
        qdrant.requests();
        knowledge.settle().await.unwrap();
        qdrant.requests().iter().filter(|method| *method == "Points/QueryBatch").count()
    };
    assert!(asked().await > 0);
    assert_eq!(asked().await, 0);
    knowledge.put(vec![edition("a", 4)]).await.unwrap();
    assert!(asked().await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_whose_connection_breaks_is_asked_again_once() {
    let qdrant = FakeQdrant::start().await;
    let knowledge = open(&qdrant.settings(), None);
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    qdrant.fault(Fault { method: "Points/QueryBatch", after: 0, times: 1, what: What::Cut });
    assert_eq!(best(&knowledge, "What is a hinge joint?").await, "Hinges");
    qdrant.fault(Fault { method: "Points/QueryBatch", after: 0, times: 9, what: What::Cut });
    let asked = Search { query: "What is a hinge joint?", earlier: &[], limit: 3, strict: false };
    let away = knowledge.search(&asked).await.unwrap_err();
    assert!(away.may_pass(), "{away}");
    qdrant.mend();
    assert_eq!(best(&knowledge, "What is a hinge joint?").await, "Hinges");
}

/// What preparing says against this server.
async fn told(settings: &QdrantSettings) -> KnowledgeError {
    open(settings, None).prepare().await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_says_what_it_is_and_what_to_do() {
    let qdrant = FakeQdrant::start_with(Some("right-key")).await;
    let right = qdrant.settings();
    let keyless = told(&QdrantSettings { key: None, ..right.clone() }).await;
    assert!(keyless.to_string().contains("set QDRANT_API_KEY") && !keyless.may_pass(), "{keyless}");
    let wrong = told(&QdrantSettings { key: Some("wr0ng".to_owned().into()), ..right.clone() }).await;
    assert!(wrong.to_string().contains("refuses the key") && !wrong.to_string().contains("wr0ng"), "{wrong}");

    let at = |url: &str| QdrantSettings { address: Address::parse(url).unwrap(), key: None, shape: None };
    let nobody = told(&at("http://127.0.0.1:1")).await;
    assert!(nobody.to_string().contains("nothing listens") && nobody.may_pass(), "{nobody}");
    let nowhere = told(&at("http://no-such-host.invalid:6334")).await;
    assert!(nowhere.to_string().contains("is not known") && nowhere.may_pass(), "{nowhere}");
    // A server of HTTP/1.1 is what stands on the port of REST.
    let model = FakeModel::start().await;
    let rest = told(&at(model.base_url().trim_end_matches("/v1"))).await;
    assert!(rest.to_string().contains("6334") && rest.may_pass(), "{rest}");
    let plain = told(&at(&qdrant.url().replace("http:", "https:"))).await;
    assert!(plain.to_string().contains("http://") && !plain.may_pass(), "{plain}");

    let knowledge = open(&right, None);
    knowledge.prepare().await.unwrap();
    qdrant.fault(refused("Points/QueryBatch", Code::Unimplemented, 1));
    let asked = Search { query: "joints", earlier: &[], limit: 3, strict: false };
    let old = knowledge.search(&asked).await.unwrap_err();
    assert!(old.to_string().contains("too old"), "{old}");
}

/// A collection as an earlier program made it.
async fn made_before(qdrant: &FakeQdrant, dimensions: u64, points: &[Value], text: &str) {
    let mut collection = Collection::default();
    collection.dense.insert(String::new(), dimensions);
    let embedder = ToyEmbedder::named("toy");
    let mut stored = Vec::new();
    for (number, members) in (2000_u64..).zip(points) {
        let texts = [members[text].as_str().unwrap().to_owned()];
        let vector = embedder.embed(&texts, Role::Document).await.unwrap().remove(0);
        let payload: HashMap<_, _> = Payload::try_from(members.clone()).unwrap().into();
        stored.push(PointStruct { id: Some(PointId::from(number)), payload, vectors: Some(vector.into()) });
    }
    if !stored.is_empty() && u64::from(embedder.space().dimensions) == dimensions {
        collection.upsert(stored).unwrap();
    }
    qdrant.engine().create("book", collection).unwrap();
}

fn toy_dimensions() -> u64 {
    ToyEmbedder::named("toy").space().dimensions.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_of_earlier_programs_are_read_as_they_are() {
    let qdrant = FakeQdrant::start().await;
    let points = [
        json!({"content": "A hinge joint turns about one axis.", "source": "docs/01-body/02-joints.md", "module": "Body", "title": "Joints"}),
        json!({"content": "A battery keeps its charge for weeks.", "source": "docs/power.md", "module": "Power", "title": "Power"}),
    ];
    made_before(&qdrant, toy_dimensions(), &points, "content").await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    knowledge.prepare().await.unwrap();
    let passages = found(&knowledge, "What is a hinge joint?").await;
    assert_eq!(passages[0].passage.url, "https://book.example.org/docs/body/joints");
    assert_eq!(passages[0].passage.module.as_deref(), Some("Body"));
    assert!(found(&knowledge, "Which court judges contracts?").await.is_empty());
    assert_eq!(knowledge.documents().await.unwrap().len(), 2);
    let described = knowledge.describe().await.unwrap();
    assert_eq!((described.retrieval, described.passages), ("dense", 2));
    for refused in [knowledge.put(book()).await, knowledge.beside().await.map(drop), knowledge.remove("a").await] {
        assert!(refused.unwrap_err().to_string().contains("KNOWLEDGE_COLLECTION"));
    }
    let wordless = told(&qdrant.settings()).await;
    assert!(wordless.to_string().contains("by meaning only") && wordless.to_string().contains("EMBEDDING_MODEL"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shape_of_the_other_program_is_known_too_and_vectors_must_fit() {
    let qdrant = FakeQdrant::start().await;
    let points = [json!({"raw_text": "A hinge joint turns about one axis.", "file_path": "/site/docs/joints.mdx",
        "section_heading": "Hinge joints", "chunk_index": 4})];
    made_before(&qdrant, toy_dimensions(), &points, "raw_text").await;
    let knowledge = open(&qdrant.settings(), toy("toy"));
    let passages = found(&knowledge, "What is a hinge joint?").await;
    assert_eq!(passages[0].passage.url, "https://book.example.org/docs/joints#hinge-joints");
    assert_eq!((passages[0].passage.heading.as_str(), passages[0].passage.position), ("Hinge joints", 4));

    let qdrant = FakeQdrant::start().await;
    made_before(&qdrant, 768, &[], "content").await;
    let settings =
        QdrantSettings { shape: Some(chatkit_gateway::knowledge::qdrant::settings::Shape::Tutor), ..qdrant.settings() };
    let misfit = open(&settings, toy("toy")).prepare().await.unwrap_err();
    assert!(misfit.to_string().contains("768 dimensions") && misfit.to_string().contains("EMBEDDING_DIMENSIONS"));
    let unknown = open(&qdrant.settings(), toy("toy")).prepare().await.unwrap_err();
    assert!(unknown.to_string().contains("QDRANT_SHAPE"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_of_this_shape_under_the_plain_name_is_used_as_it_is() {
    let qdrant = FakeQdrant::start().await;
    let mut collection = Collection::default();
    collection.sparse.insert("words".to_owned(), true);
    qdrant.engine().create("book", collection).unwrap();
    let knowledge = open(&qdrant.settings(), None);
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    assert_eq!(best(&knowledge, "What is a hinge joint?").await, "Hinges");
    let refused = knowledge.beside().await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("KNOWLEDGE_COLLECTION"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_qdrant_is_away_the_chat_goes_on_and_says_so() {
    let qdrant = FakeQdrant::start().await;
    let model = FakeModel::start().await;
    let fake = answered_by(&model);
    let url = qdrant.url();
    let mut variables: Vec<(&str, &str)> = fake.iter().map(|(name, value)| (*name, value.as_str())).collect();
    variables.push(("QDRANT_URL", &url));
    let house = Ground::sqlite(&variables).build().await;
    let reader = house.visitor().await;
    let search = || Reply::tool_call("query_knowledge_base", &json!({"query": "What is a quaternion?"}));

    qdrant.fault(Fault { method: "", after: 0, times: usize::MAX, what: What::Cut });
    model.reply(search()).reply(Reply::text(["I could not look into the book."]));
    let events = reader.create("What is a quaternion?").await;
    assert!(streamed_text(&events).contains("The book could not be looked into just now"), "{events:?}");
    assert!(!done_items(&events).is_empty());
    let told = model.requests()[1].body["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(told.contains("could not be looked into just now"), "{told}");
    let health = reader.get("/health").await;
    assert_eq!(
        (health.status, &health.body["status"], &health.body["vector_store"]),
        (200, &json!("degraded"), &json!("disconnected"))
    );

    qdrant.mend();
    model.reply(search()).reply(Reply::text(["Four numbers [1]."]));
    let events = reader.say(&thread_of(&events), "And now?").await;
    let answer = done_items(&events).pop().unwrap();
    assert_eq!(answer["content"][0]["annotations"].as_array().unwrap().len(), 1, "{answer}");
}

#[test]
fn compose_can_start_a_qdrant_and_points_the_gateway_at_it() {
    let compose: Value = serde_saphyr::from_str(include_str!("../../compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    let gateway = &services["gateway"];
    for (name, service) in services {
        for network in service["networks"].as_array().unwrap() {
            assert!(compose["networks"].get(network.as_str().unwrap()).is_some(), "{name}: {network}");
        }
        for volume in service["volumes"].as_array().unwrap() {
            let named = volume.as_str().unwrap().split(':').next().unwrap();
            assert!(compose["volumes"].get(named).is_some(), "{name}: {volume}");
        }
        if name != "gateway" {
            assert_eq!(service["healthcheck"]["test"][0], "CMD", "{name}");
            assert_eq!(gateway["depends_on"][name]["condition"], "service_healthy", "{name}");
        }
    }
    let qdrant = &services["qdrant"];
    assert_eq!(qdrant["profiles"], json!(["qdrant"]));
    assert_eq!(gateway["depends_on"]["qdrant"]["required"], false, "without the profile there is none");
    let address = gateway["environment"]["QDRANT_URL"].as_str().unwrap();
    let in_profile = address.strip_prefix("${QDRANT_URL:-${COMPOSE_PROFILES:+").unwrap().strip_suffix("}}").unwrap();
    assert_eq!(Address::parse(in_profile).unwrap().uri, "http://qdrant:6334");
    let version = qdrant["image"].as_str().unwrap().split_once(":v1.").unwrap().1;
    let minor: u32 = version.split('.').next().unwrap().parse().unwrap();
    assert!(minor >= 13, "older ones do not read our vectors");
}
