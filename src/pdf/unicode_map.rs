//! `ToUnicode`: which characters the codes of a font mean, as the file says.

use std::collections::BTreeMap;

use super::object::{Lexer, Object, Token};

/// Codes that are told one by one or as ranges.
const ENTRIES_MAX: usize = 20_000;

/// One code means at most so many UTF-16 code units: a ligature, not a page.
const UNITS_MAX: usize = 16;

/// Codes and their characters; a range is kept as one entry.
#[derive(Debug, Default)]
pub(super) struct UnicodeMap {
    /// By the first code of a range: the last one, and what the first one means.
    ranges: BTreeMap<u32, (u32, Vec<u16>)>,
}

impl UnicodeMap {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut lexer = Lexer::new(bytes, 0);
        while let Some(token) = lexer.token() {
            match token {
                Token::Word(b"beginbfchar") => while map.read_char(&mut lexer).is_some() {},
                Token::Word(b"beginbfrange") => while map.read_range(&mut lexer).is_some() {},
                _ => {}
            }
        }
        map
    }

    /// What a code means, if it is told.
    pub(super) fn get(&self, code: u32) -> Option<String> {
        let (first, (last, units)) = self.ranges.range(..=code).next_back()?;
        if code > *last {
            return None;
        }
        let mut units = units.clone();
        if let Some(unit) = units.last_mut() {
            *unit = unit.wrapping_add((code - first) as u16);
        }
        Some(String::from_utf16_lossy(&units))
    }

    fn read_char(&mut self, lexer: &mut Lexer<'_>) -> Option<()> {
        let code = text(lexer)?;
        let means = text(lexer)?;
        self.insert(number(&code), number(&code), &means)
    }

    fn read_range(&mut self, lexer: &mut Lexer<'_>) -> Option<()> {
        let (first, last) = (number(&text(lexer)?), number(&text(lexer)?));
        match lexer.object()? {
            Object::Text(means) => self.insert(first, last, &means),
            Object::Array(means) => {
                for (code, means) in (first..=last).zip(means) {
                    if let Object::Text(means) = means {
                        self.insert(code, code, &means)?;
                    }
                }
                Some(())
            }
            _ => None,
        }
    }

    fn insert(&mut self, first: u32, last: u32, means: &[u8]) -> Option<()> {
        if self.ranges.len() >= ENTRIES_MAX {
            return None;
        }
        let units = means.chunks(2).take(UNITS_MAX);
        let units = units.map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte))).collect();
        self.ranges.insert(first, (last, units));
        Some(())
    }
}

/// The next text; at the word that ends a list there is none.
fn text(lexer: &mut Lexer<'_>) -> Option<Vec<u8>> {
    match lexer.token()? {
        Token::Text(text) => Some(text),
        _ => None,
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_file_says() {
        let map = UnicodeMap::parse(
            b"1 begincodespacerange <00> <FF> endcodespacerange 2 beginbfchar <01> <0041> <02> <D83EDD16> endbfchar\n\
            2 beginbfrange <10><12><0061> <20> <21> [<00660069> <06BE>] endbfrange",
        );
        let told = [1, 2, 0x11, 0x12, 0x20, 0x21].map(|code| map.get(code).unwrap());
        assert_eq!(told, ["A", "🤖", "b", "c", "fi", "ھ"]);
        assert!([0, 3, 0x13, 0x22, u32::MAX].iter().all(|code| map.get(*code).is_none()));
    }

    #[test]
    fn a_range_of_all_codes_takes_no_room() {
        let long = "0041".repeat(10_000);
        let map = UnicodeMap::parse(format!("1 beginbfrange <00000000> <FFFFFFFF> <{long}> endbfrange").as_bytes());
        assert_eq!(map.get(7).unwrap().chars().count(), UNITS_MAX);
        let map = UnicodeMap::parse("beginbfchar <01> beginbfrange <01> <02> [ <03>".as_bytes());
        assert!(map.get(1).is_none());
    }
}
