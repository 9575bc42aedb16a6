//! What a reader says of themselves: who they are, what they want to learn, and how.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    #[schema(example = "en")]
    pub preferred_language: Option<String>,
}

/// Hours a week, given back as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HoursPerWeek {
    /// So many.
    Hours(u32),
    /// A range, such as `8_15`.
    Range(String),
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub enum $name {
                $($(#[$variant_doc])* #[serde(rename = $text)] $variant),*
            }

            impl $name {
                /// All of them, as they are written.
                pub const ALL: &[&str] = &[$($text),*];
            }
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
