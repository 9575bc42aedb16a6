//! Houses to serve: the tutor's own, the tutor's with tools of yours, and one for a responder of your own.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::agent::Tutor;
use crate::app::{self, App, Database, Hosted, Providers, TutorDesk};
use crate::chat::{ChatOptions, Responder};
use crate::clock::Clock;
use crate::config::{Mistakes, Reader, Settings, Variables};
use crate::identity::Identity;
use crate::knowledge::Search;
use crate::llm::choice::{ModelChoice, PROXY};
use crate::{server, telemetry};

/// Serves a responder with the settings of the environment and of `.env`, until the process is told to stop.
///
/// ```no_run
/// # use chatkit_gateway::chat::{EventStream, Responder, Turn};
/// # struct Parrot;
/// # impl Responder for Parrot {
/// #     fn respond(&self, _: Turn) -> EventStream { Box::pin(futures_util::stream::empty()) }
/// # }
/// #[tokio::main]
/// async fn main() -> anyhow::Result<()> {
///     chatkit_gateway::serve(Parrot).await
/// }
/// ```
///
/// # Errors
/// A setting is wrong, the port is taken, or the database cannot be opened; the sentence says what to change.
pub async fn serve(responder: impl Responder) -> Result<()> {
    let variables = Variables::of_the_process()?;
    let host = Host::new(responder, &variables)?;
    telemetry::start(&host.settings.log)?;
    let serving = host.open().await?;
    tracing::info!("Listening on http://{}", serving.address());
    serving.run(server::signalled()).await
}

/// Serves the tutor as the program does, changed as you like: with tools of your own.
///
/// # Errors
/// As for [`serve`].
pub async fn serve_tutor(change: impl FnOnce(Tutor) -> Tutor) -> Result<()> {
    let variables = Variables::of_the_process()?;
    let (settings, providers) = settings(Reader::new(&variables))?;
    telemetry::start(&settings.log)?;
    run_tutor(&settings, &providers, change).await
}

/// All settings of the tutor's house, or all that is wrong with them.
pub(crate) fn settings(mut reader: Reader<'_>) -> Result<(Settings, Providers), Mistakes> {
    let read = (Settings::read(&mut reader), Providers::read(&mut reader));
    if let Err(mistake) = telemetry::filter(&read.0.log) {
        reader.mistake(&mistake.variable, mistake.remedy);
    }
    reader.finish(read)
}

/// Serves the tutor until the process is told to stop.
pub(crate) async fn run_tutor(
    settings: &Settings,
    providers: &Providers,
    change: impl FnOnce(Tutor) -> Tutor,
) -> Result<()> {
    // The port comes first: it is the mistake that is made most, and the quickest to see.
    let listener = server::listen(&settings.http).await?;
    let database = Database::prepared(settings).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let mut settings = settings.clone();
    settings.http.port = address.port();
    let providers = &app::fitting(&settings, providers, &database).await?;
    let app = App::tutoring(&settings, providers, &database, change)?;
    let TutorDesk { knowledge, model: chat_model, .. } = app.tutor.clone().expect("this house was built for the tutor");
    match app::shelve(&settings, providers, &database, &*knowledge).await {
        Err(error) if error.may_pass() => {
            tracing::warn!(error = &error as &dyn std::error::Error, "The book cannot be looked into yet");
        }
        shelved => shelved?,
    }
    // The index is built now rather than while the first reader waits; a store that fails here is told to that reader.
    let _ = knowledge.search(&Search::default()).await;
    if matches!(providers.model.choice, ModelChoice::Offline) {
        tracing::warn!(
            "No model is set up. Answers are the best sentences of the book, not the words of a language model; set \
             GEMINI_API_KEY, OPENAI_API_KEY, COHERE_API_KEY or OLLAMA_BASE_URL for one"
        );
    }
    tell_of_models(providers);
    let name = chat_model.name();
    tracing::info!(llm.provider = name.provider, llm.model = name.model, "Listening on http://{address}");
    server::run(listener, app, &settings.http, server::signalled()).await?;
    database.close().await;
    Ok(())
}

/// What the operator should know of the models that the settings name.
fn tell_of_models(providers: &Providers) {
    for notice in providers.retired(Clock::system().now().utc().date_naive()) {
        tracing::warn!("One of the models is out of service or will be: {notice}");
    }
    if let Some(endpoint) = &providers.embedding.endpoint {
        let (provider, model, dimensions) = (endpoint.provider, &endpoint.model, endpoint.dimensions);
        tracing::info!(
            embedding.provider = provider,
            embedding.model = model,
            embedding.dimensions = dimensions,
            "Passages and questions go to `{provider}` to be compared by their meaning; EMBEDDING_PROVIDER=none keeps \
             them here, and compares them by their words"
        );
    }
}

/// A house that is being planned.
pub struct Host {
    settings: Settings,
    responder: Arc<dyn Responder>,
    options: ChatOptions,
    everybody: Option<Identity>,
    proxy: Option<String>,
}

impl Host {
    /// A house with these settings.
    ///
    /// # Errors
    /// All that is wrong with the settings.
    pub fn new(responder: impl Responder, variables: &Variables) -> Result<Self> {
        let mut reader = Reader::new(variables);
        let read = (Settings::read(&mut reader), reader.text(&PROXY));
        let (settings, proxy) = reader.finish(read)?;
        let options = ChatOptions::from(&settings.chat);
        Ok(Self { settings, responder: Arc::new(responder), options, everybody: None, proxy })
    }

    /// Every caller is this one, whatever credentials come along.
    #[must_use]
    pub fn everybody(self, identity: Identity) -> Self {
        Self { everybody: Some(identity), ..self }
    }

    /// Changes limits and habits of the chat that no setting decides.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut ChatOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Takes the port and opens the database.
    ///
    /// # Errors
    /// The port is taken, or the database cannot be opened; the sentence names the variable to look at.
    pub async fn open(self) -> Result<Serving> {
        let Self { mut settings, responder, options, everybody, proxy } = self;
        let listener = server::listen(&settings.http).await?;
        settings.http.port = listener.local_addr().context("the listener has no address")?.port();
        let database = Database::prepared(&settings).await?;
        let hosted = Hosted { responder, options, everybody, tutor: None, proxy };
        let app = App::hosting(&settings, &database, hosted)?;
        Ok(Serving { listener, app, settings, database })
    }
}

/// A house that has its port and its database.
pub struct Serving {
    listener: TcpListener,
    app: App,
    settings: Settings,
    database: Database,
}

impl Serving {
    /// Where it is reached from this machine.
    pub fn address(&self) -> SocketAddr {
        self.settings.http.nearest()
    }

    /// Serves until `stop` resolves; then running turns finish within the grace, and all is kept.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        server::run(self.listener, self.app, &self.settings.http, stop).await?;
        self.database.close().await;
        Ok(())
    }
}
