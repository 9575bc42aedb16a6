//! Names of readers' files: shown, and never used as a path.

/// A longer name is cut in its middle, in characters; its ending stays.
const NAME_CHARS_MAX: usize = 200;
/// So many characters at the end of a name stay when it is cut.
const ENDING_CHARS: usize = 20;
/// The name of a file that has none.
const NAMELESS: &str = "file";

/// The name as it is kept: the last part of a path, without control characters and without marks that turn the
/// direction of writing, which could show an ending that is not there.
pub(super) fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let shown: String = last.chars().filter(|char| !char.is_control() && !turns_or_hides(*char)).collect();
    let shown = shown.trim();
    if shown.is_empty() || shown.chars().all(|char| char == '.') {
        return NAMELESS.to_owned();
    }
    let count = shown.chars().count();
    if count <= NAME_CHARS_MAX {
        return shown.to_owned();
    }
    let start = shown.chars().take(NAME_CHARS_MAX - ENDING_CHARS - 1);
    start.chain(['…']).chain(shown.chars().skip(count - ENDING_CHARS)).collect()
}

/// The ending of a name, in lower case.
pub(super) fn ending(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    (!stem.is_empty()).then(|| ending.to_ascii_lowercase())
}

fn turns_or_hides(char: char) -> bool {
    matches!(char, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_stay_and_paths_and_marks_go() {
        for (given, kept) in [
            ("notes.txt", "notes.txt"),
            ("größe 😀.pdf", "größe 😀.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ada\\cat.png", "cat.png"),
            ("a\r\nSet-Cookie: x\u{0}.txt", "aSet-Cookie: x.txt"),
            ("gnp.\u{202e}exe", "gnp.exe"),
            ("folder/", "folder"),
            ("", "file"),
            ("..", "file"),
            (" \t ", "file"),
        ] {
            assert_eq!(clean(given), kept, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_its_ending() {
        let kept = clean(&format!("{}.pdf", "ä".repeat(500)));
        assert_eq!(kept.chars().count(), NAME_CHARS_MAX);
        assert!(kept.ends_with("ä.pdf"));
    }

    #[test]
    fn an_ending_is_what_follows_the_last_dot() {
        assert_eq!(ending("a.tar.GZ").as_deref(), Some("gz"));
        assert_eq!((ending(".profile"), ending("README")), (None, None));
    }

    proptest! {
        #[test]
        fn any_name_becomes_one_that_is_short_and_no_path(name in "\\PC*|[\\x00-\\x7f]{0,400}") {
            let kept = clean(&name);
            prop_assert!(!kept.is_empty() && kept.chars().count() <= NAME_CHARS_MAX);
            prop_assert!(!kept.contains(['/', '\\', '\0', '\n', '\r']));
            prop_assert_eq!(clean(&kept), kept);
        }
    }
}
