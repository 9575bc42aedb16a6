//! The anchors of headings, made the way the book's site makes them.

use std::collections::HashMap;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Hands out the anchors of one page; the same heading twice gets `-1`, `-2`, …
#[derive(Debug, Default)]
pub(super) struct Slugger {
    /// How often a slug was counted up, by slug handed out.
    occurrences: HashMap<String, usize>,
}

impl Slugger {
    /// The anchor of the next heading with this text, without `#`; may be empty when nothing of the text can be kept.
    pub(super) fn anchor(&mut self, heading: &str) -> String {
        let plain = slug(heading);
        let mut anchor = plain.clone();
        while self.occurrences.contains_key(&anchor) {
            let count = self.occurrences.entry(plain.clone()).or_default();
            *count += 1;
            anchor = format!("{plain}-{count}");
        }
        self.occurrences.insert(anchor.clone(), 0);
        anchor
    }
}

/// Lower case, spaces to hyphens, and only letters, marks, decimal digits, connectors and hyphens kept.
fn slug(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|&letter| stays(letter)).map(|l| if l == ' ' { '-' } else { l }).collect()
}

fn stays(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    }
    letter.is_alphabetic()
        || matches!(
            letter.general_category(),
            GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
                | GeneralCategory::EnclosingMark
                | GeneralCategory::DecimalNumber
                | GeneralCategory::ConnectorPunctuation
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_the_site() {
        for (heading, anchor) in [
            ("Joints (The Muscles/Hinges)", "joints-the-muscleshinges"),
            ("Submission & Verification", "submission--verification"),
            ("3. The Body (Actuation)", "3-the-body-actuation"),
            ("Visual Geometry vs. Collision Geometry", "visual-geometry-vs-collision-geometry"),
            ("The Loop: Sense -> Think -> Act", "the-loop-sense---think---act"),
            ("create_timer()", "create_timer"),
            ("🚀 Launch", "-launch"),
            ("Straße & Élan", "straße--élan"),
            ("روبوٹ کیا ہے؟", "روبوٹ-کیا-ہے"),
            ("हिन्दी में", "हिन्दी-में"),
            ("机器人 学", "机器人-学"),
            ("x² and Ⅳ", "x-and-ⅳ"),
            ("C++ / C#", "c--c"),
            ("it’s — “quoted”", "its--quoted"),
            ("\u{26a0}\u{fe0f} Careful", "\u{fe0f}-careful"),
        ] {
            assert_eq!(Slugger::default().anchor(heading), anchor, "{heading}");
        }
    }

    #[test]
    fn a_repeated_heading_is_counted_and_never_collides() {
        let mut slugger = Slugger::default();
        let anchors: Vec<_> = ["Code", "Code", "Code 1", "Code", "code-1"].map(|h| slugger.anchor(h)).into();
        assert_eq!(anchors, ["code", "code-1", "code-1-1", "code-2", "code-1-2"]);
    }
}
