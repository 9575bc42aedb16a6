//! Documents that speak of the code: what they name is there, and what must be named is.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below a folder with this ending, as paths below the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder)).unwrap().flatten() {
            let path = folder.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if path.to_str().unwrap().ends_with(ending) => found.push(path),
                false => {}
            }
        }
    }
    found
}

/// The constants of a file that are limits.
fn limits(source: &str) -> impl Iterator<Item = &str> {
    let constants = source.lines().filter_map(|line| line.split_once("const ")?.1.split_once(':'));
    constants.map(|(name, _)| name).filter(|name| name.ends_with("_MAX"))
}

#[test]
fn the_map_lists_every_limit_with_its_place_and_no_other() {
    let mut there: Vec<String> = Vec::new();
    for path in ["src", "protocol/src"].iter().flat_map(|folder| files(folder, ".rs")) {
        let place = path.to_str().unwrap().trim_start_matches("src/").to_owned();
        there.extend(limits(&read(&path)).map(|name| format!("| `{place}` | `{name}` |")));
    }
    there.sort();
    let map = read("ARCHITECTURE.md");
    let rows = map.lines().filter(|line| line.contains("_MAX` | "));
    let mut listed: Vec<String> =
        rows.map(|row| row.splitn(4, '|').take(3).collect::<Vec<_>>().join("|") + "|").collect();
    listed.sort();
    assert_eq!(listed, there, "the limits in ARCHITECTURE.md (left) are not those of the code (right)");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "protocol/conformance/README.md"];
    let documents = documents.map(PathBuf::from);
    for document in documents.into_iter().chain(files("docs", ".md")) {
        let text = read(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let linked = Path::new(ROOT).join(&document).parent().unwrap().join(path);
            assert!(linked.exists(), "{} links to {target}, which is not there", document.display());
        }
    }
}

/// The words in backticks of a text.
fn in_code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_promise_of_security_is_held_by_a_test_that_is_there() {
    let page = read("docs/security.md");
    let promised = page.split("## What is promised").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = rows_below(promised, "| promise |").collect();
    assert!(rows.len() > 20, "the table is read: {rows:?}");
    each_names_its_tests(&rows);
}

#[test]
fn every_line_of_the_way_from_an_earlier_back_end_was_tried_by_a_test_that_is_there() {
    let page = read("docs/migrate-from-fastapi.md");
    let rows: Vec<&str> = rows_below(&page, "| before |").collect();
    assert!(rows.len() > 30, "the tables are read: {rows:?}");
    each_names_its_tests(&rows);
}

/// The rows of the tables that begin with such a line.
fn rows_below<'a>(page: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    let tables = page.split("\n\n").filter(move |part| part.trim_start().starts_with(heading));
    tables.flat_map(|table| table.trim_start().lines().skip(2)).filter(|line| line.starts_with("| "))
}

/// Checks that the last cell of each row names tests, and that they are there.
#[track_caller]
fn each_names_its_tests(rows: &[&str]) {
    let code: Vec<String> = ["src", "tests"].iter().flat_map(|folder| files(folder, ".rs")).map(read).collect();
    for row in rows {
        let held_by = row.rsplit('|').nth(1).unwrap();
        assert!(in_code(held_by).next().is_some(), "no test is named: {row}");
        for name in in_code(held_by).filter(|name| *name != "make lint") {
            let test = format!("fn {name}(");
            let listed = format!("        {name},\n");
            let is_there = match name.contains('/') {
                true => Path::new(ROOT).join(name).exists(),
                false => code.iter().any(|code| code.contains(&test) || code.contains(&listed)),
            };
            assert!(is_there, "no test is called `{name}`");
        }
    }
}
