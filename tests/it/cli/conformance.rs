//! `conformance`: what it prints, and how it ends.

use serde_json::{Value, json};

use super::program::Home;
use crate::support::raw_server::{RawServer, Reply};

/// Three cases of a home: one that a server with one good answer passes, one that it fails, one that is not about it.
fn home() -> Home {
    let home = Home::new();
    let case = |name: &str, needs: Value, expect: Value| {
        let steps = json!([{"request": {"type": "threads.list", "params": {}}, "expect": expect}]);
        json!({"name": name, "about": format!("About {name}"), "needs": needs, "steps": steps}).to_string()
    };
    home.write("cases/list-empty.json", case("list-empty", json!([]), json!({"json": {"data": []}})));
    home.write("cases/list-full.json", case("list-full", json!([]), json!({"json": {"data": [1]}})));
    home.write("cases/upload.json", case("upload", json!(["attachments"]), json!({"status": 201})));
    home
}

fn server() -> RawServer {
    RawServer::start(vec![Reply::json("{\"data\":[]}"); 9])
}

#[test]
fn a_run_names_what_failed_and_ends_with_the_counts() {
    let (home, server) = (home(), server());
    let ended = home.run(&["conformance", &server.url(), "--cases", "cases", "--have", ""]);
    assert_eq!(
        ended.out,
        "FAIL list-full — About list-full\n     step 1 (threads.list)\n       body/data/0: missing, expected 1\n\
         1 passed, 1 failed, 1 skipped\n"
    );
    ended.badly(&[]);
}

#[test]
fn more_is_told_to_whoever_asks() {
    let (home, server) = (home(), server());
    let asked = ["conformance", &server.url(), "--cases", "cases", "--have", "transcribe", "--only", "*p*"];
    assert_eq!(home.run(&asked).well(), "1 passed, 0 failed, 1 skipped\n");
    let verbose = home.run(&[&asked[..], &["-v"]].concat()).well();
    assert_eq!(verbose, "passed list-empty\nskipped upload (needs attachments)\n1 passed, 0 failed, 1 skipped\n");
    let answers = home.run(&[&asked[..], &["-vv"]].concat()).well();
    assert!(answers.starts_with("    200 {\"data\":[]}\npassed list-empty\n"), "{answers}");
}

#[test]
fn a_run_is_one_json_object_for_programs() {
    let (home, server) = (home(), server());
    let ended = home.run(&["conformance", &server.url(), "--cases", "cases", "--have", "", "--json"]);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["counts"], json!({"passed": 1, "failed": 1, "skipped": 1}));
    let failed = json!({
        "name": "list-full",
        "about": "About list-full",
        "verdict": "failed",
        "step": 1,
        "what": "threads.list",
        "differences": ["body/data/0: missing, expected 1"],
    });
    assert_eq!(report["cases"][1], failed);
    assert_eq!(report["cases"][2]["needs"], json!(["attachments"]));
    ended.badly(&[]);
}

#[test]
fn nothing_that_ran_is_not_a_success() {
    let (home, server) = (home(), server());
    let ended = home.run(&["conformance", &server.url(), "--only", "nothing-like-it"]);
    assert_eq!(ended.out, "0 passed, 0 failed, 0 skipped\n");
    ended.badly(&["no case is called `nothing-like-it`"]);
    let ended = home.run(&["conformance", &server.url(), "--cases", "cases", "--have", "", "--only", "upload"]);
    assert_eq!(ended.out, "0 passed, 0 failed, 1 skipped\n");
    ended.badly(&[]);
}

#[test]
fn a_mistake_in_the_command_is_told_with_its_remedy() {
    let home = home();
    let url = "http://127.0.0.1:9/chatkit";
    home.run(&["conformance", url, "--cases", "cases"]).badly(&["error: ", url, "nobody answers"]);
    home.run(&["conformance", "localhost:8000"]).badly(&["`localhost:8000` is no address", "http://"]);
    home.run(&["conformance", url, "--cases", "nowhere"]).badly(&["cannot read `nowhere`"]);
    home.write("cases/wrong.json", "{\"name\": \"wrong\", \"about\": \"\", \"stepz\": []}");
    home.run(&["conformance", url, "--cases", "cases"]).badly(&["wrong.json", "`stepz`", "line 1"]);
    for (wrong, named) in [(["--have", "uploads"], "refuse_locked"), (["--policy", "stop"], "`finish`, `cancel`")] {
        let ended = home.run(&["conformance", url, wrong[0], wrong[1]]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(&format!("`{}`", wrong[1])) && ended.err.contains(named), "{ended:?}");
    }
}

#[test]
fn mistakes_in_the_settings_of_this_server_do_not_matter() {
    let (home, server) = (home(), server());
    let asked = ["conformance", &server.url(), "--cases", "cases", "--only", "list-empty"];
    assert_eq!(home.run_with(&[("PORT", "many")], &asked).well(), "1 passed, 0 failed, 0 skipped\n");
}
