//! The wiring: settings become a house. The one file that knows which implementation is in use.

mod database;
mod knowledge;
mod providers;
mod shelf;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use secrecy::SecretString;

use crate::agent::Tutor;
use crate::agent::tools::knowledge_base::QueryKnowledgeBase;
use crate::attachments::{AttachmentOptions, Attachments, Surroundings};
use crate::auth::Authenticator;
use crate::auth::accounts::{self, Accounts};
use crate::auth::adoption::Adoptions;
use crate::auth::jwt::Issuers;
use crate::auth::visitor::Visitors;
use crate::book;
use crate::chat::{Chat, ChatOptions, Responder};
use crate::clock::Clock;
use crate::config::{AttachmentPlace, BrowserSettings, LimitSettings, Patience, Settings};
use crate::identity::{AddressNames, Identity, Ids};
use crate::knowledge::KnowledgeBase;
use crate::language::Language;
use crate::llm::choice::{ModelChoice, ModelSettings};
use crate::llm::extractive::Extractive;
use crate::llm::openai::{Limits, OpenAiCompatible};
use crate::llm::resilient::{Candidate, Resilient};
use crate::llm::transcription::Transcriber;
use crate::llm::{ChatModel, http};
use crate::metrics::Metrics;
use crate::profile::Profiles;
use crate::quota::Quota;
use crate::rewrite::{self, RewriteDesk};
use crate::store::ThreadStore;

/// What to look at when no client for requests to providers can be made.
const CLIENT_ADVICE: &str = "check HTTPS_PROXY, and the system's certificates";

pub use database::Database;
pub use knowledge::knowledge;
pub use providers::Providers;
pub use shelf::{fitting, shelve};

/// The whole house. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<House>);

/// What the doors need.
pub struct House {
    /// The front desk.
    pub chat: Chat,
    /// Where conversations are kept.
    pub store: Arc<dyn ThreadStore>,
    /// What the tutor works with; nothing when somebody else answers.
    pub tutor: Option<TutorDesk>,
    /// Files of readers; none when they are off.
    pub attachments: Option<Attachments>,
    /// Who everybody is, where that does not depend on credentials.
    pub everybody: Option<Identity>,
    /// How much everybody may do.
    pub quota: Quota,
    /// Finds out who a caller is.
    pub auth: Authenticator,
    /// What users say of themselves.
    pub profiles: Profiles,
    /// Writes texts anew for readers.
    pub rewrites: RewriteDesk,
    /// The time.
    pub clock: Clock,
    /// Names.
    pub ids: Ids,
    /// How much somebody may do.
    pub limits: LimitSettings,
    /// How soon a request's body must be there.
    pub body_time_max: Duration,
    /// How long clients are waited for.
    pub patience: Patience,
    /// The largest request body, in bytes, but for a recording.
    pub body_bytes_max: usize,
    /// The largest body with a recording, in bytes.
    pub recording_bytes_max: usize,
    /// What readers are spoken to in whose browsers ask for nothing that there is.
    pub default_language: Language,
    /// Where the ChatKit protocol is served.
    pub chatkit_paths: Vec<String>,
    /// What browsers are told.
    pub browsers: BrowserSettings,
    /// Whether readers without an account may have conversations.
    pub anonymous: bool,
    /// What happened here, counted.
    pub metrics: Metrics,
    /// What is shown to read the counts; they are open to everybody without.
    pub metrics_token: Option<SecretString>,
}

/// What the tutor works with.
#[derive(Clone)]
pub struct TutorDesk {
    /// What the house knows.
    pub knowledge: Arc<dyn KnowledgeBase>,
    /// Who answers.
    pub model: Arc<dyn ChatModel>,
    /// What readers say of themselves.
    pub profiles: Profiles,
}

/// Who answers in a house, and how the house is run for them.
pub struct Hosted {
    /// Who answers.
    pub responder: Arc<dyn Responder>,
    /// Limits and habits of the chat.
    pub options: ChatOptions,
    /// Who everybody is; `None` lets credentials decide.
    pub everybody: Option<Identity>,
    /// What the tutor works with, if it is the tutor who answers.
    pub tutor: Option<TutorDesk>,
    /// A proxy on the way to a bucket of attachments.
    pub proxy: Option<String>,
}

impl Deref for App {
    type Target = House;

    fn deref(&self) -> &House {
        &self.0
    }
}

impl App {
    /// Builds the tutor's house on an open, migrated database.
    ///
    /// # Errors
    /// The model's settings cannot be used, or the visitors' secret cannot be kept.
    pub fn build(settings: &Settings, providers: &Providers, database: &Database) -> Result<Self> {
        Self::tutoring(settings, providers, database, |tutor| tutor)
    }

    /// The same, with the tutor changed.
    ///
    /// # Errors
    /// As for [`App::build`].
    pub fn tutoring(
        settings: &Settings,
        providers: &Providers,
        database: &Database,
        change: impl FnOnce(Tutor) -> Tutor,
    ) -> Result<Self> {
        let (ids, metrics) = (Ids::random(), Metrics::new(&Clock::system()));
        let model = &providers.model;
        let knowledge = knowledge(settings, providers, database)?;
        let profiles = profiles(database, Clock::system());
        let desk = TutorDesk { knowledge, model: chat_model(settings, model, &ids, &metrics)?, profiles };
        let tutor = Tutor::new(desk.model.clone(), settings.tutor.clone())
            .reading(QueryKnowledgeBase::new(desk.knowledge.clone(), settings.tutor.passages))
            .knowing(desk.profiles.clone())
            .serving(book::BASE, book::site(&settings.http))
            .hearing(transcriber(settings, model)?);
        let options = ChatOptions::from(&settings.chat);
        let hosted = Hosted {
            responder: Arc::new(change(tutor)),
            options,
            everybody: None,
            tutor: Some(desk),
            proxy: model.proxy.clone(),
        };
        Self::counted(settings, database, hosted, metrics)
    }

    /// Builds a house in which somebody else answers.
    ///
    /// # Errors
    /// The visitors' secret cannot be kept.
    pub fn hosting(settings: &Settings, database: &Database, hosted: Hosted) -> Result<Self> {
        Self::counted(settings, database, hosted, Metrics::new(&Clock::system()))
    }

    fn counted(settings: &Settings, database: &Database, hosted: Hosted, metrics: Metrics) -> Result<Self> {
        let (clock, ids) = (Clock::system(), Ids::random());
        let store = database.threads();
        let Hosted { responder, options, everybody, tutor, proxy } = hosted;
        let secrets = match settings.access.visitor_secrets.as_slice() {
            [] => vec![kept_secret(&settings.data_dir, &ids)?],
            given => given.to_vec(),
        };
        let surroundings = Surroundings {
            store: database.attachments(),
            secrets: &secrets,
            base_url: &book::site(&settings.http),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let accounts = settings.access.accounts.as_ref().map(|set| {
            let surroundings = accounts::Surroundings {
                store: database.accounts(),
                counts: database.counts(),
                attempts_per_minute: settings.limits.attempts_per_minute,
                clock: clock.clone(),
                ids: ids.clone(),
            };
            Accounts::new(surroundings, set)
        });
        // The tutor and the doors remember together, so that a change at a door is known to the tutor at once.
        let profiles = tutor.as_ref().map_or_else(|| profiles(database, clock.clone()), |desk| desk.profiles.clone());
        let attachments = attachments(settings, proxy.as_deref(), surroundings)?;
        let adoptions = settings.access.adopt_visitor_threads.then(|| Adoptions::new(store.clone(), clock.clone()));
        let names = AddressNames::new(&secrets[0]);
        let quota = Quota::new(&settings.limits, names, database.counts(), clock.clone(), metrics.clone());
        let mut auth =
            Authenticator::new(Visitors::new(secrets, clock.clone())).with_accounts(accounts).adopting(adoptions);
        if !settings.access.issuers.is_empty() {
            let client = http::client(proxy.as_deref()).context(CLIENT_ADVICE)?;
            auth = auth.believing(Issuers::new(&settings.access.issuers, &client, &clock));
        }
        let rewrites = RewriteDesk::new(rewrite::Surroundings {
            model: tutor.as_ref().map(|desk| desk.model.clone()),
            time_max: settings.tutor.rewrite_time,
            store: database.rewrites(),
            threads: store.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        });
        let chat = Chat::new(store.clone(), responder, clock.clone(), ids.clone(), options)
            .keeping(attachments.clone())
            .counted_by(metrics.clone());
        Ok(Self(Arc::new(House {
            chat,
            store,
            tutor,
            attachments,
            everybody,
            auth,
            quota,
            profiles,
            rewrites,
            clock,
            ids,
            limits: settings.limits.clone(),
            body_time_max: settings.http.patience.body,
            patience: settings.http.patience,
            body_bytes_max: settings.http.body_bytes_max,
            recording_bytes_max: settings.http.recording_bytes_max,
            default_language: settings.http.default_language,
            chatkit_paths: settings.http.chatkit_paths.clone(),
            browsers: BrowserSettings::of(settings),
            anonymous: settings.access.anonymous,
            metrics,
            metrics_token: settings.access.metrics_token.clone(),
        })))
    }
}

fn profiles(database: &Database, clock: Clock) -> Profiles {
    Profiles::new(database.profiles(), database.accounts(), clock)
}

fn chat_model(settings: &Settings, model: &ModelSettings, ids: &Ids, metrics: &Metrics) -> Result<Arc<dyn ChatModel>> {
    let silence = settings.tutor.model_silence;
    let limits = Limits { first_byte: silence, idle: silence, ..Limits::default() };
    let client = http::client(model.proxy.as_deref()).context(CLIENT_ADVICE);
    let candidate = |choice: &ModelChoice| match choice {
        ModelChoice::Offline => {
            let model = Arc::new(Extractive::new(settings.tutor.offline_pace, ids.clone()));
            Ok(Candidate { model, place: String::new() })
        }
        ModelChoice::Endpoint(endpoint) => {
            let client = client.as_ref().map_err(|error| anyhow!("{error:#}"))?.clone();
            let variables = format!("check {} and {}", endpoint.preset.base_url_variable, endpoint.preset.key_variable);
            let model = OpenAiCompatible::new(client, endpoint.clone(), limits, ids.clone()).context(variables)?;
            let place = endpoint.base_url.trim().trim_end_matches('/').to_owned();
            Ok(Candidate { model: Arc::new(model), place })
        }
    };
    let first = candidate(&model.choice)?;
    if matches!(model.choice, ModelChoice::Offline) {
        return Ok(first.model);
    }
    let others = model.fallbacks.iter().map(candidate).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Resilient::new(first, others, metrics.clone())))
}

fn attachments(settings: &Settings, proxy: Option<&str>, house: Surroundings<'_>) -> Result<Option<Attachments>> {
    let set = &settings.attachments;
    let options = AttachmentOptions {
        bytes_max: set.bytes_max,
        per_message_max: set.per_message_max,
        unused_max: set.unused_max,
        types: set.types.clone(),
        link_lifetime: set.link_lifetime,
    };
    match &set.place {
        AttachmentPlace::Off => Ok(None),
        AttachmentPlace::Folder { path, chosen } => match Attachments::in_folder(path, options, house) {
            Ok(attachments) => Ok(Some(attachments)),
            Err(error) if *chosen => Err(error).context("check ATTACHMENTS_URL"),
            // A server without a disk is fine as long as nobody wants to keep files there.
            Err(error) => {
                tracing::warn!(%error, "There are no attachments; set ATTACHMENTS_URL to a place for them, or to `off`");
                Ok(None)
            }
        },
        AttachmentPlace::Bucket(bucket) => {
            let client = http::client(proxy).context("check HTTPS_PROXY, and the system's certificates")?;
            let attachments = Attachments::in_bucket(bucket, client, options, house);
            Ok(Some(attachments.context("check ATTACHMENTS_URL and the variables that begin with AWS_")?))
        }
    }
}

fn transcriber(settings: &Settings, model: &ModelSettings) -> Result<Option<Transcriber>> {
    let Some(endpoint) = &model.transcription else { return Ok(None) };
    let client = http::client(model.proxy.as_deref()).context(CLIENT_ADVICE)?;
    let transcriber = Transcriber::new(client, endpoint.clone(), settings.tutor.model_silence);
    Ok(Some(transcriber.context("check TRANSCRIPTION_MODEL, TRANSCRIPTION_BASE_URL and TRANSCRIPTION_API_KEY")?))
}

/// The secret of a server that was given none: made once, and kept beside its data.
fn kept_secret(data_dir: &Path, ids: &Ids) -> Result<SecretString> {
    let path = data_dir.join("visitor.key");
    let advice = || format!("set VISITOR_SECRET: the data folder `{}` cannot keep one", data_dir.display());
    if let Ok(secret) = std::fs::read_to_string(&path)
        && secret.len() >= 32
    {
        return Ok(SecretString::from(secret));
    }
    std::fs::create_dir_all(data_dir).with_context(advice)?;
    let secret = format!("{}{}", ids.mint("a"), ids.mint("b"));
    write_private(&path, &secret).with_context(advice)?;
    Ok(SecretString::from(secret))
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}
