//! Words as sparse vectors: which number a word has, and what the scores of single words tell of a collection.

use std::collections::HashMap;

use qdrant_client::qdrant::SparseVector;

use crate::knowledge::lexical::Wanted;

/// A word that every document's record has, and nothing else: from how rare it is follows how many documents there are.
pub(super) const DOCUMENT_MARK: &str = "\u{1}document";
/// A word that only the collection's record has: from how rare it is follows how many points there are.
pub(super) const COLLECTION_MARK: &str = "\u{1}collection";
/// A word for passages that have none.
pub(super) const SILENT_MARK: &str = "\u{1}silent";

/// The number of a word. Two words may share one; among a hundred thousand words about one pair does.
pub(super) fn number(stem: &str) -> u32 {
    let hash = stem
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let folded = (hash >> 32) ^ (hash & u64::from(u32::MAX));
    u32::try_from(folded).expect("half of the bits of a u64 fit into a u32")
}

/// A vector of words, each with its weight.
pub(super) fn vector<'a>(words: impl IntoIterator<Item = (&'a str, f32)>) -> SparseVector {
    let mut weights: HashMap<u32, f32> = HashMap::new();
    for (stem, weight) in words {
        let known = weights.entry(number(stem)).or_default();
        *known = known.max(weight);
    }
    let mut weights: Vec<(u32, f32)> = weights.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
    if weights.is_empty() {
        weights.push((number(SILENT_MARK), 1.0));
    }
    weights.sort_unstable_by_key(|(number, _)| *number);
    SparseVector {
        indices: weights.iter().map(|(number, _)| *number).collect(),
        values: weights.iter().map(|(_, weight)| *weight).collect(),
    }
}

/// The vector of a question.
pub(super) fn question(wanted: &[Wanted]) -> SparseVector {
    vector(wanted.iter().map(|word| (word.stem.as_str(), word.share)))
}

/// The rarity that a server gave a word, by the score of a point for this word alone.
pub(super) fn rarity(score: f32, vector: &SparseVector, word: u32) -> Option<f32> {
    let at = vector.indices.iter().position(|index| *index == word)?;
    let value = *vector.values.get(at)?;
    (value > 0.0 && score.is_finite()).then(|| score / value)
}

/// How many points there are, by the rarity of a word that one of them has.
pub(super) fn points(rarity_of_one: f32) -> f64 {
    // rarity = ln((all - n + 0.5) / (n + 0.5) + 1), with n = 1
    (f64::from(rarity_of_one).exp_m1() * 1.5 + 0.5).max(1.0)
}

/// How many points have a word, by its rarity among `all`.
pub(super) fn spread(rarity: f32, all: f64) -> usize {
    let odds = f64::from(rarity).exp_m1();
    let spread = ((all + 0.5 - 0.5 * odds) / (1.0 + odds)).round().clamp(1.0, all);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between one and a count")]
    let spread = spread as usize;
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rarity_of(spread: f32, all: f32) -> f32 {
        ((all - spread + 0.5) / (spread + 0.5) + 1.0).ln()
    }

    #[test]
    fn counts_are_read_off_from_how_rare_words_are() {
        for all in [2u16, 3, 17, 1_000, 60_000] {
            let found = points(rarity_of(1.0, f32::from(all)));
            assert!((found / f64::from(all) - 1.0).abs() < 1e-3, "{all}: {found}");
            for spread_of in [1u16, 2, 7, 150, 999, 59_999].into_iter().filter(|spread| *spread <= all) {
                let found = spread(rarity_of(f32::from(spread_of), f32::from(all)), f64::from(all));
                let off = found.abs_diff(usize::from(spread_of));
                assert!(off <= usize::from(spread_of) / 500, "{spread_of} of {all}: {found}");
            }
        }
    }

    #[test]
    fn a_vector_has_every_number_once_and_in_order() {
        let vector = vector([("robot", 0.5), ("joint", 0.25), ("robot", 0.75), ("nothing", 0.0)]);
        assert_eq!(vector.indices.len(), 2);
        assert!(vector.indices.is_sorted());
        let robot = vector.indices.iter().position(|index| *index == number("robot")).unwrap();
        assert!((vector.values[robot] - 0.75).abs() < f32::EPSILON);
        assert_eq!(super::vector([]).indices, [number(SILENT_MARK)]);
    }
}
