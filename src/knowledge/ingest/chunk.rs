//! Cuts sections into passages: a section each, and a long section between its blocks.

use unicode_segmentation::UnicodeSegmentation;

use super::page::{Block, BlockKind};

/// The longest passage, in letters; only a single line of code may be longer.
///
/// About a screenful: enough to answer from, and a citation of it still points at one thing.
pub const PASSAGE_CHARS_MAX: usize = 1_200;

/// Counts up when the same page would be cut differently, so that everything is ingested anew.
pub(super) const CHUNKER_VERSION: u32 = 1;

/// The texts of the passages of a section, in order.
pub(super) fn cut(blocks: &[Block]) -> Vec<String> {
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
    parts
        .into_iter()
        .map(|part| part.trim_end().trim_start_matches('\n').to_owned())
        .filter(|part| !part.trim().is_empty())
        .collect()
}

/// A fence longer than any inside the code.
fn fence_for(code: &str) -> String {
    let longest =
        code.lines().map(|line| line.trim_start().chars().take_while(|&c| c == '`').count()).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(kind: BlockKind, text: &str) -> Block {
        Block { kind, text: text.to_owned() }
    }

    #[test]
    fn a_short_section_is_one_passage() {
        let blocks = [
            block(BlockKind::Prose, "One."),
            block(BlockKind::Code("py".into()), "x = 1"),
            block(BlockKind::Lines, "- a\n- b"),
        ];
        assert_eq!(cut(&blocks), ["One.\n\n```py\nx = 1\n```\n\n- a\n- b"]);
    }

    #[test]
    fn long_code_is_cut_between_lines_and_every_part_has_its_fence() {
        let line = format!("{}\n", "x".repeat(500));
        let passages = cut(&[block(BlockKind::Code("py".into()), &line.repeat(5))]);
        assert_eq!(passages.len(), 3);
        assert!(passages.iter().all(|p| p.starts_with("```py\n") && p.ends_with("\n```")));
    }

    #[test]
    fn a_line_of_code_is_never_cut_and_an_inner_fence_is_kept_inside() {
        let long = "y".repeat(PASSAGE_CHARS_MAX * 2);
        assert!(cut(&[block(BlockKind::Code(String::new()), &long)])[0].contains(&long));
        assert_eq!(cut(&[block(BlockKind::Code("md".into()), "```\na\n```")]), ["````md\n```\na\n```\n````"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_order_stays(texts in prop::collection::vec("[a-z .\n]{0,900}|[a-zé]{1500,1600}", 0..8), kinds in prop::collection::vec(0..3usize, 8)) {
            let blocks: Vec<Block> = texts
                .iter()
                .zip(kinds)
                .map(|(text, kind)| block([BlockKind::Prose, BlockKind::Lines, BlockKind::Code("X".into())][kind].clone(), text))
                .collect();
            let passages = cut(&blocks);
            let letters_of = |text: &str| text.replace("```X", "").replace("```", "").split_whitespace().collect::<String>();
            prop_assert_eq!(letters_of(&passages.concat()), letters_of(&texts.concat()));
            prop_assert!(passages.iter().all(|p| letters(p) <= PASSAGE_CHARS_MAX || p.contains("```")));
        }
    }
}
