//! The objects that PDF files are made of, and how they are spelt.

/// Objects within objects, so deep.
const DEPTH_MAX: usize = 40;

/// Objects within one object, all together.
const PARTS_MAX: usize = 20_000;

/// An object. Streams are dictionaries that are followed by data, so they are none of these.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    Null,
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    /// Another object, by its number.
    Reference(u32),
}

/// Names and what they stand for; short, so they are looked through.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dict(Vec<(Vec<u8>, Object)>);

impl Dict {
    pub(super) fn get(&self, name: &str) -> Option<&Object> {
        self.0.iter().rev().find(|(known, _)| known == name.as_bytes()).map(|(_, object)| object)
    }

    pub(super) fn name(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Object::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn by_bytes(&self, name: &[u8]) -> Option<&Object> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, object)| object)
    }
}

impl Object {
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A place or a length; larger ones than any file has are none.
    pub(super) fn index(&self) -> Option<usize> {
        self.number().filter(|number| (0.0..=1e9).contains(number)).map(|number| number as usize)
    }
}

/// A piece of the spelling.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    ArrayOpens,
    ArrayCloses,
    DictOpens,
    DictCloses,
    /// An operator or a keyword.
    Word(&'a [u8]),
}

/// Reads pieces and objects, one after the other. It gets on with every call, whatever the bytes are.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0xc | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => self.at += self.bytes[self.at..].iter().take_while(|byte| !b"\r\n".contains(byte)).count(),
                byte if is_blank(byte) => self.at += 1,
                _ => return,
            }
        }
    }

    pub(super) fn token(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let start = self.at;
        let first = self.peek()?;
        self.at += 1;
        Some(match first {
            b'[' => Token::ArrayOpens,
            b']' => Token::ArrayCloses,
            b'<' if self.peek() == Some(b'<') => {
                self.at += 1;
                Token::DictOpens
            }
            b'>' if self.peek() == Some(b'>') => {
                self.at += 1;
                Token::DictCloses
            }
            b'<' => Token::Text(self.hex_text()),
            b'(' => Token::Text(self.text()),
            b'/' => Token::Name(self.name()),
            b')' | b'>' | b'{' | b'}' => Token::Word(&self.bytes[start..self.at]),
            _ => {
                self.skip_regular();
                let word = &self.bytes[start..self.at];
                number(word).map_or(Token::Word(word), Token::Number)
            }
        })
    }

    fn skip_regular(&mut self) {
        let regular = |byte: &&u8| !is_blank(**byte) && !is_delimiter(**byte);
        self.at += self.bytes[self.at..].iter().take_while(regular).count();
    }

    fn name(&mut self) -> Vec<u8> {
        let start = self.at;
        self.skip_regular();
        let spelt = &self.bytes[start..self.at];
        let mut name = Vec::with_capacity(spelt.len());
        let mut left = spelt;
        while let [first, rest @ ..] = left {
            let escaped = match left {
                [b'#', high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
                _ => None,
            };
            (left, _) = match escaped {
                Some((high, low)) => (&left[3..], name.push(high * 16 + low)),
                None => (rest, name.push(*first)),
            };
        }
        name
    }

    fn hex_text(&mut self) -> Vec<u8> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
        self.at += (length + 1).min(rest.len());
        let digits: Vec<u8> = rest[..length].iter().filter_map(|byte| hex_digit(*byte)).collect();
        digits.chunks(2).map(|pair| pair[0] * 16 + pair.get(1).copied().unwrap_or(0)).collect()
    }

    fn text(&mut self) -> Vec<u8> {
        let (mut text, mut open) = (Vec::new(), 1);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    text.extend(self.escaped());
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        text
    }

    fn escaped(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 0xc,
            b'\n' => return None,
            b'\r' => {
                self.at += usize::from(self.peek() == Some(b'\n'));
                return None;
            }
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // Higher bits are to be ignored.
                code as u8
            }
            other => other,
        })
    }

    /// The next object; nothing where none stands, or where it is too deep or has too many parts.
    pub(super) fn object(&mut self) -> Option<Object> {
        let token = self.token()?;
        self.object_from(token, DEPTH_MAX, &mut { PARTS_MAX })
    }

    /// The object that begins with this piece.
    pub(super) fn object_of(&mut self, token: Token<'a>) -> Option<Object> {
        self.object_from(token, DEPTH_MAX, &mut { PARTS_MAX })
    }

    fn object_from(&mut self, token: Token<'a>, depth: usize, parts: &mut usize) -> Option<Object> {
        let depth = depth.checked_sub(1)?;
        *parts = parts.checked_sub(1)?;
        Some(match token {
            Token::Number(number) => match self.reference(number) {
                Some(reference) => Object::Reference(reference),
                None => Object::Number(number),
            },
            Token::Name(name) => Object::Name(name),
            Token::Text(text) => Object::Text(text),
            Token::ArrayOpens => {
                let mut array = Vec::new();
                loop {
                    match self.token()? {
                        Token::ArrayCloses => break Object::Array(array),
                        token => array.push(self.object_from(token, depth, parts)?),
                    }
                }
            }
            Token::DictOpens => {
                let mut dict = Dict::default();
                loop {
                    match self.token()? {
                        Token::DictCloses => break Object::Dict(dict),
                        Token::Name(name) => {
                            let token = self.token()?;
                            dict.0.push((name, self.object_from(token, depth, parts)?));
                        }
                        _ => return None,
                    }
                }
            }
            Token::Word(b"true" | b"false" | b"null") => Object::Null,
            Token::Word(_) | Token::ArrayCloses | Token::DictCloses => return None,
        })
    }

    /// `7 0 R`, of which the 7 was read.
    fn reference(&mut self, number: f64) -> Option<u32> {
        if number < 0.0 || number.fract() != 0.0 || number > f64::from(u32::MAX) {
            return None;
        }
        let mut ahead = self.clone();
        let is_reference = matches!(ahead.token()?, Token::Number(generation) if (0.0..=65_535.0).contains(&generation))
            && ahead.token()? == Token::Word(b"R");
        if is_reference {
            self.at = ahead.at;
        }
        is_reference.then_some(number as u32)
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}

fn number(word: &[u8]) -> Option<f64> {
    let is_number = word.len() < 40
        && word.iter().any(u8::is_ascii_digit)
        && word.iter().all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte));
    if !is_number {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_in_all_their_spellings() {
        let spelt = b"<</A#42 (a\\(b\\)(c)\\101\\\nd)/C[1 -.5 7 0 R<4 1 4>]/D<</E true>>/F null % end\n>>";
        let Some(Object::Dict(dict)) = Lexer::new(spelt, 0).object() else { panic!("a dictionary") };
        assert_eq!(dict.get("AB"), Some(&Object::Text(b"a(b)(c)Ad".to_vec())));
        let parts =
            vec![Object::Number(1.0), Object::Number(-0.5), Object::Reference(7), Object::Text(vec![0x41, 0x40])];
        assert_eq!(dict.get("C"), Some(&Object::Array(parts)));
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_nothing() {
        assert_eq!(Lexer::new("[".repeat(1_000_000).as_bytes(), 0).object(), None);
        assert_eq!(Lexer::new(format!("[{}]", "0 ".repeat(PARTS_MAX)).as_bytes(), 0).object(), None);
        for broken in ["", "[", "<<", "<</A", "<</A]", "<<1 2>>", ">>", "(", "<4", "/", "1 0", "R"] {
            let _ = Lexer::new(broken.as_bytes(), 0).object();
        }
    }
}
