//! One JSX tag or expression: where it ends, and which of its strings a reader would see.

/// Longest tag or expression that is looked at, in bytes; a longer one is taken for text.
pub(super) const EXPRESSION_BYTES_MAX: usize = 64 * 1024;

/// Attributes whose text a reader sees, as a heading of what follows.
const HEADING_ATTRIBUTES: &[&str] =
    &["title", "label", "caption", "header", "heading", "summary", "term", "question", "subtitle", "name"];
/// Attributes whose text a reader sees, as a sentence.
const SENTENCE_ATTRIBUTES: &[&str] = &[
    "alt",
    "description",
    "text",
    "answer",
    "definition",
    "content",
    "message",
    "quote",
    "tooltip",
    "body",
    "explanation",
];
/// Attributes that hold lists of what a reader sees.
const LIST_ATTRIBUTES: &[&str] = &[
    "items",
    "points",
    "steps",
    "objectives",
    "goals",
    "features",
    "headers",
    "columns",
    "rows",
    "data",
    "values",
    "questions",
    "options",
    "list",
    "terms",
    "cards",
    "children",
];
/// Elements of HTML that have no closing tag.
const VOID_ELEMENTS: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Whether a tag opens, closes, or stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Alone,
}

/// A tag as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) kind: Kind,
    /// Empty for a fragment (`<>`).
    pub(super) name: String,
    pub(super) attributes: Vec<(String, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Expression(String),
}

impl Tag {
    /// Reads the tag at the start of `source`, which begins with `<`; gives its length in bytes too.
    ///
    /// What is looked at in vain is counted in `looked`, in bytes.
    pub(super) fn parse(source: &str, looked: &mut usize) -> Option<(Self, usize)> {
        let limited = prefix(source, EXPRESSION_BYTES_MAX);
        let inside = limited.strip_prefix('<')?;
        if let Some(rest) = inside.strip_prefix('/') {
            let name = leading_name(rest);
            let after = rest[name.len()..].trim_start();
            after.strip_prefix('>')?;
            let length = limited.len() - after.len() + 1;
            return Some((Self { kind: Kind::Close, name: name.to_owned(), attributes: Vec::new() }, length));
        }
        let name = leading_name(inside);
        let mut rest = &inside[name.len()..];
        let follows = rest.chars().next()?;
        if !(follows == '>' || (!name.is_empty() && (follows == '/' || follows.is_whitespace()))) {
            return None;
        }
        let mut attributes = Vec::new();
        let in_vain = *looked;
        loop {
            rest = rest.trim_start();
            *looked = in_vain + limited.len() - rest.len();
            if let Some(after) = rest.strip_prefix("/>") {
                *looked = in_vain;
                return Some((
                    Self { kind: Kind::Alone, name: name.to_owned(), attributes },
                    limited.len() - after.len(),
                ));
            }
            if let Some(after) = rest.strip_prefix('>') {
                *looked = in_vain;
                let kind = if VOID_ELEMENTS.contains(&name) { Kind::Alone } else { Kind::Open };
                return Some((Self { kind, name: name.to_owned(), attributes }, limited.len() - after.len()));
            }
            let after = match rest.starts_with('{') {
                true => expression_end(rest).map(|end| &rest[end..]),
                false => attribute(rest, &mut attributes),
            };
            let Some(after) = after else {
                // A letter that cannot begin an attribute is seen at once; anything else was looked for to the end.
                *looked += if rest.starts_with(|c| c != '{' && ends_name(c)) { 0 } else { rest.len() };
                return None;
            };
            rest = after;
        }
    }

    /// The text of an attribute that is a plain string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(key, _)| key == name)?;
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Expression(code) => literal(code),
        }
    }

    /// What a reader sees of the attributes: first what heads the content, then sentences.
    pub(super) fn seen(&self) -> (Vec<String>, Vec<String>) {
        let (mut headings, mut sentences) = (Vec::new(), Vec::new());
        // A link's title is a tooltip, and the name of a form's field or of a meta tag is never shown.
        let hides_titles = matches!(self.name.as_str(), "a" | "input" | "meta" | "link" | "abbr" | "button" | "Link");
        for (key, value) in &self.attributes {
            let is_heading = HEADING_ATTRIBUTES.contains(&key.as_str()) && !hides_titles;
            let is_sentence = SENTENCE_ATTRIBUTES.contains(&key.as_str());
            match value {
                Value::Text(text) if is_heading => headings.push(text.clone()),
                Value::Text(text) if is_sentence => sentences.push(text.clone()),
                Value::Text(_) => {}
                Value::Expression(code) => match literal(code) {
                    Some(text) if is_heading => headings.push(text),
                    Some(text) if is_sentence => sentences.push(text),
                    Some(_) => {}
                    None => sentences.extend(strings(code, LIST_ATTRIBUTES.contains(&key.as_str()))),
                },
            }
        }
        let no_label = headings.is_empty() && matches!(self.name.as_str(), "TabItem" | "Tab");
        headings.extend(self.text("value").filter(|_| no_label));
        let squeeze = |texts: Vec<String>| -> Vec<String> {
            texts.iter().map(|t| t.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|t| !t.is_empty()).collect()
        };
        (squeeze(headings), squeeze(sentences))
    }
}

/// Where the expression that begins with `{` at the start of `source` ends, just behind its `}`.
pub(super) fn expression_end(source: &str) -> Option<usize> {
    let limited = prefix(source, EXPRESSION_BYTES_MAX);
    let mut depth = 0usize;
    let mut at = 0;
    let mut quotes = Quotes::default();
    while let Some(letter) = limited[at..].chars().next() {
        let rest = &limited[at..];
        let length = match letter {
            '{' => {
                depth += 1;
                1
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
                1
            }
            '\'' | '"' | '`' => quotes.length(limited, at, letter).unwrap_or(1),
            '/' if rest.starts_with("/*") => rest.find("*/")? + 2,
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        at += length;
    }
    None
}

/// The text of a string literal; none when the code is anything else.
pub(super) fn literal(code: &str) -> Option<String> {
    let code = code.trim();
    let quote = code.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let whole = string_length(code, quote)? == code.len();
    let inside = code.get(1..code.len().checked_sub(1)?)?;
    (whole && !(quote == '`' && inside.contains("${"))).then(|| unescape(inside))
}

/// What stands between the tags of an expression such as `{open && <p>Come in.</p>}`; none when nothing does.
pub(super) fn elements_text(code: &str) -> Option<String> {
    let mut text = String::new();
    let (mut at, mut depth, mut looked) = (0, 0usize, 0);
    while let Some(letter) = code[at..].chars().next() {
        let rest = &code[at..];
        let tag = (letter == '<' && looked < EXPRESSION_BYTES_MAX).then(|| Tag::parse(rest, &mut looked)).flatten();
        at += match tag {
            Some((tag, length)) => {
                match tag.kind {
                    Kind::Open => depth += 1,
                    Kind::Close => depth = depth.saturating_sub(1),
                    Kind::Alone => {}
                }
                let joins = super::pairs::INLINE_ELEMENTS.contains(&tag.name.as_str());
                text.push_str(if joins { "" } else { " " });
                length
            }
            None if letter == '{' && depth > 0 => expression_end(rest)?,
            None => {
                if depth > 0 {
                    text.push(letter);
                }
                letter.len_utf8()
            }
        };
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (depth == 0 && !text.is_empty()).then_some(text)
}

/// The strings in a piece of code that a reader would see: all of a list, otherwise those of telling keys.
fn strings(code: &str, all: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut quotes = Quotes::default();
    while let Some(letter) = code[at..].chars().next() {
        let length = match letter {
            '\'' | '"' | '`' => quotes.length(code, at, letter),
            _ => None,
        };
        let Some(length) = length else {
            at += letter.len_utf8();
            continue;
        };
        let is_key = code[at + length..].trim_start().starts_with(':');
        let key = key_before(&code[..at]);
        let shown = match key {
            Some(key) => [HEADING_ATTRIBUTES, SENTENCE_ATTRIBUTES].concat().contains(&key),
            None => all,
        };
        if shown && !is_key {
            found.extend(literal(&code[at..at + length]));
        }
        at += length;
    }
    found
}

/// The key of an object for which the text up to here ends, as in `{ title: `.
fn key_before(code: &str) -> Option<&str> {
    let before = code.trim_end().strip_suffix(':')?.trim_end().trim_end_matches(['\'', '"']);
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    Some(&before[start..])
}

/// Up to where the three kinds of quotes are known to stay open, so that nothing is looked through twice.
#[derive(Default)]
struct Quotes {
    open_until: [usize; 3],
}

impl Quotes {
    /// The length of the string literal at `at`.
    fn length(&mut self, code: &str, at: usize, quote: char) -> Option<usize> {
        let open_until = match quote {
            '\'' => &mut self.open_until[0],
            '"' => &mut self.open_until[1],
            _ => &mut self.open_until[2],
        };
        if at < *open_until {
            return None;
        }
        let length = string_length(&code[at..], quote);
        if length.is_none() {
            let line_end = code[at..].find('\n').filter(|_| quote != '`');
            *open_until = line_end.map_or(code.len(), |end| at + end);
        }
        length
    }
}

/// The length of the string literal at the start, with its quotes; none when it does not end (on its line, unless a template).
fn string_length(source: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in source.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => return None,
            letter if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 't' | 'r') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

fn leading_name(source: &str) -> &str {
    if !source.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return "";
    }
    let end = source.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')));
    &source[..end.unwrap_or(source.len())]
}

fn ends_name(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '=' | '>' | '/' | '<' | '{' | '"' | '\'' | '`' | ',' | ';' | '(' | ')')
}

/// Reads one attribute and gives what follows it.
fn attribute<'a>(source: &'a str, attributes: &mut Vec<(String, Value)>) -> Option<&'a str> {
    let name = &source[..source.find(ends_name)?];
    let rest = &source[name.len()..];
    if name.is_empty() {
        return None;
    }
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Some(rest);
    };
    let value = value.trim_start();
    let (parsed, length) = match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = value[1..].find(quote)?;
            (Value::Text(value[1..=end].to_owned()), end + 2)
        }
        '{' => {
            let end = expression_end(value)?;
            (Value::Expression(value[1..end - 1].to_owned()), end)
        }
        _ => {
            let end = value.find(|c: char| c.is_whitespace() || c == '>')?;
            (Value::Text(value[..end].to_owned()), end)
        }
    };
    attributes.push((name.to_owned(), parsed));
    Some(&value[length..])
}

/// At most so many bytes, cut between letters.
pub(super) fn prefix(source: &str, bytes: usize) -> &str {
    &source[..source.floor_char_boundary(bytes)]
}
