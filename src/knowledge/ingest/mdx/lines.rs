//! What a line or its beginning is: a fence, an admonition, an import, a link in angle brackets.

use super::scan::SPAN_BYTES_MAX;
use super::tag::prefix;

/// `{/* #id */}` gives a heading its anchor, like `{#id}`; what else the comment says is a note.
pub(super) fn heading_id_comment(code: &str) -> Option<String> {
    let comment = code.trim().strip_prefix("/*")?.strip_suffix("*/")?.trim();
    let id = comment.split_whitespace().next()?.strip_prefix('#')?;
    (!id.is_empty() && !comment.contains("*/")).then(|| format!("{{#{id}}}"))
}

pub(super) fn directive_title(rest: &str) -> String {
    let name_end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(rest.len());
    let (name, after) = rest.split_at(name_end);
    let after = after.trim();
    let title = if let Some(bracketed) = after.strip_prefix('[') {
        &bracketed[..bracketed.rfind(']').unwrap_or(bracketed.len())]
    } else if let Some(attributes) = after.strip_prefix('{') {
        attributes.split_once("title=\"").and_then(|(_, t)| t.split('"').next()).unwrap_or("")
    } else {
        after
    };
    let mut letters = name.chars();
    let kind = letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect());
    let shown = if title.trim().is_empty() { kind } else { title.trim().replace('<', "\\<") };
    format!("**{shown}**")
}

/// A fence of code and what closes it.
pub(super) struct Fence {
    mark: char,
    count: usize,
    pub(super) quoted: bool,
}

impl Fence {
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let (rest, _) = Self::after_markers(line);
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let count = rest.len() - rest.trim_start_matches(mark).len();
        let info = &rest[count..];
        let opens = count >= 3 && !(mark == '`' && info.contains('`'));
        opens.then(|| Self { mark, count, quoted: line.trim_start().starts_with('>') })
    }

    pub(super) fn closed_by(&self, line: &str) -> bool {
        let rest = line.trim_start_matches([' ', '\t', '>']).trim_end();
        rest.len() >= self.count && rest.chars().all(|c| c == self.mark)
    }

    /// How many quotes and list items begin on this line, one in the other.
    pub(super) fn markers(line: &str) -> usize {
        let bytes = line.as_bytes();
        let (mut at, mut markers) = (0, 0);
        loop {
            at += bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let is_apart = bytes.get(at + digits + 1).is_none_or(u8::is_ascii_whitespace);
            at += match (digits, bytes.get(at + digits)) {
                (0, Some(b'>')) => 1,
                (0, Some(b'-' | b'*' | b'+')) | (1..=9, Some(b'.' | b')')) if is_apart => digits + 1,
                _ => return markers,
            };
            markers += 1;
        }
    }

    /// The line behind the marks of quotes and list items, and whether there was one of an item.
    pub(super) fn after_markers(line: &str) -> (&str, bool) {
        let mut rest = line.trim_start_matches([' ', '\t', '>']);
        let mut item = false;
        loop {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let after = match digits {
                0 => rest.strip_prefix(['-', '*', '+']),
                1..=9 => rest[digits..].strip_prefix(['.', ')']),
                _ => None,
            };
            match after.filter(|after| after.starts_with([' ', '\t'])) {
                Some(after) => {
                    item = true;
                    rest = after.trim_start_matches([' ', '\t', '>']);
                }
                None => return (rest, item),
            }
        }
    }
}

/// The length of `<https://…>` or `<name@host>`.
pub(super) fn autolink(rest: &str) -> Option<usize> {
    let inside = prefix(rest, SPAN_BYTES_MAX).strip_prefix('<')?;
    let end = inside.find(['>', ' ', '\n', '<'])? + 1;
    let inside = &rest[1..end];
    let (scheme, _) = inside.split_once(':').or_else(|| inside.split_once('@'))?;
    let ok = rest[end..].starts_with('>')
        && scheme.len() > 1
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || ".+-_".contains(c));
    (ok && (inside.contains("//") || inside.contains('@') || inside.starts_with("mailto:"))).then_some(end + 1)
}

/// Whether a line begins an import or an export of JavaScript, and not a sentence that begins with that word.
pub(super) fn is_module_code(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("import ") {
        let rest = rest.trim_start();
        return rest.starts_with(['"', '\'', '{', '*']) || rest.contains(" from '") || rest.contains(" from \"");
    }
    let Some(rest) = line.strip_prefix("export ") else { return false };
    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    rest.starts_with(['{', '*'])
        || matches!(word, "const" | "let" | "var" | "function" | "class" | "async" | "type" | "interface")
        || rest.starts_with("default ")
}

/// Brackets opened minus brackets closed on a line, those in strings left out.
pub(super) fn bracket_balance(line: &str) -> i32 {
    let mut quote = None;
    let mut balance = 0;
    for letter in line.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, '{' | '[' | '(') => balance += 1,
            (None, '}' | ']' | ')') => balance -= 1,
            _ => {}
        }
    }
    balance
}
