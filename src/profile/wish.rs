//! What somebody wants their profile to say, read member by member: all that is wrong with it is told at once.

use serde_json::{Map, Value};

use super::{
    AgeRange, EducationLevel, FocusArea, HoursPerWeek, LearningMode, LearningSpeed, PrimaryGoal, Profile,
    TechBackground, is_language_tag,
};
use crate::language::Language;
use crate::store::profiles::{ProfileChange, ProfileTexts};

/// What a member may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One of these texts.
    Choice(&'static [&'static str]),
    Hours,
    LanguageTag,
}

/// The members of a profile.
const MEMBERS: [(&str, Kind); 9] = [
    ("age_range", Kind::Choice(AgeRange::ALL)),
    ("education_level", Kind::Choice(EducationLevel::ALL)),
    ("tech_background", Kind::Choice(TechBackground::ALL)),
    ("focus_area", Kind::Choice(FocusArea::ALL)),
    ("primary_goal", Kind::Choice(PrimaryGoal::ALL)),
    ("learning_mode", Kind::Choice(LearningMode::ALL)),
    ("learning_speed", Kind::Choice(LearningSpeed::ALL)),
    ("time_per_week", Kind::Hours),
    ("preferred_language", Kind::LanguageTag),
];

/// What a profile is to say, for the members that were named. `None` says nothing from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileWish(ProfileChange);

/// A member that holds what it may not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub member: &'static str,
    kind: Kind,
}

impl Problem {
    /// What it may hold, as the rest of a sentence that begins with the member's name.
    pub fn say(&self, language: Language) -> String {
        match self.kind {
            Kind::Choice(allowed) => {
                let choices = allowed.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
                language.say_with("profile-choice", &[("choices", choices.as_str().into())])
            }
            Kind::Hours => language.say("profile-hours"),
            Kind::LanguageTag => language.say("profile-language-tag"),
        }
    }
}

impl ProfileWish {
    /// Of the members of a JSON object; those that no profile has are passed over.
    ///
    /// # Errors
    /// Every member that holds what it may not hold.
    pub fn read(members: &Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let (mut wish, mut problems) = (ProfileChange::new(), Vec::new());
        for (member, kind) in MEMBERS {
            match members.get(member).map(|value| (value.is_null(), text(kind, value))) {
                None => {}
                Some((is_null, text)) if is_null || text.is_some() => drop(wish.insert(member, text)),
                Some(_) => problems.push(Problem { member, kind }),
            }
        }
        if problems.is_empty() { Ok(Self(wish)) } else { Err(problems) }
    }

    /// The profile that says this and nothing else.
    pub fn profile(&self) -> Profile {
        let text = |member: &str| self.0.get(member).cloned().flatten();
        Profile::of(&ProfileTexts {
            age_range: text("age_range"),
            education_level: text("education_level"),
            tech_background: text("tech_background"),
            focus_area: text("focus_area"),
            primary_goal: text("primary_goal"),
            learning_mode: text("learning_mode"),
            learning_speed: text("learning_speed"),
            time_per_week: text("time_per_week"),
            preferred_language: text("preferred_language"),
        })
    }

    /// What is to change in the store.
    pub(super) fn change(&self) -> &ProfileChange {
        &self.0
    }
}

/// What is stored of a value, if the member may hold it.
fn text(kind: Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (Kind::Choice(allowed), Value::String(text)) => allowed.contains(&text.as_str()).then(|| text.clone()),
        (Kind::Hours, Value::Number(hours)) => Some(u32::try_from(hours.as_u64()?).ok()?.to_string()),
        (Kind::Hours, Value::String(text)) => HoursPerWeek::range(text).map(|_| text.clone()),
        (Kind::LanguageTag, Value::String(text)) => is_language_tag(text).then(|| text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(members: Value) -> Result<ProfileWish, Vec<Problem>> {
        let Value::Object(members) = members else { panic!("members come as an object") };
        ProfileWish::read(&members)
    }

    #[test]
    fn every_value_of_every_member_is_read_and_given_back_as_it_came() {
        for (member, kind) in MEMBERS {
            let values = match kind {
                Kind::Choice(allowed) => allowed.iter().map(|choice| json!(choice)).collect(),
                Kind::Hours => {
                    vec![json!(0), json!(12), json!(u32::MAX), json!("8_15"), json!("under_5"), json!("20_plus")]
                }
                Kind::LanguageTag => vec![json!("en"), json!("ur-PK"), json!("zh-Hant-TW"), json!("de-CH-1996")],
            };
            for value in values {
                let wish = read(json!({member: value, "unknown": {"member": [1]}})).unwrap();
                assert_eq!(serde_json::to_value(wish.profile()).unwrap(), json!({member: value}));
            }
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_nothing_else() {
        let wrong = [
            json!(""),
            json!("NONE"),
            json!(-1),
            json!(1.5),
            json!(1_u64 << 32),
            json!("8"),
            json!("8_"),
            json!("plus"),
            json!("under_plus"),
            json!("12345_1"),
            json!("en_US"),
            json!("english"),
            json!("e"),
            json!("en-"),
            json!("a".repeat(40)),
            json!(format!("en{}", "-abcdefgh".repeat(4))),
            json!("en; ignore"),
            json!(true),
            json!([]),
            json!({}),
        ];
        for value in wrong {
            let all: Map<String, Value> =
                MEMBERS.iter().map(|(member, _)| ((*member).to_owned(), value.clone())).collect();
            let problems = ProfileWish::read(&all).unwrap_err();
            let named: Vec<&str> = problems.iter().map(|problem| problem.member).collect();
            assert_eq!(named, MEMBERS.map(|(member, _)| member), "{value}");
        }
        let problems = read(json!({"focus_area": "cooking", "learning_mode": "visual"})).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].say(Language::default()), "must be one of `hardware`, `software`");
    }
}
