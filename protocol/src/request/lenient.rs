//! Members that clients spell in more ways than one.

use serde::de::{Deserialize, Deserializer, Error};

use crate::{ItemId, Value};

/// A number of rows: none for null, never negative, as large as fits.
pub(super) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let given = Value::deserialize(deserializer)?;
    if given.is_null() {
        return Ok(None);
    }
    match whole_number(&given) {
        None => Err(D::Error::custom("must be a whole number from 0 on, or null")),
        Some(number) if number < 0 => {
            Err(D::Error::custom("must not be negative; leave it out for the server's own limit"))
        }
        Some(number) => Ok(Some(u32::try_from(number).unwrap_or(u32::MAX))),
    }
}

/// A number of bytes, as large as fits.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let given = Value::deserialize(deserializer)?;
    let number = whole_number(&given).ok_or_else(|| D::Error::custom("must be a whole number of bytes"))?;
    Ok(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
}

/// An item's id; empty means none.
pub(super) fn item_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ItemId>, D::Error> {
    let given = Option::<ItemId>::deserialize(deserializer)?;
    Ok(given.filter(|id| !id.as_str().is_empty()))
}

/// Numbers without a fraction, texts of digits, `true` and `false`; what is too large becomes the largest there is.
fn whole_number(given: &Value) -> Option<i128> {
    match given {
        Value::Number(number) => number.as_i128().or_else(|| number.as_f64().and_then(without_fraction)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| digits(text).then(|| text.parse().ok().and_then(without_fraction))?)
        }
        Value::Bool(yes) => Some(i128::from(*yes)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn digits(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_fraction(number: f64) -> Option<i128> {
    // Infinity comes from a text with hundreds of digits, and saturates like any other float beyond the range.
    let whole = number.fract() == 0.0 || number.is_infinite();
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
    whole.then_some(number as i128)
}
