//! From bytes to text as a browser would: by the mark at the beginning, by what the server and the page say, or by
//! what the bytes look like.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The declaration stands among so many bytes, or nobody looks at it.
const DECLARATION_BYTES_MAX: usize = 1024;

/// A page as text.
#[derive(Debug)]
pub(super) struct Decoded {
    pub text: String,
    /// The name of the encoding in which not all bytes made sense; what did not is replaced.
    pub broken: Option<&'static str>,
}

/// Reads a page; `declared` is the `charset` its server sent along.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    let named = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let encoding = named.or_else(|| declared_inside(bytes)).unwrap_or_else(|| match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    });
    // A mark at the beginning wins over all.
    let (text, used, is_broken) = encoding.decode(bytes);
    Decoded { text: text.into_owned(), broken: is_broken.then(|| used.name()) }
}

/// What `<meta charset=…>` says, or `<meta http-equiv=content-type content="…; charset=…">`.
fn declared_inside(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(DECLARATION_BYTES_MAX)].to_ascii_lowercase();
    let mut rest = head.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b"<meta") {
        rest = &rest[at + 5..];
        let tag = &rest[..memchr::memchr(b'>', rest).unwrap_or(rest.len())];
        let Some(at) = memchr::memmem::find(tag, b"charset") else { continue };
        let value = tag[at + 7..].trim_ascii_start();
        let Some(value) = value.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b';' | b'/') || byte.is_ascii_whitespace();
        let label = &value[..value.iter().position(ends).unwrap_or(value.len())];
        // A page that can be read so far is not in an encoding of two bytes a letter, whatever it says.
        let sane = |encoding: &'static Encoding| if encoding.is_ascii_compatible() { encoding } else { UTF_8 };
        if let Some(encoding) = Encoding::for_label(label) {
            return Some(sane(encoding));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_in_its_own_encoding() {
        for (bytes, declared, text) in [
            ("é".as_bytes(), None, "é"),
            (b"\xe9 \x93x\x94", None, "é “x”"),
            (b"\xef\xbb\xbf\xc3\xa9", Some("latin1"), "é"),
            (b"\xff\xfea\0b\0", None, "ab"),
            (b"\xcf\xf0", Some("windows-1251"), "Пр"),
            (b"<meta charset=windows-1251>\xcf\xf0", None, "<meta charset=windows-1251>Пр"),
            (
                b"<META http-equiv='x' content='text/html; CHARSET=Shift_JIS'>\x82\xa0",
                None,
                "<META http-equiv='x' content='text/html; CHARSET=Shift_JIS'>あ",
            ),
            (b"<meta charset=utf-16>\xc3\xa9", None, "<meta charset=utf-16>é"),
            (b"\xe9", Some("no-such-thing"), "é"),
        ] {
            assert_eq!(decode(bytes, declared).text, text);
        }
    }

    #[test]
    fn bytes_that_make_no_sense_are_replaced_and_told() {
        let decoded = decode(b"<meta charset=utf-8>a\xe9b", None);
        assert_eq!((decoded.text.as_str(), decoded.broken), ("<meta charset=utf-8>a\u{fffd}b", Some("UTF-8")));
        assert_eq!(decode("é".as_bytes(), None).broken, None);
    }
}
