//! What is kept within a paragraph: code, formulas, images, targets of links, tags, expressions, addresses.

use super::region::Region;
use super::tag::{self, KEPT_BLOCKS, KEPT_SPANS, Tag, Turn};
use super::{Kind, LOOKED_BYTES_MAX, Place, Scan, lines};

/// Parentheses within the target of a link nest so deeply.
const PARENTHESES_DEPTH_MAX: usize = 32;

/// The title of a link is no longer than this, in bytes.
const TITLE_BYTES_MAX: usize = 1_000;

/// An address in angle brackets, or the name of a footnote, is no longer than this, in bytes.
const NAME_BYTES_MAX: usize = 2_000;

/// What addresses begin with that stand in the text as they are.
const SCHEMES: &[&str] = &["https://", "http://", "ftp://", "mailto:", "www."];

const IN_TEXT: Kind = Kind::In(Place::Anywhere);

impl<'a> Scan<'a> {
    /// Goes through the paragraph there, or beyond it when a tag does; gives where to go on.
    pub(super) fn paragraph(&mut self, start: usize) -> usize {
        let region = Region::at(self.text, start);
        let mut at = start;
        while at < region.end {
            let rest = &self.text[at..];
            let letter = rest.chars().next().expect("`at` is before the end, between letters");
            let taken = match letter {
                '`' => self.code(at, &region),
                '$' => self.formula(at, &region),
                '\\' => self.escape(at, &region),
                '<' => self.angle(at),
                '{' => self.brace(at),
                '!' => self.image(at, &region),
                '[' => self.bracket(at, &region),
                ']' => self.closing_bracket(at, &region),
                'h' | 'H' | 'f' | 'F' | 'm' | 'M' | 'w' | 'W' => self.address(at, start),
                _ => None,
            };
            at = taken.unwrap_or(at + letter.len_utf8());
        }
        at
    }

    fn code(&mut self, at: usize, region: &Region) -> Option<usize> {
        if let Some(end) = region.code.get(&at) {
            self.keep(at..*end, IN_TEXT);
            return Some(*end);
        }
        Some(at + self.text[at..].bytes().take_while(|byte| *byte == b'`').count())
    }

    /// `$x$` hugs what it holds, so that two prices are no formula.
    fn formula(&mut self, at: usize, region: &Region) -> Option<usize> {
        let signs = self.text[at..region.end].bytes().take_while(|byte| *byte == b'$').count();
        if signs > 1 {
            let end = (signs == 2).then(|| self.find("$$", at + 2, region.end)).flatten().map(|end| end + 2);
            if let Some(end) = end {
                self.keep(at..end, IN_TEXT);
            }
            return Some(end.unwrap_or(at + signs));
        }
        let content = &self.text[at + 1..region.end];
        if self.absent.get("$").is_some_and(|until| *until >= region.end) || content.starts_with(char::is_whitespace) {
            return None;
        }
        let bytes = content.as_bytes();
        let mut escaped = false;
        let mut closes = |at: usize| {
            let was_escaped = escaped;
            escaped = bytes[at] == b'\\' && !escaped;
            let hugs = at > 0 && !bytes[at - 1].is_ascii_whitespace() && bytes[at - 1] != b'$';
            let ends = !bytes.get(at + 1).is_some_and(|next| next.is_ascii_digit() || *next == b'$');
            bytes[at] == b'$' && !was_escaped && hugs && ends
        };
        let Some(end) = (0..bytes.len()).find(|at| closes(*at)) else {
            self.absent.insert("$", region.end);
            return None;
        };
        let end = at + 1 + end + 1;
        self.keep(at..end, IN_TEXT);
        Some(end)
    }

    /// `\(x\)` and `\[x\]` are formulas; another letter behind a backslash means itself.
    fn escape(&mut self, at: usize, region: &Region) -> Option<usize> {
        let next = self.text[at + 1..].chars().next()?;
        let closing = match next {
            '(' => Some("\\)"),
            '[' => Some("\\]"),
            _ => None,
        };
        if let Some(end) = closing.and_then(|closing| self.find(closing, at + 2, region.end)) {
            self.keep(at..end + 2, IN_TEXT);
            return Some(end + 2);
        }
        next.is_ascii_punctuation().then_some(at + 2)
    }

    fn angle(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        for (opening, closing) in [("<!--", "-->"), ("<![cdata[", "]]>"), ("<!", ">"), ("<?", ">")] {
            if self.lower[at..].starts_with(opening) {
                let limit = if opening == "<!" { self.next_blank(at) } else { self.text.len() };
                let end = self.find(closing, at + opening.len(), limit)? + closing.len();
                self.keep(at..end, Kind::Tag);
                return Some(end);
            }
        }
        if let Some(bytes) = autolink(rest) {
            self.keep(at..at + bytes, IN_TEXT);
            return Some(at + bytes);
        }
        if self.looked > LOOKED_BYTES_MAX {
            return None;
        }
        let reach = self.reach(at);
        let tag = Tag::read(&self.text[at..reach], &mut self.looked)?;
        let end = at + tag.bytes;
        if tag.turn == Turn::Opens
            && let Some(end) = self.kept_element(tag.name, end)
        {
            self.keep(at..end, Kind::Tag);
            return Some(end);
        }
        self.keep_tag(at..end, Kind::Tag, tag.turn, tag.name);
        Some(end)
    }

    /// The end of an element that is kept with its content.
    fn kept_element(&mut self, name: &str, at: usize) -> Option<usize> {
        let named = |elements: &[(&str, &'static str)]| {
            elements.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, closing)| *closing)
        };
        let (closing, limit) = match named(KEPT_BLOCKS) {
            Some(closing) => (closing, self.text.len()),
            None => (named(KEPT_SPANS)?, self.reach(at)),
        };
        let end = self.find(closing, at, limit)?;
        let tag_end = self.find(">", end, self.text.len())?;
        Some(tag_end + 1)
    }

    fn brace(&mut self, at: usize) -> Option<usize> {
        if self.looked > LOOKED_BYTES_MAX {
            return None;
        }
        let reach = self.reach(at);
        let bytes = tag::expression(&self.text[at..reach], &mut self.looked)?;
        let end = at + bytes;
        let inside = self.text[at + 1..end - 1].trim();
        let names =
            inside.starts_with('#') || inside.strip_prefix("/*").is_some_and(|c| c.trim_start().starts_with('#'));
        let is_heading = names && lines::is_heading(self.before(at));
        self.keep(at..end, if is_heading { Kind::In(Place::HeadingEnd) } else { Kind::Tag });
        Some(end)
    }

    /// An image is kept with the words that stand for it.
    fn image(&mut self, at: usize, region: &Region) -> Option<usize> {
        let close = *region.closing.get(&(at + 1)).filter(|_| self.text[at + 1..].starts_with('['))?;
        let after = close + 1;
        let end = self.target(after, region).or_else(|| {
            let name = region.closing.get(&after).filter(|_| self.text[after..].starts_with('['));
            let (name, end) = match name {
                Some(close) if !self.text[after + 1..*close].trim().is_empty() => (after + 1..*close, close + 1),
                Some(close) => (at + 2..after - 1, close + 1),
                None => (at + 2..after - 1, after),
            };
            self.defines(&self.text[name]).then_some(end)
        })?;
        self.keep(at..end, IN_TEXT);
        Some(end)
    }

    fn bracket(&mut self, at: usize, region: &Region) -> Option<usize> {
        let close = *region.closing.get(&at)?;
        let name = &self.text[at + 1..close];
        if name.starts_with('^')
            && name.len() > 1
            && name.len() <= NAME_BYTES_MAX
            && !name.contains(char::is_whitespace)
        {
            let defines =
                self.text[close + 1..].starts_with(':') && self.before(at).trim_matches([' ', '>']).is_empty();
            let end = close + 1 + usize::from(defines);
            self.keep(at..end, if defines { Kind::In(Place::LineStart) } else { IN_TEXT });
            return Some(end);
        }
        let after = &self.text[close + 1..];
        let collapsed = after.starts_with("[]");
        if (collapsed || !after.starts_with(['(', '['])) && self.defines(name) {
            let end = close + 1 + if collapsed { 2 } else { 0 };
            self.keep(at..end, IN_TEXT);
            return Some(end);
        }
        None
    }

    /// Behind the words of a link stands where it leads.
    fn closing_bracket(&mut self, at: usize, region: &Region) -> Option<usize> {
        region.opening.get(&at)?;
        let after = at + 1;
        if let Some(end) = self.target(after, region) {
            self.keep(after + 1..end - 1, Kind::In(Place::Target));
            return Some(end);
        }
        let close = *region.closing.get(&after)?;
        if !self.defines(&self.text[after + 1..close]) {
            return None;
        }
        self.keep(after..close + 1, Kind::In(Place::Label));
        Some(close + 1)
    }

    /// The end of `(target "title")`.
    fn target(&self, at: usize, region: &Region) -> Option<usize> {
        let text = &self.text[..region.end];
        let inside = text.get(at..)?.strip_prefix('(')?;
        let space = |rest: &str| rest.len() - rest.trim_start().len();
        let mut length = space(inside);
        let rest = &inside[length..];
        length += match rest.strip_prefix('<') {
            Some(rest) => rest.find(['<', '>', '\n', '\r']).filter(|end| rest[*end..].starts_with('>'))? + 2,
            None => destination(rest)?,
        };
        let gap = space(&inside[length..]);
        let quote = inside[length + gap..].chars().next()?;
        if gap > 0 && matches!(quote, '"' | '\'' | '(') {
            let title = &inside[length + gap + 1..];
            let title = &title[..title.floor_char_boundary(TITLE_BYTES_MAX)];
            let closing = if quote == '(' { ')' } else { quote };
            let end = title.char_indices().find(|(at, letter)| *letter == closing && !title[..*at].ends_with('\\'))?.0;
            length += gap + 1 + end + 1;
            length += space(&inside[length..]);
        } else {
            length += gap;
        }
        inside[length..].starts_with(')').then_some(at + 1 + length + 1)
    }

    fn address(&mut self, at: usize, start: usize) -> Option<usize> {
        let lower = &self.lower[at..];
        let scheme = SCHEMES.iter().find(|scheme| lower.starts_with(**scheme))?;
        if self.text[start..at].ends_with(char::is_alphanumeric) {
            return None;
        }
        let rest = &self.text[at..];
        let ends = |letter: char| letter.is_whitespace() || letter.is_control() || "<>[]{}|`\"\\".contains(letter);
        let mut address = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let mut unclosed = address.matches('(').count().cast_signed() - address.matches(')').count().cast_signed();
        // What ends a sentence, or closes what the address stands in, is no part of it.
        while let Some(last) = address.chars().next_back() {
            let belongs = last.is_alphanumeric() || "/=&#-_%+~@$".contains(last) || (last == ')' && unclosed >= 0);
            if belongs {
                break;
            }
            unclosed += isize::from(last == ')') - isize::from(last == '(');
            address = &address[..address.len() - last.len_utf8()];
        }
        if address.len() <= scheme.len() {
            return None;
        }
        self.keep(at..at + address.len(), IN_TEXT);
        Some(at + address.len())
    }
}

/// The length of a target that is not in angle brackets: parentheses in it are closed.
fn destination(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' if depth == PARENTHESES_DEPTH_MAX => return None,
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            letter if letter.is_whitespace() => return (depth == 0).then_some(at),
            _ => {}
        }
    }
    None
}

/// The length of `<https://…>` or `<name@host>`.
fn autolink(text: &str) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(NAME_BYTES_MAX)];
    let end = 1 + text[1..].find(|letter: char| letter == '>' || letter == '<' || letter.is_whitespace())?;
    let inside = &text[1..end];
    let scheme = inside.split_once(':').map(|(scheme, _)| scheme);
    let has_scheme = scheme.is_some_and(|scheme| {
        scheme.len() > 1 && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || ".+-".contains(letter))
    });
    let is_mail = inside.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let is_tag = inside.contains(['=', '"', '\'']) && !has_scheme;
    (text[end..].starts_with('>') && (has_scheme || is_mail) && !is_tag).then_some(end + 1)
}
