//! The cases that travel in the program, files that are no cases, and names that match.

use super::*;

#[test]
fn the_bundled_cases_can_be_read_and_are_called_as_their_files() {
    let corpus = Corpus::bundled().unwrap();
    let names: Vec<String> = corpus.cases.iter().map(|case| format!("{}.json", case.name)).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/conformance/cases");
    let mut files: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(names, files);
    assert!(corpus.cases.iter().all(|case| !case.about.contains('\n') && !case.steps.is_empty()));
    assert_eq!(Corpus::read(&folder).unwrap().cases.len(), names.len());
}

#[test]
fn a_file_that_is_no_case_is_refused_with_the_member_that_is_wrong() {
    let with_step = |step: &str| format!(r#"{{"name": "a", "about": "b", "steps": [{step}]}}"#);
    for (text, named) in [
        ("{".to_owned(), "EOF"),
        (r#"{"name": "a", "steps": []}"#.to_owned(), "`about`"),
        (r#"{"name": "a", "about": "b", "step": []}"#.to_owned(), "`step`"),
        (r#"{"name": "a", "about": "b", "steps": [], "needs": ["uploads"]}"#.to_owned(), "`uploads`"),
        (with_step(r#"{"reqest": {}}"#), "`reqest`"),
        (with_step("{}"), "`request`, `raw_body`"),
        (with_step(r#"{"expect": {"status": 200}}"#), "`wait_ms`"),
        (with_step(r#"{"request": {}, "raw_body": ""}"#), "`request` or `raw_body`"),
        (with_step(r#"{"request": {}, "expect": {"statsu": 200}}"#), "`statsu`"),
        (with_step(r#"{"request": {}, "expect": {"status": "ok"}}"#), "\"ok\" is no status"),
        (with_step(r#"{"request": {}, "expect": {"json": [{"$hsa": 1}]}}"#), "`$hsa`"),
        (with_step(r#"{"request": {}, "reference_expect": {"events": "@opened"}}"#), "`@opened`"),
        (with_step(r#"{"request": {}, "repeat": 0}"#), "`repeat`"),
        (with_step(r#"{"request": {}, "within_ms": 99999999}"#), "`within_ms`"),
        (with_step(r#"{"wait_ms": 99999999}"#), "`wait_ms`"),
        (with_step(r#"{"wait_ms": 1, "method": "GET"}"#), "`method`"),
        (with_step(r#"{"request": {}, "by": "last_id"}"#), "`by`"),
        (with_step(r#"{"walk": {"type": "items.list", "params": {}}, "by": "date"}"#), "`date`"),
        (with_step(r#"{"walk": {"type": "items.feedback", "params": {}}}"#), "`walk`"),
        (with_step(r#"{"walk": {"type": "items.list"}}"#), "params of `items.list`"),
        (with_step(r#"{"walk": {"type": "items.list", "params": {}}, "headers": {}}"#), "`headers`"),
        (with_step(r#"{"raw_body": 5}"#), "`raw_body`"),
        (with_step(r#"{"raw_body": [{"text": "a", "time": 2}]}"#), "`raw_body`"),
        (with_step(r#"{"raw_body": [{"text": "aaaa", "times": 9223372036854775807}]}"#), "`raw_body` is at most"),
        (with_step(r#"{"raw_body_base64": "%"}"#), "`raw_body_base64`"),
        (with_step(r#"{"request": {}, "cancel_after_events": 0}"#), "`cancel_after_events`"),
    ] {
        let refused = parse(Path::new("cases/odd.json"), text.as_bytes()).expect_err(&text).to_string();
        assert!(refused.starts_with("`cases/odd.json`: ") && refused.contains(" at line "), "{refused}");
        assert!(refused.contains(named), "{named}: {refused}");
    }
}

#[test]
fn names_match_patterns_as_a_whole() {
    for (pattern, name, matching) in [
        ("*", "", true),
        ("retry-*", "retry-simple", true),
        ("retry", "retry-simple", false),
        ("*-simple", "retry-simple", true),
        ("r*y-*e", "retry-simple", true),
        ("r*x*", "retry-simple", false),
        ("item-?", "item-é", true),
        ("item-?", "item-", false),
        ("", "a", false),
        ("**a**a**", "aa", true),
        ("**a**a**", "ba", false),
    ] {
        assert_eq!(matches(pattern, name), matching, "{pattern} {name}");
    }
}

#[test]
fn the_case_that_the_guide_shows_is_one() {
    let guide = include_str!("../../protocol/conformance/README.md");
    let shown = guide.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let cases: Vec<Case> =
        shown.filter(|json| json.contains("\"steps\": [")).map(|json| serde_json::from_str(json).unwrap()).collect();
    assert_eq!(cases.len(), 1);
}
