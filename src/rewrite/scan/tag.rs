//! Where a tag or an expression ends, and whether a tag opens or closes.

/// The longest tag or expression, in bytes; a longer one is text.
pub(super) const TAG_BYTES_MAX: usize = 64 * 1024;

/// A tag closes one of so many that are open.
pub(super) const DEPTH_MAX: usize = 64;

/// Elements of HTML that have no end.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements whose content is kept with them, with what ends them: first those that hold blocks, then those within lines.
pub(super) const KEPT_BLOCKS: &[(&str, &str)] = &[
    ("script", "</script"),
    ("style", "</style"),
    ("pre", "</pre"),
    ("svg", "</svg"),
    ("math", "</math"),
    ("textarea", "</textarea"),
    ("codeblock", "</codeblock"),
];
/// The same within lines.
pub(super) const KEPT_SPANS: &[(&str, &str)] =
    &[("code", "</code"), ("kbd", "</kbd"), ("samp", "</samp"), ("var", "</var"), ("tt", "</tt")];

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Opens,
    Closes,
    Alone,
}

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Empty for a fragment (`<>`).
    pub(super) name: &'a str,
    pub(super) turn: Turn,
    /// Its length in bytes.
    pub(super) bytes: usize,
}

impl<'a> Tag<'a> {
    /// The tag at the start of a text that begins with `<`. What is looked at in vain is added to `looked`, in bytes.
    pub(super) fn read(text: &'a str, looked: &mut usize) -> Option<Self> {
        let text = &text[..text.floor_char_boundary(TAG_BYTES_MAX)];
        let closes = text[1..].starts_with('/');
        let name = name(&text[1 + usize::from(closes)..]);
        let mut at = 1 + usize::from(closes) + name.len();
        let follows = text[at..].chars().next()?;
        let may_follow = follows == '>' || (!name.is_empty() && (follows.is_whitespace() || follows == '/'));
        if !may_follow {
            return None;
        }
        loop {
            at += text[at..].len() - text[at..].trim_start().len();
            let rest = &text[at..];
            if rest.starts_with('>') || rest.starts_with("/>") {
                let alone = rest.starts_with('/') || VOID.contains(&name);
                let turn = match (closes, alone) {
                    (true, _) => Turn::Closes,
                    (false, true) => Turn::Alone,
                    (false, false) => Turn::Opens,
                };
                return Some(Self { name, turn, bytes: at + 1 + usize::from(rest.starts_with('/')) });
            }
            let part = match rest.chars().next() {
                Some('{') => expression(rest, looked),
                Some('=') => value(&rest[1..], looked).map(|bytes| bytes + 1),
                Some(letter) if is_of_name(letter) => rest.find(|letter| !is_of_name(letter)),
                _ => None,
            };
            let Some(part) = part else {
                *looked += at + 1;
                return None;
            };
            at += part;
        }
    }
}

fn name(text: &str) -> &str {
    if !text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return "";
    }
    let ends = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':'));
    &text[..text.find(ends).unwrap_or(text.len())]
}

fn is_of_name(letter: char) -> bool {
    !letter.is_whitespace() && !matches!(letter, '<' | '>' | '"' | '\'' | '`' | '=' | '{' | '}' | '/')
}

/// The length of a value, with the space before it.
fn value(text: &str, looked: &mut usize) -> Option<usize> {
    let rest = text.trim_start();
    let space = text.len() - rest.len();
    let bytes = match rest.chars().next()? {
        quote @ ('"' | '\'') => match rest[1..].find(quote) {
            Some(end) => end + 2,
            None => {
                *looked += rest.len();
                return None;
            }
        },
        '{' => expression(rest, looked)?,
        '>' => return None,
        _ => rest.find(|letter: char| letter.is_whitespace() || letter == '>')?,
    };
    Some(space + bytes)
}

/// The length of the expression at the start of a text that begins with `{`.
pub(super) fn expression(text: &str, looked: &mut usize) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(TAG_BYTES_MAX)];
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'{' => {
                depth += 1;
                1
            }
            b'}' if depth == 1 => return Some(at + 1),
            b'}' => {
                depth -= 1;
                1
            }
            b'"' | b'\'' | b'`' => string(&text[at..], looked).unwrap_or(1),
            b'/' if text[at..].starts_with("/*") => text[at..].find("*/").map_or(text.len() - at, |end| end + 2),
            _ => 1,
        };
        if *looked > super::LOOKED_BYTES_MAX {
            break;
        }
    }
    *looked += at;
    None
}

/// The length of a string with its quotes; only between backticks it may have several lines.
fn string(text: &str, looked: &mut usize) -> Option<usize> {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' | b'\r' if quote != b'`' => {
                *looked += at;
                return None;
            }
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    *looked += text.len();
    None
}
