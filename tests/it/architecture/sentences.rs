//! What readers are told is in the catalogue: every sentence that the code says, with the places that it fills, and none
//! that nobody says.

use std::collections::{BTreeMap, BTreeSet};

use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};

use super::names::Source;
use super::{none, read, sources};

/// What says a sentence of the catalogue, by its name.
const SAYING: [&str; 2] = ["say", "say_with"];

/// A sentence as the code says it.
#[derive(Debug, PartialEq)]
struct Said {
    name: String,
    /// Its places, where they are named beside it.
    places: Option<BTreeSet<String>>,
}

/// What a file says and names, with the macros it calls.
#[derive(Default)]
struct Heard {
    said: Vec<Said>,
    /// Every text in quotes.
    texts: BTreeSet<String>,
}

impl Heard {
    fn of(source: &Source) -> Self {
        let mut heard = Self::default();
        let listen = |input: ParseStream<'_>| {
            heard.listen(input.cursor());
            input.step(|cursor| {
                let mut rest = *cursor;
                while let Some((_, after)) = rest.token_tree() {
                    rest = after;
                }
                Ok(((), rest))
            })
        };
        listen.parse_str(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
        heard
    }

    fn listen(&mut self, mut cursor: Cursor<'_>) {
        let mut says = false;
        while !cursor.eof() {
            if let Some((inside, _, _, after)) = cursor.any_group() {
                if says {
                    self.said.extend(said(inside));
                }
                self.listen(inside);
                (says, cursor) = (false, after);
            } else if let Some((word, after)) = cursor.ident() {
                (says, cursor) = (SAYING.iter().any(|saying| word == saying), after);
            } else {
                self.texts.extend(text(cursor));
                (says, cursor) = (false, cursor.token_tree().expect("it is not at its end").1);
            }
        }
    }
}

/// A text in quotes.
fn text(cursor: Cursor<'_>) -> Option<String> {
    syn::parse_str::<syn::LitStr>(&cursor.literal()?.0.to_string()).ok().map(|text| text.value())
}

/// What is said by a call with these arguments: one sentence, or one of several.
fn said(mut arguments: Cursor<'_>) -> Vec<Said> {
    let (mut names, mut places, mut is_name, mut has_list) = (Vec::new(), BTreeSet::new(), true, false);
    while !arguments.eof() {
        if let Some((inside, bracket, _, after)) = arguments.any_group() {
            if is_name {
                names.extend(texts(inside));
            } else if format!("{bracket:?}") == "Bracket" {
                has_list = true;
                let mut inside = inside;
                while !inside.eof() {
                    let pair = inside.any_group().and_then(|(pair, ..)| text(pair));
                    places.extend(pair);
                    inside = inside.token_tree().expect("it is not at its end").1;
                }
            }
            arguments = after;
            continue;
        }
        match arguments.punct() {
            Some((sign, _)) if sign.as_char() == ',' => is_name = false,
            _ if is_name => names.extend(text(arguments)),
            _ => {}
        }
        arguments = arguments.token_tree().expect("it is not at its end").1;
    }
    let places = (has_list || is_name).then_some(places);
    names.into_iter().map(|name| Said { name, places: places.clone() }).collect()
}

fn texts(mut cursor: Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    while !cursor.eof() {
        if let Some((inside, _, _, after)) = cursor.any_group() {
            found.extend(texts(inside));
            cursor = after;
        } else {
            found.extend(text(cursor));
            cursor = cursor.token_tree().expect("it is not at its end").1;
        }
    }
    found
}

/// The sentences of a file of the catalogue, each with its places.
fn sentences(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    let mut name = String::new();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if let Some((begun, _)) = line.split_once(" =").filter(|(begun, _)| is_name(begun)) {
            begun.clone_into(&mut name);
            found.entry(name.clone()).or_default();
        }
        for place in line.split('$').skip(1) {
            let end = place.find(|c: char| !c.is_ascii_alphanumeric()).expect("a place stands in braces");
            found.entry(name.clone()).or_default().insert(place[..end].to_owned());
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    text.contains('-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What is wrong between the code and the catalogue.
fn quarrels(code: &[Source], catalogue: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let (mut quarrels, mut texts) = (Vec::new(), BTreeSet::new());
    for source in code {
        let heard = Heard::of(source);
        for Said { name, places } in heard.said.into_iter().filter(|said| is_name(&said.name)) {
            match (catalogue.get(&name), places) {
                (None, _) => quarrels.push(format!("{}: `{name}` is not in the catalogue", source.path)),
                (Some(asked), Some(filled)) if *asked != filled => {
                    quarrels
                        .push(format!("{}: `{name}` has the places {asked:?}, and {filled:?} are filled", source.path));
                }
                (Some(_), _) => {}
            }
        }
        texts.extend(heard.texts);
    }
    quarrels.extend(catalogue.keys().filter(|name| !texts.contains(*name)).map(|name| format!("nobody says `{name}`")));
    quarrels
}

/// A page names its sentences in two pairs of braces; as code, it says them.
fn as_code(page: &str) -> String {
    let named = page.split("{{").skip(1).filter_map(|piece| piece.split("}}").next());
    let said: String = named.filter(|name| is_name(name)).map(|name| format!("say(\"{name}\");")).collect();
    format!("fn page() {{ {said} }}")
}

#[test]
fn every_sentence_that_is_said_is_in_the_catalogue_and_none_is_there_for_nothing() {
    let mut code = sources(&["src"]);
    code.push(Source::new("web/index.html", &as_code(&read("web/index.html"))));
    none("the code and src/language/en.ftl", quarrels(&code, &sentences(&read("src/language/en.ftl"))));
}

#[test]
fn a_sentence_that_is_not_there_is_found_wherever_it_is_said() {
    let catalogue =
        sentences("# a-comment = no\none-thing = One.\ntwo-things = { $count } { $what ->\n  *[x] { $what }\n }\n");
    let code = |text: &str| [Source::new("src/a.rs", text)];
    let all = "fn f() { vec![one.say(\"one-thing\")]; two.say_with(\"two-things\", &[(\"count\", 1.into()), (\"what\", g(\"no\").into())]) }";
    assert_eq!(quarrels(&code(all), &catalogue), Vec::<String>::new());
    for (text, quarrel) in [
        (
            "stream! { yield say(match x { 1 => \"one-thing\", _ => \"no-thing\" }) }",
            "src/a.rs: `no-thing` is not in the catalogue",
        ),
        (
            "fn f() { x.say_with(\"two-things\", &[(\"count\", y)]) }",
            "src/a.rs: `two-things` has the places {\"count\", \"what\"}, and {\"count\"} are filled",
        ),
        (
            "fn f() { x.say(\"two-things\") }",
            "src/a.rs: `two-things` has the places {\"count\", \"what\"}, and {} are filled",
        ),
        ("fn f() { x.say(\"one-thing\") }", "nobody says `two-things`"),
    ] {
        let found = quarrels(&code(text), &catalogue);
        assert!(found.iter().any(|found| found == quarrel), "{found:?}");
    }
}
