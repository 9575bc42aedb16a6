//! Collections of other programs, read as they are: what their points hold becomes passages with addresses.

use std::collections::HashMap;

use qdrant_client::qdrant::{PointId, Value, point_id::PointIdOptions, value};

use super::settings::Shape;
use crate::knowledge::ingest::Addresses;
use crate::knowledge::{DocumentState, Passage};

/// Members that may hold a page's whole address.
const ADDRESSES: &[&str] = &["url", "source_url", "page_url", "link", "source", "file_path"];

/// The member that names the document a point is of.
pub(super) fn path_member(shape: Shape) -> &'static str {
    match shape {
        Shape::Book => "file_path",
        Shape::Tutor => "source",
        Shape::Gateway => super::points::PATH,
    }
}

/// A point as a passage; none when it has no text.
pub(super) fn passage(
    shape: Shape,
    id: Option<&PointId>,
    payload: &HashMap<String, Value>,
    addresses: &Addresses,
) -> Option<Passage> {
    let member = |name: &str| text(payload.get(name)?);
    let (body, heading) = match shape {
        Shape::Book => ("raw_text", "section_heading"),
        Shape::Tutor | Shape::Gateway => ("content", "title"),
    };
    let text = member(body).filter(|text| !text.trim().is_empty())?;
    let source = member(path_member(shape)).unwrap_or_default();
    let heading = member(heading).filter(|heading| !heading.trim().is_empty());
    let page = match shape {
        Shape::Book => None,
        Shape::Tutor | Shape::Gateway => heading.clone(),
    };
    let whole = ADDRESSES.iter().find_map(|name| member(name).filter(|url| url.starts_with("http")));
    let section = heading.as_deref().filter(|_| shape == Shape::Book);
    let url = whole.unwrap_or_else(|| addresses.of(below_docs(&source), section));
    let title = page.unwrap_or_else(|| readable(&source));
    let position = payload.get("chunk_index").and_then(number).unwrap_or_else(|| match number_of(id) {
        // Ids of the original count a file's passages below a thousand.
        Some(id) => u32::try_from(id % 1000).unwrap_or_default(),
        None => 0,
    });
    Some(Passage {
        id: number_of(id).map_or_else(|| uuid_of(id), |number| number.to_string()),
        path: source,
        heading: heading.clone().unwrap_or_else(|| title.clone()),
        heading_path: section.map(str::to_owned).into_iter().collect(),
        title,
        url,
        module: member("module"),
        week: None,
        position,
        text,
    })
}

/// The documents of such points, by path; what they were made of is not known.
pub(super) fn documents(shape: Shape, points: impl Iterator<Item = HashMap<String, Value>>) -> Vec<DocumentState> {
    let mut passages: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
    for payload in points {
        let path = payload.get(path_member(shape)).and_then(text).unwrap_or_default();
        *passages.entry(path).or_default() += 1;
    }
    let state = |(path, passages)| DocumentState { path, fingerprint: String::new(), passages };
    passages.into_iter().map(state).collect()
}

/// The part of a file's path that its page's address is made of.
fn below_docs(path: &str) -> &str {
    let path = path.trim_start_matches(['.', '/']);
    match path.rfind("docs/").filter(|at| *at == 0 || path[..*at].ends_with('/')) {
        Some(at) => &path[at + "docs/".len()..],
        None => path,
    }
}

/// A file's name as a title.
fn readable(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let words = stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '_').replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(|| path.to_owned(), |first| first.to_uppercase().chain(letters).collect())
}

fn text(value: &Value) -> Option<String> {
    match value.kind.as_ref()? {
        value::Kind::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u32> {
    match value.kind.as_ref()? {
        value::Kind::IntegerValue(number) => u32::try_from(*number).ok(),
        _ => None,
    }
}

fn number_of(id: Option<&PointId>) -> Option<u64> {
    match id?.point_id_options.as_ref()? {
        PointIdOptions::Num(number) => Some(*number),
        PointIdOptions::Uuid(_) => None,
    }
}

fn uuid_of(id: Option<&PointId>) -> String {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Uuid(uuid)) => uuid.clone(),
        Some(PointIdOptions::Num(_)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: Shape, members: &[(&str, &str)], site: Option<&str>) -> Passage {
        let payload: HashMap<String, Value> =
            members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        passage(shape, Some(&PointId::from(2003_u64)), &payload, &Addresses::new(site, None)).unwrap()
    }

    #[test]
    fn citations_lead_to_the_page_a_source_was_built_into() {
        let site = Some("https://book.example.org");
        let tutor = check(
            Shape::Tutor,
            &[("content", "Text."), ("source", "docs/01-ros/02-nodes.md"), ("module", "ROS"), ("title", "Nodes")],
            site,
        );
        assert_eq!(tutor.url, "https://book.example.org/docs/ros/nodes");
        assert_eq!((tutor.title.as_str(), tutor.position, tutor.module.as_deref()), ("Nodes", 3, Some("ROS")));
        let book = check(
            Shape::Book,
            &[
                ("raw_text", "Text."),
                ("file_path", "/srv/site/docs/gazebo/intro.mdx"),
                ("section_heading", "Why simulate?"),
            ],
            site,
        );
        assert_eq!(book.url, "https://book.example.org/docs/gazebo/intro#why-simulate");
        assert_eq!((book.title.as_str(), book.heading.as_str()), ("Intro", "Why simulate?"));
        let known = check(Shape::Tutor, &[("content", "Text."), ("source", "https://x.dev/a")], site);
        assert_eq!(known.url, "https://x.dev/a");
        let homeless = check(Shape::Tutor, &[("content", "Text."), ("source", "a/b.md")], None);
        assert_eq!(homeless.url, "/docs/a/b");
    }
}
