//! Texts of a book written anew for their reader: one door for whoever brings a text, and those of a page that remembers
//! which of its addresses a reader had written anew.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chatkit_protocol::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use super::members::Members;
use super::named::Named;
use super::openapi::ErrorBody;
use super::rewriting::{self, Answer, CONTENT_CHARS_MIN, QuotaStatus, TEXT_CHARS_MAX, page_url};
use crate::app::App;
use crate::language::Language;
use crate::profile::{Profile, ProfileWish};
use crate::quota::PerDay;
use crate::rewrite::{RewriteKind, Task, content_hash, profile_hash};

pub(super) fn doors() -> Doors {
    let doors = Doors::new().open(Entry::User, routes!(personalize));
    ["", "/api"].iter().fold(doors, |doors, below| {
        let at = |path: &str| format!("{below}/personalization/{path}");
        doors
            .at(&at("personalize"), Entry::User, routes!(personalize_page))
            .at(&at("quota"), Entry::User, routes!(quota))
            .at(&at("history"), Entry::User, routes!(history))
            .at(&at("history/{*page_url}"), Entry::User, routes!(history_of_page))
    })
}

/// A text, and for whom.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read member by member, and described here")]
struct Personalize {
    /// The text, in Markdown.
    #[schema(min_length = 20, max_length = 100_000, example = "A gyroscope measures how fast something turns.")]
    content: String,
    /// Who reads it; their stored profile when left out.
    profile: Option<Profile>,
}

/// A text as it was written for its reader.
#[derive(Serialize, ToSchema)]
struct Personalized {
    /// The text, in Markdown.
    personalized_content: String,
    /// Who reads it.
    user_id: String,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

impl Answer for Personalized {
    const TEXT: &'static str = "personalized_content";
}

/// Writes a text anew for its reader.
///
/// The same text for the same profile is answered from the cache and costs nothing. With
/// `Accept: text/event-stream` the text comes as it is written: events `content`, then `done` with the other members.
#[utoipa::path(
    post,
    path = "/personalize",
    tag = "rewriting",
    request_body = Personalize,
    responses(
        (status = 200, description = "The text.", content((Personalized = "application/json"), (ref("#/components/schemas/RewriteEvent") = "text/event-stream"))),
        (status = 400, body = ErrorBody, description = "A member is wrong, or the text is too short."),
        (status = 403, body = ErrorBody, description = "There is no profile to write for."),
        (status = 502, body = ErrorBody, description = "The model failed, or damaged what must stay as it is."),
        (status = 504, body = ErrorBody, description = "The model took too long."),
    )
)]
async fn personalize(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let user_id = rewriting::user(&caller)?.name().to_owned();
    let mut members = Members::read(&app, body, app.body_bytes_max).await?;
    let content = members.text("content", 0..=TEXT_CHARS_MAX);
    let said = members.object("profile").map(|said| ProfileWish::read(&said));
    let profile = match said {
        None => None,
        Some(Ok(wish)) => Some(Arc::new(wish.profile())),
        Some(Err(problems)) => {
            for problem in problems {
                members.problem::<()>("profile", format!("{}: {}", problem.member, problem.say(caller.language)));
            }
            None
        }
    };
    members.finish(())?;
    long_enough(&content, caller.language)?;
    let profile = match profile {
        Some(profile) => complete(Some(profile), caller.language)?,
        None => stored(&app, &caller).await?,
    };
    rewriting::answer(&app, caller, &headers, (Task::Personalize { profile }, content, None), |text, after| {
        Personalized { personalized_content: text, user_id, timestamp: after.now }
    })
    .await
}

/// A page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read member by member, and described here")]
struct PersonalizePage {
    /// Where the page is.
    #[schema(min_length = 1, max_length = 500, example = "/docs/sensors/gyroscopes")]
    page_url: String,
    /// What it says, in Markdown.
    #[schema(min_length = 20, max_length = 100_000, example = "A gyroscope measures how fast something turns.")]
    page_content: String,
    /// Accepted from older pages. It changes nothing: what is the same costs nothing anyhow.
    is_free_repersonalization: Option<bool>,
}

/// A page as it was written for its reader.
#[derive(Serialize, ToSchema)]
struct PersonalizedPage {
    /// What it says, in Markdown.
    personalized_content: String,
    /// SHA-256 of the profile that it was written for, in hex.
    profile_hash: String,
    /// SHA-256 of the page as it was, in hex.
    original_content_hash: String,
    /// How long it took, in milliseconds.
    processing_time_ms: u64,
    /// How many texts are left today; 1000000000 where there is no limit.
    quota_remaining: u64,
}

impl Answer for PersonalizedPage {
    const TEXT: &'static str = "personalized_content";
}

/// Writes a page anew for its reader, and remembers that it did.
///
/// The same page for the same profile is answered from the cache and costs nothing. With
/// `Accept: text/event-stream` the text comes as it is written: events `content`, then `done` with the other members.
#[utoipa::path(
    post,
    path = "/personalization/personalize",
    tag = "rewriting",
    request_body = PersonalizePage,
    responses(
        (status = 200, description = "The page.", content((PersonalizedPage = "application/json"), (ref("#/components/schemas/RewriteEvent") = "text/event-stream"))),
        (status = 400, body = ErrorBody, description = "A member is wrong, or the page is too short."),
        (status = 403, body = ErrorBody, description = "The reader has no profile."),
        (status = 502, body = ErrorBody, description = "The model failed, or damaged what must stay as it is."),
        (status = 504, body = ErrorBody, description = "The model took too long."),
    )
)]
async fn personalize_page(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    rewriting::user(&caller)?;
    let mut members = Members::read(&app, body, app.body_bytes_max).await?;
    let (page_url, content) = (page_url(&mut members), members.text("page_content", 0..=TEXT_CHARS_MAX));
    members.flag("is_free_repersonalization");
    members.finish(())?;
    long_enough(&content, caller.language)?;
    let profile = stored(&app, &caller).await?;
    let (profile_hash, original_content_hash) = (profile_hash(&profile), content_hash(&content));
    let order = (Task::Personalize { profile }, content, Some(page_url));
    rewriting::answer(&app, caller, &headers, order, |text, after| PersonalizedPage {
        personalized_content: text,
        profile_hash,
        original_content_hash,
        processing_time_ms: after.processing_time_ms,
        quota_remaining: after.quota.remaining,
    })
    .await
}

/// How many texts are left today.
#[utoipa::path(
    get,
    path = "/personalization/quota",
    tag = "rewriting",
    responses((status = 200, body = QuotaStatus, description = "How much of the day's number is used."))
)]
async fn quota(State(app): State<App>, caller: Caller) -> Result<Json<QuotaStatus>, ApiError> {
    rewriting::user(&caller)?;
    rewriting::quota(&app, &caller, PerDay::Personalizations).await
}

/// The pages that were written for a reader.
#[derive(Serialize, ToSchema)]
struct History {
    /// Each page once, the newest first.
    pages: Vec<HistoryPage>,
    /// SHA-256 of the reader's profile as it is now; null without one.
    current_profile_hash: Option<String>,
}

/// A page that was written for a reader.
#[derive(Serialize, ToSchema)]
struct HistoryPage {
    /// Where it is.
    url: String,
    /// SHA-256 of the profile that it was written for; null where an earlier back end did not keep it.
    profile_hash: Option<String>,
    /// When it was last written.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The pages that were written for the reader.
#[utoipa::path(
    get,
    path = "/personalization/history",
    tag = "rewriting",
    responses((status = 200, body = History, description = "Each page once, the newest first."))
)]
async fn history(State(app): State<App>, caller: Caller) -> Result<Json<History>, ApiError> {
    let user = rewriting::user(&caller)?;
    let pages = app.rewrites.pages(user, RewriteKind::Personalized).await;
    let pages = pages.map_err(|refusal| rewriting::refused(caller.language, PerDay::Personalizations, refusal))?;
    let pages = pages.into_iter();
    let pages = pages.map(|page| HistoryPage { url: page.url, profile_hash: page.profile_hash, created_at: page.at });
    Ok(Json(History { pages: pages.collect(), current_profile_hash: current_hash(&app, &caller).await? }))
}

/// What is known of a page.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = PersonalizedPageHistory)]
struct PageHistory {
    /// Whether it was written for the reader.
    found: bool,
    /// SHA-256 of the profile that it was written for.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_hash: Option<String>,
    /// SHA-256 of the page as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_content_hash: Option<String>,
    /// When it was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// Whether the reader's profile says something else by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_stale: Option<bool>,
}

/// Whether a page was written for the reader.
///
/// The address is written as it is or percent-encoded.
#[utoipa::path(
    get,
    path = "/personalization/history/{page_url}",
    tag = "rewriting",
    params(("page_url" = String, Path, description = "Where the page is.", example = "docs/sensors/gyroscopes")),
    responses((status = 200, body = PageHistory, description = "What is known of the page."))
)]
async fn history_of_page(
    State(app): State<App>,
    caller: Caller,
    Named(page_url): Named,
) -> Result<Json<PageHistory>, ApiError> {
    let user = rewriting::user(&caller)?;
    // An address that begins with a slash loses it where it is only put behind another.
    let spellings = [page_url.clone(), format!("/{page_url}")];
    for url in &spellings {
        let page = app.rewrites.page(user, RewriteKind::Personalized, url).await;
        let page = page.map_err(|refusal| rewriting::refused(caller.language, PerDay::Personalizations, refusal))?;
        let Some(page) = page else { continue };
        let is_stale = page.profile_hash.is_none() || page.profile_hash != current_hash(&app, &caller).await?;
        return Ok(Json(PageHistory {
            found: true,
            profile_hash: page.profile_hash,
            original_content_hash: page.content_hash,
            created_at: Some(page.at),
            is_stale: Some(is_stale),
        }));
    }
    Ok(Json(PageHistory::default()))
}

/// The hash of the caller's profile, if they have one.
async fn current_hash(app: &App, caller: &Caller) -> Result<Option<String>, ApiError> {
    let known = app.profiles.known(&caller.who).await;
    let known = known.map_err(|error| ApiError::from(crate::chat::ChatError::Store(error)))?;
    Ok(known.filter(|profile| says_something(profile)).map(|profile| profile_hash(&profile)))
}

/// The caller's stored profile.
async fn stored(app: &App, caller: &Caller) -> Result<Arc<Profile>, ApiError> {
    let known = app.profiles.known(&caller.who).await;
    complete(known.map_err(|error| ApiError::from(crate::chat::ChatError::Store(error)))?, caller.language)
}

/// A profile that says something to write by.
fn complete(profile: Option<Arc<Profile>>, language: Language) -> Result<Arc<Profile>, ApiError> {
    profile.filter(|profile| says_something(profile)).ok_or_else(|| {
        ApiError::spoken(StatusCode::FORBIDDEN, "profile_incomplete", language.say("rewrite-profile-incomplete"))
    })
}

/// Whether a profile says more than a language: that alone is a matter of translating.
fn says_something(profile: &Profile) -> bool {
    Profile { preferred_language: None, ..profile.clone() } != Profile::default()
}

fn long_enough(content: &str, language: Language) -> Result<(), ApiError> {
    if content.trim().chars().count() >= CONTENT_CHARS_MIN {
        return Ok(());
    }
    let limit = CONTENT_CHARS_MIN as u64;
    let message = language.say_with("rewrite-content-too-short", &[("limit", limit.into())]);
    let error = ApiError::spoken(StatusCode::BAD_REQUEST, "content_too_short", message);
    Err(error.with_details(json!({"chars_min": CONTENT_CHARS_MIN})))
}
