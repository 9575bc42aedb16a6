//! Homes of the knowledge base, and a small book that is put into them.

use std::sync::Arc;

use chatkit_gateway::embedding::Embedder;
use chatkit_gateway::identity::Ids;
use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::Addresses;
use chatkit_gateway::knowledge::qdrant::QdrantKnowledge;
use chatkit_gateway::knowledge::qdrant::address::Address;
use chatkit_gateway::knowledge::qdrant::settings::QdrantSettings;
use chatkit_gateway::knowledge::{Document, Found, KnowledgeBase, Passage, Search};
use chatkit_gateway::store::PassageStore;
use chatkit_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::postgres::TestDatabase;
use crate::support::qdrant::FakeQdrant;
use crate::support::toy_embedder::ToyEmbedder;

/// The name of the collection, wherever names are not shared with others.
const COLLECTION: &str = "book";

/// Where passages can live, with nothing in it yet.
pub(crate) struct Home {
    place: Place,
    collection: String,
}

enum Place {
    Sqlite(SqliteStore, #[expect(dead_code, reason = "the folder goes with the home")] TempDir),
    Postgres(Arc<dyn PassageStore>, #[expect(dead_code, reason = "the database goes with the home")] TestDatabase),
    Fake(FakeQdrant),
    Real(QdrantSettings),
}

impl Home {
    pub(crate) async fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("rows.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        Some(Self { place: Place::Sqlite(store, folder), collection: COLLECTION.to_owned() })
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let database = TestDatabase::migrated().await;
        let store = Arc::new(database.store().await);
        Some(Self { place: Place::Postgres(store, database), collection: COLLECTION.to_owned() })
    }

    pub(crate) async fn qdrant() -> Option<Self> {
        Some(Self { place: Place::Fake(FakeQdrant::start().await), collection: COLLECTION.to_owned() })
    }

    /// A real one, if there is one to test with.
    #[expect(clippy::unused_async, reason = "the other homes wait for something")]
    pub(crate) async fn real_qdrant() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are told where a real server is")]
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let address = Address::parse(&variable("TEST_QDRANT_URL")?).unwrap();
        let settings = QdrantSettings { address, key: variable("TEST_QDRANT_API_KEY").map(Into::into), shape: None };
        Some(Self { place: Place::Real(settings), collection: Ids::random().mint("contract") })
    }

    /// The knowledge base as a server opens it, which is ready.
    pub(crate) async fn open(&self, embedder: Option<Arc<ToyEmbedder>>) -> Arc<dyn KnowledgeBase> {
        let opened = self.unprepared(embedder);
        opened.prepare().await.unwrap();
        opened
    }

    /// The same, before anything was asked of it.
    pub(crate) fn unprepared(&self, embedder: Option<Arc<ToyEmbedder>>) -> Arc<dyn KnowledgeBase> {
        let embedder = embedder.map(|embedder| embedder as Arc<dyn Embedder>);
        let qdrant = |settings: &QdrantSettings, embedder| {
            Arc::new(QdrantKnowledge::open(settings, &self.collection, embedder, Addresses::default()).unwrap())
        };
        match &self.place {
            Place::Sqlite(store, _) => {
                Arc::new(EmbeddedKnowledge::open(Arc::new(store.clone()), &self.collection, embedder))
            }
            Place::Postgres(store, _) => Arc::new(EmbeddedKnowledge::open(store.clone(), &self.collection, embedder)),
            Place::Fake(server) => qdrant(&server.settings(), embedder),
            Place::Real(settings) => qdrant(settings, embedder),
        }
    }
}

/// What only vectors find, the passage on gyroscopes: it shares no word with the book.
pub(crate) const PARAPHRASE: &str = "compass wander";

/// A model of this name.
pub(crate) fn toy(model: &str) -> Option<Arc<ToyEmbedder>> {
    Some(Arc::new(ToyEmbedder::named(model)))
}

/// A document with a section for each heading and text.
pub(crate) fn document(path: &str, title: &str, sections: &[(&str, &str)]) -> Document {
    let passage = |(position, (heading, text)): (u32, &(&str, &str))| Passage {
        id: Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{path} {position} {text}").as_bytes()).to_string(),
        path: path.to_owned(),
        title: title.to_owned(),
        heading: (*heading).to_owned(),
        heading_path: vec![(*heading).to_owned()],
        url: format!("https://book.example.org/docs/{path}#{}", heading.to_lowercase().replace(' ', "-")),
        module: None,
        week: (position > 0).then_some(position),
        position,
        text: (*text).to_owned(),
    };
    let passages: Vec<Passage> = (0..).zip(sections).map(passage).collect();
    let fingerprint = sections.iter().map(|(heading, text)| format!("{heading}{text}")).collect();
    Document { path: path.to_owned(), fingerprint, passages }
}

/// A few pages about robots.
pub(crate) fn book() -> Vec<Document> {
    vec![
        document(
            "joints.md",
            "Joints",
            &[
                ("Hinges", "A hinge joint turns about one axis. The knee of a humanoid is a hinge joint."),
                ("Ball joints", "A ball joint turns about three axes, as a shoulder does."),
                ("Publishing angles in C++", "In C++ a node publishes joint angles with a JointState publisher."),
                ("Publishing angles in Python", "In Python rclpy a node creates a publisher of JointState messages."),
            ],
        ),
        document(
            "sensors/imu.md",
            "Inertial sensors",
            &[
                ("Gyroscopes", "A gyroscope measures how fast the robot turns. Its heading drifts over minutes."),
                ("Accelerometers", "An accelerometer measures forces, gravity among them."),
            ],
        ),
        document(
            "power.md",
            "Power",
            &[
                ("Cells", "A lithium battery keeps its charge for weeks. Each cell has 3.7 volts."),
                ("Fuses", "A fuse interrupts the circuit before the cable burns."),
            ],
        ),
        document("simulation.md", "Simulation", &[("Gazebo", "Gazebo simulates worlds described by SDF files.")]),
    ]
}

/// What is found, at most three.
pub(crate) async fn found(knowledge: &dyn KnowledgeBase, query: &str) -> Vec<Found> {
    ask(knowledge, &Search { query, earlier: &[], limit: 3, strict: false }).await
}

pub(crate) async fn ask(knowledge: &dyn KnowledgeBase, asked: &Search<'_>) -> Vec<Found> {
    knowledge.search(asked).await.unwrap()
}

/// The heading of the best passage; empty when there is none.
pub(crate) async fn best(knowledge: &dyn KnowledgeBase, query: &str) -> String {
    found(knowledge, query).await.first().map(|found| found.passage.heading.clone()).unwrap_or_default()
}
