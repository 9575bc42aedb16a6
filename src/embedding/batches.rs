//! How texts are put together into requests, and how a text is cut that is longer than a model takes.

use std::ops::Range;

/// Bytes of a token, few enough to be true of code and of other scripts: rather too many tokens are counted than too
/// few.
const TOKEN_BYTES: usize = 3;

/// Bytes that a number takes in an answer: with all its digits, on a line of its own, after blanks.
const NUMBER_BYTES: usize = 32;

/// So much of an answer is vectors; more texts go into another request.
const VECTORS_BYTES: usize = 16 << 20;

/// What goes into one request at most; a single text always goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Texts.
    pub texts: usize,
    /// Tokens of all texts together, as they are counted here.
    pub tokens: usize,
}

impl BatchLimits {
    /// The same, with no more texts than an answer can hold vectors of this length for.
    #[must_use]
    pub fn answered_with(self, dimensions: u32) -> Self {
        let vector_bytes = NUMBER_BYTES * (dimensions as usize).max(1);
        Self { texts: self.texts.min(VECTORS_BYTES / vector_bytes).max(1), ..self }
    }
}

/// The texts of each request, one after the other.
pub(super) fn batches(texts_bytes: impl IntoIterator<Item = usize>, limits: BatchLimits) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut batch, mut tokens) = (0..0, 0);
    for text_bytes in texts_bytes {
        let text_tokens = tokens_of(text_bytes);
        if !batch.is_empty() && (batch.len() >= limits.texts || tokens + text_tokens > limits.tokens) {
            batches.push(batch.clone());
            (batch, tokens) = (batch.end..batch.end, 0);
        }
        batch.end += 1;
        tokens += text_tokens;
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn tokens_of(bytes: usize) -> usize {
    bytes.div_ceil(TOKEN_BYTES)
}

/// How many bytes of a text a model takes that takes so many tokens.
pub(super) fn bytes_of(tokens: usize) -> usize {
    tokens.saturating_mul(TOKEN_BYTES)
}

/// As much of the beginning as fits, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_batch_ends_where_texts_or_tokens_would_be_too_many() {
        let check = |texts, tokens, expected: &[Range<usize>]| {
            let limits = BatchLimits { texts, tokens };
            assert_eq!(batches([30, 30, 30, 90, 3], limits), expected, "{limits:?}");
        };
        check(5, 1000, std::slice::from_ref(&(0..5)));
        check(2, 1000, &[0..2, 2..4, 4..5]);
        check(5, 20, &[0..2, 2..3, 3..4, 4..5]);
        check(0, 0, &[0..1, 1..2, 2..3, 3..4, 4..5]);
        assert!(batches([], BatchLimits { texts: 1, tokens: 1 }).is_empty());
    }

    #[test]
    fn long_vectors_leave_room_for_fewer_texts() {
        let limits = BatchLimits { texts: 2048, tokens: 1 };
        assert_eq!(limits.answered_with(1536).texts, 341);
        assert_eq!(limits.answered_with(u32::MAX).texts, 1);
        assert_eq!(limits.answered_with(0).texts, 2048);
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_in_order_and_no_batch_of_several_is_too_large(
            sizes in proptest::collection::vec(0_usize..5000, 0..60), texts in 0_usize..10, tokens in 0_usize..3000
        ) {
            let limits = BatchLimits { texts, tokens };
            let batches = batches(sizes.iter().copied(), limits);
            let all: Vec<usize> = batches.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
            for batch in batches {
                let sum: usize = sizes[batch.clone()].iter().map(|bytes| tokens_of(*bytes)).sum();
                prop_assert!(batch.len() == 1 || (batch.len() <= texts && sum <= tokens));
            }
        }

        #[test]
        fn a_text_is_cut_between_characters(text in "\\PC{0,40}", bytes_max in 0_usize..100) {
            let cut = cut(&text, bytes_max);
            prop_assert!(cut.len() <= bytes_max && text.starts_with(cut));
            prop_assert!(cut.len() == text.len() || bytes_max - cut.len() < 4);
        }
    }
}
