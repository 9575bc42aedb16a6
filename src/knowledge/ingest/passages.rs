//! Sections become passages: each with its place in the book, an address, and an id that stays as long as its text.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::chunk::{CHUNKER_VERSION, cut};
use super::page::Section;
use crate::knowledge::{Document, Passage};

/// The name space of passage ids.
const PASSAGE_IDS: Uuid = Uuid::from_u128(0x6b1f_0d0e_9c53_4f0a_8a55_2f31_70c6_e9d4);

/// Where a page stands in the book.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Names the page among the pages of its source.
    pub path: String,
    /// Where it is read.
    pub url: String,
    /// The module or part of the book.
    pub module: Option<String>,
    /// The week of the course.
    pub week: Option<u32>,
}

/// Cuts sections into passages. An anchor is what comes after `#` in the address.
pub(super) fn passages(place: &Place, title: &str, sections: &[Section]) -> Vec<Passage> {
    let Place { path, url, module, week } = place;
    let mut seen: HashMap<Uuid, u32> = HashMap::new();
    let mut passages: Vec<Passage> = Vec::new();
    for section in sections {
        for text in cut(&section.blocks) {
            let place = format!("{path}\n{}\n{text}", section.heading_path.join("\n"));
            let mut id = Uuid::new_v5(&PASSAGE_IDS, place.as_bytes());
            let before = seen.entry(id).or_default();
            if *before > 0 {
                id = Uuid::new_v5(&id, &before.to_be_bytes());
            }
            *before += 1;
            passages.push(Passage {
                id: id.to_string(),
                path: path.clone(),
                title: title.to_owned(),
                heading: if section.heading.is_empty() { title.to_owned() } else { section.heading.clone() },
                heading_path: section.heading_path.clone(),
                url: section.anchor.as_ref().map_or_else(|| url.clone(), |anchor| format!("{url}#{anchor}")),
                module: module.clone(),
                week: *week,
                position: u32::try_from(passages.len()).unwrap_or(u32::MAX),
                text,
            });
        }
    }
    passages
}

/// A document of which what can be found is all that matters: what else is in its file may change from day to day.
pub(super) fn document(place: &Place, title: &str, sections: &[Section]) -> Document {
    let passages = passages(place, title, sections);
    let version = CHUNKER_VERSION.to_string();
    let mut parts = vec![version.as_str(), title, &place.url, place.module.as_deref().unwrap_or("")];
    for passage in &passages {
        parts.extend([passage.url.as_str(), &passage.heading, &passage.text]);
        parts.extend(passage.heading_path.iter().map(String::as_str));
    }
    Document { path: place.path.clone(), fingerprint: fingerprint(&parts), passages }
}

/// Another one for whatever is different in the parts.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
