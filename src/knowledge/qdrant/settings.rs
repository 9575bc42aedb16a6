//! What the settings say of Qdrant.

use secrecy::SecretString;

use super::address::{self, Address};
use crate::config::{QDRANT_API_KEY, QDRANT_SHAPE, QDRANT_URL, Reader};

/// What the points of a collection look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As this program makes them.
    Gateway,
    /// `content`, `source`, `module`, `title`, one vector without a name.
    Tutor,
    /// `raw_text`, `file_path`, `section_heading`, `chunk_index`, one vector without a name.
    Book,
}

/// Where Qdrant is, and what to expect there.
#[derive(Clone, Debug)]
pub struct QdrantSettings {
    /// Where it is.
    pub address: Address,
    /// What it asks for.
    pub key: Option<SecretString>,
    /// What the collection looks like; none to look at it and see.
    pub shape: Option<Shape>,
}

impl QdrantSettings {
    /// Reads them; none when no address was given. Mistakes stay with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let shape = match reader.text(&QDRANT_SHAPE).as_deref() {
            Some("gateway") => Some(Shape::Gateway),
            Some("tutor") => Some(Shape::Tutor),
            Some("book") => Some(Shape::Book),
            Some("auto") | None => None,
            Some(_) => {
                reader.mistake(QDRANT_SHAPE.name, "must be `auto`, `gateway`, `tutor` or `book`");
                None
            }
        };
        let key = reader.secret(&QDRANT_API_KEY).and_then(|given| {
            let key = address::key(&given);
            key.map_err(|remedy| reader.mistake(QDRANT_API_KEY.name, remedy)).ok()
        });
        let given = reader.text(&QDRANT_URL)?;
        match Address::parse(&given) {
            Ok(address) => Some(Self { address, key, shape }),
            Err(remedy) => {
                reader.mistake(QDRANT_URL.name, remedy);
                None
            }
        }
    }
}
