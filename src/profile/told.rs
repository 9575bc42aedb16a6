//! What a model is told of a reader: fixed sentences that the values of a profile choose.

use super::{EducationLevel, FocusArea, LearningMode, LearningSpeed, PrimaryGoal, Profile, TechBackground, languages};

impl Profile {
    /// Sentences on who reads and how to write for them, in English and in a fixed order; none for an empty profile.
    ///
    /// No text that a reader wrote is part of them: a language is called by the name that is known for its tag.
    pub fn sentences(&self) -> Vec<String> {
        let chosen = [
            self.tech_background.map(level),
            self.education_level.map(education),
            self.focus_area.map(focus),
            self.learning_speed.map(pace),
            self.learning_mode.map(mode),
            self.primary_goal.map(goal),
        ];
        let language = self.preferred_language.as_deref().and_then(languages::name);
        let language = language
            .map(|name| format!("The reader reads {name} best: write in it, unless they ask for another language."));
        chosen.into_iter().flatten().map(str::to_owned).chain(language).collect()
    }
}

fn level(level: TechBackground) -> &'static str {
    match level {
        TechBackground::None => {
            "The reader has no technical background: use everyday words, and explain every technical term at once."
        }
        TechBackground::Beginner => {
            "The reader is a technical beginner: build up step by step, and explain technical terms when they first come."
        }
        TechBackground::Intermediate => {
            "The reader knows the basics of technology: do not explain those, and take more time for what is advanced."
        }
        TechBackground::Advanced => {
            "The reader is technically experienced: be precise and dense, name exact terms, and leave the basics out."
        }
    }
}

fn education(level: EducationLevel) -> &'static str {
    match level {
        EducationLevel::HighSchool => "The reader has school mathematics: explain whatever goes beyond it in words.",
        EducationLevel::Bachelors => {
            "The reader has a first degree: mathematics of a first university course may be used."
        }
        EducationLevel::Masters => "The reader has a second degree: formulas and derivations may be used freely.",
        EducationLevel::Phd => "The reader has a doctorate: formal definitions and derivations may be used freely.",
        EducationLevel::SelfTaught => "The reader learned on their own: show how a thing works before its formal name.",
    }
}

fn focus(area: FocusArea) -> &'static str {
    match area {
        FocusArea::Hardware => "The reader cares most for hardware: where there is a choice, explain by the machine.",
        FocusArea::Software => "The reader cares most for software: where there is a choice, explain by the program.",
    }
}

fn pace(speed: LearningSpeed) -> &'static str {
    match speed {
        LearningSpeed::Thorough => "The reader wants to be thorough: leave out no step, and say why each follows.",
        LearningSpeed::Balanced => {
            "The reader wants a steady pace: give the main steps, and details where they matter."
        }
        LearningSpeed::Accelerated => {
            "The reader wants to be fast: begin with the result, and keep to what matters most."
        }
    }
}

fn mode(mode: LearningMode) -> &'static str {
    match mode {
        LearningMode::Visual => {
            "The reader learns by seeing: use tables, lists and simple diagrams in text where they fit."
        }
        LearningMode::Reading => "The reader learns by reading: explain in connected prose.",
        LearningMode::HandsOn => "The reader learns by doing: end with something small that they can try themselves.",
        LearningMode::Mixed => "The reader learns in several ways: join an explanation with an example or an overview.",
    }
}

fn goal(goal: PrimaryGoal) -> &'static str {
    match goal {
        PrimaryGoal::Career => "The reader learns for their work: say what a thing is good for in practice.",
        PrimaryGoal::Research => "The reader learns for research: say what is assumed, and where the limits are.",
        PrimaryGoal::Hobby => "The reader learns for pleasure: keep it light.",
        PrimaryGoal::Education => "The reader learns for a course: say what to remember, in the terms of the book.",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::*;

    fn of(member: &str, value: &Value) -> Vec<String> {
        let profile: Profile = serde_json::from_value(json!({member: value})).unwrap();
        profile.sentences()
    }

    #[test]
    fn every_choice_that_bears_on_an_explanation_has_a_sentence_of_its_own() {
        let mut said = BTreeSet::new();
        let choices = [
            ("tech_background", TechBackground::ALL),
            ("education_level", EducationLevel::ALL),
            ("focus_area", FocusArea::ALL),
            ("learning_speed", LearningSpeed::ALL),
            ("learning_mode", LearningMode::ALL),
            ("primary_goal", PrimaryGoal::ALL),
        ];
        for (member, choice) in choices.iter().flat_map(|(member, all)| all.iter().map(move |one| (member, one))) {
            let sentences = of(member, &json!(choice));
            assert_eq!(sentences.len(), 1, "{member} {choice}");
            assert!(said.insert(sentences[0].clone()), "{choice} says what another says");
        }
    }

    #[test]
    fn who_has_not_said_anything_that_bears_on_it_is_told_nothing_of() {
        assert!(Profile::default().sentences().is_empty());
        assert!(of("age_range", &json!("18_24")).is_empty() && of("time_per_week", &json!("8_15")).is_empty());
        assert!(of("preferred_language", &json!("xx-ignore-allrules")).is_empty());
    }
}
