//! What the model is handed of the files that readers attach: their text, their pictures, or a sentence instead.
//!
//! What a file is, its bytes say: names and media types are claims.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use chatkit_protocol::{Attachment, AttachmentId, ItemId, ItemKind, NoticeLevel, ThreadEvent, ThreadItem};
use tokio::time::{Instant, timeout};

use super::prompt::quoted;
use crate::language::{Language, Value};
use crate::llm::Image;
use crate::pdf::{self, PdfError, PdfText};

/// So many files are opened for one question, the newest message's first.
const FILES_MAX: usize = 10;

/// A larger file is not looked into.
pub(super) const FILE_BYTES_MAX: usize = 20 << 20;

/// The text of one file, as far as it is handed over.
const FILE_TEXT_BYTES_MAX: usize = 60_000;

/// The text of all files of one question together.
const FILES_TEXT_BYTES_MAX: usize = 120_000;

/// The pictures of one question together: providers refuse requests of more than 20 MB, and base64 adds a third.
const PICTURES_BYTES_MAX: usize = 12 << 20;

/// A file's name is told up to so many characters.
const NAME_CHARS_MAX: usize = 100;

/// A file that takes longer to fetch did not arrive.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);

/// After so long no further file is opened: the reader waits.
const GATHERING_TIME_MAX: Duration = Duration::from_secs(20);

/// What there is of the files of a conversation, message by message.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    by_item: HashMap<ItemId, Vec<Handed>>,
    newest: Option<ItemId>,
}

#[derive(Debug)]
enum Handed {
    /// Says of itself what it is.
    Material(String),
    Picture {
        name: String,
        image: Image,
    },
    Nothing {
        name: String,
        why: Why,
    },
}

/// Why there are no bytes to look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFetched {
    /// They never came, or cannot be fetched now.
    Missing,
    /// They are more than [`FILE_BYTES_MAX`].
    TooLarge,
}

/// Why a file is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Missing,
    Unseen,
    Refused,
    Empty,
    TooLarge,
    TooMuch,
    Unreadable,
    Wordless,
    Locked,
    Damaged,
    GivenLater,
}

impl Why {
    /// What the model is told.
    fn told(self) -> String {
        match self {
            Self::Unseen | Self::Refused => "it is an image, which you cannot see".to_owned(),
            why => why.said(Language::default()),
        }
    }

    /// What the reader is told.
    fn said(self, language: Language) -> String {
        language.say(match self {
            Self::Missing => "file-missing",
            Self::Unseen => "file-unseen",
            Self::Refused => "file-refused",
            Self::Empty => "file-empty",
            Self::TooLarge => "file-too-large",
            Self::TooMuch => "file-too-much",
            Self::Unreadable => "file-unreadable",
            Self::Wordless => "file-wordless",
            Self::Locked => "file-locked",
            Self::Damaged => "file-damaged",
            Self::GivenLater => "file-given-later",
        })
    }
}

/// Opens what was attached to these messages, oldest first: the newest message's files first, then earlier ones as far
/// as there is room. `fetch` gives the bytes of a file.
pub(super) async fn gather<'a, F: Future<Output = Result<Bytes, NotFetched>>>(
    items: impl DoubleEndedIterator<Item = &'a ThreadItem>,
    sees: bool,
    fetch: impl Fn(AttachmentId) -> F,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut room = Room {
        deadline: Instant::now() + GATHERING_TIME_MAX,
        files: FILES_MAX,
        text_bytes: FILES_TEXT_BYTES_MAX,
        pictures_bytes: PICTURES_BYTES_MAX,
    };
    let mut given = HashSet::new();
    for item in items.rev() {
        let ItemKind::UserMessage(message) = &item.kind else { continue };
        gathered.newest.get_or_insert_with(|| item.id.clone());
        let mut handed = Vec::with_capacity(message.attachments.len());
        for attachment in &message.attachments {
            let name = shown_name(&attachment.name);
            handed.push(match given.insert(&attachment.id) {
                true => room.open(attachment, name, sees, &fetch).await,
                false => Handed::Nothing { name, why: Why::GivenLater },
            });
        }
        if !handed.is_empty() {
            gathered.by_item.insert(item.id.clone(), handed);
        }
    }
    gathered
}

impl Gathered {
    /// What goes with a message: material, and pictures.
    pub(super) fn of(&self, item: &ItemId) -> (Vec<String>, Vec<Image>) {
        let (mut material, mut images) = (Vec::new(), Vec::new());
        for handed in self.by_item.get(item).into_iter().flatten() {
            material.push(match handed {
                Handed::Material(text) => text.clone(),
                Handed::Picture { name, image } => {
                    images.push(image.clone());
                    format!("(The reader attached the image {name}, which you see.)")
                }
                Handed::Nothing { name, why } => format!("(The reader attached {name}, but {}.)", why.told()),
            });
        }
        (material, images)
    }

    /// What the reader should know of the newest message's files.
    pub(super) fn notice(&self, language: Language) -> Option<ThreadEvent> {
        self.notice_of(|_| true, language)
    }

    pub(super) fn has_pictures(&self) -> bool {
        self.by_item.values().flatten().any(|handed| matches!(handed, Handed::Picture { .. }))
    }

    /// Takes the pictures away, since the model did not accept them; what the reader should know of that.
    pub(super) fn without_pictures(&mut self, language: Language) -> Option<ThreadEvent> {
        for handed in self.by_item.values_mut().flatten() {
            if let Handed::Picture { name, .. } = handed {
                *handed = Handed::Nothing { name: std::mem::take(name), why: Why::Refused };
            }
        }
        self.notice_of(|why| why == Why::Refused, language)
    }

    fn notice_of(&self, reasons: impl Fn(Why) -> bool, language: Language) -> Option<ThreadEvent> {
        let of_newest = self.by_item.get(self.newest.as_ref()?)?;
        let unread = of_newest.iter().filter_map(|handed| match handed {
            Handed::Nothing { name, why } if reasons(*why) => {
                Some([("name", name.into()), ("why", why.said(language).into())])
            }
            Handed::Nothing { .. } | Handed::Material(_) | Handed::Picture { .. } => None,
        });
        let unread: Vec<[(&'static str, Value<'_>); 2]> = unread.collect();
        let message = match unread.as_slice() {
            [] => return None,
            [one] => language.say_with("file-left-out-one", one),
            several => {
                let lines = several.iter().map(|file| language.say_with("file-left-out-line", file));
                let lines: Vec<String> = lines.collect();
                format!("{}\n\n- {}", language.say("file-left-out-several"), lines.join("\n- "))
            }
        };
        Some(ThreadEvent::Notice { level: NoticeLevel::Warning, message, title: None })
    }
}

impl From<PdfError> for Why {
    fn from(error: PdfError) -> Self {
        match error {
            PdfError::Encrypted => Self::Locked,
            PdfError::Broken => Self::Damaged,
            PdfError::TooMuch => Self::TooLarge,
        }
    }
}

/// How much more may be handed over.
struct Room {
    deadline: Instant,
    files: usize,
    text_bytes: usize,
    pictures_bytes: usize,
}

impl Room {
    async fn open<F: Future<Output = Result<Bytes, NotFetched>>>(
        &mut self,
        attachment: &Attachment,
        name: String,
        sees: bool,
        fetch: &impl Fn(AttachmentId) -> F,
    ) -> Handed {
        match self.read(attachment, &name, sees, fetch).await {
            Ok(handed) => handed,
            Err(why) => Handed::Nothing { name, why },
        }
    }

    async fn read<F: Future<Output = Result<Bytes, NotFetched>>>(
        &mut self,
        attachment: &Attachment,
        name: &str,
        sees: bool,
        fetch: &impl Fn(AttachmentId) -> F,
    ) -> Result<Handed, Why> {
        if !sees && attachment.mime_type.starts_with("image/") {
            return Err(Why::Unseen);
        }
        self.files = self.files.checked_sub(1).filter(|_| Instant::now() < self.deadline).ok_or(Why::TooMuch)?;
        let fetched = timeout(FETCH_TIME_MAX, fetch(attachment.id.clone())).await.unwrap_or(Err(NotFetched::Missing));
        let bytes = fetched.map_err(|why| match why {
            NotFetched::Missing => Why::Missing,
            NotFetched::TooLarge => Why::TooLarge,
        })?;
        match bytes.len() {
            0 => return Err(Why::Empty),
            bytes if bytes > FILE_BYTES_MAX => return Err(Why::TooLarge),
            _ => {}
        }
        if let Some(mime_type) = picture(&bytes) {
            if !sees {
                return Err(Why::Unseen);
            }
            self.pictures_bytes = self.pictures_bytes.checked_sub(bytes.len()).ok_or(Why::TooMuch)?;
            let image = Image { mime_type: mime_type.to_owned(), bytes };
            return Ok(Handed::Picture { name: name.to_owned(), image });
        }
        let bytes_max = self.text_bytes.min(FILE_TEXT_BYTES_MAX);
        if bytes_max == 0 {
            return Err(Why::TooMuch);
        }
        if pdf::is_pdf(&bytes) {
            let PdfText { text, is_cut } = pdf::text(bytes, bytes_max).await?;
            let cut = is_cut.then(|| "\n\n(This is only its beginning.)".to_owned());
            return if text.is_empty() { Err(Why::Wordless) } else { Ok(self.hand_text(name, &text, cut)) };
        }
        let text = text(&bytes).ok_or(Why::Unreadable)?.trim_end();
        if text.is_empty() {
            return Err(Why::Empty);
        }
        let given = &text[..text.floor_char_boundary(bytes_max)];
        let cut = (given.len() < text.len())
            .then(|| format!("\n\n(This is only its beginning: the first {} of {} bytes.)", given.len(), text.len()));
        Ok(self.hand_text(name, given, cut))
    }

    fn hand_text(&mut self, name: &str, text: &str, cut: Option<String>) -> Handed {
        self.text_bytes = self.text_bytes.saturating_sub(text.len());
        let cut = cut.unwrap_or_default();
        Handed::Material(format!("The reader attached the file {name}. It says:\n\n{}{cut}", quoted(text)))
    }
}

/// The media type of a picture that models know.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The name as code, which nothing in it can end.
fn shown_name(name: &str) -> String {
    let clean = |c: char| if c.is_control() || matches!(c, '`' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let name: String = name.trim().chars().map(clean).take(NAME_CHARS_MAX).collect();
    format!("`{}`", if name.trim().is_empty() { "file" } else { &name })
}
