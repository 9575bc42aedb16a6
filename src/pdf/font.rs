//! A font as far as text goes: how its codes are cut out of a string, what they mean, and how wide they are.

use std::collections::BTreeMap;

use super::file::{File, Spent};
use super::glyphs::{self, Encoding};
use super::object::{Dict, Object};
use super::unicode_map::UnicodeMap;

/// The width of a glyph that nobody tells, in thousandths of the font's size.
const WIDTH_GUESSED: f64 = 500.0;

/// Glyphs of one font whose widths are remembered.
const WIDTHS_MAX: usize = 20_000;

/// By the first code of a range: the last one, and the width of all of them.
type Widths = BTreeMap<u32, (u32, f64)>;

#[derive(Debug)]
pub(super) struct Font {
    unicode: Option<UnicodeMap>,
    codes: Codes,
    widths: Widths,
    other_width: f64,
    /// Where widths are guessed, gaps cannot be measured.
    pub(super) knows_widths: bool,
}

#[derive(Debug)]
enum Codes {
    /// One byte each.
    Bytes(Vec<Option<char>>),
    /// Two bytes each, which are UTF-16 or mean nothing by themselves.
    Pairs { are_utf16: bool },
}

/// One code of a string.
#[derive(Debug, PartialEq)]
pub(super) struct Glyph {
    /// May be empty, or several characters.
    pub(super) text: String,
    /// In thousandths of the font's size.
    pub(super) width: f64,
    /// Whether word spacing applies to it.
    pub(super) is_blank_byte: bool,
}

impl Font {
    pub(super) fn read(file: &File<'_>, dict: &Dict) -> Result<Self, Spent> {
        let unicode = match dict.get("ToUnicode") {
            Some(object) => match file.stream(object)? {
                Some(stream) => file.unpack(&stream)?.map(|bytes| UnicodeMap::parse(&bytes)),
                None => None,
            },
            None => None,
        };
        if dict.name("Subtype") == Some(b"Type0") {
            return Self::read_composite(file, dict, unicode);
        }
        let codes = Codes::Bytes(characters(file, dict)?);
        let first = file.number(dict.get("FirstChar"))?.unwrap_or(0.0).max(0.0) as u32;
        let scale = match dict.name("Subtype") {
            // The glyphs of such a font have a scale of their own.
            Some(b"Type3") => match file.array(dict.get("FontMatrix"))?.first().and_then(Object::number) {
                Some(scale) => scale * 1000.0,
                None => 1.0,
            },
            _ => 1.0,
        };
        let told = file.array(dict.get("Widths"))?;
        let knows_widths = !told.is_empty();
        let mut widths = Widths::new();
        for (code, width) in (first..256).zip(&told) {
            if let Some(width) = file.number(Some(width))? {
                widths.insert(code, (code, width * scale));
            }
        }
        Ok(Self { unicode, codes, widths, other_width: WIDTH_GUESSED, knows_widths })
    }

    /// A font of many glyphs, which leaves them to another.
    fn read_composite(file: &File<'_>, dict: &Dict, unicode: Option<UnicodeMap>) -> Result<Self, Spent> {
        let encoding = match dict.get("Encoding") {
            Some(encoding) => file.resolve(encoding)?,
            None => Object::Null,
        };
        let is_utf16 =
            |name: &[u8]| name.windows(4).any(|part| part == b"UCS2") || name.windows(5).any(|part| part == b"UTF16");
        let are_utf16 = matches!(encoding, Object::Name(name) if is_utf16(&name));
        let glyphs = file.array(dict.get("DescendantFonts"))?;
        let glyphs = file.dict(glyphs.first())?.unwrap_or_default();
        let other_width = file.number(glyphs.get("DW"))?.unwrap_or(1000.0);
        let widths = composite_widths(file, &file.array(glyphs.get("W"))?)?;
        Ok(Self { unicode, codes: Codes::Pairs { are_utf16 }, widths, other_width, knows_widths: true })
    }

    /// The glyphs of a string.
    pub(super) fn glyphs<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Glyph> + 'a {
        let length = match self.codes {
            Codes::Bytes(_) => 1,
            Codes::Pairs { .. } => 2,
        };
        text.chunks(length).map(move |code| {
            let number = code.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            let told = self.unicode.as_ref().and_then(|unicode| unicode.get(number));
            let text = told.or_else(|| self.meaning(number)).unwrap_or_default();
            let width = self.width(number);
            Glyph { text, width, is_blank_byte: length == 1 && number == 32 }
        })
    }

    fn width(&self, code: u32) -> f64 {
        let told = self.widths.range(..=code).next_back();
        told.filter(|(_, (last, _))| code <= *last).map_or(self.other_width, |(_, (_, width))| *width)
    }

    fn meaning(&self, code: u32) -> Option<String> {
        match &self.codes {
            Codes::Bytes(characters) => characters.get(code as usize).copied().flatten().map(String::from),
            Codes::Pairs { are_utf16: true } => char::from_u32(code).map(String::from),
            Codes::Pairs { are_utf16: false } => None,
        }
    }
}

/// What each byte means.
fn characters(file: &File<'_>, dict: &Dict) -> Result<Vec<Option<char>>, Spent> {
    let encoding = match dict.get("Encoding") {
        Some(encoding) => file.resolve(encoding)?,
        None => Object::Null,
    };
    let usual = if dict.name("Subtype") == Some(b"TrueType") { Encoding::WinAnsi } else { Encoding::Standard };
    let (base, differences) = match &encoding {
        Object::Name(name) => (Encoding::named(name), Vec::new()),
        Object::Dict(encoding) => {
            let base = encoding.name("BaseEncoding").and_then(Encoding::named);
            (base, file.array(encoding.get("Differences"))?)
        }
        _ => (None, Vec::new()),
    };
    let base = base.unwrap_or(usual);
    let mut characters: Vec<Option<char>> = (0..=255).map(|code| base.character(code)).collect();
    let mut code = 0;
    for difference in differences {
        match difference {
            Object::Number(number) => code = number.max(0.0) as usize,
            Object::Name(name) => {
                if let Some(place) = characters.get_mut(code) {
                    *place = std::str::from_utf8(&name).ok().and_then(glyphs::character);
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    Ok(characters)
}

/// `12 [500 600]` is one after the other from 12; `20 30 700` is the same from 20 to 30.
fn composite_widths(file: &File<'_>, told: &[Object]) -> Result<Widths, Spent> {
    let mut widths = Widths::new();
    let mut left = told.iter();
    while let (Some(Some(first)), Some(second)) = (left.next().map(Object::index), left.next()) {
        file.go_on()?;
        match file.resolve(second)? {
            Object::Array(each) => {
                for (code, width) in (first..).zip(each) {
                    remember(&mut widths, code, code, width.number());
                }
            }
            last => remember(&mut widths, first, last.index().unwrap_or(first), left.next().and_then(Object::number)),
        }
    }
    Ok(widths)
}

fn remember(widths: &mut Widths, first: usize, last: usize, width: Option<f64>) {
    if let (Ok(first), Some(width)) = (u32::try_from(first), width)
        && widths.len() < WIDTHS_MAX
    {
        widths.insert(first, (u32::try_from(last).unwrap_or(u32::MAX), width));
    }
}
