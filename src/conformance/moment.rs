//! Timestamps as answers write them, and whether two of them name the same instant.

use chrono::NaiveDateTime;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Fractions are compared to the microsecond, the finest that ChatKit writes.
const FRACTION_DIGITS: usize = 6;

/// A date and time; equal to another when both name the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds since 1970, of UTC where there is a zone and of wherever the writer was where there is none.
    micros: i64,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    Known,
    Unsaid,
}

/// How timestamps must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// In UTC, with `Z`.
    Utc,
    /// With `Z`, with an offset, or without a zone.
    AnyZone,
}

impl Moment {
    /// Reads `2026-01-02T03:04:05`, a fraction if there is one, and the zone.
    pub(super) fn parse(text: &str, spelling: Spelling) -> Option<Self> {
        let (head, rest) = text.split_at_checked(19)?;
        let digits = |at: usize| head.as_bytes()[at].is_ascii_digit();
        let in_shape = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18].into_iter().all(digits);
        let head = NaiveDateTime::parse_from_str(head, "%Y-%m-%dT%H:%M:%S").ok().filter(|_| in_shape)?;
        let (fraction_micros, zone) = fraction(rest)?;
        let offset_minutes = match (zone, spelling) {
            ("Z", _) => Some(0),
            (_, Spelling::Utc) => return None,
            ("", Spelling::AnyZone) => None,
            (offset, Spelling::AnyZone) => Some(minutes(offset)?),
        };
        let local = head.and_utc().timestamp_micros() + fraction_micros;
        Some(Self {
            micros: local - offset_minutes.unwrap_or(0) * 60 * MICROS_PER_SECOND,
            zone: if offset_minutes.is_some() { Zone::Known } else { Zone::Unsaid },
        })
    }
}

/// The microseconds after the point, and what follows them.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(after) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
    let digits = after.get(..end.min(FRACTION_DIGITS)).filter(|digits| !digits.is_empty())?;
    Some((format!("{digits:0<FRACTION_DIGITS$}").parse().ok()?, &after[end..]))
}

/// The minutes of an offset such as `+02:00`.
fn minutes(offset: &str) -> Option<i64> {
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let two = |digits: &str| {
        let all_digits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|_| all_digits)
    };
    Some(sign * (two(hours)? * 60 + two(minutes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<Moment> {
        Moment::parse(text, Spelling::Utc)
    }

    #[test]
    fn the_same_instant_may_be_written_in_many_ways() {
        let noon = Moment::parse("2026-01-02T12:00:00Z", Spelling::AnyZone);
        assert!(noon.is_some());
        for same in ["2026-01-02T12:00:00.0Z", "2026-01-02T14:30:00+02:30", "2026-01-02T12:00:00.0000009Z"] {
            assert_eq!(Moment::parse(same, Spelling::AnyZone), noon, "{same}");
        }
        for other in ["2026-01-02T12:00:00", "2026-01-02T12:00:00.000001Z", "2026-01-02T12:00:00+02:30"] {
            assert!(Moment::parse(other, Spelling::AnyZone).is_some(), "{other}");
            assert_ne!(Moment::parse(other, Spelling::AnyZone), noon, "{other}");
        }
        assert_ne!(utc("2026-01-02T12:00:00.5Z"), utc("2026-01-02T12:00:00.05Z"));
    }

    #[test]
    fn what_is_no_timestamp_in_utc_is_none() {
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T12:00:00",
            "2026-01-02T12:00:00+00:00",
            "2026-01-02t12:00:00z",
            "2026-01-02 12:00:00Z",
            "2026-01-02T12:00:00.Z",
            "2026-01-02T12:00:00Z ",
            "2026-02-30T12:00:00Z",
            "2026-1-002T12:00:00Z",
            "+026-01-02T12:00:00Z",
            "äöüäöüäöüäöü",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
        for text in ["2026-01-02T12:00:00+2:00", "2026-01-02T12:00:00+02", "2026-01-02T12:00:00*02:00"] {
            assert_eq!(Moment::parse(text, Spelling::AnyZone), None, "{text}");
        }
    }
}
