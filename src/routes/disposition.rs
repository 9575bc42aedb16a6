//! `Content-Disposition`: whether a browser shows a file or keeps it, and under which name.

use axum::http::HeaderValue;

/// The header. Old clients get a name in ASCII; others the whole name, as RFC 6266 and RFC 8187 have it.
pub(super) fn header(inline: bool, name: &str) -> HeaderValue {
    let how = if inline { "inline" } else { "attachment" };
    let plain: String = name.chars().map(|char| if is_plain(char) { char } else { '_' }).collect();
    let value = match plain == name {
        true => format!("{how}; filename=\"{plain}\""),
        false => format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{}", encoded(name)),
    };
    HeaderValue::from_str(&value).expect("all of it is printable ASCII")
}

/// Whether a character means itself between quotation marks, to every client there is. Some decode `%`.
fn is_plain(char: char) -> bool {
    matches!(char, ' '..='~') && !matches!(char, '"' | '\\' | '%' | '/')
}

fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(byte.into()),
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_name_stands_as_it_is_and_any_other_is_encoded() {
        for (name, value) in [
            ("cat.png", r#"attachment; filename="cat.png""#),
            ("my notes.txt", r#"attachment; filename="my notes.txt""#),
            (
                "größe 😀.pdf",
                r#"attachment; filename="gr__e _.pdf"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%F0%9F%98%80.pdf"#,
            ),
            (r#"a".exe; x="b"#, r#"attachment; filename="a_.exe; x=_b"; filename*=UTF-8''a%22.exe%3B%20x%3D%22b"#),
            ("50%.csv", r#"attachment; filename="50_.csv"; filename*=UTF-8''50%25.csv"#),
        ] {
            assert_eq!(header(false, name), value);
        }
        assert_eq!(header(true, "a"), "inline; filename=\"a\"");
    }

    proptest! {
        #[test]
        fn any_name_stays_within_its_quotation_marks(name in any::<String>()) {
            let value = header(false, &name);
            let value = value.to_str().unwrap();
            prop_assert_eq!(value.matches('"').count(), 2);
            prop_assert!(!value.contains(['\r', '\n', '\\']));
        }
    }
}
