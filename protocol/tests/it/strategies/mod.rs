//! Arbitrary values of the wire, built from small alphabets and from the ends of every range.

mod content;
mod event;
mod item;
mod request;

use chatkit_protocol::{JsonMap, Timestamp, Value};
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) use content::{annotation, assistant_content, attachment, component, user_content, widget};
pub(crate) use event::{event, update};
pub(crate) use item::{item, page, record, thread};
pub(crate) use request::request;

/// What free-form JSON may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FreeForm {
    /// Anything.
    WithNulls,
    /// Anything but null, so that a null that is found must be a mistake.
    WithoutNulls,
}

/// Texts that have tripped up one writer or reader of JSON or another, and any other text.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => "[a-z]{0,6}",
        1 => any::<String>(),
        2 => prop::sample::select(vec![
            "", "null", "\"", "\\", "\\u0000", "\0\u{1}\u{8}\u{c}\u{1f}\u{7f}", "a\r\nb\tc", "\u{2028}\u{2029}", "</script>",
            "کتاب", "日本語", "👩‍🏫🤖", "e\u{301}", "\u{feff}", "\u{fffd}\u{10ffff}", "data: x\n\n", "type", "[]", "5",
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// Free-form JSON: nested, in any order of members, with the ends of every range of numbers.
pub(crate) fn json(free: FreeForm) -> BoxedStrategy<Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::ANY
            .prop_filter("JSON has finite numbers only", |number| number.is_finite())
            .prop_map(Value::from),
        prop::sample::select(vec![
            Value::from(u64::MAX),
            Value::from(i64::MIN),
            Value::from(9_007_199_254_740_993_u64),
            Value::from(1.0 / 3.0),
            Value::from(1.0),
            Value::from(-0.0),
            Value::from(f64::MIN_POSITIVE),
            Value::from(f64::MAX),
        ]),
    ];
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), number, text().prop_map(Value::from)];
    let leaf = match free {
        FreeForm::WithNulls => prop_oneof![1 => Just(Value::Null), 3 => leaf].boxed(),
        FreeForm::WithoutNulls => leaf.boxed(),
    };
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((text(), inner), 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A free-form object.
pub(crate) fn object(free: FreeForm) -> BoxedStrategy<JsonMap> {
    vec((text(), json(free)), 0..3).prop_map(|members| members.into_iter().collect()).boxed()
}

/// Any point in time that can be written, to the microsecond.
pub(crate) fn timestamp() -> BoxedStrategy<Timestamp> {
    let micros = prop_oneof![
        -62_167_219_200_000_000_i64..=253_402_300_799_999_999,
        prop::sample::select(vec![
            -62_167_219_200_000_000,
            -1,
            0,
            1_000_000,
            1_767_355_200_500_000,
            253_402_300_799_999_999
        ]),
    ];
    micros
        .prop_map(|micros| {
            let seconds = micros.div_euclid(1_000_000);
            let clock = chrono::DateTime::from_timestamp_micros(micros).expect("chrono knows these years");
            assert_eq!(clock.timestamp(), seconds);
            Timestamp::new(clock)
        })
        .boxed()
}
