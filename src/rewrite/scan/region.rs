//! The text of a paragraph, with what belongs together in it: the two ends of code, and of brackets.

use std::collections::HashMap;

use super::lines;

/// A stretch of text in which the two ends of something within a line can stand.
pub(super) struct Region {
    pub(super) end: usize,
    /// Code, by where it begins; where it ends.
    pub(super) code: HashMap<usize, usize>,
    /// `[` by where it stands; where its `]` stands.
    pub(super) closing: HashMap<usize, usize>,
    /// The same the other way round.
    pub(super) opening: HashMap<usize, usize>,
}

impl Region {
    /// From there to the end of the paragraph, the item, the heading or the row of a table.
    pub(super) fn at(text: &str, start: usize) -> Self {
        let (line, mut end) = lines::line(text, start);
        let is_single = lines::is_heading(line) || line.trim_start().starts_with('|');
        while !is_single && end < text.len() {
            let (line, next) = lines::line(text, end);
            if line.trim().is_empty() || lines::begins_block(line) {
                break;
            }
            end = next;
        }
        let mut region = Self { end, code: HashMap::new(), closing: HashMap::new(), opening: HashMap::new() };
        region.find_code(text, start);
        region.find_brackets(text, start);
        region
    }

    /// Code ends with as many backticks as it begins with.
    fn find_code(&mut self, text: &str, start: usize) {
        let bytes = &text.as_bytes()[..self.end];
        let mut runs = Vec::new();
        let mut at = start;
        while at < bytes.len() {
            let count = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
            if count > 0 {
                runs.push((at, count));
            }
            // A backtick behind a backslash is a letter, unless it ends code.
            at += count.max(1);
        }
        let mut next_alike: HashMap<usize, usize> = HashMap::new();
        for (at, count) in runs.into_iter().rev() {
            if let Some(next) = next_alike.insert(count, at) {
                self.code.insert(at, next + count);
            }
        }
    }

    fn find_brackets(&mut self, text: &str, start: usize) {
        let bytes = &text.as_bytes()[..self.end];
        let mut open = Vec::new();
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'`' => {
                    let count = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
                    at = self.code.get(&at).copied().unwrap_or(at + count);
                    continue;
                }
                b'[' => open.push(at),
                b']' => {
                    if let Some(open) = open.pop() {
                        self.closing.insert(open, at);
                        self.opening.insert(at, open);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}
