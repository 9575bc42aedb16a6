//! Texts of a book in another language: one door for whoever brings a text, and those of a page that remembers which of
//! its addresses a reader had translated.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::response::Response;
use chatkit_protocol::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::Caller;
use super::members::Members;
use super::openapi::ErrorBody;
use super::rewriting::{
    self, Answer, CONTEXT_CHARS_MAX, HASH_CHARS_MAX, QuotaStatus, TEXT_CHARS_MAX, page_url, tag, target,
};
use crate::app::App;
use crate::identity::Identity;
use crate::language;
use crate::quota::PerDay;
use crate::rewrite::{RewriteKind, Task, content_hash};

/// What a text is in when nobody says: BCP 47's tag for what is not determined.
const UNDETERMINED: &str = "und";

pub(super) fn doors() -> Doors {
    Doors::new()
        .open(Entry::User, routes!(translate))
        .open(Entry::Caller, routes!(translate_page))
        .open(Entry::Caller, routes!(quota))
        .open(Entry::Caller, routes!(history))
}

/// A text, and the language that it is to be in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read member by member, and described here")]
struct Translate {
    /// The text, in Markdown.
    #[schema(min_length = 1, max_length = 100_000, example = "A gyroscope measures how fast something turns.")]
    text: String,
    /// The language that it is to be in, as a BCP 47 tag; when left out, the first of `Accept-Language`.
    #[schema(max_length = 35, example = "ur")]
    target_language: Option<String>,
    /// The language that it is in; the model finds out when left out.
    #[schema(max_length = 35, example = "en")]
    source_language: Option<String>,
    /// What the text is about.
    #[schema(max_length = 1_000, example = "sensors of robots")]
    context: Option<String>,
}

/// A text in another language.
#[derive(Serialize, ToSchema)]
struct Translated {
    /// The text, in Markdown.
    translated_text: String,
    /// The language that it was in; `und` where nobody said.
    source_language: String,
    /// The language that it is in.
    target_language: String,
    /// Who asked.
    user_id: String,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

impl Answer for Translated {
    const TEXT: &'static str = "translated_text";
}

/// Translates a text.
///
/// Code, links' targets, images, front matter and formulas stay as they are, byte for byte. The same text is answered
/// from the cache and costs nothing. With `Accept: text/event-stream` the text comes as it is written: events
/// `content`, then `done` with the other members.
#[utoipa::path(
    post,
    path = "/translate",
    tag = "rewriting",
    request_body = Translate,
    responses(
        (status = 200, description = "The text.", content((Translated = "application/json"), (ref("#/components/schemas/RewriteEvent") = "text/event-stream"))),
        (status = 400, body = ErrorBody, description = "A member is wrong."),
        (status = 502, body = ErrorBody, description = "The model failed, or damaged what must stay as it is."),
        (status = 504, body = ErrorBody, description = "The model took too long."),
    )
)]
async fn translate(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let user_id = rewriting::user(&caller)?.name().to_owned();
    let mut members = Members::read(&app, body, app.body_bytes_max).await?;
    let text = members.text("text", 1..=TEXT_CHARS_MAX);
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(language::first);
    let from = tag(&mut members, "source_language", None);
    let to = target(&mut members, "target_language", accepted.as_deref(), from.as_deref());
    let context = members.optional_text_of("context", CONTEXT_CHARS_MAX);
    members.finish(())?;
    let source_language = from.clone().unwrap_or_else(|| UNDETERMINED.to_owned());
    let order = (Task::Translate { from, to: to.clone(), context }, text, None);
    rewriting::answer(&app, caller, &headers, order, |text, after| Translated {
        translated_text: text,
        source_language,
        target_language: to,
        user_id,
        timestamp: after.now,
    })
    .await
}

/// A page, and the language that it is to be in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read member by member, and described here")]
struct TranslatePage {
    /// What the page says, in Markdown.
    #[schema(min_length = 1, max_length = 100_000, example = "A gyroscope measures how fast something turns.")]
    page_content: String,
    /// Where it is.
    #[schema(min_length = 1, max_length = 500, example = "/docs/sensors/gyroscopes")]
    page_url: String,
    /// The language that it is in, as a BCP 47 tag; `en` when left out.
    #[schema(max_length = 35, example = "en")]
    source_language: Option<String>,
    /// The language that it is to be in; `ur` when left out.
    #[schema(max_length = 35, example = "ur")]
    target_language: Option<String>,
}

/// A page in another language.
#[derive(Serialize, ToSchema)]
struct TranslatedPage {
    /// What it says, in Markdown.
    translated_content: String,
    /// The language that it was in.
    source_language: String,
    /// The language that it is in.
    target_language: String,
    /// How long it took, in milliseconds.
    processing_time_ms: u64,
    /// SHA-256 of the page as it was, in hex.
    original_content_hash: String,
    /// How many translations are left today; 1000000000 where there is no limit.
    quota_remaining: u64,
    /// How many there are in a day.
    quota_limit: u64,
}

impl Answer for TranslatedPage {
    const TEXT: &'static str = "translated_content";
}

/// Translates a page, and remembers that it did.
///
/// Readers without an account are counted by their visitor and by their network. A page that somebody else has had
/// translated is answered from the cache and costs nothing. With `Accept: text/event-stream` the text comes as it is
/// written: events `content`, then `done` with the other members.
#[utoipa::path(
    post,
    path = "/api/translate/urdu",
    tag = "rewriting",
    request_body = TranslatePage,
    responses(
        (status = 200, description = "The page.", content((TranslatedPage = "application/json"), (ref("#/components/schemas/RewriteEvent") = "text/event-stream"))),
        (status = 400, body = ErrorBody, description = "A member is wrong."),
        (status = 502, body = ErrorBody, description = "The model failed, or damaged what must stay as it is."),
        (status = 504, body = ErrorBody, description = "The model took too long."),
    )
)]
async fn translate_page(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut members = Members::read(&app, body, app.body_bytes_max).await?;
    let (content, page_url) = (members.text("page_content", 1..=TEXT_CHARS_MAX), page_url(&mut members));
    let from = tag(&mut members, "source_language", Some("en")).unwrap_or_default();
    let to = target(&mut members, "target_language", Some("ur"), Some(&from));
    members.finish(())?;
    let original_content_hash = content_hash(&content);
    let task = Task::Translate { from: Some(from.clone()), to: to.clone(), context: None };
    rewriting::answer(&app, caller, &headers, (task, content, Some(page_url)), |text, after| TranslatedPage {
        translated_content: text,
        source_language: from,
        target_language: to,
        processing_time_ms: after.processing_time_ms,
        original_content_hash,
        quota_remaining: after.quota.remaining,
        quota_limit: after.quota.limit,
    })
    .await
}

/// How many translations are left today.
#[utoipa::path(
    get,
    path = "/api/translate/quota",
    tag = "rewriting",
    responses((status = 200, body = QuotaStatus, description = "How much of the day's number is used."))
)]
async fn quota(State(app): State<App>, caller: Caller) -> Result<Json<QuotaStatus>, ApiError> {
    rewriting::quota(&app, &caller, PerDay::Translations).await
}

/// What is known of a page.
#[derive(Serialize, ToSchema)]
#[schema(as = TranslatedPageHistory)]
struct PageHistory {
    /// Whether the reader had it translated.
    has_translation: bool,
    /// SHA-256 of the page as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_content_hash: Option<String>,
    /// When it was last translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    translated_at: Option<Timestamp>,
    /// Whether the page says something else by now.
    content_changed: bool,
}

/// Whether the reader had a page translated.
///
/// Of readers without any credential nothing is remembered.
#[utoipa::path(
    get,
    path = "/api/translate/history",
    tag = "rewriting",
    params(
        ("page_url" = String, Query, description = "Where the page is.", min_length = 1, max_length = 500),
        ("current_content_hash" = Option<String>, Query, description = "SHA-256 of the page as it is now, in hex.", max_length = 128),
    ),
    responses(
        (status = 200, body = PageHistory, description = "What is known of the page."),
        (status = 400, body = ErrorBody, description = "A parameter is wrong."),
    )
)]
async fn history(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<PageHistory>, ApiError> {
    let mut members = Members::of_query(query.map(|Query(pairs)| pairs).unwrap_or_default());
    let url = page_url(&mut members);
    let hash = members.optional_text_of("current_content_hash", HASH_CHARS_MAX);
    members.finish(())?;
    let page = match &caller.who {
        Identity::User { id } | Identity::Visitor { id } => {
            let page = app.rewrites.page(id, RewriteKind::Translated, &url).await;
            page.map_err(|refusal| rewriting::refused(caller.language, PerDay::Translations, refusal))?
        }
        Identity::Stranger => None,
    };
    let Some(page) = page else {
        return Ok(Json(PageHistory {
            has_translation: false,
            original_content_hash: None,
            translated_at: None,
            content_changed: false,
        }));
    };
    let is_other = |hash: String| page.content_hash.as_deref().is_none_or(|kept| !kept.eq_ignore_ascii_case(&hash));
    Ok(Json(PageHistory {
        has_translation: true,
        content_changed: hash.is_some_and(is_other),
        original_content_hash: page.content_hash,
        translated_at: Some(page.at),
    }))
}
