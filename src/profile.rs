//! What a reader says of themselves: who they are, what they want to learn, and how.
//!
//! `profile/wish.rs` reads what somebody wants their profile to say, `profile/desk.rs` keeps it, and `profile/told.rs`
//! has the sentences that a model is told of a reader.

mod desk;
mod languages;
mod told;
mod wish;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::store::accounts::Background;
use crate::store::profiles::ProfileTexts;

pub use desk::{KeptProfile, PROFILES_REMEMBERED_FOR, ProfileError, Profiles};
pub use languages::name as language_name;
pub use wish::{Problem, ProfileWish};

/// The longest language tag, in bytes.
const LANGUAGE_TAG_BYTES_MAX: usize = 35;
/// The most digits of a number in a range of hours.
const RANGE_DIGITS_MAX: usize = 4;
/// What a range of hours looks like.
const RANGE_PATTERN: &str = "^([0-9]{1,4}_[0-9]{1,4}|under_[0-9]{1,4}|[0-9]{1,4}_plus)$";

/// A profile; whatever is not said is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Profile {
    /// How old the reader is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_range: Option<AgeRange>,
    /// What they have learned so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub education_level: Option<EducationLevel>,
    /// How much they know of technical things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tech_background: Option<TechBackground>,
    /// What they care for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus_area: Option<FocusArea>,
    /// What they learn for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_goal: Option<PrimaryGoal>,
    /// How they like to learn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_mode: Option<LearningMode>,
    /// How fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_speed: Option<LearningSpeed>,
    /// Hours a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_per_week: Option<HoursPerWeek>,
    /// The language they read best, as a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "en", max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
    pub preferred_language: Option<String>,
}

/// Hours a week, given back as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HoursPerWeek {
    /// So many.
    Hours(u32),
    /// A range, such as `8_15`.
    Range(String),
}

impl HoursPerWeek {
    /// What a text says that was stored: digits are a number, since no range is without more.
    fn stored(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(hours) => Some(Self::Hours(hours)),
            Err(_) => Self::range(text),
        }
    }

    /// A range: `8_15`, `under_5`, `20_plus`.
    fn range(text: &str) -> Option<Self> {
        let is_number =
            |part: &str| (1..=RANGE_DIGITS_MAX).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let (from, to) = text.split_once('_')?;
        let is_range = (is_number(from) || from == "under") && is_number(to) || is_number(from) && to == "plus";
        is_range.then(|| Self::Range(text.to_owned()))
    }
}

impl PartialSchema for HoursPerWeek {
    fn schema() -> RefOr<Schema> {
        let hours = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u32::MAX));
        let range = ObjectBuilder::new().schema_type(Type::String).pattern(Some(RANGE_PATTERN)).examples(["8_15"]);
        OneOfBuilder::new().description(Some("Hours a week, given back as they came.")).item(hours).item(range).into()
    }
}

impl ToSchema for HoursPerWeek {}

/// Whether a text is a tag of a language as BCP 47 forms them: `en`, `ur-PK`, `zh-Hant-TW`.
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LANGUAGE_TAG_BYTES_MAX
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(is_part)
}

impl Profile {
    /// The profile of these texts; a text that says nothing that is known today is left out.
    pub fn of(texts: &ProfileTexts) -> Self {
        fn read<T>(text: Option<&String>, of: impl FnOnce(&str) -> Option<T>) -> Option<T> {
            of(text?)
        }
        let language = texts.preferred_language.as_ref().filter(|tag| is_language_tag(tag));
        Self {
            age_range: read(texts.age_range.as_ref(), AgeRange::of),
            education_level: read(texts.education_level.as_ref(), EducationLevel::of),
            tech_background: read(texts.tech_background.as_ref(), TechBackground::of),
            focus_area: read(texts.focus_area.as_ref(), FocusArea::of),
            primary_goal: read(texts.primary_goal.as_ref(), PrimaryGoal::of),
            learning_mode: read(texts.learning_mode.as_ref(), LearningMode::of),
            learning_speed: read(texts.learning_speed.as_ref(), LearningSpeed::of),
            time_per_week: read(texts.time_per_week.as_ref(), HoursPerWeek::stored),
            preferred_language: language.cloned(),
        }
    }

    /// What the questionnaire of a sign-up says of somebody; none when that is nothing.
    fn of_questionnaire(told: &Background) -> Option<Self> {
        let level = told.experience_level.as_deref()?.trim().to_ascii_lowercase();
        let tech_background = match level.as_str() {
            "expert" => TechBackground::Advanced,
            level => TechBackground::of(level)?,
        };
        Some(Self { tech_background: Some(tech_background), ..Self::default() })
    }
}

macro_rules! choices {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub enum $name {
                $($(#[$variant_doc])* #[serde(rename = $text)] $variant),*
            }

            impl $name {
                /// All of them, as they are written.
                pub const ALL: &[&str] = &[$($text),*];

                /// The one that is written so.
                pub fn of(text: &str) -> Option<Self> {
                    match text {
                        $($text => Some(Self::$variant),)*
                        _ => None,
                    }
                }
            }

            // The derive does not see by which name a macro calls a variant.
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let about = [$($doc),*].join(" ");
                    let schema = ObjectBuilder::new().schema_type(Type::String).description(Some(about.trim()));
                    schema.enum_values(Some(Self::ALL.iter().copied())).into()
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

choices! {
    /// How old somebody is, in years.
    AgeRange {
        /// Below 18.
        Under18 = "under_18",
        /// 18 to 24.
        From18To24 = "18_24",
        /// 25 to 34.
        From25To34 = "25_34",
        /// 35 to 44.
        From35To44 = "35_44",
        /// 45 and above.
        From45 = "45_plus",
    }
    /// What somebody has learned so far.
    EducationLevel {
        /// School.
        HighSchool = "high_school",
        /// A first degree.
        Bachelors = "bachelors",
        /// A second degree.
        Masters = "masters",
        /// A doctorate.
        Phd = "phd",
        /// On their own.
        SelfTaught = "self_taught",
    }
    /// How much somebody knows of technical things.
    TechBackground {
        /// Nothing.
        None = "none",
        /// A little.
        Beginner = "beginner",
        /// Some.
        Intermediate = "intermediate",
        /// A lot.
        Advanced = "advanced",
    }
    /// What somebody cares for.
    FocusArea {
        /// Machines.
        Hardware = "hardware",
        /// Programs.
        Software = "software",
    }
    /// What somebody learns for.
    PrimaryGoal {
        /// Work.
        Career = "career",
        /// Research.
        Research = "research",
        /// Fun.
        Hobby = "hobby",
        /// School or university.
        Education = "education",
    }
    /// How somebody likes to learn.
    LearningMode {
        /// With pictures.
        Visual = "visual",
        /// By reading.
        Reading = "reading",
        /// By doing.
        HandsOn = "hands_on",
        /// All of it.
        Mixed = "mixed",
    }
    /// How fast somebody likes to learn.
    LearningSpeed {
        /// With all the steps.
        Thorough = "thorough",
        /// As most do.
        Balanced = "balanced",
        /// With what matters most.
        Accelerated = "accelerated",
    }
}
