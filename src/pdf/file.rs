//! A PDF file as numbered objects: where they are, and how their data is unpacked within bounds.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::Read;
use std::time::Instant;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use memchr::memmem;

use super::object::{Dict, Lexer, Object};

/// Numbered objects in one file.
const OBJECTS_MAX: usize = 300_000;

/// The data of one object, unpacked.
const STREAM_BYTES_MAX: usize = 8 << 20;

/// Every stream counts as so many bytes at least: a drawing may be small and be drawn a million times.
const STREAM_BYTES_MIN: usize = 1 << 10;

/// All data of one file that is unpacked, as often as it is.
const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// Data may be packed so often.
const FILTERS_MAX: usize = 4;

/// Dictionaries of one kind that say where the pages are.
const TRAILERS_MAX: usize = 100;

/// References to references, one after the other.
const REFERENCES_MAX: usize = 8;

/// Time or room ran out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent;

/// A file that was looked through.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    places: HashMap<u32, Place>,
    /// The unpacked data of objects that hold others.
    packs: Vec<Vec<u8>>,
    /// Dictionaries that say where the pages are.
    trailers: Vec<Dict>,
    deadline: Instant,
    unpacked_bytes_left: Cell<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    InFile { at: usize },
    InPack { pack: usize, at: usize },
}

/// A dictionary, and the data behind it as it lies in the file.
pub(super) struct Stream<'a> {
    pub(super) dict: Dict,
    data: &'a [u8],
}

impl<'a> File<'a> {
    /// Finds the objects; of several with the same number the last one counts, as after a change that was appended.
    pub(super) fn open(bytes: &'a [u8], deadline: Instant) -> Result<Self, Spent> {
        let mut file = Self {
            bytes,
            places: HashMap::new(),
            packs: Vec::new(),
            trailers: Vec::new(),
            deadline,
            unpacked_bytes_left: Cell::new(UNPACKED_BYTES_MAX),
        };
        let mut found: Vec<(u32, usize)> = Vec::new();
        for keyword in memmem::find_iter(bytes, b"obj") {
            if let Some(number) = number_before(bytes, keyword) {
                found.push((number, keyword + 3));
                if found.len() > OBJECTS_MAX {
                    return Err(Spent);
                }
            }
        }
        for (index, (number, at)) in found.iter().enumerate() {
            file.places.insert(*number, Place::InFile { at: *at });
            let end = found.get(index + 1).map_or(bytes.len(), |(_, next)| *next);
            let own = &bytes[*at..end];
            let own = &own[..memmem::find(own, b"stream").unwrap_or(0)];
            if memmem::find(own, b"/ObjStm").is_some() {
                file.open_pack(*number)?;
            } else if memmem::find(own, b"/XRef").is_some()
                && let Some(Object::Dict(dict)) = Lexer::new(bytes, *at).object()
            {
                file.trailers.push(dict);
                file.trailers.truncate(TRAILERS_MAX);
            }
        }
        for keyword in memmem::find_iter(bytes, b"trailer").take(TRAILERS_MAX) {
            file.go_on()?;
            if let Some(Object::Dict(dict)) = Lexer::new(bytes, keyword + 7).object() {
                file.trailers.push(dict);
            }
        }
        Ok(file)
    }

    /// Whether there is time left.
    pub(super) fn go_on(&self) -> Result<(), Spent> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(Spent) }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.trailers.iter().any(|trailer| trailer.get("Encrypt").is_some_and(|how| *how != Object::Null))
    }

    /// What the newest trailer with a catalogue, or else any catalogue, calls the pages.
    pub(super) fn page_tree(&self) -> Result<Option<Object>, Spent> {
        for trailer in self.trailers.iter().rev() {
            if let Some(catalogue) = self.dict(trailer.get("Root"))?
                && let Some(pages) = catalogue.get("Pages")
            {
                return Ok(Some(pages.clone()));
            }
        }
        for dict in self.dicts() {
            let dict = dict?;
            if dict.name("Type") == Some(b"Catalog") {
                return Ok(dict.get("Pages").cloned());
            }
        }
        Ok(None)
    }

    /// All objects that are dictionaries, in the order of their numbers.
    pub(super) fn dicts(&self) -> impl Iterator<Item = Result<Dict, Spent>> {
        let mut numbers: Vec<u32> = self.places.keys().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| match self.dict(Some(&Object::Reference(number))) {
            Ok(dict) => Some(Ok(dict?)),
            Err(spent) => Some(Err(spent)),
        })
    }

    /// The object itself where a reference stands for it; `Null` where there is none.
    pub(super) fn resolve(&self, object: &Object) -> Result<Object, Spent> {
        let mut object = object.clone();
        for _ in 0..REFERENCES_MAX {
            let Object::Reference(number) = object else { return Ok(object) };
            self.go_on()?;
            let found = self.lexer(number).and_then(|mut lexer| lexer.object());
            object = found.unwrap_or(Object::Null);
        }
        Ok(Object::Null)
    }

    pub(super) fn dict(&self, object: Option<&Object>) -> Result<Option<Dict>, Spent> {
        Ok(match object {
            None => None,
            Some(Object::Dict(dict)) => Some(dict.clone()),
            Some(object) => match self.resolve(object)? {
                Object::Dict(dict) => Some(dict),
                _ => None,
            },
        })
    }

    pub(super) fn array(&self, object: Option<&Object>) -> Result<Vec<Object>, Spent> {
        Ok(match object {
            None => Vec::new(),
            Some(object) => match self.resolve(object)? {
                Object::Array(array) => array,
                _ => Vec::new(),
            },
        })
    }

    pub(super) fn number(&self, object: Option<&Object>) -> Result<Option<f64>, Spent> {
        Ok(match object {
            None => None,
            Some(object) => self.resolve(object)?.number(),
        })
    }

    /// The stream that an object is; only objects that lie in the file itself can be streams.
    pub(super) fn stream(&self, object: &Object) -> Result<Option<Stream<'a>>, Spent> {
        self.go_on()?;
        let Object::Reference(number) = object else { return Ok(None) };
        let Some(Place::InFile { at }) = self.places.get(number) else { return Ok(None) };
        let mut lexer = Lexer::new(self.bytes, *at);
        let Some(Object::Dict(dict)) = lexer.object() else { return Ok(None) };
        lexer.skip_blanks();
        let Some(behind) = self.bytes[lexer.at..].strip_prefix(b"stream") else { return Ok(None) };
        let behind = behind.strip_prefix(b"\r\n").or(behind.strip_prefix(b"\n")).or(behind.strip_prefix(b"\r"));
        let behind = behind.unwrap_or(&self.bytes[lexer.at + 6..]);
        let length = match dict.get("Length") {
            Some(length) => self.resolve(length)?.index(),
            None => None,
        };
        let ends_there = |length: &usize| {
            let after = behind.get(*length..).unwrap_or_default();
            after.trim_ascii_start().starts_with(b"endstream")
        };
        let length = length.filter(ends_there);
        let length = length.unwrap_or_else(|| memmem::find(behind, b"endstream").unwrap_or(behind.len()));
        Ok(Some(Stream { dict, data: &behind[..length] }))
    }

    /// The data of a stream, unpacked; nothing where it is packed in a way that no text is.
    pub(super) fn unpack(&self, stream: &Stream<'a>) -> Result<Option<Vec<u8>>, Spent> {
        let filters = match stream.dict.get("Filter").or_else(|| stream.dict.get("F")) {
            None => Vec::new(),
            Some(filter) => match self.resolve(filter)? {
                Object::Array(filters) => filters,
                Object::Null => Vec::new(),
                filter => vec![filter],
            },
        };
        if filters.len() > FILTERS_MAX {
            return Ok(None);
        }
        let mut data = None;
        for filter in &filters {
            let packed = data.as_deref().unwrap_or(stream.data);
            let Object::Name(filter) = self.resolve(filter)? else { return Ok(None) };
            let unpacked = match filter.as_slice() {
                b"FlateDecode" | b"Fl" => inflate(packed),
                b"ASCIIHexDecode" | b"AHx" => hex(packed),
                b"ASCII85Decode" | b"A85" => ascii85(packed),
                _ => return Ok(None),
            };
            self.count(unpacked.len())?;
            if unpacked.len() > STREAM_BYTES_MAX {
                return Ok(None);
            }
            data = Some(unpacked);
        }
        if data.is_none() {
            self.count(stream.data.len())?;
        }
        Ok(Some(data.unwrap_or_else(|| stream.data.to_vec())))
    }

    fn count(&self, bytes: usize) -> Result<(), Spent> {
        self.go_on()?;
        let left = self.unpacked_bytes_left.get().checked_sub(bytes + STREAM_BYTES_MIN).ok_or(Spent)?;
        self.unpacked_bytes_left.set(left);
        Ok(())
    }

    fn lexer(&self, number: u32) -> Option<Lexer<'_>> {
        Some(match *self.places.get(&number)? {
            Place::InFile { at } => Lexer::new(self.bytes, at),
            Place::InPack { pack, at } => Lexer::new(&self.packs[pack], at),
        })
    }

    /// Finds the objects within an object.
    fn open_pack(&mut self, number: u32) -> Result<(), Spent> {
        let Some(stream) = self.stream(&Object::Reference(number))? else { return Ok(()) };
        if stream.dict.name("Type") != Some(b"ObjStm") {
            return Ok(());
        }
        let Some(first) = self.number(stream.dict.get("First"))? else { return Ok(()) };
        let Some(data) = self.unpack(&stream)? else { return Ok(()) };
        let mut head = Lexer::new(&data[..data.len().min(first.max(0.0) as usize)], 0);
        while let (Some(Object::Number(number)), Some(Object::Number(offset))) = (head.object(), head.object()) {
            let at = (first + offset).max(0.0) as usize;
            self.places.insert(number as u32, Place::InPack { pack: self.packs.len(), at: at.min(data.len()) });
            if self.places.len() > OBJECTS_MAX {
                return Err(Spent);
            }
        }
        self.packs.push(data);
        Ok(())
    }
}

/// `7 0 ` before the keyword.
fn number_before(bytes: &[u8], keyword: usize) -> Option<u32> {
    let blanks = |end: usize| bytes[..end].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let digits = |end: usize| bytes[..end].iter().rev().take_while(|byte| byte.is_ascii_digit()).take(11).count();
    let generation = keyword - blanks(keyword);
    let gap = generation.checked_sub(digits(generation)).filter(|gap| *gap < generation)?;
    let number = gap.checked_sub(blanks(gap)).filter(|end| *end < gap)?;
    let start = number - digits(number);
    std::str::from_utf8(&bytes[start..number]).ok()?.parse().ok()
}

/// As much as can be unpacked, and at most one byte more than is taken.
fn inflate(packed: &[u8]) -> Vec<u8> {
    let most = STREAM_BYTES_MAX as u64 + 1;
    let mut data = Vec::new();
    // What came before a mistake counts.
    let _ = ZlibDecoder::new(packed).take(most).read_to_end(&mut data);
    if data.is_empty() {
        let _ = DeflateDecoder::new(packed).take(most).read_to_end(&mut data);
    }
    data
}

fn hex(packed: &[u8]) -> Vec<u8> {
    let spelt = [b"<", packed.split(|byte| *byte == b'>').next().unwrap_or_default(), b">"].concat();
    match Lexer::new(&spelt, 0).object() {
        Some(Object::Text(data)) => data,
        _ => Vec::new(),
    }
}

fn ascii85(packed: &[u8]) -> Vec<u8> {
    let (mut data, mut group) = (Vec::with_capacity(packed.len() * 4 / 5), Vec::with_capacity(5));
    let put = |group: &[u8], data: &mut Vec<u8>| {
        let digit = |index: usize| u32::from(group.get(index).copied().unwrap_or(84));
        let value = (0..5).fold(0_u32, |value, index| value.wrapping_mul(85).wrapping_add(digit(index)));
        data.extend(&value.to_be_bytes()[..group.len().saturating_sub(1)]);
    };
    for byte in packed {
        match byte {
            b'z' if group.is_empty() => data.extend([0; 4]),
            b'!'..=b'u' => group.push(byte - b'!'),
            b'~' => break,
            _ => {}
        }
        if group.len() == 5 {
            put(&group, &mut data);
            group.clear();
        }
    }
    put(&group, &mut data);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_in_letters_is_unpacked() {
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(ascii85(b"z87cUR~>"), b"\0\0\0\0Hell");
        assert_eq!(hex(b"48 65 6C 6c 6F>"), b"Hello");
    }

    #[test]
    fn numbers_are_found_before_their_keyword() {
        assert_eq!(number_before(b"endobj 12 0 obj", 12), Some(12));
        assert_eq!(number_before(b"12 0\nobj", 5), Some(12));
        for none in [&b"obj"[..], b"endobj", b"0 obj", b"a b obj", b"99999999999 0 obj"] {
            assert_eq!(number_before(none, none.len() - 3), None);
        }
    }
}
