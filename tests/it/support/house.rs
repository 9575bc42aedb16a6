//! The whole house on a free port: real doors, real database, the model of the test's choice.

use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::app::{App, Database, Hosted, Providers};
use chatkit_gateway::book;
use chatkit_gateway::chat::{ChatOptions, Responder};
use chatkit_gateway::config::{Reader as SettingsReader, Settings, Variables};
use chatkit_gateway::server;
use sqlx::{Connection, Row, SqliteConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::Reader;
use super::fake_model::{FakeModel, PATIENCE};
use super::postgres::TestDatabase;
use super::wire::Wire;

/// A running house. Dropping it stops it.
pub(crate) struct House {
    pub(crate) url: String,
    pub(crate) app: App,
    stop: CancellationToken,
    server: JoinHandle<()>,
    ground: Ground,
}

/// Limits that tests of other things do not want to reach.
pub(crate) const UNLIMITED: [&str; 10] = [
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_DAY",
    "MESSAGES_PER_MINUTE_PER_ADDRESS",
    "MESSAGES_PER_DAY_PER_ADDRESS",
    "PERSONALIZATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY_PER_ADDRESS",
    "STREAMS_PER_READER",
    "STREAMS_PER_ADDRESS",
    "REQUESTS_PER_MINUTE_PER_ADDRESS",
];

/// What outlives a house: its folder, its database, its variables.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    postgres: Option<(Arc<TestDatabase>, Arc<Wire>)>,
    variables: Vec<(String, String)>,
    change: fn(&mut Settings),
}

impl Ground {
    /// A fresh folder with a SQLite file.
    pub(crate) fn sqlite(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, postgres: None, variables: owned(variables), change: |_| {} }
    }

    /// A fresh Postgres database.
    pub(crate) async fn postgres(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::migrated().await;
        let wire = Wire::to(&database).await;
        Self {
            folder,
            postgres: Some((Arc::new(database), Arc::new(wire))),
            variables: owned(variables),
            change: |_| {},
        }
    }

    /// The same database and variables, for another instance.
    pub(crate) fn beside(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, postgres: self.postgres.clone(), variables: self.variables.clone(), change: self.change }
    }

    /// The same, with what no variable says said by the test.
    pub(crate) fn changed(self, change: fn(&mut Settings)) -> Self {
        Self { change, ..self }
    }

    /// The same ground with a variable that is new or other.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The texts that a query finds, past the house.
    pub(crate) async fn rows(&self, sql: &'static str) -> Vec<String> {
        if self.postgres.is_some() {
            let rows = sqlx::query(sql).fetch_all(&mut self.database().connect().await).await.unwrap();
            return rows.iter().map(|row| row.get(0)).collect();
        }
        let file = std::fs::read_dir(self.folder()).unwrap().flatten().map(|entry| entry.path());
        let file = file
            .into_iter()
            .find(|path| {
                path.extension().is_some_and(|ending| ["db", "sqlite", "sqlite3"].iter().any(|known| ending == *known))
            })
            .unwrap();
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        sqlx::query(sql).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    fn variables(&self) -> Variables {
        let mut variables = Variables::of([("OFFLINE_PACE_MS", "0"), ("PORT", "0"), ("TITLES", "off")]);
        variables.set("DATA_DIR", self.folder.path().to_str().unwrap());
        if let Some((_, wire)) = &self.postgres {
            wire.set(&mut variables);
        }
        for name in UNLIMITED {
            variables.set(name, "0");
        }
        for (name, value) in &self.variables {
            variables.set(name, value.as_str());
        }
        variables
    }

    /// A connection beside the house's own.
    pub(crate) fn database(&self) -> &TestDatabase {
        &self.postgres.as_ref().expect("the house stands on Postgres").0
    }

    /// The folder with the house's data.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The house's own connections.
    pub(crate) fn wire(&self) -> &Wire {
        &self.postgres.as_ref().expect("the house stands on Postgres").1
    }

    /// The tutor's house on this ground.
    pub(crate) async fn build(self) -> House {
        self.build_for(None).await
    }

    /// A house on this ground in which somebody else answers.
    pub(crate) async fn build_for(self, responder: Option<Arc<dyn Responder>>) -> House {
        let variables = self.variables();
        let mut reader = SettingsReader::new(&variables);
        let (settings, model) = (Settings::read(&mut reader), Providers::read(&mut reader));
        let (mut settings, model) = reader.finish((settings, model)).unwrap();
        (self.change)(&mut settings);
        let listener = server::listen(&settings.http).await.unwrap();
        settings.http.port = listener.local_addr().unwrap().port();
        let database = Database::open(&settings.database).await.unwrap();
        database.migrate().await.unwrap();
        let app = match responder {
            None => App::build(&settings, &model, &database).unwrap(),
            Some(responder) => {
                let options = ChatOptions::from(&settings.chat);
                let hosted = Hosted { responder, options, everybody: None, tutor: None, proxy: None };
                App::hosting(&settings, &database, hosted).unwrap()
            }
        };
        if let Some(desk) = &app.tutor {
            book::ingest_if_alone(&*desk.knowledge).await.unwrap();
        }
        let (stop, url) = (CancellationToken::new(), format!("http://{}", settings.http.nearest()));
        let (serving, stopped) = (app.clone(), stop.clone().cancelled_owned());
        #[expect(clippy::disallowed_methods, reason = "the house is no turn; it ends with the test")]
        let server = tokio::spawn(async move {
            server::run(listener, serving, &settings.http, stopped).await.unwrap();
        });
        House { url, app, stop, server, ground: self }
    }
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The variables of a house whose model is this fake.
pub(crate) fn answered_by(model: &FakeModel) -> Vec<(&'static str, String)> {
    vec![
        ("OPENAI_BASE_URL", model.base_url()),
        ("OPENAI_API_KEY", "sk-test".to_owned()),
        ("OPENAI_MODEL", "test".to_owned()),
    ]
}

impl House {
    /// On SQLite, with the bundled book, without a model.
    pub(crate) async fn offline() -> Self {
        Ground::sqlite(&[]).build().await
    }

    /// On SQLite, with the bundled book and this model.
    pub(crate) async fn with_model(model: &FakeModel) -> Self {
        Self::with_model_and(model, &[]).await
    }

    /// The same with further variables.
    pub(crate) async fn with_model_and(model: &FakeModel, variables: &[(&str, &str)]) -> Self {
        let fake = answered_by(model);
        let mut all: Vec<(&str, &str)> = fake.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(variables);
        Ground::sqlite(&all).build().await
    }

    /// Somebody without any credential.
    pub(crate) fn stranger(&self) -> Reader {
        Reader::new(&self.url, None)
    }

    /// A new visitor, with a token of this house.
    pub(crate) async fn visitor(&self) -> Reader {
        let answer = self.stranger().post_to("/visitor", "").await;
        Reader::new(&self.url, Some(answer.body["token"].as_str().unwrap().to_owned()))
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Waits until no turn runs here.
    pub(crate) async fn quiet(&self) {
        until("no turn runs", async || self.app.chat.turns().count() == 0).await;
    }

    /// Asks the house to stop, as a signal would.
    pub(crate) fn begin_to_stop(self) -> Stopping {
        self.stop.cancel();
        Stopping(self)
    }

    /// The same, and waits until it has. The ground stays.
    pub(crate) async fn shut_down(self) -> Ground {
        self.begin_to_stop().finished().await
    }
}

/// A house that was asked to stop.
pub(crate) struct Stopping(House);

impl Stopping {
    /// Waits until it has stopped.
    pub(crate) async fn finished(self) -> Ground {
        let House { server, ground, .. } = self.0;
        tokio::time::timeout(PATIENCE, server).await.expect("the house stops").unwrap();
        ground
    }
}

/// Waits until something is so, which must not take long.
pub(crate) async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let soon = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, soon).await.unwrap_or_else(|_| panic!("in time: {what}"));
}
