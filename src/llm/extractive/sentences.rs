//! A passage of Markdown falls into sentences and code blocks; headings, tables and markup fall away.

/// Something an answer can quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// One sentence, on one line; `paragraph` tells which belong together.
    Sentence { text: String, paragraph: usize },
    /// A fenced code block with its fences.
    Code(String),
}

/// Words without a full stop are a caption up to so many; more are a sentence whose author was in a hurry.
const CAPTION_WORDS_MAX: usize = 24;

/// Cuts a passage into units, in reading order.
pub(super) fn units(passage: &str) -> Vec<Unit> {
    let mut reader = Reader::default();
    for line in passage.lines() {
        reader.line(line);
    }
    // A fence without an end is a piece of code that was cut: of no use to a reader.
    reader.flush();
    reader.units
}

#[derive(Default)]
struct Reader {
    units: Vec<Unit>,
    paragraph: String,
    paragraphs: usize,
    fence: Option<(String, String)>,
    in_math: bool,
    in_item: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let bare = line.trim();
        if let Some((fence, code)) = &mut self.fence {
            code.push_str(line);
            code.push('\n');
            if bare.starts_with(fence.as_str()) && bare.trim_start_matches(['`', '~']).is_empty() {
                let code = std::mem::take(code);
                self.fence = None;
                self.units.push(Unit::Code(unindented(&code)));
            }
            return;
        }
        if let Some(fence) = fence(bare) {
            self.flush();
            self.fence = Some((fence.to_owned(), format!("{line}\n")));
            return;
        }
        let quoted = bare.trim_start_matches(['>', ' ']);
        if quoted.matches("$$").count() == 1 {
            self.flush();
            self.in_math = !self.in_math;
        }
        if self.in_math || quoted.contains("$$") {
            return self.flush();
        }
        match kind(quoted) {
            Line::Text => self.add(quoted),
            Line::Item(text) => {
                self.flush();
                self.in_item = true;
                self.add(text);
            }
            Line::Nothing => self.flush(),
        }
    }

    fn add(&mut self, text: &str) {
        if !self.paragraph.is_empty() {
            self.paragraph.push(' ');
        }
        self.paragraph.push_str(text);
    }

    fn flush(&mut self) {
        let mut text = std::mem::take(&mut self.paragraph);
        // Items of lists are often sentences but for their full stop.
        if std::mem::take(&mut self.in_item) && text.ends_with(|c: char| c.is_alphanumeric() || c == '`') {
            text.push('.');
        }
        let paragraph = self.paragraphs;
        self.paragraphs += 1;
        let sentences = split(&text).into_iter().filter(|sentence| !is_caption(sentence));
        self.units.extend(sentences.map(|text| Unit::Sentence { text: text.to_owned(), paragraph }));
    }
}

/// A few words that end in the middle of nothing: what a picture shows, or the name of a box.
fn is_caption(sentence: &str) -> bool {
    sentence.ends_with(|c: char| c.is_ascii_alphanumeric()) && sentence.split_whitespace().count() <= CAPTION_WORDS_MAX
}

enum Line<'a> {
    Text,
    Item(&'a str),
    /// An empty line, a heading, a row of a table, or markup.
    Nothing,
}

fn kind(line: &str) -> Line<'_> {
    let is_markup = line.starts_with('#') && line.trim_start_matches('#').starts_with([' ', '\t'])
        || line.starts_with(['|', '<', '{'])
        || line.starts_with(":::")
        || line.starts_with("![")
        || line.starts_with("import ") && line.contains(" from ")
        || line.starts_with("export ") && line.contains('=')
        || line.matches(" | ").count() >= 2
        || line.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' ' | '|' | ':'));
    if is_markup {
        return Line::Nothing;
    }
    item(line).map_or(Line::Text, Line::Item)
}

/// The text of `- item`, `* item`, `+ item`, `1. item`, `2) item`, and of a task.
fn item(line: &str) -> Option<&str> {
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let rest = match digits {
        0 => line.strip_prefix(['-', '*', '+'])?,
        1..=3 => line[digits..].strip_prefix(['.', ')'])?,
        _ => return None,
    };
    let text = rest.strip_prefix([' ', '\t'])?.trim_start();
    Some(["[ ] ", "[x] ", "[X] "].iter().find_map(|task| text.strip_prefix(task)).unwrap_or(text))
}

fn fence(line: &str) -> Option<&str> {
    let of = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(of).len();
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

/// A block inside a list stands further right than it may in an answer.
fn unindented(code: &str) -> String {
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indent = blanks(code);
    let lines = code.lines().map(|line| &line[indent.min(blanks(line))..]);
    lines.collect::<Vec<_>>().join("\n")
}

/// Words before a full stop that does not end a sentence, lower case.
const ABBREVIATIONS: &str = "e.g i.e eg ie etc vs cf al approx fig figs eq eqs sec ch chap no nos vol ed eds dr mr mrs ms prof st jr sr \
    inc ltd co dept est resp ca p pp a.m p.m u.s u.k";

/// Cuts text on one line into sentences, each trimmed.
pub fn split(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut ticks = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == '`' {
            let mut length = 1;
            while characters.next_if(|(_, next)| *next == '`').is_some() {
                length += 1;
            }
            // A run that nothing closes is no code, and must not swallow the rest.
            ticks = match ticks {
                Some(open) => (open != length).then_some(open),
                None => text[at + length..].contains(&"`".repeat(length)).then_some(length),
            };
            continue;
        }
        if ticks.is_some() || !is_stop(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((at, closing)) = characters.next_if(|(_, next)| is_stop(*next) || is_closing(*next)) {
            end = at + closing.len_utf8();
        }
        if ends_here(&text[start..at], c, &text[end..]) {
            sentences.push(text[start..end].trim());
            start = end;
        }
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '۔' | '؟' | '。' | '！' | '？')
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '"' | '\'' | '”' | '’' | '»' | '*' | '_')
}

fn ends_here(before: &str, stop: char, after: &str) -> bool {
    if matches!(stop, '۔' | '؟' | '。' | '！' | '？') {
        return true;
    }
    let Some(next) = after.chars().next() else { return true };
    if !next.is_whitespace() {
        return false;
    }
    let following = after.trim_start().trim_start_matches(['"', '\'', '“', '‘', '(', '[', '*', '_']).chars().next();
    if following.is_some_and(char::is_lowercase) {
        return false;
    }
    stop != '.' || !is_abbreviation(before, following)
}

fn is_abbreviation(before: &str, following: Option<char>) -> bool {
    let word =
        before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '*' | '_')).next().unwrap_or(before);
    let lower = word.to_lowercase();
    if lower == "etc" || lower == "no" {
        // Both also end sentences; a number after them is what tells.
        return following.is_some_and(|c| c.is_ascii_digit());
    }
    let initial = word.chars().count() == 1 && word.chars().all(|c| c.is_uppercase() && c != 'I');
    initial || ABBREVIATIONS.split_whitespace().any(|known| known == lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text), expected);
    }

    #[test]
    fn a_full_stop_ends_a_sentence_only_where_it_does() {
        check("Robots sense. They act!", &["Robots sense.", "They act!"]);
        check(
            "Use sensors, e.g. Lidar. See Fig. 3 by Dr. Smith.",
            &["Use sensors, e.g. Lidar.", "See Fig. 3 by Dr. Smith."],
        );
        check("It needs 3.5 volts. ROS 2.0 is new.", &["It needs 3.5 volts.", "ROS 2.0 is new."]);
        check("Run `a. B` now. Open main.py first.", &["Run `a. B` now.", "Open main.py first."]);
        check("He said \"Stop.\" Then **it ended.** So.", &["He said \"Stop.\"", "Then **it ended.**", "So."]);
        check("Wait... and see. A stray ` tick. Next.", &["Wait... and see.", "A stray ` tick.", "Next."]);
        check(
            "Motors, gears, etc. All turn. Is it? No. Yes.",
            &["Motors, gears, etc.", "All turn.", "Is it?", "No.", "Yes."],
        );
    }

    #[test]
    fn urdu_sentences_end_with_their_own_stops() {
        check("روبوٹ مشین ہے۔ کیا یہ چلتا ہے؟ ہاں۔", &["روبوٹ مشین ہے۔", "کیا یہ چلتا ہے؟", "ہاں۔"]);
    }

    #[test]
    fn markup_falls_away_and_code_stays_whole() {
        assert_eq!(units("Top view of two feet"), []);
        let passage = "# Sensors\n\nimport X from 'y'\nA sensor\nmeasures. It is small.\n\n- First item\n- [ ] Second. More.\n1. Third\n\n\
            | a | b |\n|---|---|\n| 1 | 2 |\n\n<Tabs>\n:::note\n> Quoted text.\n:::\n\n   ```py\n   x = 1. \n     y\n   ```\n\n![i](u)\n$$\nx = 1.\n$$\n```\ncut";
        let sentence = |text: &str, paragraph| Unit::Sentence { text: text.into(), paragraph };
        let told: Vec<Unit> = units(passage);
        let texts: Vec<&Unit> = told.iter().collect();
        let paragraphs: Vec<usize> = told
            .iter()
            .filter_map(|unit| if let Unit::Sentence { paragraph, .. } = unit { Some(*paragraph) } else { None })
            .collect();
        assert_eq!(
            texts,
            [
                &sentence("A sensor measures.", paragraphs[0]),
                &sentence("It is small.", paragraphs[0]),
                &sentence("First item.", paragraphs[2]),
                &sentence("Second.", paragraphs[3]),
                &sentence("More.", paragraphs[3]),
                &sentence("Third.", paragraphs[5]),
                &sentence("Quoted text.", paragraphs[6]),
                &Unit::Code("```py\nx = 1. \n  y\n```".into()),
            ]
        );
        assert!(paragraphs[0] < paragraphs[2] && paragraphs[2] < paragraphs[3]);
    }
}
