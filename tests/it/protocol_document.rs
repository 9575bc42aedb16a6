//! `docs/protocol.md` against the code: its tables name what the schemas and the doors have, and nothing else.
//!
//! That its commands print what it says is looked at by `tests/python/protocol_doc.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use axum::http::StatusCode;
use chatkit_protocol::Request;
use serde_json::Value;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn document() -> String {
    read("docs/protocol.md")
}

/// A part of the document, from its heading to the next one of the same level.
fn part<'a>(document: &'a str, heading: &str) -> &'a str {
    let level = heading.split(' ').next().unwrap();
    let begin = document.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no heading `{heading}`"));
    let rest = &document[begin + heading.len() + 2..];
    let end = rest.find(&format!("\n{level} ")).unwrap_or(rest.len());
    &rest[..end]
}

/// The cells of all rows of tables, without their heads.
fn rows(part: &str) -> Vec<Vec<&str>> {
    let (mut rows, mut below_a_head) = (Vec::new(), false);
    for line in part.lines() {
        match line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) {
            Some(ruler) if ruler.starts_with("---") => below_a_head = true,
            Some(row) if below_a_head => rows.push(row.split(" | ").collect()),
            Some(_) => {}
            None => below_a_head = false,
        }
    }
    rows
}

/// Everything between backticks.
fn quoted(text: &str) -> Names {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The first name of each row, and the names in the second cell.
fn table(part: &str) -> BTreeMap<String, Names> {
    rows(part).into_iter().map(|cells| (quoted(cells[0]).pop_first().unwrap(), quoted(cells[1]))).collect()
}

struct Schema(Value);

impl Schema {
    fn of(name: &str) -> Self {
        Self(serde_json::from_str(&read(&format!("protocol/schema/{name}.json"))).unwrap())
    }

    fn definition(&self, name: &str) -> &Value {
        &self.0["$defs"][name]
    }

    /// What a `$ref` leads to; anything else as it is.
    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => self.definition(path.rsplit('/').next().unwrap()),
            None => schema,
        }
    }

    /// The `type` of each alternative, and its other members.
    fn alternatives(&self, schema: &Value) -> BTreeMap<String, Names> {
        let each = schema["oneOf"].as_array().unwrap().iter().map(|one| {
            let properties = self.followed(one)["properties"].as_object().unwrap();
            let kind = properties["type"]["const"].as_str().unwrap().to_owned();
            (kind, properties.keys().filter(|name| *name != "type").cloned().collect())
        });
        each.collect()
    }

    /// The names of all members, wherever they are.
    fn members(&self) -> Names {
        fn gather(schema: &Value, names: &mut Names) {
            match schema {
                Value::Object(members) => {
                    for (name, below) in members {
                        if name == "properties" {
                            names.extend(below.as_object().unwrap().keys().cloned());
                        }
                        gather(below, names);
                    }
                }
                Value::Array(values) => values.iter().for_each(|value| gather(value, names)),
                _ => {}
            }
        }
        let mut names = Names::new();
        gather(&self.0, &mut names);
        names
    }
}

#[test]
fn the_tables_name_the_events_updates_and_items_of_the_schema_with_their_members() {
    let (document, event) = (document(), Schema::of("event"));
    assert_eq!(table(part(&document, "## Events")), event.alternatives(&event.0));
    assert_eq!(table(part(&document, "## Updates")), event.alternatives(event.definition("ItemUpdate")));
    assert_eq!(table(part(&document, "## Items")), event.alternatives(event.definition("ThreadItem")));
}

#[test]
fn every_request_has_a_row_and_a_part_that_names_its_params() {
    let (document, request) = (document(), Schema::of("request"));
    let listed = part(&document, "## The sixteen requests");
    let listed: Vec<&str> = rows(listed).iter().map(|cells| cells[0].split('`').nth(1).unwrap()).collect();
    assert_eq!(listed, Request::KINDS);
    for alternative in request.0["oneOf"].as_array().unwrap() {
        let kind = alternative["properties"]["type"]["const"].as_str().unwrap();
        let params = request.followed(&alternative["properties"]["params"]);
        let all: Names = params["properties"].as_object().unwrap().keys().cloned().collect();
        let needed = params["required"].as_array().into_iter().flatten();
        let needed: Names = needed.map(|name| name.as_str().unwrap().to_owned()).collect();
        let told = part(&document, &format!("### `{kind}`"));
        let told = told.lines().find_map(|line| line.strip_prefix("Params: ")).unwrap();
        let (told_needed, told_optional) = told.split_once("optional").unwrap_or((told, ""));
        assert_eq!(quoted(told_needed), needed, "what `{kind}` needs");
        assert_eq!(quoted(told_optional), &all - &needed, "what `{kind}` may have");
    }
}

#[test]
fn every_member_of_the_schemas_is_spoken_of() {
    let document = document();
    let words: BTreeSet<&str> = document.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    for schema in ["request", "event", "response"] {
        let silent: Vec<String> =
            Schema::of(schema).members().into_iter().filter(|name| !words.contains(name.as_str())).collect();
        assert!(silent.is_empty(), "nothing is said of {silent:?} of {schema}.json");
    }
}

#[test]
fn links_within_the_document_lead_to_its_headings() {
    let document = document();
    let headings = document.lines().filter_map(|line| line.strip_prefix('#'));
    let anchors: Names = headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect();
    let links = document.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    let lost: Vec<&str> = links.filter(|link| !anchors.contains(*link)).collect();
    assert!(lost.is_empty(), "no heading for {lost:?}");
}

/// The name that a heading has in links.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn the_table_of_errors_has_every_code_with_its_status() {
    let document = document();
    let errors = part(&document, "## Errors").split("\n### ").next().unwrap();
    let told = rows(errors).into_iter().filter_map(|cells| Some((cells[0].parse::<u16>().ok()?, cells[1])));
    let told: BTreeSet<(u16, String)> =
        told.flat_map(|(status, codes)| quoted(codes).into_iter().map(move |code| (status, code))).collect();
    let there: BTreeSet<(u16, String)> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes"))
        .iter()
        .flat_map(|source| codes(source))
        .collect();
    assert_eq!(told, there, "the table (left) and src/routes (right)");
}

/// The texts of all files of a folder, and of the folders in it.
fn sources(folder: &Path) -> Vec<String> {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    inside
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] })
        .collect()
}

/// What stands in a source as `StatusCode::NAME, "code"`.
fn codes(source: &str) -> Vec<(u16, String)> {
    let numbers =
        (400..600).filter_map(|number| Some((StatusCode::from_u16(number).ok()?.canonical_reason()?, number)));
    let numbers: BTreeMap<String, u16> =
        numbers.map(|(reason, number)| (reason.to_uppercase().replace([' ', '-'], "_"), number)).collect();
    let found = source.split("StatusCode::").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(',')?;
        let code = rest.trim_start().strip_prefix('"')?.split('"').next()?;
        Some((*numbers.get(name)?, code.to_owned()))
    });
    found.collect()
}
