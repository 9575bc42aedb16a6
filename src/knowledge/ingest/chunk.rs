//! Cuts sections into passages: a section each, and a long section between its blocks.

use unicode_segmentation::UnicodeSegmentation;

use super::page::{Block, BlockKind};

/// The longest passage, in letters; only a single line of code may be longer.
///
/// About a screenful: enough to answer from, and a citation of it still points at one thing.
pub const PASSAGE_CHARS_MAX: usize = 1_200;

/// Counts up when the same page would be cut differently, so that everything is ingested anew.
pub(super) const CHUNKER_VERSION: u32 = 2;

/// The longest head of a table, or sentence before a list, that each part of it repeats, in letters.
const LEAD_CHARS_MAX: usize = 300;

/// The texts of the passages of a section, in order.
///
/// A row without the names of its columns says little, and so does an item without the sentence it completes. So where a
/// table or a list is cut, each part of it begins with them.
pub(super) fn cut(blocks: &[Block]) -> Vec<String> {
    let mut passages = Vec::new();
    let mut passage = String::new();
    for (number, block) in blocks.iter().enumerate() {
        let lead = number.checked_sub(1).and_then(|before| lead_in(&blocks[before], block));
        for part in parts(block, lead) {
            if !passage.is_empty() && letters(&passage) + 2 + letters(&part) > PASSAGE_CHARS_MAX {
                passages.push(std::mem::take(&mut passage));
                passage.push_str(lead.unwrap_or(""));
            }
            if !passage.is_empty() {
                passage.push_str("\n\n");
            }
            passage.push_str(&part);
        }
    }
    if !passage.is_empty() {
        passages.push(passage);
    }
    passages
}

/// The sentence that a list completes.
fn lead_in<'a>(before: &'a Block, block: &Block) -> Option<&'a str> {
    let leads = block.kind == BlockKind::Lines && before.kind == BlockKind::Prose && before.text.ends_with(':');
    leads.then_some(before.text.as_str()).filter(|lead| letters(lead) <= LEAD_CHARS_MAX)
}

/// A block, or its parts when it is too long for a passage with its lead.
fn parts(block: &Block, lead: Option<&str>) -> Vec<String> {
    let room = PASSAGE_CHARS_MAX - lead.map_or(0, |lead| letters(lead) + 2);
    match &block.kind {
        BlockKind::Code(info) => {
            let fence = fence_for(&block.text);
            let room = room.saturating_sub(2 * fence.len() + letters(info) + 2);
            let parts = pack(block.text.split_inclusive('\n').map(str::to_owned), room);
            parts.iter().map(|code| format!("{fence}{info}\n{}\n{fence}", code.trim_end_matches('\n'))).collect()
        }
        BlockKind::Prose | BlockKind::Lines | BlockKind::Table if letters(&block.text) <= room => {
            vec![block.text.clone()]
        }
        BlockKind::Prose => trimmed(pack(short_enough(&block.text, room).into_iter(), room)),
        BlockKind::Lines => lines(&block.text, room),
        BlockKind::Table => match block.text.split_once('\n') {
            Some((head, rows)) if letters(head) <= LEAD_CHARS_MAX => {
                lines(rows, room - letters(head) - 1).iter().map(|rows| format!("{head}\n{rows}")).collect()
            }
            Some(_) | None => lines(&block.text, room),
        },
    }
}

fn lines(text: &str, room: usize) -> Vec<String> {
    trimmed(pack(text.split_inclusive('\n').flat_map(|line| short_enough(line, room)), room))
}

/// Sentences, and words or even letters of what is too long for a sentence.
fn short_enough(text: &str, room: usize) -> Vec<String> {
    if letters(text) <= room {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    for sentence in text.split_sentence_bounds() {
        if letters(sentence) <= room {
            pieces.push(sentence.to_owned());
            continue;
        }
        for word in sentence.split_inclusive(char::is_whitespace) {
            let word: Vec<char> = word.chars().collect();
            pieces.extend(word.chunks(room).map(|chunk| chunk.iter().collect()));
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

    #[test]
    fn every_part_of_a_long_table_has_the_names_of_its_columns() {
        let rows: Vec<String> = (0..60).map(|row| format!("Motor {row} | {row} N·m | quiet and strong")).collect();
        let table = block(BlockKind::Table, &format!("Name | Torque | Remark\n{}", rows.join("\n")));
        let passages = cut(&[block(BlockKind::Prose, "All motors."), table, block(BlockKind::Prose, "Done.")]);
        assert!(passages.len() > 1, "{passages:?}");
        let of_table = |passage: &String| passage.contains("Name | Torque | Remark\nMotor ");
        assert!(passages.iter().all(of_table), "{passages:?}");
        assert!(passages.iter().all(|passage| letters(passage) <= PASSAGE_CHARS_MAX));
        let all = passages.concat();
        assert!(rows.iter().all(|row| all.matches(row.as_str()).count() == 1));
    }

    #[test]
    fn a_head_as_long_as_a_passage_is_not_repeated() {
        let head = "long name | ".repeat(50);
        let rows = "a | b\n".repeat(300);
        let passages = cut(&[block(BlockKind::Table, &format!("{head}\n{rows}"))]);
        assert_eq!(passages.concat().matches("long name").count(), 50);
    }

    #[test]
    fn every_part_of_a_long_list_has_the_sentence_it_completes() {
        let items = format!("- {}\n", "x".repeat(300)).repeat(9);
        let list = block(BlockKind::Lines, items.trim_end());
        let lead = block(BlockKind::Prose, "Before you switch it on, check these:");
        let passages = cut(&[block(BlockKind::Prose, &"y".repeat(1_000)), lead.clone(), list.clone()]);
        assert!(
            passages.len() >= 4
                && passages[1..].iter().all(|p| p.starts_with("Before you switch it on, check these:\n\n- "))
        );
        assert!(passages.iter().all(|passage| letters(passage) <= PASSAGE_CHARS_MAX));
        assert!(cut(&[block(BlockKind::Prose, "A sentence."), list]).concat().matches("A sentence.").count() == 1);
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
