//! Members that clients spell in more ways than one.

use serde::de::{Deserialize, Deserializer, Error};

use crate::{ItemId, Value};

/// A number of rows: none for null, never negative, as large as fits.
pub(super) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let given = Value::deserialize(deserializer)?;
    if given.is_null() {
        return Ok(None);
    }
    let number = whole_number(&given).ok_or_else(|| D::Error::custom("must be a whole number from 0 on, or null"))?;
    if number < 0.0 {
        return Err(D::Error::custom("must not be negative; leave it out for the server's own limit"));
    }
    // A float beyond the range becomes the end of the range.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is what is wanted")]
    Ok(Some(number as u32))
}

/// A number of bytes, as large as fits.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let given = Value::deserialize(deserializer)?;
    let number = whole_number(&given).ok_or_else(|| D::Error::custom("must be a whole number of bytes"))?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
    Ok(number as i64)
}

/// An item's id; empty means none.
pub(super) fn item_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ItemId>, D::Error> {
    let given = Option::<ItemId>::deserialize(deserializer)?;
    Ok(given.filter(|id| !id.as_str().is_empty()))
}

/// Numbers without a fraction, texts of digits, `true` and `false`.
fn whole_number(given: &Value) -> Option<f64> {
    let number = match given {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<i128>().ok().map(|number| number as f64)?,
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (number.fract() == 0.0).then_some(number)
}
