//! `/profile`: what a user says of themselves, made, read and changed.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use chatkit_protocol::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::body;
use super::doors::{Doors, Entry};
use super::error::ApiError;
use super::identity::SignedIn;
use super::members::wrong;
use super::openapi::ErrorBody;
use crate::app::App;
use crate::identity::OwnerId;
use crate::language::Language;
use crate::profile::{KeptProfile, Profile, ProfileError, ProfileWish};

/// The largest body with a profile, in bytes.
const PROFILE_BODY_BYTES_MAX: usize = 64 * 1024;
/// The language of somebody who does not say one.
const LANGUAGE_DEFAULT: &str = "en";

pub(super) fn doors() -> Doors {
    Doors::new().open(Entry::User, routes!(make, tell, change))
}

/// What a profile is to say. Members that no profile has are passed over.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a body is read member by member, so that all that is wrong with it is told at once")]
struct ProfileBody {
    /// The caller's own name, if it is sent at all.
    user_id: Option<String>,
    #[serde(flatten)]
    profile: Profile,
}

/// A profile, with whose it is and since when.
#[derive(Serialize, ToSchema)]
struct ProfileAnswer {
    /// Who the user is: the subject of their token, or the id of their account.
    user_id: String,
    #[serde(flatten)]
    profile: Profile,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A profile is for its reader's eyes, and for no cache.
type Answer = ([(HeaderName, HeaderValue); 1], Json<ProfileAnswer>);

fn answer(owner: &OwnerId, kept: KeptProfile) -> Answer {
    let KeptProfile { mut profile, created_at, updated_at } = kept;
    profile.preferred_language.get_or_insert_with(|| LANGUAGE_DEFAULT.to_owned());
    let answer = ProfileAnswer { user_id: owner.name().to_owned(), profile, created_at, updated_at };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer))
}

/// Makes the caller's profile.
///
/// Every member may be left out. The tutor explains as the profile says, and the caller is spoken to in
/// `preferred_language`.
#[utoipa::path(
    post,
    path = "/profile",
    operation_id = "make_profile",
    tag = "profile",
    request_body(content = ProfileBody, example = json!({
        "tech_background": "beginner", "learning_speed": "thorough", "time_per_week": "8_15", "preferred_language": "ur"
    })),
    responses(
        (status = 201, body = ProfileAnswer, description = "The profile."),
        (status = 400, body = ErrorBody, description = "Members hold what they may not hold; each is named."),
        (status = 403, body = ErrorBody, description = "`user_id` is somebody else's."),
        (status = 409, body = ErrorBody, description = "The caller has a profile."),
    )
)]
async fn make(
    State(app): State<App>,
    SignedIn { id, language }: SignedIn,
    body: Body,
) -> Result<(StatusCode, Answer), ApiError> {
    let wish = wish(&app, &id, language, body).await?;
    let made = app.profiles.create(&id, &wish).await.map_err(|error| ApiError::of_profile(error, language))?;
    Ok((StatusCode::CREATED, answer(&id, made)))
}

/// Gives the caller's profile.
#[utoipa::path(
    get,
    path = "/profile",
    operation_id = "get_profile",
    tag = "profile",
    responses(
        (status = 200, body = ProfileAnswer, description = "The profile."),
        (status = 404, body = ErrorBody, description = "The caller has no profile."),
    )
)]
async fn tell(State(app): State<App>, SignedIn { id, language }: SignedIn) -> Result<Answer, ApiError> {
    let kept = app.profiles.profile(&id).await.map_err(|error| ApiError::of_profile(error, language))?;
    Ok(answer(&id, kept))
}

/// Changes the caller's profile.
///
/// Members that are left out stay as they are; `null` takes one away.
#[utoipa::path(
    put,
    path = "/profile",
    operation_id = "change_profile",
    tag = "profile",
    request_body(content = ProfileBody, example = json!({"learning_speed": "accelerated", "focus_area": null})),
    responses(
        (status = 200, body = ProfileAnswer, description = "The profile as it is now."),
        (status = 400, body = ErrorBody, description = "Members hold what they may not hold; each is named."),
        (status = 403, body = ErrorBody, description = "`user_id` is somebody else's."),
        (status = 404, body = ErrorBody, description = "The caller has no profile."),
    )
)]
async fn change(State(app): State<App>, SignedIn { id, language }: SignedIn, body: Body) -> Result<Answer, ApiError> {
    let wish = wish(&app, &id, language, body).await?;
    let changed = app.profiles.change(&id, &wish).await.map_err(|error| ApiError::of_profile(error, language))?;
    Ok(answer(&id, changed))
}

/// What the body wants the caller's profile to say.
async fn wish(app: &App, owner: &OwnerId, language: Language, body: Body) -> Result<ProfileWish, ApiError> {
    let body = body::read(body, app.body_bytes_max.min(PROFILE_BODY_BYTES_MAX), app.body_time_max).await?;
    let members: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|_| wrong(&[("body", language.say("profile-body"))]))?;
    let mut problems = Vec::new();
    match members.get("user_id") {
        None | Some(Value::Null) => {}
        Some(Value::String(user_id)) if user_id == owner.name() => {}
        Some(Value::String(_)) => return Err(ApiError::profile_of_another(language)),
        Some(_) => problems.push(("user_id", language.say("profile-user-id"))),
    }
    let wish = ProfileWish::read(&members).unwrap_or_else(|wrong| {
        problems.extend(wrong.iter().map(|problem| (problem.member, problem.say(language))));
        ProfileWish::default()
    });
    if problems.is_empty() { Ok(wish) } else { Err(wrong(&problems)) }
}

impl ApiError {
    fn profile_of_another(language: Language) -> Self {
        Self::spoken(StatusCode::FORBIDDEN, "not_your_profile", language.say("profile-of-another"))
    }

    fn of_profile(error: ProfileError, language: Language) -> Self {
        match error {
            ProfileError::Exists => {
                Self::spoken(StatusCode::CONFLICT, "profile_exists", language.say("profile-exists"))
            }
            ProfileError::Missing => Self::spoken(StatusCode::NOT_FOUND, "no_profile", language.say("profile-missing")),
            ProfileError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "The profiles cannot be reached");
                let message = language.say("profile-away");
                Self::spoken(StatusCode::SERVICE_UNAVAILABLE, "profiles_unavailable", message).after(5)
            }
        }
    }
}
