//! Cuts sections into passages: a section each, and a long section between its blocks.

use unicode_segmentation::UnicodeSegmentation;

use super::page::{Block, BlockKind};

/// The longest passage, in letters; only a single line of code may be longer.
///
/// About a screenful: enough to answer from, and a citation of it still points at one thing.
pub const PASSAGE_CHARS_MAX: usize = 1_200;

/// Counts up when the same page would be cut differently, so that everything is ingested anew.
pub const CHUNKER_VERSION: u32 = 1;

/// The texts of the passages of a section, in order.
pub fn cut(blocks: &[Block]) -> Vec<String> {
    let mut passages = Vec::new();
    let mut passage = String::new();
    for part in blocks.iter().flat_map(parts) {
        if !passage.is_empty() && letters(&passage) + 2 + letters(&part) > PASSAGE_CHARS_MAX {
            passages.push(std::mem::take(&mut passage));
        }
        if !passage.is_empty() {
            passage.push_str("\n\n");
        }
        passage.push_str(&part);
    }
    if !passage.is_empty() {
        passages.push(passage);
    }
    passages
}

/// A block, or its parts when it is too long for a passage.
fn parts(block: &Block) -> Vec<String> {
    match &block.kind {
        BlockKind::Code(info) => {
            let fence = fence_for(&block.text);
            let room = PASSAGE_CHARS_MAX.saturating_sub(2 * fence.len() + letters(info) + 2);
            let parts = pack(block.text.split_inclusive('\n').map(str::to_owned), room);
            parts.iter().map(|code| format!("{fence}{info}\n{}\n{fence}", code.trim_end_matches('\n'))).collect()
        }
        BlockKind::Prose | BlockKind::Lines if letters(&block.text) <= PASSAGE_CHARS_MAX => vec![block.text.clone()],
        BlockKind::Lines => trimmed(pack(block.text.split_inclusive('\n').flat_map(short_enough), PASSAGE_CHARS_MAX)),
        BlockKind::Prose => trimmed(pack(short_enough(&block.text).into_iter(), PASSAGE_CHARS_MAX)),
    }
}

/// Sentences, and words or even letters of what is too long for a sentence.
fn short_enough(text: &str) -> Vec<String> {
    if letters(text) <= PASSAGE_CHARS_MAX {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    for sentence in text.split_sentence_bounds() {
        if letters(sentence) <= PASSAGE_CHARS_MAX {
            pieces.push(sentence.to_owned());
            continue;
        }
        for word in sentence.split_inclusive(char::is_whitespace) {
            let word: Vec<char> = word.chars().collect();
            pieces.extend(word.chunks(PASSAGE_CHARS_MAX).map(|chunk| chunk.iter().collect()));
        }
    }
    pieces
}

/// Puts pieces together as long as they fit, one after the other.
fn pack(pieces: impl Iterator<Item = String>, room: usize) -> Vec<String> {
    let mut packed: Vec<String> = Vec::new();
    let mut used = usize::MAX;
    for piece in pieces {
        let length = letters(&piece);
        match packed.last_mut() {
            Some(last) if used.saturating_add(length) <= room => {
                last.push_str(&piece);
                used += length;
            }
            Some(_) | None => {
                packed.push(piece);
                used = length;
            }
        }
    }
    packed
}

fn trimmed(parts: Vec<String>) -> Vec<String> {
    parts.into_iter().map(|part| part.trim_end().trim_start_matches('\n').to_owned()).filter(|part| !part.trim().is_empty()).collect()
}

/// A fence longer than any inside the code.
fn fence_for(code: &str) -> String {
    let longest = code.lines().map(|line| line.trim_start().chars().take_while(|&c| c == '`').count()).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn letters(text: &str) -> usize {
    text.chars().count()
}
