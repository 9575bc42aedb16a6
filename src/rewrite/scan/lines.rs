//! What a line is, and what it begins with.

/// The line that begins there, without its end, and where the next one begins.
pub(in crate::rewrite) fn line(text: &str, at: usize) -> (&str, usize) {
    let rest = &text[at..];
    let end = rest.bytes().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    let ending = match &rest.as_bytes()[end..] {
        [b'\r', b'\n', ..] => 2,
        [_, ..] => 1,
        [] => 0,
    };
    (&rest[..end], at + end + ending)
}

/// Whether a line begins there.
pub(in crate::rewrite) fn is_start(text: &str, at: usize) -> bool {
    match text.as_bytes()[..at].last() {
        None | Some(b'\n') => true,
        Some(b'\r') => text.as_bytes().get(at) != Some(&b'\n'),
        Some(_) => false,
    }
}

/// How many bytes of a line are the marks of quotes and list items, with the space around them, and whether there is an
/// item among them.
pub(super) fn markers(line: &str) -> (usize, bool) {
    let bytes = line.as_bytes();
    let (mut at, mut item) = (0, false);
    loop {
        at += bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_apart = bytes.get(at + digits + 1).is_none_or(u8::is_ascii_whitespace);
        match (digits, bytes.get(at + digits)) {
            (0, Some(b'>')) => at += 1,
            (0, Some(b'-' | b'*' | b'+')) | (1..=9, Some(b'.' | b')')) if is_apart => {
                item = true;
                at += digits + 1;
            }
            _ => return (at, item),
        }
    }
}

/// Whether it is a heading with number signs.
pub(in crate::rewrite) fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches([' ', '>']);
    let signs = rest.len() - rest.trim_start_matches('#').len();
    (1..=6).contains(&signs) && rest[signs..].chars().next().is_none_or(char::is_whitespace)
}

/// What opens a block of code.
pub(in crate::rewrite) struct Fence {
    mark: char,
    count: usize,
    quoted: bool,
}

impl Fence {
    /// The fence that a line opens, behind marks of quotes and list items.
    pub(in crate::rewrite) fn opened_by(line: &str) -> Option<Self> {
        let rest = &line[markers(line).0..];
        let mark = rest.chars().next().filter(|letter| matches!(letter, '`' | '~'))?;
        let count = rest.len() - rest.trim_start_matches(mark).len();
        let is_span = mark == '`' && rest[count..].contains('`');
        (count >= 3 && !is_span).then(|| Self { mark, count, quoted: line.trim_start().starts_with('>') })
    }

    /// Whether this line is the last one of the block.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let rest = line.trim_start_matches([' ', '\t', '>']).trim_end();
        rest.len() >= self.count && rest.chars().all(|letter| letter == self.mark)
    }

    /// Whether this line is no part of the block, though nothing closed it.
    pub(super) fn is_left_by(&self, line: &str) -> bool {
        self.quoted && !line.trim_start().starts_with('>')
    }
}

/// Whether a line is the beginning of something else than a paragraph, or of an item of a list.
pub(super) fn begins_block(line: &str) -> bool {
    let (content, item) = markers(line);
    let rest = &line[content..];
    item || is_heading(line)
        || [":::", "$$", "\\[", "|"].iter().any(|mark| rest.starts_with(mark))
        || Fence::opened_by(line).is_some()
}

/// Whether a line begins an import or an export of MDX, and not a sentence that begins with that word.
pub(super) fn is_module_code(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("import ") {
        let rest = rest.trim_start();
        let quoted = |rest: &str| rest.contains(['"', '\'']);
        return rest.starts_with(['"', '\'', '{', '*'])
            || rest.split_once(" from ").is_some_and(|(_, from)| quoted(from));
    }
    let Some(rest) = line.strip_prefix("export ").map(str::trim_start) else { return false };
    let declares = ["const", "let", "var", "function", "class", "async", "default", "type", "interface", "enum"];
    let word = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    rest.starts_with(['{', '*']) || (declares.contains(&word) && rest.len() > word.len())
}

/// Brackets that a line opens and does not close, those in strings left out; less than none when it closes more.
pub(super) fn open_brackets(line: &str) -> isize {
    let mut string = None;
    let mut open = 0;
    for letter in line.chars() {
        match (string, letter) {
            (Some(quote), letter) if letter == quote => string = None,
            (None, '"' | '\'' | '`') => string = Some(letter),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open -= 1,
            _ => {}
        }
    }
    open
}
