//! Words that become a title: one line without marks, links and quotes, short enough for a list of conversations.

use unicode_segmentation::UnicodeSegmentation;

use crate::llm::is_small_talk;

/// A list of conversations has room for so many characters.
const TITLE_CHARS_MAX: usize = 60;
/// What a model says in more words is an answer rather than a title.
const SAID_WORDS_MAX: usize = 10;
/// A title that is made of a question has so many words of it.
const QUESTION_WORDS: usize = 6;
/// What models write before a title, although nobody asked for it.
const LABELS: [&str; 2] = ["title:", "عنوان:"];
/// What stands around a title and is no part of it.
const QUOTES: [char; 17] = ['"', '\'', '“', '”', '„', '‘', '’', '‚', '«', '»', '‹', '›', '「', '」', '『', '』', '`'];
/// What a title does not end with.
const STOPS: [char; 11] = ['.', '…', '。', '۔', ':', ';', ',', '،', '؛', '、', '·'];
/// Where sentences end.
const ENDS: [char; 8] = ['.', '?', '!', '؟', '۔', '。', '？', '！'];

/// What a model said, as a title; nothing when it is none.
pub(super) fn of_model(said: &str) -> Option<String> {
    let line = said.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut words = words(line);
    if words.first().is_some_and(|word| LABELS.contains(&word.to_lowercase().as_str())) {
        words.remove(0);
    }
    if words.len() > SAID_WORDS_MAX {
        return None;
    }
    titled(&words, false)
}

/// The first words of a question; nothing when it has none.
pub(super) fn of_question(question: &str) -> Option<String> {
    let says_something = |sentence: &&str| !is_small_talk(sentence);
    let sentence = sentences(question).find(says_something).or_else(|| sentences(question).next())?;
    let mut words = words(sentence);
    let is_cut = words.len() > QUESTION_WORDS;
    words.truncate(QUESTION_WORDS);
    titled(&words, is_cut)
}

/// The sentences of a message that have letters.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().flat_map(|line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            let ends = |(at, sign): (usize, char)| {
                let after = at + sign.len_utf8();
                (ENDS.contains(&sign) && rest[after..].chars().next().is_none_or(char::is_whitespace)).then_some(after)
            };
            let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
            let (sentence, left) = rest.split_at(end);
            rest = left;
            (!sentence.is_empty()).then_some(sentence)
        })
    });
    lines.filter(|sentence| sentence.chars().any(char::is_alphanumeric))
}

/// The words of a line, without what only marks them.
fn words(line: &str) -> Vec<String> {
    let plain = without_brackets(line);
    let words = plain.split_whitespace().filter(|word| !is_address(word));
    let bare = words.map(|word| word.trim_matches(['*', '_', '~', '`', '|']).replace(['`', '*'], ""));
    let mut words: Vec<String> = bare.filter(|word| !word.is_empty()).collect();
    // What a heading, a quotation or a list begins with.
    while words.first().is_some_and(|word| word.chars().all(|char| matches!(char, '#' | '>' | '-' | '+' | '•' | '–')))
    {
        words.remove(0);
    }
    words
}

/// The text of links without their addresses, without marks of citations, tags, and characters that turn text around.
fn without_brackets(line: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(sign) = rest.chars().next() {
        let after = &rest[sign.len_utf8()..];
        let (closing, is_tag) = match sign {
            '[' => (']', false),
            '<' if after.starts_with(|next: char| next.is_ascii_alphabetic() || next == '/') => ('>', true),
            _ => {
                plain.push(sign);
                rest = after;
                continue;
            }
        };
        let Some((inside, behind)) = after.split_once(closing) else {
            rest = after;
            continue;
        };
        if is_tag {
            rest = behind;
            continue;
        }
        let is_mark = inside.chars().all(|char| char.is_ascii_digit());
        let address = behind.strip_prefix('(').and_then(|address| address.split_once(')'));
        match address {
            Some((_, behind)) => (plain, rest) = (plain + inside, behind),
            None if is_mark => rest = behind,
            None => (plain, rest) = (plain + inside, behind),
        }
    }
    let harmless = plain.chars().filter(|char| !turns_text_around(*char));
    harmless.map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// Whether a character would change how what stands around a title is read.
fn turns_text_around(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}')
}

fn is_address(word: &str) -> bool {
    let word = word.to_lowercase();
    word.contains("://") || word.starts_with("www.") || word.starts_with("mailto:") || word.starts_with("javascript:")
}

/// As many of the words as there is room for.
fn titled(words: &[String], is_cut: bool) -> Option<String> {
    let (mut title, mut is_cut) = (String::new(), is_cut);
    for word in words {
        let chars = title.chars().count() + word.chars().count() + 2;
        if chars > TITLE_CHARS_MAX {
            if title.is_empty() {
                // A language without spaces.
                title = first_chars(word);
            }
            is_cut = true;
            break;
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(word);
    }
    let is_around = |char: char| char.is_whitespace() || QUOTES.contains(&char);
    let bare = title.trim_start_matches(is_around).trim_end_matches(|char| is_around(char) || STOPS.contains(&char));
    if !bare.chars().any(char::is_alphanumeric) {
        return None;
    }
    Some(if is_cut { format!("{bare}…") } else { bare.to_owned() })
}

/// As much of a word as there is room for, cut where a reader would see letters.
fn first_chars(word: &str) -> String {
    let (mut first, mut chars) = (String::new(), 0);
    for letter in word.graphemes(true) {
        chars += letter.chars().count();
        if chars >= TITLE_CHARS_MAX {
            break;
        }
        first.push_str(letter);
    }
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_model(said: &str, title: Option<&str>) {
        assert_eq!(of_model(said).as_deref(), title, "{said}");
    }

    #[track_caller]
    fn check_question(question: &str, title: Option<&str>) {
        assert_eq!(of_question(question).as_deref(), title, "{question}");
    }

    #[test]
    fn what_a_model_says_is_taken_out_of_its_wrapping() {
        check_model("Forward Kinematics of Robot Arms", Some("Forward Kinematics of Robot Arms"));
        check_model("\n\"Forward Kinematics.\"\nbecause it is about arms", Some("Forward Kinematics"));
        check_model("**Title:** `ros2 topic` Explained.", Some("ros2 topic Explained"));
        check_model("# «Кинематика робота»…", Some("Кинематика робота"));
        check_model("Title: What Is a Servo?", Some("What Is a Servo?"));
        check_model("عنوان: روبوٹ کے بازو کی حرکیات۔", Some("روبوٹ کے بازو کی حرکیات"));
        check_model("C# and snake_case for O'Reilly", Some("C# and snake_case for O'Reilly"));
    }

    #[test]
    fn marks_of_direction_stay_and_what_turns_text_around_does_not() {
        check_model("روبوٹ\u{200f} کیا\u{200c}ہے", Some("روبوٹ\u{200f} کیا\u{200c}ہے"));
        check_model("\u{202e}evil\u{202c} title", Some("evil title"));
    }

    #[test]
    fn no_link_and_no_tag_is_left() {
        check_model("[Servo Motors](https://evil.example) in Detail [1]", Some("Servo Motors in Detail"));
        check_model("See https://evil.example now", Some("See now"));
        check_model("<b>Servo</b> <img src=x onerror=y> Motors", Some("Servo Motors"));
        check_model("![](javascript:alert(1)", None);
    }

    #[test]
    fn an_answer_is_no_title() {
        check_model("I am sorry, but I cannot help with naming this conversation at all.", None);
        for nothing in ["", " \n ", "\"…\"", "***", "[1]"] {
            check_model(nothing, None);
        }
    }

    #[test]
    fn a_question_gives_its_first_words() {
        check_question("What is a quaternion?", Some("What is a quaternion?"));
        check_question("How do I compute the inverse kinematics of an arm?", Some("How do I compute the inverse…"));
        check_question("Hello! Explain ROS 2 nodes. Thanks.", Some("Explain ROS 2 nodes"));
        check_question("hello", Some("hello"));
        check_question("  \n# Balance\nmore", Some("Balance"));
        check_question("روبوٹ کیا ہے؟ اور کیوں؟", Some("روبوٹ کیا ہے؟"));
        check_question("?!", None);
        check_question("", None);
    }

    #[test]
    fn a_language_without_spaces_is_cut_between_letters() {
        let title = of_question(&"机器人学".repeat(40)).unwrap();
        assert_eq!(title.chars().count(), TITLE_CHARS_MAX);
        assert!(title.ends_with('…'));
    }

    proptest! {
        #[test]
        fn a_title_is_one_short_line_whatever_it_is_made_of(text in "\\PC{0,200}|[\\[\\]()<>a-z*_ .\n\u{202e}\u{5d0}]{0,80}") {
            for title in [of_model(&text), of_question(&text)].into_iter().flatten() {
                prop_assert!(title.chars().count() <= TITLE_CHARS_MAX, "{title}");
                prop_assert!(title.chars().any(char::is_alphanumeric), "{title}");
                prop_assert!(!title.contains(|char: char| char.is_control() || turns_text_around(char)), "{title}");
                prop_assert_eq!(title.trim(), &title);
            }
        }
    }
}
