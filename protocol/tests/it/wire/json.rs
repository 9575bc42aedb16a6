//! How JSON is written: escapes, numbers, order of members, times.

use chatkit_protocol::{ThreadEvent, Timestamp, sse};

use super::{check_refused, check_same};

#[test]
fn only_quotes_backslashes_and_control_characters_are_escaped() {
    let text = "\"\\/<>&'\u{8}\t\n\u{c}\r\0\u{1}\u{1f}\u{7f}\u{80}\u{2028}\u{2029}\u{feff}é日👩‍🏫";
    let event = ThreadEvent::ProgressUpdate { icon: None, text: text.to_owned() };
    let mut frame = Vec::new();
    sse::write_frame(&event, &mut frame);
    let wanted = "data: {\"type\":\"progress_update\",\"text\":\"\\\"\\\\/<>&'\\b\\t\\n\\f\\r\\u0000\\u0001\\u001f\u{7f}\u{80}\u{2028}\u{2029}\u{feff}é日👩‍🏫\"}\n\n";
    assert_eq!(std::str::from_utf8(&frame).unwrap(), wanted);
}

#[test]
fn numbers_keep_their_value_up_to_64_bits() {
    check_same::<ThreadEvent>(
        r#"{"type":"client_effect","name":"n","data":{"int53":9007199254740993,"i64":-9223372036854775808,"u64":18446744073709551615,"zero":0,"half":-0.5,"third":0.3333333333333333,"small":1e-7,"large":1.5e+300,"one":1.0,"none":0.0}}"#,
    );
}

#[test]
fn members_of_free_form_objects_keep_their_order() {
    check_same::<ThreadEvent>(
        r#"{"type":"client_effect","name":"n","data":{"zeta":1,"alpha":2,"Ω":3,"10":4,"9":5,"mid":{"y":1,"x":2},"":[]}}"#,
    );
}

#[test]
fn times_are_utc_with_six_digits_or_none() {
    let table = [
        ("2026-01-02T12:00:00Z", "2026-01-02T12:00:00Z"),
        ("2026-01-02T12:00:00", "2026-01-02T12:00:00Z"),
        ("2026-01-02T12:00:00.5", "2026-01-02T12:00:00.500000Z"),
        ("2026-01-02T12:00:00.000000Z", "2026-01-02T12:00:00Z"),
        ("2026-01-02T12:00:00.123456789Z", "2026-01-02T12:00:00.123456Z"),
        ("2026-01-02T12:00:00.0000009Z", "2026-01-02T12:00:00Z"),
        ("2026-01-01T01:00:00+02:00", "2025-12-31T23:00:00Z"),
        ("1999-12-31T23:59:59.9-11:30", "2000-01-01T11:29:59.900000Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("1500-01-01T00:00:00.1234567Z", "1500-01-01T00:00:00.123456Z"),
        ("2016-12-31T23:59:60.25Z", "2016-12-31T23:59:59.999999Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.999999Z"),
    ];
    for (given, printed) in table {
        let time = Timestamp::parse(given).unwrap_or_else(|| panic!("{given}"));
        assert_eq!(time.to_string(), printed, "{given}");
        assert_eq!(Timestamp::parse(printed), Some(time), "{given}");
    }
}

#[test]
fn a_time_too_far_away_is_the_nearest_that_can_be_written() {
    let end = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    assert_eq!(Timestamp::new(end).to_string(), "9999-12-31T23:59:59.999999Z");
    let start = chrono::DateTime::<chrono::Utc>::MIN_UTC;
    assert_eq!(Timestamp::new(start).to_string(), "0000-01-01T00:00:00Z");
}

#[test]
fn what_is_no_time_is_refused() {
    for text in ["", "2026-01-02", "12:00:00", "2026-13-02T12:00:00Z", "2026-01-02T25:00:00", "1767355200", "now"] {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
    check_refused::<Timestamp>("5", "expected a string");
    check_refused::<Timestamp>(r#""today""#, "must be a time such as 2026-01-02T12:00:00Z");
}
