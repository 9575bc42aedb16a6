//! What bodies of accounts look like: those that are sent here, which `members.rs` reads, and those that answer.
#![expect(dead_code, reason = "what is sent is read member by member, and only described here")]

use chatkit_protocol::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::accounts::{Account, Opened};

/// Somebody who wants an account.
#[derive(ToSchema)]
pub(super) struct SignUpBody {
    /// Their address.
    #[schema(format = Email, example = "ada@example.org")]
    email: String,
    /// Their password, at most 1024 bytes.
    #[schema(min_length = 8, format = Password, example = "correct horse battery")]
    password: String,
    /// Their name.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    full_name: String,
    /// How far they are.
    #[schema(max_length = 100, example = "beginner")]
    experience_level: Option<String>,
    /// Languages they program in, at most 50.
    #[schema(max_items = 50, example = json!(["Python", "Rust"]))]
    programming_languages: Option<Vec<String>>,
    /// Frameworks they know, at most 50.
    #[schema(max_items = 50, example = json!(["ROS 2"]))]
    frameworks: Option<Vec<String>>,
    /// Computers they have, at most 50.
    #[schema(max_items = 50, example = json!(["Jetson Orin Nano"]))]
    available_hardware: Option<Vec<String>>,
    /// Robots they have, at most 50.
    #[schema(max_items = 50, example = json!([]))]
    robotics_hardware: Option<Vec<String>>,
}

/// Somebody who says that they have an account.
#[derive(ToSchema)]
pub(super) struct SignInBody {
    /// Their address.
    #[schema(format = Email, example = "grace@example.org")]
    email: String,
    /// Their password.
    #[schema(min_length = 1, format = Password, example = "correct horse battery")]
    password: String,
    /// Whether the session is to last for 30 days.
    #[schema(example = false)]
    remember_me: Option<bool>,
}

/// Who has an account, with what they told of themselves.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// Names them.
    id: String,
    /// Their address.
    #[schema(example = "ada@example.org")]
    email: String,
    /// Their name.
    #[schema(example = "Ada Lovelace")]
    full_name: Option<String>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How far they are.
    #[schema(example = "beginner")]
    experience_level: Option<String>,
    /// Languages they program in.
    programming_languages: Vec<String>,
    /// Frameworks they know.
    frameworks: Vec<String>,
    /// Computers they have.
    available_hardware: Vec<String>,
    /// Robots they have.
    robotics_hardware: Vec<String>,
}

/// A session that was just opened.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Proves it, as the cookie `session` or as `Authorization: Bearer`.
    token: String,
    /// It is good until then.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Somebody who has signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct Welcome {
    user: User,
    session: Session,
}

impl From<&Account> for User {
    fn from(account: &Account) -> Self {
        let told = account.background.clone();
        Self {
            id: account.id.clone(),
            email: account.email.clone(),
            full_name: account.full_name.clone(),
            created_at: account.created_at,
            experience_level: told.experience_level,
            programming_languages: told.programming_languages,
            frameworks: told.frameworks,
            available_hardware: told.available_hardware,
            robotics_hardware: told.robotics_hardware,
        }
    }
}

impl From<&Opened> for Welcome {
    fn from(opened: &Opened) -> Self {
        let session = Session { token: opened.token.expose_secret().to_owned(), expires_at: opened.expires_at };
        Self { user: User::from(&opened.account), session }
    }
}
