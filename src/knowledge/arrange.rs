//! What is handed out of a ranking: parts of one section as one passage, and nothing said twice.
//!
//! Both knowledge bases end here, after they have ranked.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use super::{Found, Passage};

/// The longest passage that is put together of several, in letters: a screenful or two, which a citation still points
/// into.
pub const JOINED_CHARS_MAX: usize = 2_400;
/// Most places of one section, so that a long one leaves room for others.
const SECTION_PLACES: usize = 2;
/// Two passages that share this much of their words say the same.
const SAME_SHARE: f32 = 0.9;

/// A passage that is handed out, and what it is put together of.
struct Place<'a> {
    /// In reading order.
    parts: Vec<Arc<Passage>>,
    score: f32,
    words: Words<'a>,
}

/// Words in lower case, each once and in order.
type Words<'a> = Vec<Cow<'a, str>>;

/// The passages to hand out, best first, at most `limit`, of those that were ranked, best first.
///
/// Passages that follow one another in one section become one, which keeps the address they share and the score of the
/// best. Passages under different headings stay apart, even when they touch: each has an anchor of its own, and a
/// sentence is cited where it stands. Of passages that say the same, on whatever page, the best stays.
pub fn arrange(ranked: &[(Arc<Passage>, f32)], limit: usize) -> Vec<Found> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for (passage, score) in ranked {
        let words = words(&passage.text);
        if places.iter().any(|place| place.says(passage, &words)) {
            continue;
        }
        if let Some(place) = places.iter_mut().find(|place| place.takes(passage)) {
            place.add(Arc::clone(passage), words);
            continue;
        }
        let of_section = places.iter().filter(|place| same_section(&place.parts[0], passage)).count();
        // What comes after the last place may still belong to one before it.
        if of_section < SECTION_PLACES && places.len() < limit {
            places.push(Place { parts: vec![Arc::clone(passage)], score: *score, words });
        }
    }
    places.into_iter().map(Place::found).collect()
}

impl<'a> Place<'a> {
    /// Whether this passage, or nearly this one, is here already.
    fn says(&self, passage: &Passage, words: &[Cow<'_, str>]) -> bool {
        self.parts.iter().any(|part| part.id == passage.id) || same(&self.words, words)
    }

    /// Whether the passage stands right before or right after, in the same section, and there is room for it.
    fn takes(&self, passage: &Passage) -> bool {
        let (first, last) = (&self.parts[0], &self.parts[self.parts.len() - 1]);
        let touches = passage.position.checked_add(1) == Some(first.position)
            || last.position.checked_add(1) == Some(passage.position);
        let letters = |passage: &Passage| passage.text.chars().count() + 2;
        touches
            && same_section(first, passage)
            && self.parts.iter().map(|part| letters(part)).sum::<usize>() + letters(passage) <= JOINED_CHARS_MAX
    }

    fn add(&mut self, passage: Arc<Passage>, words: Words<'a>) {
        let at = self.parts.partition_point(|part| part.position < passage.position);
        self.parts.insert(at, passage);
        self.words.extend(words);
        self.words.sort_unstable();
        self.words.dedup();
    }

    fn found(self) -> Found {
        let score = self.score;
        let passage = match <[_; 1]>::try_from(self.parts) {
            Ok([only]) => only,
            Err(parts) => {
                let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n\n");
                Arc::new(Passage { text, ..Passage::clone(&parts[0]) })
            }
        };
        Found { passage, score }
    }
}

fn same_section(one: &Passage, other: &Passage) -> bool {
    one.path == other.path && one.url == other.url && one.heading_path == other.heading_path
}

/// The words of a text. Most are in lower case as they stand, and are not copied.
fn words(text: &str) -> Words<'_> {
    let letters = |c: char| !c.is_alphanumeric();
    let is_lower = |word: &str| word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    let lower = |word| if is_lower(word) { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) };
    let mut words: Words<'_> = text.split(letters).filter(|word| !word.is_empty()).map(lower).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Whether two texts say the same in the same words; a number that differs makes them different.
fn same(ones: &[Cow<'_, str>], others: &[Cow<'_, str>]) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a passage has a few hundred words")]
    let too_many = |different: usize, of: usize| different as f32 > (1.0 - SAME_SHARE) * of as f32;
    let (mut one, mut other, mut shared, mut different) = (0, 0, 0, 0);
    while one < ones.len() || other < others.len() {
        let order = match (ones.get(one), others.get(other)) {
            (Some(one), Some(other)) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let only = match order {
            Ordering::Less => Some(&ones[one]),
            Ordering::Greater => Some(&others[other]),
            Ordering::Equal => None,
        };
        one += usize::from(order.is_le());
        other += usize::from(order.is_ge());
        match only {
            None => shared += 1,
            Some(word) => {
                different += 1;
                // Together they have no more words than both for themselves, so most are told apart early.
                if word.contains(char::is_numeric) || too_many(different, ones.len() + others.len()) {
                    return false;
                }
            }
        }
    }
    shared + different > 0 && !too_many(different, shared + different)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(path: &str, anchor: &str, position: u32, text: &str) -> Arc<Passage> {
        Arc::new(Passage {
            id: format!("{path}:{position}"),
            path: path.to_owned(),
            title: "Title".to_owned(),
            heading: anchor.to_owned(),
            heading_path: vec![anchor.to_owned()],
            url: format!("/docs/{path}#{anchor}"),
            module: None,
            week: None,
            position,
            text: text.to_owned(),
        })
    }

    #[track_caller]
    fn check(ranked: &[(&Arc<Passage>, f32)], limit: usize, expected: &[(&str, &str, f32)]) {
        let ranked: Vec<_> = ranked.iter().map(|&(passage, score)| (Arc::clone(passage), score)).collect();
        let found = arrange(&ranked, limit);
        let shown: Vec<_> =
            found.iter().map(|found| (found.passage.id.as_str(), found.passage.text.as_str(), found.score)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn parts_of_a_section_become_one_in_reading_order() {
        let (one, two, three) =
            (passage("a", "x", 4, "One."), passage("a", "x", 5, "Two."), passage("a", "x", 6, "Three."));
        check(&[(&two, 0.9), (&one, 0.5), (&three, 0.4)], 3, &[("a:4", "One.\n\nTwo.\n\nThree.", 0.9)]);
    }

    #[test]
    fn parts_that_do_not_touch_or_have_another_anchor_stay_apart() {
        let (one, three) = (passage("a", "x", 4, "One."), passage("a", "x", 6, "Three."));
        let (next, other) = (passage("a", "y", 5, "Next."), passage("b", "x", 5, "Other."));
        check(
            &[(&one, 0.9), (&three, 0.8), (&next, 0.7), (&other, 0.6)],
            9,
            &[("a:4", "One.", 0.9), ("a:6", "Three.", 0.8), ("a:5", "Next.", 0.7), ("b:5", "Other.", 0.6)],
        );
    }

    #[test]
    fn a_joined_passage_has_a_limit_and_so_has_a_section() {
        let long = |position| passage("a", "x", position, &format!("{} ", letter(position)).repeat(250));
        let parts: Vec<_> = (0..6).map(long).collect();
        let ranked: Vec<_> = parts.iter().map(|part| (Arc::clone(part), 0.5)).collect();
        let found = arrange(&ranked, 9);
        assert_eq!(found.len(), SECTION_PLACES);
        assert!(found.iter().all(|found| found.passage.text.chars().count() <= JOINED_CHARS_MAX));
        assert!(found[0].passage.text.starts_with("aaa ") && found[0].passage.text.contains("bbb "));
    }

    fn letter(position: u32) -> String {
        char::from_u32(u32::from('a') + position).unwrap().to_string().repeat(3)
    }

    #[test]
    fn what_another_page_repeats_is_left_out_unless_a_number_differs() {
        let text = "The heap is turned once a month so that the air gets in and the worms stay happy in it all year.";
        let (one, copy) = (passage("v2", "x", 0, text), passage("v1", "x", 0, &text.replace("happy", "glad")));
        let other = passage("v3", "x", 0, &text.replace("once", "4 times"));
        check(&[(&one, 0.9), (&copy, 0.8), (&other, 0.7)], 9, &[("v2:0", text, 0.9), ("v3:0", &other.text, 0.7)]);
    }

    #[test]
    fn the_limit_counts_what_is_handed_out() {
        let (one, two) = (passage("a", "x", 0, "One."), passage("a", "x", 1, "Two."));
        let (three, four) = (passage("b", "y", 0, "Three."), passage("c", "z", 0, "Four."));
        let joined = ("a:0", "One.\n\nTwo.", 0.9);
        check(&[(&one, 0.9), (&three, 0.8), (&four, 0.7), (&two, 0.6)], 2, &[joined, ("b:0", "Three.", 0.8)]);
        check(&[(&one, 0.9)], 0, &[]);
    }

    proptest! {
        #[test]
        fn nothing_is_invented_and_the_order_of_scores_stays(
            ranked in prop::collection::vec((0..3u32, 0..3u32, 0..6u32, "[a-c ]{0,8}", 0.0..1.0f32), 0..12),
            limit in 0..5usize,
        ) {
            let mut ranked: Vec<_> = ranked
                .iter()
                .map(|(path, anchor, position, text, score)| {
                    (passage(&path.to_string(), &anchor.to_string(), *position, text), *score)
                })
                .collect();
            ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
            let found = arrange(&ranked, limit);
            prop_assert!(found.len() <= limit);
            prop_assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for found in &found {
                prop_assert!(ranked.iter().any(|(passage, score)| passage.url == found.passage.url && *score == found.score));
                let known = |part: &str| ranked.iter().any(|(passage, _)| passage.text == part);
                prop_assert!(found.passage.text.split("\n\n").all(known));
            }
        }
    }
}
