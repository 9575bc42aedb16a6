//! What fits a pattern and what does not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn compared(names: &Names, spelling: Spelling, pattern: &Value, got: &Value) -> Matcher {
    let mut matcher = Matcher::new(names, spelling);
    matcher.fit(&Pattern::try_from(pattern.clone()).unwrap(), got, "body");
    matcher
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tables read better without a `&` before every `json!`")]
fn check(pattern: Value, got: Value, differences: &[&str]) {
    let matcher = compared(&Names::new(), Spelling::Utc, &pattern, &got);
    assert_eq!(matcher.differences, differences);
}

#[test]
fn objects_and_lists_fit_exactly_in_any_order_of_members() {
    check(json!({"a": 1, "b": [true, null]}), json!({"b": [true, null], "a": 1}), &[]);
    check(
        json!({"a": 1, "b": {"c": "x"}}),
        json!({"b": {"c": "y", "d": 2}}),
        &["body/a: missing, expected 1", "body/b/c: expected \"x\", got \"y\"", "body/b/d: not expected, got 2"],
    );
    check(
        json!(["a", "@options"]),
        json!(["a"]),
        &["body/1: missing, expected {\"type\":\"stream_options\",\"stream_options\":{\"allow_cancel\":true}}"],
    );
    check(json!(["a"]), json!(["a", "b"]), &["body/1: not expected, got \"b\""]);
    check(json!({}), json!([]), &["body: expected {}, got []"]);
    check(json!([]), json!({}), &["body: expected [], got {}"]);
    check(json!({"a": "$any"}), json!({}), &["body/a: missing, expected \"$any\""]);
}

#[test]
fn values_are_compared_by_what_they_mean() {
    for (one, other) in [("1", "1.0"), ("0", "-0"), ("100", "1e2"), ("-9223372036854775808", "-9223372036854775808")] {
        let [one, other]: [Value; 2] = [one, other].map(|text| serde_json::from_str(text).unwrap());
        check(one.clone(), other.clone(), &[]);
        check(json!({"$in": [other]}), one, &[]);
    }
    for (one, other) in [
        ("1", "true"),
        ("0", "false"),
        ("1", "\"1\""),
        ("null", "false"),
        ("\"\"", "null"),
        ("9007199254740993", "9007199254740992"),
        ("9007199254740993", "9007199254740992.0"),
        ("18446744073709551615", "18446744073709551616"),
        ("18446744073709551615", "-1"),
        ("0.1", "0.2"),
        ("\"é\"", "\"e\\u0301\""),
    ] {
        let [one, other]: [Value; 2] = [one, other].map(|text| serde_json::from_str(text).unwrap());
        let matcher = compared(&Names::new(), Spelling::Utc, &one, &other);
        assert_eq!(matcher.differences.len(), 1, "{one} and {other}");
        let matcher = compared(&Names::new(), Spelling::Utc, &json!({"$in": [one]}), &other);
        assert_eq!(matcher.differences.len(), 1, "{one} and {other}");
    }
}

#[test]
fn words_say_what_kind_of_value_fits() {
    check(json!("$any"), json!(null), &[]);
    check(json!("$str"), json!("x"), &[]);
    check(json!("$str"), json!(""), &["body: expected a text that is not empty, got \"\""]);
    check(json!("$str"), json!(5), &["body: expected a text that is not empty, got 5"]);
    check(json!("$now"), json!("$now"), &[]);
    check(json!("$now"), json!("2026"), &["body: expected \"$now\", got \"2026\""]);
}

#[test]
fn timestamps_are_in_utc_and_name_the_instant_that_is_expected() {
    check(json!("$time"), json!("2026-01-02T03:04:05Z"), &[]);
    check(json!("$time:2026-01-02T03:04:05.5Z"), json!("2026-01-02T03:04:05.500Z"), &[]);
    check(
        json!("$time:2026-01-02T03:04:05Z"),
        json!("2026-01-02T03:04:06Z"),
        &["body: expected the instant 2026-01-02T03:04:05Z, got \"2026-01-02T03:04:06Z\""],
    );
    for wrong in [json!("2026-01-02T03:04:05"), json!("2026-01-02T03:04:05+00:00"), json!(1_767_323_045), json!(null)] {
        let strict = compared(&Names::new(), Spelling::Utc, &json!("$time"), &wrong);
        assert_eq!(strict.differences.len(), 1, "{wrong}");
        let lenient = compared(&Names::new(), Spelling::AnyZone, &json!("$time"), &wrong);
        assert_eq!(lenient.differences.is_empty(), wrong.is_string(), "{wrong}");
    }
}

#[test]
fn a_name_keeps_its_value_and_no_other_name_has_it() {
    check(json!(["$cap:a", "$cap:b", "$cap:a"]), json!(["x", "y", "x"]), &[]);
    check(json!(["$cap:a", "$cap:a"]), json!(["x", "y"]), &["body/1: expected $cap:a = \"x\", got \"y\""]);
    check(
        json!(["$cap:a", "$cap:b"]),
        json!(["x", "x"]),
        &["body/1: expected a new identifier ($cap:b), got \"x\", which is $cap:a"],
    );
    check(json!("$cap:a"), json!(""), &["body: expected an identifier ($cap:a), got \"\""]);
    check(json!("$cap:a"), json!(5), &["body: expected an identifier ($cap:a), got 5"]);
    let known = Names::from([("a".to_owned(), json!("x"))]);
    let matcher = compared(&known, Spelling::Utc, &json!({"b": "$cap:b"}), &json!({"b": "x"}));
    assert_eq!(matcher.differences.len(), 1);
    assert_eq!(matcher.names, known, "a value that does not fit is not kept");
}

#[test]
fn objects_with_a_word_compare_a_part() {
    check(json!({"$has": {"a": 1}}), json!({"a": 1, "b": 2}), &[]);
    check(json!({"$has": {"a": 1}}), json!({"b": 2}), &["body/a: missing, expected 1"]);
    check(json!({"$has": {"a": 1}}), json!([1]), &["body: expected {\"$has\":{\"a\":1}}, got [1]"]);
    check(json!({"$prefix": [1, "$any"]}), json!([1, 2, 3]), &[]);
    check(json!({"$prefix": [1, 2]}), json!([1]), &["body/1: missing, expected 2"]);
    check(json!({"$len": 2}), json!([1, 2]), &[]);
    check(json!({"$len": 2}), json!([1]), &["body: expected 2 elements, got 1 elements"]);
    check(json!({"$len": 2}), json!("ab"), &["body: expected {\"$len\":2}, got \"ab\""]);
    check(json!({"$in": ["a", {"b": 1}]}), json!({"b": 1.0}), &[]);
    check(json!({"$in": ["$any"]}), json!("a"), &["body: expected {\"$in\":[\"$any\"]}, got \"a\""]);
    check(json!({"$pluck": "/a/0", "is": ["x", null]}), json!([{"a": ["x"]}, {"b": 1}]), &[]);
    check(
        json!({"$pluck": "/a", "is": {"$len": 1}}),
        json!([1, 2]),
        &["body/*/a: expected 1 elements, got 2 elements"],
    );
}

/// JSON without texts that mean something in a pattern.
fn plain() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[a-z é\"]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let members = prop::collection::btree_map("[a-z]{0,3}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn plain_json_fits_itself_and_only_what_is_the_same(one in plain(), other in plain()) {
        let fits = |pattern, got| compared(&Names::new(), Spelling::Utc, pattern, got).differences.is_empty();
        prop_assert!(fits(&one, &one));
        prop_assert_eq!(fits(&one, &other), same(&one, &other));
        prop_assert_eq!(fits(&one, &other), fits(&other, &one));
    }
}
