//! What readers are shown of links, however the answer was cut.

use proptest::prelude::*;

use super::super::addresses::{address_bytes, target, trimmed};
use super::*;

const SITE: &str = "https://book.example/docs/lidar#range";

fn allowed() -> Allowed {
    let mut allowed = Allowed::default();
    allowed.add(SITE);
    allowed.add_all_of("See [the guide](/docs/guide), https://data.example/a_(b), and www.ros.example.");
    allowed
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a str>, cited: &[usize]) -> (String, Vec<usize>) {
    let mut links = Links::new(allowed());
    let (mut text, mut citations, mut given) = (String::new(), Vec::new(), 0);
    let mut take = |piece: Piece, text: &mut String| {
        text.push_str(&piece.text);
        for citation in piece.citations {
            assert!(citation.index <= text.encode_utf16().count(), "a citation ahead of its text");
            citations.push(citation.index);
        }
    };
    for (number, piece) in pieces.into_iter().enumerate() {
        let until = given + piece.encode_utf16().count();
        let here = cited.iter().filter(|index| (given + usize::from(number > 0)..=until).contains(*index));
        let here = here.map(|index| Citation { number: 1, index: *index }).collect();
        given = until;
        take(links.push(Piece { text: piece.to_owned(), citations: here }), &mut text);
    }
    take(links.finish(Piece::default()), &mut text);
    (text, citations)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(read([text], &[]).0, expected, "whole");
    let characters: Vec<String> = text.chars().map(String::from).collect();
    assert_eq!(read(characters.iter().map(String::as_str), &[]).0, expected, "one by one");
}

#[test]
fn a_link_that_is_not_from_the_data_becomes_its_text() {
    check("See [the docs](https://evil.example/x) now.", "See the docs now.");
    check("See [the *docs*](/docs/made-up \"title\").", "See the *docs*.");
    check("A ![robot](https://evil.example/r.png) walks.", "A robot walks.");
    check("[![robot](/r.png)](https://evil.example)", "robot");
    check("[https://evil.example](/x) [](/y)", "(link left out)  ");
}

#[test]
fn an_address_that_stands_alone_is_left_out() {
    check("See https://evil.example/a?b=c.", "See (link left out).");
    check("(see HTTP://evil.example/a_(b))", "(see (link left out))");
    check("**www.evil.example** or <https://evil.example>", "**(link left out)** or (link left out)");
    check("write to mailto:a@evil.example!", "write to (link left out)!");
    check("`https://evil.example`", "`(link left out)`");
    check("<a href=\"/x\">here</a> <b>bold</b>", " here</a> <b>bold</b>");
    check("[x]: /made-up\n[x] is text", "\n[x] is text");
}

#[test]
fn links_of_the_data_and_of_the_own_machine_stay() {
    for text in [
        "See [the range](https://book.example/docs/lidar#range).",
        "See [guide](/docs/guide) and https://data.example/a_(b), www.ros.example.",
        "Open http://localhost:8080/x in a browser, or <http://127.0.0.1:3000/>.",
        "[x]: /docs/guide\n",
    ] {
        check(text, text);
    }
    check("https://book.example/docs/lidar#other", "(link left out)");
    check("http://localhost.evil.example/", "(link left out)");
}

#[test]
fn what_is_no_link_stays_as_it_is() {
    for text in [
        "a[1] = [2, 3] (x) ! [y] z",
        "if a < b and c <d then",
        "```sh\ncurl https://evil.example/[x](/y)\n```\nwwwhat, httpd, data: these",
        "\\[x\\](y) [^1] - [ ] task",
        "how http works: www",
    ] {
        check(text, text);
    }
}

#[test]
fn a_link_too_long_to_wait_for_is_none() {
    let label = "long ".repeat(100);
    check(&format!("[{label}](/made-up)"), &format!("[{label}] (/made-up)"));
    let address = format!("https://evil.example/{}", "a".repeat(3_000));
    let (text, _) = read([address.as_str()], &[]);
    assert!(!text.contains("https://"), "{text}");
}

#[test]
fn halves_of_an_address_that_come_together_are_kept_apart() {
    check("see ht[tps](/y)://evil.example/x", "see https:// evil.example/x");
    check("see ht[tps://evil.example/x](open", "see https:// evil.example/x (open");
    check("a:mail[to:](/y)a@evil.example", "a:mailto: a@evil.example");
    check("see w[ww](/y).evil.example", "see www. evil.example");
    check("```\nhttp[s](/y)://evil.example\n```", "```\nhttp[s](/y)://evil.example\n```");
}

#[test]
fn citations_stay_at_the_words_they_support() {
    let text = "See [it](/x) 🤖 now.";
    assert_eq!(read([text], &[3, 12, 15, 19]), ("See it 🤖 now.".to_owned(), vec![3, 6, 9, 13]));
}

fn answers() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "https://evil.example/x",
        "https://",
        "http",
        "://",
        ":",
        "//",
        "www",
        "www.",
        ".",
        "evil.example",
        "mailto:",
        "ht",
        "tps",
        "[",
        "]",
        "](",
        "(",
        ")",
        "[x](",
        "[x](/y)",
        "[](",
        "![",
        "!",
        "<",
        ">",
        "<a href=",
        "<img src=x>",
        "\"",
        "/y",
        SITE,
        "[s](https://book.example/docs/lidar#range)",
        " ",
        "\n",
        "\n\n",
        "`",
        "```\n",
        "\\",
        "robot",
        "روبوٹ",
        "🤖",
        "*",
        "**",
        "h",
        "w",
        "ht[tps](/y)",
        "robots sense the world, then they act",
        "what mail he had from home",
        "[x]: ",
        "。",
    ]);
    prop::collection::vec(parts, 0..16).prop_map(|parts| parts.concat())
}

/// Everything in a text that a browser may make a link of, blocks of code left out.
fn links_in(text: &str) -> Vec<String> {
    let mut place = Place::start();
    let mut prose = String::new();
    for c in text.chars() {
        prose.push(if place.in_fence() { ' ' } else { c });
        place.step(c);
    }
    let alone = regex_lite(&prose);
    let targets = prose.match_indices("](").filter_map(|(at, _)| target(&prose[at + 1..]));
    // Behind a backslash a bracket is a bracket.
    let targets = targets.map(|(target, _)| target.to_owned()).filter(|target| target.starts_with('/'));
    alone.into_iter().chain(targets.filter(|_| !prose.contains('\\'))).collect()
}

fn regex_lite(prose: &str) -> Vec<String> {
    let lower = prose.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.char_indices() {
        let begins = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let rest = &lower[at..];
        let scheme = ["https://", "http://", "ftp://", "mailto:", "www."].into_iter().find(|s| rest.starts_with(s));
        if let Some(scheme) = scheme.filter(|_| begins)
            && rest[scheme.len()..].starts_with(|c: char| c.is_alphanumeric())
        {
            found.push(trimmed(&prose[at..at + address_bytes(&prose[at..])]).to_owned());
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn however_an_answer_is_cut_it_reads_the_same(
        text in answers(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        cited in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let characters: Vec<char> = text.chars().collect();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        places.extend([0, characters.len()]);
        places.sort_unstable();
        let pieces: Vec<String> = places.windows(2).map(|ends| characters[ends[0]..ends[1]].iter().collect()).collect();
        let before = |count: usize| characters[..count].iter().map(|c| c.len_utf16()).sum();
        let mut cited: Vec<usize> = cited.iter().map(|place| before(place.index(characters.len() + 1))).collect();
        cited.sort_unstable();
        cited.dedup();
        let whole = read([text.as_str()], &cited);
        prop_assert_eq!(whole.1.len(), cited.len());
        prop_assert_eq!(read(pieces.iter().map(String::as_str), &cited), whole);
    }

    #[test]
    fn no_link_is_left_that_was_not_in_the_data(text in answers()) {
        let (shown, _) = read([text.as_str()], &[]);
        for link in links_in(&shown) {
            prop_assert!(allowed().permits(&link), "{:?} became {:?} with {:?}", text, shown, link);
        }
    }
}
