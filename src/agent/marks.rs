//! What a citation mark looks like: `[1]`, `[2, 3]`, `[[1]]`, `【1】`, `[1](…)`, with the digits of three scripts.

use super::links;

/// A mark longer than this is not a mark; so much text may be held back to find out.
pub(super) const MARK_CHARS_MAX: usize = 40;

/// A number with more digits is a year or a size, not a source.
const NUMBER_DIGITS_MAX: usize = 3;

/// What a text that begins with an opening bracket begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A mark of so many bytes that names these sources.
    Mark { bytes: usize, numbers: Vec<u32> },
    /// Something else; this will not change with more text.
    Other,
    /// The next characters decide.
    Unsure,
}

/// Looks at `text`, which begins with `[` or `【`; `ended` says that no more will come.
pub(super) fn opening(text: &str, at_line_start: bool, ended: bool) -> Opening {
    let mut numbers = Vec::new();
    let mut digits = 0;
    let mut number = 0;
    let mut depth = 0;
    let mut closer = ']';
    let mut may_close = false;
    let mut skipping = false;
    let mut characters = text.char_indices().enumerate();
    let end = loop {
        let Some((count, (at, c))) = characters.next() else { return unsure(ended) };
        if count == MARK_CHARS_MAX {
            return Opening::Other;
        }
        match c {
            '[' if at == depth && depth < 2 => depth += 1,
            '【' if at == 0 => {
                depth = 1;
                closer = '】';
            }
            _ if c == closer && (digits > 0 || may_close) => {
                if digits > 0 {
                    numbers.push(number);
                }
                depth -= 1;
                (digits, may_close) = (0, true);
                if depth == 0 {
                    break at + c.len_utf8();
                }
            }
            _ if skipping => {}
            // Between two closing brackets nothing may stand.
            _ if may_close && digits == 0 && closer == ']' && depth == 1 && text[..at].ends_with(']') => {
                return Opening::Other;
            }
            '†' if closer == '】' && digits > 0 => skipping = true,
            ' ' | '\u{a0}' => {
                if digits > 0 {
                    numbers.push(number);
                    (digits, may_close) = (0, true);
                }
            }
            ',' | ';' | '،' | '؛' | '、' | '，' if digits > 0 || may_close => {
                if digits > 0 {
                    numbers.push(number);
                }
                (digits, may_close) = (0, false);
            }
            _ => match digit(c) {
                // Two numbers need something between them other than a blank.
                Some(value) if digits < NUMBER_DIGITS_MAX && !may_close => {
                    number = if digits == 0 { value } else { number * 10 + value };
                    digits += 1;
                }
                _ => return Opening::Other,
            },
        }
    };
    if closer == ']' {
        // A model that gives the number a link made the link up; `[1]: …` is the definition of one.
        match text[end..].chars().next() {
            None if !ended => return Opening::Unsure,
            Some('(') => match links::target(&text[end..]) {
                Some((_, target_bytes)) => return Opening::Mark { bytes: end + target_bytes, numbers },
                None if !ended && !links::is_endless(&text[end..]) => return Opening::Unsure,
                None => return Opening::Other,
            },
            Some(':') if at_line_start => return Opening::Other,
            _ => {}
        }
    }
    Opening::Mark { bytes: end, numbers }
}

/// Whether a character may stand between the brackets of a mark.
pub(super) fn is_inside(c: char) -> bool {
    digit(c).is_some() || matches!(c, ' ' | '\u{a0}' | ',' | ';' | '،' | '؛' | '、' | '，' | '†')
}

fn unsure(ended: bool) -> Opening {
    if ended { Opening::Other } else { Opening::Unsure }
}

/// The value of a European, Arabic-Indic or Extended Arabic-Indic digit.
fn digit(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[u32]) {
        let Opening::Mark { bytes, numbers } = opening(text, false, true) else { panic!("{text} is no mark") };
        assert_eq!((bytes, &*numbers), (text.len(), expected), "{text}");
    }

    #[test]
    fn marks_come_in_many_spellings() {
        check("[1]", &[1]);
        check("[ 2 , 3 ]", &[2, 3]);
        check("[2;13]", &[2, 13]);
        check("[1](https://made-up.example/a_(b))", &[1]);
        check("[[4]]", &[4]);
        check("[[4, 5]]", &[4, 5]);
        check("【6】", &[6]);
        check("【7†source】", &[7]);
        check("[٣]", &[3]);
        check("[۴، ۵]", &[4, 5]);
    }

    #[test]
    fn other_brackets_are_no_marks() {
        for text in [
            "[]", "[ ]", "[x]", "[^1]", "[1a]", "[a1]", "[1,]", "[,1]", "[1 2]", "[1](u", "[[1]", "[[1]a]", "[2026]",
            "[1】",
        ] {
            assert_eq!(opening(text, false, true), Opening::Other, "{text}");
        }
        assert_eq!(opening("[1]: u", true, true), Opening::Other);
    }

    #[test]
    fn nothing_is_decided_too_early() {
        for text in ["[", "[1", "[1,", "[1]", "[1](u", "[[1]", "[[1]]", "【1"] {
            assert_eq!(opening(text, false, false), Opening::Unsure, "{text}");
        }
        assert_eq!(opening("[a", false, false), Opening::Other);
        assert_eq!(opening(&format!("[{}", " ".repeat(MARK_CHARS_MAX)), false, false), Opening::Other);
    }
}
