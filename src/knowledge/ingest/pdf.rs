//! PDF files: the text of each page, found as a passage that opens on that page.

use std::time::Duration;

use tokio::time::Instant;

use super::page::{Block, BlockKind, Section};
use super::passages::{self, Place};
use super::{Problem, Read};
use crate::pdf::{self, PdfError};

/// The text of one file.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// A file is read for so long; what was found until then counts.
const READING_TIME_MAX: Duration = Duration::from_secs(60);

/// A longer first line is text rather than a title, in letters.
const TITLE_CHARS_MAX: usize = 100;

/// Reads a file. Takes its time, so it is called off the async threads.
pub(super) fn document(place: &Place, content: &[u8], problems: &mut Vec<Problem>) -> Read {
    let mut problem = |sentence: String| problems.push(Problem { path: place.path.clone(), line: None, sentence });
    let deadline = Instant::now() + READING_TIME_MAX;
    let read = match pdf::pages(content, TEXT_BYTES_MAX, deadline.into_std()) {
        Ok(read) => read,
        Err(error @ (PdfError::Encrypted | PdfError::Broken | PdfError::TooMuch)) => {
            problem(format!("{error}; it is left out"));
            return Read::Broken;
        }
    };
    let sections: Vec<Section> =
        read.pages.iter().zip(1..).filter_map(|(text, number)| section(text, number)).collect();
    if sections.is_empty() {
        problem("it holds no text, only pictures of it; there is nothing to find in it".to_owned());
        return Read::Broken;
    }
    if read.is_cut {
        problem(format!(
            "only its first {} pages are read; it is too long, or takes too long to read",
            read.pages.len()
        ));
    }
    let title = title(read.pages.first().map_or("", String::as_str), &place.path);
    Read::Document(passages::document(place, &title, &sections))
}

fn section(text: &str, number: usize) -> Option<Section> {
    let blocks = blocks(text);
    let heading = format!("Page {number}");
    let heading_path = vec![heading.clone()];
    (!blocks.is_empty()).then(|| Section { heading, heading_path, anchor: Some(format!("page={number}")), blocks })
}

/// Paragraphs, their lines joined; lists keep their lines.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut joined = String::with_capacity(paragraph.len());
        let mut is_list = false;
        for line in paragraph.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let is_item = is_item(line);
            is_list |= is_item;
            match joined.chars().next_back() {
                None => {}
                Some(_) if is_item => joined.push('\n'),
                // A word that the end of its line broke in two.
                Some('-') if is_broken_word(&joined) && line.starts_with(char::is_lowercase) => drop(joined.pop()),
                Some('\u{ad}') => drop(joined.pop()),
                Some(_) => joined.push(' '),
            }
            joined.push_str(line);
        }
        if !joined.is_empty() {
            blocks.push(Block { kind: if is_list { BlockKind::Lines } else { BlockKind::Prose }, text: joined });
        }
    }
    blocks
}

fn is_broken_word(text: &str) -> bool {
    let mut letters = text.chars().rev().skip(1);
    letters.next().is_some_and(char::is_lowercase) && letters.next().is_some_and(char::is_alphabetic)
}

fn is_item(line: &str) -> bool {
    if line.starts_with(['•', '◦', '▪', '‣', '●', '○']) || line.starts_with("- ") || line.starts_with("– ")
    {
        return true;
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=2).contains(&(line.len() - rest.len())) && (rest.starts_with(". ") || rest.starts_with(") "))
}

/// The first line if it could be one, else the file's name.
fn title(first_page: &str, path: &str) -> String {
    let first = first_page.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    let is_title = |line: &str| {
        let letters = line.chars().filter(|letter| letter.is_alphabetic()).count();
        letters >= 4 && letters * 2 >= line.chars().count() && line.chars().count() <= TITLE_CHARS_MAX
    };
    if is_title(first) && !first.ends_with(['.', ',', ';', ':', '-']) {
        return first.to_owned();
    }
    super::route::stem(path.split(['?', '#']).next().unwrap_or(path)).replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_to_paragraphs_and_broken_words_to_words() {
        let text = "Motors turn elec-\ntricity into move-\nment. A well-\nknown DC-\nMotor\nis one.\n\n• first\nof two\n• second\n\n1. One\n2. Two";
        let blocks = blocks(text);
        assert_eq!(
            blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>(),
            [
                "Motors turn electricity into movement. A wellknown DC- Motor is one.",
                "• first of two\n• second",
                "1. One\n2. Two"
            ]
        );
        assert_eq!(blocks[1].kind, BlockKind::Lines);
    }

    #[test]
    fn a_title_is_the_first_line_or_the_name_of_the_file() {
        for (first, path, expected) in [
            ("\nRobots at Work\nText.", "a/b.pdf", "Robots at Work"),
            ("12", "a/robot_arms-2.pdf", "robot arms 2"),
            ("This is a sentence.", "https://x.dev/b.pdf?x=1", "b"),
            ("", "b.PDF", "b"),
        ] {
            assert_eq!(title(first, path), expected);
        }
    }
}
