//! The embedded knowledge base with vectors, on both homes: what they find, what keeps them comparable, and how they are
//! built anew while readers search.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chatkit_gateway::embedding::{Embedder, EmbeddingError, EmbeddingSpace, Role, TaskStyle};
use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::{self, Options};
use chatkit_gateway::knowledge::{Document, KnowledgeBase, KnowledgeError, Passage, Search};
use tokio::sync::Notify;

use crate::store_contract::Scene;
use crate::store_contract::on_both_homes;

on_both_homes!(
    a_paraphrase_that_shares_no_word_is_found_by_its_meaning,
    a_question_about_something_else_finds_nothing,
    a_model_that_fails_at_a_question_leaves_the_search_by_words,
    only_passages_whose_text_changed_are_embedded_again,
    another_model_is_refused_with_a_remedy,
    a_collection_without_vectors_goes_on_by_words,
    vectors_without_a_model_are_searched_by_words_and_not_written_to,
    an_empty_collection_takes_the_space_of_the_settings,
    a_failed_embedding_stores_nothing,
    reembedding_takes_the_place_of_the_old_vectors_while_readers_search,
    an_interrupted_reembedding_goes_on_where_it_stopped,
    a_reembedding_begun_with_another_model_begins_anew,
    what_cannot_be_learned_leaves_the_search_as_it_was,
);

/// How long something on another instance may take to be seen; the promise is a second.
const SEEN_MAX: Duration = Duration::from_secs(10);

/// Each line is a meaning; words of one line mean the same. A vector counts the meanings of a text.
const MEANINGS: &[&[&str]] = &[
    &["hinge", "pivot", "swivel", "knee"],
    &["wheel", "tyre", "castor", "roll"],
    &["battery", "accumulator", "electricity", "juice"],
    &["camera", "lens", "eyes", "picture"],
    &["gripper", "fingers", "grasp", "hold"],
    &["map", "route", "planning", "path"],
    &["balance", "falling", "upright", "topple"],
    &["motor", "torque", "actuator", "muscle"],
];

/// A deterministic model that knows what a few words mean.
struct Toy {
    space: EmbeddingSpace,
    fails: AtomicBool,
    /// Texts of documents that became vectors.
    embedded: AtomicUsize,
    /// Fails after so many of them.
    most: AtomicUsize,
}

impl Toy {
    fn named(model: &str) -> Arc<Self> {
        let dimensions = u32::try_from(MEANINGS.len() + 1).unwrap();
        Arc::new(Self {
            space: EmbeddingSpace { model: model.to_owned(), dimensions, task_style: TaskStyle::None },
            fails: AtomicBool::new(false),
            embedded: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
        })
    }

    fn embedded(&self) -> usize {
        self.embedded.load(Ordering::SeqCst)
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let text = text.to_lowercase();
        let count = |words: &[&str]| words.iter().map(|word| text.matches(word).count() as f32).sum::<f32>();
        let mut vector: Vec<f32> = MEANINGS.iter().map(|words| count(words)).collect();
        // Every text is a little about nothing in particular.
        vector.push(0.3);
        if self.space.model == "other" {
            vector.reverse();
        }
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.iter().map(|number| number / length).collect()
    }
}

#[async_trait]
impl Embedder for Toy {
    async fn embed(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(EmbeddingError::Away("the toy is broken".to_owned()));
        }
        if role == Role::Document {
            if self.embedded() + texts.len() > self.most.load(Ordering::SeqCst) {
                return Err(EmbeddingError::Away("the toy is tired".to_owned()));
            }
            self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
        }
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }

    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }
}

fn document(path: &str, sections: &[(&str, &str)]) -> Document {
    let passage = |(position, (heading, text)): (usize, &(&str, &str))| Passage {
        id: format!("{path}#{heading}"),
        path: path.to_owned(),
        title: "Robots".to_owned(),
        heading: (*heading).to_owned(),
        heading_path: vec![(*heading).to_owned()],
        url: format!("/docs/{path}#{position}"),
        module: None,
        week: None,
        position: u32::try_from(position).unwrap(),
        text: (*text).to_owned(),
    };
    let passages: Vec<Passage> = sections.iter().enumerate().map(passage).collect();
    let fingerprint = passages.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("|");
    Document { path: path.to_owned(), fingerprint, passages }
}

fn book() -> Vec<Document> {
    vec![
        document(
            "joints.md",
            &[("Hinge", "A hinge turns about one axis."), ("Wheel", "A wheel has contact at one point.")],
        ),
        document("power.md", &[("Battery", "The battery lasts for two hours."), ("Motor", "A motor makes torque.")]),
        document("senses.md", &[("Camera", "A camera sees colours."), ("Balance", "Standing needs balance.")]),
        document("doing.md", &[("Gripper", "A gripper closes slowly."), ("Map", "Planning takes a map.")]),
    ]
}

fn open(scene: &Scene, embedder: Option<&Arc<Toy>>) -> EmbeddedKnowledge {
    let embedder = embedder.map(|toy| Arc::clone(toy) as Arc<dyn Embedder>);
    EmbeddedKnowledge::open(Arc::clone(&scene.home.passages), "book", embedder)
}

async fn stored(scene: &Scene, toy: &Arc<Toy>) -> EmbeddedKnowledge {
    let knowledge = open(scene, Some(toy));
    knowledge.prepare().await.unwrap();
    knowledge.put(book()).await.unwrap();
    knowledge.settle().await.unwrap();
    knowledge
}

/// Without patience for what is away.
fn now() -> Options {
    Options { patience: Some(Duration::ZERO), ..Options::default() }
}

/// The headings of what is found.
async fn found(knowledge: &dyn KnowledgeBase, query: &str) -> Vec<String> {
    let asked = Search { query, earlier: &[], limit: 3, strict: false };
    knowledge.search(&asked).await.unwrap().iter().map(|found| found.passage.heading.clone()).collect()
}

async fn described(knowledge: &dyn KnowledgeBase) -> (&'static str, Option<String>, usize) {
    let described = knowledge.describe().await.unwrap();
    assert_eq!((described.kind, &*described.collection), ("embedded", "book"));
    (described.retrieval, described.space.map(|space| space.model), described.passages)
}

/// A question that shares no word with the passage that answers it.
const PARAPHRASE: &str = "Where does the juice come from?";

async fn a_paraphrase_that_shares_no_word_is_found_by_its_meaning(scene: Scene) {
    let toy = Toy::named("toy");
    let knowledge = stored(&scene, &toy).await;
    assert_eq!(found(&knowledge, PARAPHRASE).await, ["Battery"]);
    assert_eq!(described(&knowledge).await, ("hybrid", Some("toy".to_owned()), 8));
    let elsewhere = open(&scene, Some(&toy));
    assert_eq!(found(&elsewhere, PARAPHRASE).await, ["Battery"], "what was learned is stored");
    assert!(found(&open(&scene, None), PARAPHRASE).await.is_empty());
}

async fn a_question_about_something_else_finds_nothing(scene: Scene) {
    let knowledge = stored(&scene, &Toy::named("toy")).await;
    for question in ["Which flour is best for sourdough bread?", "Who won in 1998?", "What does a Zyxograph hold?"] {
        assert!(found(&knowledge, question).await.is_empty(), "{question}");
    }
}

async fn a_model_that_fails_at_a_question_leaves_the_search_by_words(scene: Scene) {
    let toy = Toy::named("toy");
    let knowledge = stored(&scene, &toy).await;
    toy.fails.store(true, Ordering::SeqCst);
    assert_eq!(found(&knowledge, "How long does the battery last?").await, ["Battery"]);
    assert!(found(&knowledge, PARAPHRASE).await.is_empty());
    toy.fails.store(false, Ordering::SeqCst);
    assert_eq!(found(&knowledge, PARAPHRASE).await, ["Battery"]);
}

async fn only_passages_whose_text_changed_are_embedded_again(scene: Scene) {
    let toy = Toy::named("toy");
    let knowledge = stored(&scene, &toy).await;
    assert_eq!(toy.embedded(), 8);
    let changed = [("Battery", "The battery lasts for two hours."), ("Motor", "An actuator is a muscle.")];
    knowledge.put(vec![document("power.md", &changed)]).await.unwrap();
    assert_eq!(toy.embedded(), 9);
    assert_eq!(found(&knowledge, PARAPHRASE).await, ["Battery"]);
    assert_eq!(knowledge.document("power.md").await.unwrap().unwrap(), document("power.md", &changed));
    assert_eq!(knowledge.document("none.md").await.unwrap(), None);
}

async fn another_model_is_refused_with_a_remedy(scene: Scene) {
    stored(&scene, &Toy::named("toy")).await;
    let other = open(&scene, Some(&Toy::named("other")));
    for refused in [other.prepare().await, other.put(book()).await] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, KnowledgeError::OtherSpace { .. }) && !refused.may_pass(), "{refused:?}");
        let told = refused.to_string();
        for named in ["`book`", "`toy`", "`other`", "EMBEDDING_MODEL", "ingest --reembed"] {
            assert!(told.contains(named), "{named}: {told}");
        }
    }
    assert_eq!(found(&other, "How long does the battery last?").await, ["Battery"], "words go on");
}

async fn a_collection_without_vectors_goes_on_by_words(scene: Scene) {
    open(&scene, None).put(book()).await.unwrap();
    let toy = Toy::named("toy");
    let knowledge = open(&scene, Some(&toy));
    knowledge.prepare().await.unwrap();
    knowledge.put(vec![document("new.md", &[("Skin", "A skin feels pressure.")])]).await.unwrap();
    knowledge.settle().await.unwrap();
    assert_eq!(described(&knowledge).await, ("lexical", None, 9));
    assert_eq!(found(&knowledge, "Which skin feels pressure?").await, ["Skin"]);
    assert!(found(&knowledge, PARAPHRASE).await.is_empty());
    assert_eq!(toy.embedded(), 0, "half a book of vectors is worth nothing");
}

async fn vectors_without_a_model_are_searched_by_words_and_not_written_to(scene: Scene) {
    stored(&scene, &Toy::named("toy")).await;
    let knowledge = open(&scene, None);
    knowledge.prepare().await.unwrap();
    assert_eq!(described(&knowledge).await, ("lexical", Some("toy".to_owned()), 8));
    assert_eq!(found(&knowledge, "How long does the battery last?").await, ["Battery"]);
    let refused = knowledge.put(vec![document("new.md", &[("Skin", "A skin feels pressure.")])]).await.unwrap_err();
    assert!(refused.to_string().contains("the settings name no embedding model"), "{refused}");
    assert_eq!(knowledge.documents().await.unwrap().len(), 4);
}

async fn an_empty_collection_takes_the_space_of_the_settings(scene: Scene) {
    let first = stored(&scene, &Toy::named("toy")).await;
    for document in book() {
        first.remove(&document.path).await.unwrap();
    }
    let other = stored(&scene, &Toy::named("other")).await;
    assert_eq!(described(&other).await, ("hybrid", Some("other".to_owned()), 8));
    assert_eq!(found(&other, PARAPHRASE).await, ["Battery"]);
}

async fn a_failed_embedding_stores_nothing(scene: Scene) {
    let toy = Toy::named("toy");
    toy.most.store(3, Ordering::SeqCst);
    let knowledge = open(&scene, Some(&toy));
    let refused = knowledge.put(book()).await.unwrap_err();
    assert!(refused.may_pass(), "{refused:?}");
    assert!(knowledge.documents().await.unwrap().is_empty());
    toy.most.store(usize::MAX, Ordering::SeqCst);
    knowledge.put(book()).await.unwrap();
    assert_eq!(described(&knowledge).await, ("hybrid", Some("toy".to_owned()), 8));
}

async fn reembedding_takes_the_place_of_the_old_vectors_while_readers_search(scene: Scene) {
    stored(&scene, &Toy::named("toy")).await;
    // Another instance, of the old settings, which nobody restarts.
    let reader = open(&scene, Some(&Toy::named("toy")));
    let (stop, ready) = (AtomicBool::new(false), Notify::new());
    let reading = async {
        let mut searches = 0;
        while !stop.load(Ordering::SeqCst) {
            assert_eq!(found(&reader, "How long does the battery last?").await, ["Battery"]);
            searches += 1;
            ready.notify_one();
            tokio::task::yield_now().await;
        }
        searches
    };
    let other = Toy::named("other");
    let rebuilding = async {
        ready.notified().await;
        let knowledge = open(&scene, Some(&other));
        let copied = ingest::reembed(&knowledge, &now(), &()).await.unwrap();
        assert_eq!((copied.added, copied.unchanged, copied.passages_stored), (4, 0, 8));
        assert_eq!(described(&knowledge).await, ("hybrid", Some("other".to_owned()), 8));
        assert_eq!(found(&knowledge, PARAPHRASE).await, ["Battery"]);
        // The reader notices that its vectors are gone, and goes on by words.
        let noticed = async {
            while !found(&reader, PARAPHRASE).await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SEEN_MAX, noticed).await.unwrap();
        stop.store(true, Ordering::SeqCst);
    };
    let (searches, ()) = tokio::join!(reading, rebuilding);
    assert!(searches > 0);
    open(&scene, Some(&other)).prepare().await.unwrap();
    assert!(scene.home.passages.documents("book").await.unwrap().is_empty(), "the old rows are gone");
    // And once more, which is about a name that stands for other rows already.
    let again = open(&scene, Some(&Toy::named("toy")));
    ingest::reembed(&again, &now(), &()).await.unwrap();
    assert_eq!(described(&again).await, ("hybrid", Some("toy".to_owned()), 8));
    again.put(vec![document("power.md", &[("Battery", "The battery is empty.")])]).await.unwrap();
    assert_eq!(again.documents().await.unwrap().len(), 4);
}

async fn an_interrupted_reembedding_goes_on_where_it_stopped(scene: Scene) {
    open(&scene, None).put(book()).await.unwrap();
    let toy = Toy::named("toy");
    let knowledge = open(&scene, Some(&toy));
    let beside = knowledge.beside().await.unwrap();
    beside.put(book()[..2].to_vec()).await.unwrap();
    beside.put(vec![document("gone.md", &[("Gone", "This page is gone since.")])]).await.unwrap();
    assert_eq!(toy.embedded(), 5);
    assert_eq!(described(&knowledge).await, ("lexical", None, 8), "nobody sees what lies beside");

    toy.most.store(6, Ordering::SeqCst);
    assert!(ingest::reembed(&knowledge, &now(), &()).await.is_err());
    assert_eq!(found(&knowledge, "How long does the battery last?").await, ["Battery"]);
    toy.most.store(usize::MAX, Ordering::SeqCst);
    let copied = ingest::reembed(&open(&scene, Some(&toy)), &now(), &()).await.unwrap();
    assert_eq!((copied.added, copied.unchanged, copied.removed), (2, 2, 1));
    assert_eq!(toy.embedded(), 9);
    assert_eq!(described(&open(&scene, Some(&toy))).await, ("hybrid", Some("toy".to_owned()), 8));
}

async fn a_reembedding_begun_with_another_model_begins_anew(scene: Scene) {
    let toy = Toy::named("toy");
    let knowledge = stored(&scene, &toy).await;
    let other = open(&scene, Some(&Toy::named("other")));
    other.beside().await.unwrap().put(book()).await.unwrap();
    let copied = ingest::reembed(&knowledge, &now(), &()).await.unwrap();
    assert_eq!((copied.added, copied.unchanged), (4, 0));
    assert_eq!(described(&knowledge).await, ("hybrid", Some("toy".to_owned()), 8));
    assert!(knowledge.take_place().await.is_err(), "it was not built beside anything");
    // Without a model the words are left, and no vectors.
    let words = open(&scene, None);
    ingest::reembed(&words, &now(), &()).await.unwrap();
    assert_eq!(described(&words).await, ("lexical", None, 8));
    words.put(book()).await.unwrap();
}

async fn what_cannot_be_learned_leaves_the_search_as_it_was(scene: Scene) {
    let toy = Toy::named("toy");
    let knowledge = stored(&scene, &toy).await;
    knowledge.put(vec![document("new.md", &[("Skin", "A skin feels pressure.")])]).await.unwrap();
    toy.fails.store(true, Ordering::SeqCst);
    knowledge.settle().await.unwrap();
    toy.fails.store(false, Ordering::SeqCst);
    assert_eq!(found(&knowledge, PARAPHRASE).await, ["Battery"]);
}
