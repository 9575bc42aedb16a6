//! A quoted sentence without what only works on its own page, and without anything that looks like a mark of ours.

/// Links become their text, tags and footnotes go, and `[1]` is written so that it stays text. Code is left alone.
pub(super) fn plain(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut left = sentence;
    while let Some(c) = left.chars().next() {
        let taken = match c {
            '`' => code(left, &mut text),
            '!' if left.starts_with("![") => link(&left[1..]).map(|(_, length)| length + 1),
            '[' => bracket(left, &mut text),
            '<' => tag(left),
            '\\' => left.chars().nth(1).map(|escaped| {
                text.push(c);
                text.push(escaped);
                1 + escaped.len_utf8()
            }),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            text.push(c);
            c.len_utf8()
        });
        left = &left[taken..];
    }
    text.trim().to_owned()
}

fn code(text: &str, into: &mut String) -> Option<usize> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let length = text[ticks..].find(&text[..ticks]).map_or(ticks, |end| ticks + end + ticks);
    into.push_str(&text[..length]);
    Some(length)
}

fn bracket(text: &str, into: &mut String) -> Option<usize> {
    if let Some((label, length)) = link(text) {
        into.push_str(&plain(label));
        return Some(length);
    }
    let inside = &text[1..text.find(']')?];
    let length = inside.len() + 2;
    if inside.starts_with('^') {
        return Some(length);
    }
    if inside.chars().any(char::is_numeric) && !inside.chars().any(char::is_alphabetic) {
        into.push_str(&format!("\\[{inside}\\]"));
        return Some(length);
    }
    None
}

/// The text and the length of `[text](target)` or `[text][reference]`.
fn link(text: &str) -> Option<(&str, usize)> {
    let end = text.find("](").or_else(|| text.find("]["))?;
    let label = text.get(1..end)?;
    let closer = if text[end..].starts_with("](") { ')' } else { ']' };
    let target = text[end + 2..].find(closer)?;
    let is_one = !label.contains(['[', ']']) && label.chars().any(char::is_alphabetic);
    is_one.then_some((label, end + 2 + target + 1))
}

fn tag(text: &str) -> Option<usize> {
    let named = text[1..].trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
    let end = text.find('>').filter(|_| named)?;
    Some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_what_works_in_an_answer_is_left() {
        for (sentence, expected) in [
            ("See [the *guide*](./guide.md) now.", "See the *guide* now."),
            ("A ![pic](a.png)<b>bold</b> word[^2].", "A bold word."),
            ("As shown in [3] and `a[0]`.", "As shown in \\[3\\] and `a[0]`."),
            ("If a < b then [x] stays.", "If a < b then [x] stays."),
            ("A \\[1\\] stays, so does ` alone.", "A \\[1\\] stays, so does ` alone."),
            ("روبوٹ [۳] ہے۔", "روبوٹ \\[۳\\] ہے۔"),
        ] {
            assert_eq!(plain(sentence), expected);
        }
    }
}
