//! The yardstick: looking through everything, with no index at all.

use std::sync::Arc;

use chatkit_gateway::knowledge::Passage;

/// The passages with most of the question's words, by looking at every word of every passage.
pub fn search(passages: &[Arc<Passage>], question: &str, limit: usize) -> Vec<usize> {
    let question = question.to_lowercase();
    let wanted: Vec<&str> = question.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3).collect();
    best(
        limit,
        passages.iter().map(|passage| {
            let words = passage.heading.split(|c: char| !c.is_alphanumeric());
            let words = words.chain(passage.text.split(|c: char| !c.is_alphanumeric()));
            let mut found = vec![false; wanted.len()];
            for word in words {
                for (found, wanted) in found.iter_mut().zip(&wanted) {
                    *found |= word.eq_ignore_ascii_case(wanted);
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a question has a few words")]
            let score = found.iter().filter(|&&found| found).count() as f32;
            score
        }),
    )
}

/// The vectors nearest to this one, one after the other.
pub fn nearest(vectors: &[f32], asked: &[f32], limit: usize) -> Vec<usize> {
    let cosine = |vector: &[f32]| vector.iter().zip(asked).map(|(one, other)| one * other).sum::<f32>();
    best(limit, vectors.chunks_exact(asked.len()).map(cosine))
}

fn best(limit: usize, scores: impl Iterator<Item = f32>) -> Vec<usize> {
    let mut best: Vec<(f32, usize)> = Vec::new();
    for (number, score) in scores.enumerate() {
        if best.len() < limit || score > best[limit - 1].0 {
            best.push((score, number));
            best.sort_by(|one, other| other.0.total_cmp(&one.0));
            best.truncate(limit);
        }
    }
    best.into_iter().map(|(_, number)| number).collect()
}
