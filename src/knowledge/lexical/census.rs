//! Words counted over a whole collection, of which an index holds only the passages that came into question.

use std::collections::HashMap;

use super::query::{
    ALIKE_QUALITY, EARLIER_MAX, EARLIER_SHARE, JOINED_QUALITY, NUMBER_SHARE, PARTS_QUALITY, QUIET_SHARE, cut,
};
use super::terms::{Look, Term, terms};
use super::words::{alike, is_quiet, is_silent};

/// What is known of a collection without having read it.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Passages in it.
    pub passages: usize,
    /// In how many of them each word is, by its stem; words that were not counted are absent.
    pub spread: HashMap<String, usize>,
}

/// A word that passages are looked for by.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::knowledge) struct Wanted {
    /// The stem of the word.
    pub(in crate::knowledge) stem: String,
    /// How much it counts, from 0 to 1.
    pub(in crate::knowledge) share: f32,
}

/// All words by which passages may be found that answer a question, the question's own first.
///
/// Generous, because who ranks the passages afterwards knows better: words that say nearly the same and those of earlier
/// questions are always among them.
pub(in crate::knowledge) fn wanted(query: &str, earlier: &[String]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let latest = earlier[earlier.len().saturating_sub(EARLIER_MAX)..].iter().rev();
    let questions = std::iter::once((query, 1.0)).chain(latest.map(|question| (question.as_str(), EARLIER_SHARE)));
    for (question, share) in questions {
        let read: Vec<Term> = terms(cut(question)).collect();
        let telling = |term: &&Term| !is_silent(&term.form) || term.look == Look::Identifier;
        let mut asked: Vec<&Term> = read.iter().filter(telling).collect();
        if asked.is_empty() {
            asked = read.iter().collect();
        }
        for (place, term) in asked.iter().enumerate() {
            let own = match term.look {
                Look::Number => NUMBER_SHARE,
                Look::Word | Look::Name if is_quiet(&term.stem) => QUIET_SHARE,
                Look::Word | Look::Name | Look::Identifier => 1.0,
            };
            add(&mut wanted, &term.stem, share * own);
            for part in &term.parts {
                add(&mut wanted, part, share * PARTS_QUALITY);
            }
            if let Some(next) = asked.get(place + 1) {
                add(&mut wanted, &format!("{}{}", term.form, next.form), share * JOINED_QUALITY);
            }
        }
        for term in asked.iter().filter(|term| !is_quiet(&term.stem)) {
            for other in alike(&term.stem) {
                add(&mut wanted, other, share * ALIKE_QUALITY);
            }
        }
    }
    wanted
}

fn add(wanted: &mut Vec<Wanted>, stem: &str, share: f32) {
    match wanted.iter_mut().find(|known| known.stem == stem) {
        Some(known) => known.share = known.share.max(share),
        None => wanted.push(Wanted { stem: stem.to_owned(), share }),
    }
}
