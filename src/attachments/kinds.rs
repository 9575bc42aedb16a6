//! What files may be: which types are accepted, and whether the bytes are what the client says they are.

use super::names::ending;
use super::{AttachmentError, Contradiction};

/// A longer type is none, in bytes.
const TYPE_BYTES_MAX: usize = 127;
/// What was given instead of a type is repeated up to so many characters.
const REPEATED_CHARS_MAX: usize = 60;
/// So much of a file tells what it is, in bytes.
const HEAD_BYTES: usize = 8 * 1024;

/// What clients say of files whose type they do not know.
const UNKNOWN: [&str; 2] = ["", "application/octet-stream"];

/// Types of files whose name tells more than their client: browsers know few kinds of text.
const BY_ENDING: &[(&[&str], &str)] = &[
    (&["md", "mdx", "markdown"], "text/markdown"),
    (&["txt", "log", "toml", "ini", "rst", "tex"], "text/plain"),
    (&["csv"], "text/csv"),
    (&["json", "ipynb"], "application/json"),
    (&["yaml", "yml"], "text/yaml"),
    (&["py"], "text/x-python"),
    (&["rs", "c", "h", "cpp", "hpp", "java", "go", "js", "ts", "sh", "urdf", "launch"], "text/plain"),
    (&["pdf"], "application/pdf"),
    (&["png"], "image/png"),
    (&["jpg", "jpeg"], "image/jpeg"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
];

/// Pictures that a browser shows and that can hold no script.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Whether a browser shows a file of this type as a picture.
pub(super) fn is_picture(mime_type: &str) -> bool {
    PICTURES.contains(&mime_type)
}

/// Whether a file of this type is text, which must be UTF-8.
fn is_text(mime_type: &str) -> bool {
    let (main, sub) = mime_type.split_once('/').unwrap_or_default();
    let written = ["json", "xml", "yaml", "x-yaml", "toml", "javascript", "x-ndjson", "x-sh"];
    main == "text" || written.contains(&sub) || sub.ends_with("+json") || sub.ends_with("+xml")
}

/// The type of a file: lower case, without parameters, one that is accepted.
pub(super) fn accept(mime_type: &str, name: &str, accepted: &[String]) -> Result<String, AttachmentError> {
    let told = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = match told.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg".to_owned(),
        "application/x-pdf" => "application/pdf".to_owned(),
        told_nothing if UNKNOWN.contains(&told_nothing) => by_ending(name).unwrap_or(told),
        _ => told,
    };
    if is_type(&kind) && accepted.iter().any(|pattern| covers(pattern, &kind)) {
        return Ok(kind);
    }
    let mime_type = kind.chars().filter(|char| !char.is_control()).take(REPEATED_CHARS_MAX).collect();
    Err(AttachmentError::TypeNotAccepted { mime_type, accepted: accepted.join(", ") })
}

fn by_ending(name: &str) -> Option<String> {
    let ending = ending(name)?;
    BY_ENDING.iter().find(|(endings, _)| endings.contains(&ending.as_str())).map(|(_, kind)| (*kind).to_owned())
}

fn is_type(kind: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
    let word = |word: &str| !word.is_empty() && word.bytes().all(fine);
    kind.len() <= TYPE_BYTES_MAX && kind.split_once('/').is_some_and(|(main, sub)| word(main) && word(sub))
}

fn covers(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("*/") => true,
        Some(main) => kind.starts_with(main),
        None => pattern == kind,
    }
}

/// Looks at the bytes of a file as they pass.
pub(super) struct Check {
    mime_type: String,
    head: Vec<u8>,
    looked: bool,
    text: Option<Text>,
}

impl Check {
    /// For a file that is said to be this.
    pub(super) fn new(mime_type: &str) -> Self {
        let text = is_text(mime_type).then(Text::default);
        Self { mime_type: mime_type.to_owned(), head: Vec::new(), looked: false, text }
    }

    /// Looks at the next piece.
    pub(super) fn hear(&mut self, piece: &[u8]) -> Result<(), AttachmentError> {
        if let Some(text) = &mut self.text {
            let told = text.hear(piece);
            told.map_err(|why| self.contradiction(why))?;
        }
        let room = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&piece[..piece.len().min(room)]);
        if self.head.len() == HEAD_BYTES { self.look() } else { Ok(()) }
    }

    /// Says that there is no more.
    pub(super) fn finish(mut self) -> Result<(), AttachmentError> {
        if self.text.as_ref().is_some_and(|text| !text.open.is_empty()) {
            return Err(self.contradiction(Contradiction::NoUtf8));
        }
        self.look()
    }

    fn look(&mut self) -> Result<(), AttachmentError> {
        if std::mem::replace(&mut self.looked, true) {
            return Ok(());
        }
        match contradicts(&self.mime_type, &self.head) {
            Some(why) => Err(self.contradiction(why)),
            None => Ok(()),
        }
    }

    fn contradiction(&self, why: Contradiction) -> AttachmentError {
        AttachmentError::NotWhatItSays { mime_type: self.mime_type.clone(), why }
    }
}

/// What in the first bytes of a file speaks against its type.
fn contradicts(mime_type: &str, head: &[u8]) -> Option<Contradiction> {
    if is_text(mime_type) {
        // That its bytes are text is seen elsewhere. Signatures of other formats may well begin a text; this does not.
        return head.starts_with(b"%PDF-").then_some(Contradiction::IsPdf);
    }
    if UNKNOWN.contains(&mime_type) {
        return None;
    }
    if infer::is_mime_supported(mime_type) {
        return (!infer::is_mime(head, mime_type)).then_some(Contradiction::IsOther);
    }
    let main = |kind: &str| kind.split('/').next().unwrap_or_default().to_owned();
    let found = infer::get(head).map(|kind| kind.mime_type());
    found.is_some_and(|found| main(found) != main(mime_type)).then_some(Contradiction::IsOther)
}

/// Sees whether pieces make up a text in UTF-8, wherever they are cut.
#[derive(Default)]
struct Text {
    /// The beginning of a character whose rest is still to come.
    open: Vec<u8>,
}

impl Text {
    fn hear(&mut self, mut piece: &[u8]) -> Result<(), Contradiction> {
        if piece.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)) {
            return Err(Contradiction::NoText);
        }
        while let (false, [first, rest @ ..]) = (self.open.is_empty(), piece) {
            self.open.push(*first);
            piece = rest;
            match std::str::from_utf8(&self.open) {
                Ok(_) => self.open.clear(),
                Err(error) if error.error_len().is_some() => return Err(Contradiction::NoUtf8),
                Err(_) => {}
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => {}
            Err(error) if error.error_len().is_some() => return Err(Contradiction::NoUtf8),
            Err(error) => self.open = piece[error.valid_up_to()..].to_vec(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn accepted() -> Vec<String> {
        ["image/png", "image/jpeg", "application/pdf", "text/*", "application/json"].map(str::to_owned).to_vec()
    }

    fn is(mime_type: &str, bytes: &[u8]) -> bool {
        let mut check = Check::new(mime_type);
        check.hear(bytes).and_then(|()| check.finish()).is_ok()
    }

    #[test]
    fn types_are_accepted_by_the_list_whatever_their_case_and_parameters() {
        for (told, name, kept) in [
            ("image/png", "a", "image/png"),
            ("IMAGE/JPG", "a", "image/jpeg"),
            ("text/plain; charset=utf-8", "a", "text/plain"),
            ("text/x-anything", "a", "text/x-anything"),
            ("", "notes.MD", "text/markdown"),
            ("application/octet-stream", "data.json", "application/json"),
        ] {
            assert_eq!(accept(told, name, &accepted()).unwrap(), kept);
        }
        for (told, name) in [
            ("image/tiff", "a.png"),
            ("", "a.exe"),
            ("", "noending"),
            ("text/", "a"),
            ("text/pl ain", "a"),
            ("text/plain\r\nx: y", "a"),
            ("text", "a"),
            (&format!("text/{}", "x".repeat(200)), "a"),
        ] {
            let refused = accept(told, name, &accepted());
            assert!(matches!(refused, Err(AttachmentError::TypeNotAccepted { .. })), "{told}");
        }
    }

    #[test]
    fn bytes_must_be_what_the_type_says() {
        assert!(is("image/png", PNG));
        assert!(is("image/jpeg", b"\xff\xd8\xff\xe0rest"));
        assert!(is("image/gif", b"GIF89a"));
        assert!(is("image/webp", b"RIFF\x24\0\0\0WEBPVP8 "));
        assert!(is("application/pdf", b"%PDF-1.7\n%\xe2\xe3"));
        for kind in ["image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "application/json"] {
            assert!(!is(kind, PNG), "{kind}");
        }
        for kind in ["image/png", "application/pdf"] {
            assert!(!is(kind, b"<script>alert(1)</script>"), "{kind}");
        }
        assert!(!is("audio/x-odd", PNG) && is("image/x-odd", PNG) && is("application/octet-stream", PNG));
    }

    #[test]
    fn text_is_utf8_without_control_characters() {
        for text in ["BMW and MZ are no formats here", "größe 😀", "a\tb\r\n\x0c\x1b[0m", "{}"] {
            assert!(is("text/plain", text.as_bytes()), "{text}");
        }
        for odd in [&b"gr\xf6\xdfe"[..], b"a\0b", b"\xff\xfea\0", b"%PDF-1.4 all ascii", b"cut \xf0\x9f\x98"] {
            assert!(!is("text/plain", odd), "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn text_is_judged_the_same_however_it_is_cut(bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            "\\PC{0,30}".prop_map(String::into_bytes),
        ], cuts in proptest::collection::vec(1usize..5, 0..40)) {
            let whole = is("text/plain", &bytes);
            let mut check = Check::new("text/plain");
            let mut rest = &bytes[..];
            let mut heard = Ok(());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                heard = heard.and_then(|()| check.hear(piece));
                rest = after;
            }
            prop_assert_eq!(heard.and_then(|()| check.finish()).is_ok(), whole);
        }
    }
}
