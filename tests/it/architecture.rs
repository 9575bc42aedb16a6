//! The law of the house: what may lean on what, and what every file keeps to.

mod discretion;
mod law;
mod names;
mod sentences;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;

use law::{EVERYTHING, EVERYWHERE, FLOORS, HOMES, breaches};
use names::{Source, named, test_modules, tokens};

/// A file about one subject is hardly longer than this, in lines, its tests left out.
const LINES_MAX: usize = 400;
/// All that the wire may be made of: nothing here can do I/O or look at a clock unasked.
const WIRE: &[&str] = &["chrono", "schemars", "serde", "serde_json", "serde_path_to_error", "thiserror"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below these folders of the repository.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root()).unwrap().components();
                let below: Vec<_> = below.map(|part| part.as_os_str().to_str().unwrap()).collect();
                sources.push(Source { path: below.join("/"), text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    assert!(!sources.is_empty(), "there are sources in {folders:?}");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// Every Rust file that is ours.
fn all_sources() -> Vec<Source> {
    sources(&["src", "protocol", "tests", "examples", "benches", "fuzz"])
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The crates that a manifest asks for in one of its sections, as they are called in code.
fn dependencies(manifest: &str, section: &str) -> BTreeSet<String> {
    let (mut inside, mut names) = (false, BTreeSet::new());
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == section;
            names.extend(header.strip_prefix(&format!("{section}.")).map(in_code));
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            names.extend(line.split(['=', '.', ' ']).next().map(in_code));
        }
    }
    names
}

fn in_code(name: &str) -> String {
    name.replace('-', "_")
}

#[track_caller]
fn none(what: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn floors_lean_only_on_floors_below_and_outside_crates_stay_at_home() {
    none("the law of the house is broken", breaches(&sources(&["src"])));
}

#[test]
fn the_table_of_floors_has_no_circle_and_no_row_for_what_is_gone() {
    for (index, (floor, below)) in FLOORS.iter().enumerate() {
        assert!(
            root().join(format!("src/{floor}")).exists() || root().join(format!("src/{floor}.rs")).exists(),
            "{floor}"
        );
        for on in below.iter().filter(|_| *below != EVERYTHING) {
            assert!(FLOORS[..index].iter().any(|(name, _)| name == on), "{on} is not a floor below {floor}");
        }
    }
}

#[test]
fn every_outside_crate_has_a_home() {
    let manifest = read("Cargo.toml");
    let known: BTreeSet<String> =
        HOMES.iter().map(|(name, _)| *name).chain(EVERYWHERE.iter().copied()).map(str::to_owned).collect();
    let homeless = dependencies(&manifest, "dependencies").into_iter().filter(|name| !known.contains(name));
    none("crates without a row in HOMES or EVERYWHERE", homeless);
}

#[test]
fn the_wire_can_do_no_io_and_looks_at_no_clock() {
    let asked = dependencies(&read("protocol/Cargo.toml"), "dependencies");
    none("the wire is made of more than plain data", asked.into_iter().filter(|name| !WIRE.contains(&name.as_str())));
    let outside = ["std::env", "std::fs", "std::net", "std::process", "std::thread", "chrono::Utc::now", "std::time"];
    let mut found = Vec::new();
    for source in sources(&["protocol/src"]) {
        for name in named(&source) {
            let path = name.path.join("::");
            if outside.iter().any(|outside| path == *outside || path.starts_with(&format!("{outside}::"))) {
                found.push(format!("{}: {}", source.path, name.written));
            }
        }
    }
    none("the wire reaches for the world", found);
}

#[test]
fn every_file_begins_with_a_sentence_on_what_lives_there() {
    let all = all_sources();
    let for_tests = test_modules(&all);
    let silent =
        all.into_iter().filter(|source| !source.text.starts_with("//! ") && !for_tests.contains(&source.module()));
    none("files without a sentence", silent.map(|source| source.path));
}

#[test]
fn no_file_is_longer_than_its_subject() {
    let mut long = Vec::new();
    for source in sources(&["src", "protocol/src"]) {
        let lines = source.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count();
        if lines > LINES_MAX {
            long.push(format!("{}: {lines} lines", source.path));
        }
    }
    none("files with a second subject in them", long);
}

#[test]
fn nothing_is_unsafe_unfinished_or_passed_over() {
    let mut found = Vec::new();
    for source in all_sources() {
        found.extend(left_undone(&source));
    }
    none("left undone", found);
    for manifest in ["Cargo.toml", "protocol/Cargo.toml"] {
        assert!(read(manifest).contains("[lints]\nworkspace = true"), "{manifest} keeps the lints of the workspace");
    }
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
}

fn left_undone(source: &Source) -> Vec<String> {
    let mut tokens = tokens(source);
    tokens.extend([String::new(), String::new()]);
    let mut found: Vec<String> = Vec::new();
    for three in tokens.windows(3) {
        match [three[0].as_str(), three[1].as_str(), three[2].as_str()] {
            ["unsafe", ..] => found.push(format!("{}: unsafe", source.path)),
            [name @ ("todo" | "unimplemented"), "!", _] => found.push(format!("{}: {name}!", source.path)),
            ["#", "(", "ignore"] => found.push(format!("{}: #[ignore]", source.path)),
            _ => {}
        }
    }
    found
}

#[test]
fn the_pages_on_settings_are_those_the_program_writes() {
    for (page, command) in [("docs/configuration.md", "markdown"), (".env.example", "example")] {
        let program = Command::new(env!("CARGO_BIN_EXE_chatkit-gateway")).args(["config", command]).output().unwrap();
        let written = String::from_utf8(program.stdout).unwrap();
        assert!(read(page) == written, "{page} is out of date: `config {command}` writes it anew");
    }
}

#[test]
fn the_law_sees_every_way_to_break_it() {
    let tree = [
        Source::new("src/lib.rs", "//! The root.\npub mod chat;"),
        Source::new("src/main.rs", "use chatkit_gateway::cli;"),
        Source::new("src/chat/mod.rs", "mod turn; #[cfg(test)] mod tests; use crate::store::{Batch, rows::Row};"),
        Source::new(
            "src/chat/turn.rs",
            "use crate::routes::sse;\nuse crate::{clock::Clock, app::{self, App as House}};",
        ),
        Source::new(
            "src/chat/turn/run.rs",
            "fn run() { let frame = super::super::super::agent::frame(); super::keep(frame) }",
        ),
        Source::new("src/chat/ledger.rs", "use crate as house; fn hear(with: house::knowledge::Search<'_>) {}"),
        Source::new("src/chat/outbox.rs", "fn send() { tracing::info!(\"{}\", crate::server::NAME); }"),
        Source::new(
            "src/chat/items.rs",
            "#[derive(Debug, sqlx::FromRow)] struct Item { body: Vec<axum::body::Bytes> }",
        ),
        Source::new("src/chat/tests.rs", "use crate::routes::sse;"),
        Source::new(
            "src/chat/retry.rs",
            "#[cfg(test)] mod tests { use crate::routes::sse; }\n#[cfg(not(test))] mod other { use crate::routes::cors; }",
        ),
        Source::new("src/auth/jwt.rs", "use std::env; fn key() { env::var(\"KEY\"); } use crate::*;"),
        Source::new(
            "src/cli/mod.rs",
            "use crate::store; fn open() { store::sqlite::SqliteStore::open(); crate::chat::Chat::new(); }",
        ),
        Source::new("src/helpers/mod.rs", ""),
    ];
    let seen: Vec<String> = breaches(&tree).into_iter().collect();
    expect![[r#"
        src/auth/jwt.rs: auth may not lean on * (use crate::*)
        src/auth/jwt.rs: auth may not name std::env (env::var)
        src/auth/jwt.rs: auth may not name std::env (use std::env)
        src/chat/items.rs: chat may not name axum (axum::body::Bytes)
        src/chat/items.rs: chat may not name sqlx (sqlx::FromRow)
        src/chat/ledger.rs: chat may not lean on knowledge (house::knowledge::Search)
        src/chat/outbox.rs: chat may not lean on server (crate::server::NAME)
        src/chat/retry.rs: chat may not lean on routes (use crate::routes::cors)
        src/chat/turn.rs: chat may not lean on app (use crate::app)
        src/chat/turn.rs: chat may not lean on app (use crate::app::App)
        src/chat/turn.rs: chat may not lean on routes (use crate::routes::sse)
        src/chat/turn/run.rs: chat may not lean on agent (super::super::super::agent::frame)
        src/cli/mod.rs: cli may not name crate::store::sqlite (store::sqlite::SqliteStore::open)
        src/helpers/mod.rs: helpers has no row in the table of floors"#]]
    .assert_eq(&seen.join("\n"));
}

#[test]
fn unfinished_work_is_seen_in_code_and_not_in_words() {
    let source = Source::new(
        "src/a.rs",
        "//! Nothing unsafe, no todo!()\n\
         #[test] #[ignore = \"slow\"] fn a() { vec![todo!()]; unimplemented!(); let text = \"todo!()\"; }\n\
         fn b() { unsafe { c() } }",
    );
    expect![[r#"
        src/a.rs: #[ignore]
        src/a.rs: todo!
        src/a.rs: unimplemented!
        src/a.rs: unsafe"#]]
    .assert_eq(&left_undone(&source).join("\n"));
}

#[test]
fn a_manifest_is_read_with_all_its_spellings() {
    let manifest = "[dependencies]\nserde.workspace = true\nserde_json = \"1\"\n# none\n\n[dependencies.tower-http]\nversion = \"1\"\n\
                    [dev-dependencies]\nproptest = \"1\"";
    let names: Vec<String> = dependencies(manifest, "dependencies").into_iter().collect();
    assert_eq!(names, ["serde", "serde_json", "tower_http"]);
}
