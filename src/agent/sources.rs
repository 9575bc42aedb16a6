//! What an answer may cite: the passages of one turn, numbered as the model is told to cite them, and a selected text.

use std::sync::Arc;

use chatkit_protocol::{Source, SourceKind};

use super::addresses::Allowed;
use crate::chat::RestedOn;
use crate::knowledge::{Found, Passage};
use crate::llm::passages::{CitedPassage, ToolResult};

/// What readers and models are told a selected text is called when it stands nowhere in the book.
const SELECTED_TEXT: &str = "Selected text";

/// Of a passage, so much is noted with the answer that rests on it, in bytes: most passages whole.
const NOTED_BYTES: usize = 2_000;
/// Scores are noted to four places.
const SCORE_STEPS: f64 = 10_000.0;

/// Passages in the order in which they were found; the first has number 1.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    site: Option<(String, String)>,
    admitted: Vec<Admitted>,
}

#[derive(Clone, Debug)]
struct Admitted {
    /// None for a text that stands nowhere in the book.
    passage: Option<(Arc<Passage>, f32)>,
    cited: CitedPassage,
    source: Source,
}

impl Sources {
    pub(super) fn new(site: Option<(String, String)>) -> Self {
        Self { site, admitted: Vec::new() }
    }

    /// Gives passages their numbers; one that was found before keeps its own.
    pub(super) fn admit(&mut self, found: &[Found]) -> Vec<u32> {
        found.iter().map(|found| self.admit_passage(found, &found.passage.text)).collect()
    }

    /// Gives a selected text its number, with the passage it was selected in if there is one: then the longer of the two
    /// is what the model is told, and the citation leads to the passage. Without one there is nothing to lead to.
    pub(super) fn admit_selection(&mut self, text: &str, place: Option<&Found>) -> u32 {
        if let Some(found) = place {
            let passage = &found.passage;
            let text = if passage.text.len() > text.len() { &passage.text } else { text };
            return self.admit_passage(found, text);
        }
        let title = SELECTED_TEXT.to_owned();
        let kind = SourceKind::File { filename: title.clone() };
        let cited = CitedPassage { title: title.clone(), text: text.to_owned(), ..CitedPassage::default() };
        self.push(None, cited, Source { title, description: None, timestamp: None, group: None, kind })
    }

    fn admit_passage(&mut self, found: &Found, text: &str) -> u32 {
        let passage = &found.passage;
        let known = |admitted: &&Admitted| admitted.passage.as_ref().is_some_and(|(known, _)| known.id == passage.id);
        if let Some(known) = self.admitted.iter().find(known) {
            return known.cited.number;
        }
        let url = self.address(&passage.url);
        let headings = headings(passage);
        let cited = CitedPassage {
            number: 0,
            title: passage.title.clone(),
            heading: headings.join(" › "),
            url: url.clone(),
            text: text.to_owned(),
        };
        // Two passages at one address are one source: readers see it once.
        let at_address =
            |admitted: &&Admitted| matches!(&admitted.source.kind, SourceKind::Url { url: known, .. } if *known == url);
        let source = self.admitted.iter().find(at_address).map(|admitted| admitted.source.clone());
        let source = source.unwrap_or_else(|| Source {
            title: [&*passage.title].into_iter().chain(headings).collect::<Vec<_>>().join(" › "),
            description: None,
            timestamp: None,
            group: None,
            kind: SourceKind::Url { url, attribution: None },
        });
        self.push(Some((passage.clone(), found.score)), cited, source)
    }

    fn push(&mut self, passage: Option<(Arc<Passage>, f32)>, cited: CitedPassage, source: Source) -> u32 {
        let number = self.count().saturating_add(1);
        self.admitted.push(Admitted { passage, cited: CitedPassage { number, ..cited }, source });
        number
    }

    fn address(&self, url: &str) -> String {
        match &self.site {
            Some((base, site))
                if url
                    .strip_prefix(base.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#'])) =>
            {
                format!("{site}{url}")
            }
            _ => url.to_owned(),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.admitted.len()).unwrap_or(u32::MAX)
    }

    /// The source of a number, if there is one.
    pub(super) fn source(&self, number: u32) -> Option<&Source> {
        self.get(number).map(|admitted| &admitted.source)
    }

    fn get(&self, number: u32) -> Option<&Admitted> {
        self.admitted.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// What the sources say, in the order of their numbers; a text that stands nowhere in the book says nothing, unless
    /// it counts as well.
    pub(super) fn texts(&self, selection_counts: bool) -> Vec<&str> {
        let says = |admitted: &Admitted| selection_counts || admitted.passage.is_some();
        self.admitted.iter().map(|admitted| if says(admitted) { &*admitted.cited.text } else { "" }).collect()
    }

    /// What is noted of the passages with an answer that cites these numbers.
    pub(super) fn rested_on(&self, cited: &[(usize, u32)]) -> Vec<RestedOn> {
        let noted = self.admitted.iter().filter_map(|admitted| {
            let (passage, score) = admitted.passage.as_ref()?;
            let CitedPassage { number, url, text, .. } = &admitted.cited;
            Some(RestedOn {
                id: passage.id.clone(),
                path: passage.path.clone(),
                title: admitted.source.title.clone(),
                url: url.clone(),
                text: text[..text.floor_char_boundary(NOTED_BYTES)].to_owned(),
                score: (f64::from(*score) * SCORE_STEPS).round() / SCORE_STEPS,
                cited: cited.iter().any(|(_, cited)| cited == number),
            })
        });
        noted.collect()
    }

    /// Allows links to the sources, and to wherever they link to.
    pub(super) fn allow(&self, links: &mut Allowed) {
        for admitted in &self.admitted {
            links.add(&admitted.cited.url);
            links.add_all_of(&admitted.cited.text);
        }
    }

    /// What the model is told of the passages with these numbers.
    pub(super) fn tell(&self, numbers: &[u32], note: Option<String>) -> String {
        let passages = numbers.iter().filter_map(|number| Some(self.get(*number)?.cited.clone()));
        ToolResult { passages: passages.collect(), note }.to_json()
    }
}

/// The headings above a passage, from the top of its page; its title left out.
fn headings(passage: &Passage) -> Vec<&str> {
    let mut path: Vec<&str> = passage.heading_path.iter().map(String::as_str).collect();
    // Collections of other programs know no path.
    if path.is_empty() {
        path.push(&passage.heading);
    }
    path.retain(|heading| !heading.is_empty() && *heading != passage.title);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: &str, path: &[&str], url: &str) -> Found {
        let passage = Passage {
            id: id.to_owned(),
            path: "a.md".to_owned(),
            title: "Sensors".to_owned(),
            heading: path.last().copied().unwrap_or("Sensors").to_owned(),
            heading_path: path.iter().map(|heading| (*heading).to_owned()).collect(),
            url: url.to_owned(),
            module: None,
            week: None,
            position: 0,
            text: format!("Text of {id}."),
        };
        Found { passage: Arc::new(passage), score: 1.0 }
    }

    fn url_of(source: &Source) -> Option<&str> {
        match &source.kind {
            SourceKind::Url { url, .. } => Some(url),
            SourceKind::File { .. } | SourceKind::Entity { .. } => None,
        }
    }

    #[test]
    fn a_source_is_named_by_its_page_and_headings_and_links_to_its_site() {
        let mut sources = Sources::new(Some(("/docs".to_owned(), "https://book.example".to_owned())));
        let deep = found("a", &["Range", "Lidar"], "/docs/sensors#lidar");
        let top = found("b", &[], "/docs/sensors");
        let elsewhere = found("c", &[], "/docsy/x");
        assert_eq!(sources.admit(&[deep.clone(), top, elsewhere, deep]), [1, 2, 3, 1]);
        let told: Vec<_> = (1..=3).map(|n| sources.source(n).map(|s| (&*s.title, url_of(s))).unwrap()).collect();
        let expected = [
            ("Sensors › Range › Lidar", Some("https://book.example/docs/sensors#lidar")),
            ("Sensors", Some("https://book.example/docs/sensors")),
            ("Sensors", Some("/docsy/x")),
        ];
        assert_eq!(told, expected);
        assert_eq!((sources.source(0), sources.source(4)), (None, None));
    }

    #[test]
    fn passages_at_one_address_are_one_source() {
        let mut sources = Sources::new(None);
        sources.admit(&[found("a", &["Lidar"], "/docs/s#lidar"), found("b", &["Lidar, part 2"], "/docs/s#lidar")]);
        assert_eq!(sources.source(1), sources.source(2));
    }

    #[test]
    fn a_selection_leads_to_where_it_was_selected_or_nowhere() {
        let mut sources = Sources::new(None);
        assert_eq!(sources.admit_selection("Selected.", None), 1);
        assert_eq!(url_of(sources.source(1).unwrap()), None);
        let place = found("a", &["Lidar"], "/docs/s#lidar");
        assert_eq!(sources.admit_selection("of a", Some(&place)), 2);
        assert_eq!(sources.admit(&[place]), [2]);
        assert_eq!(sources.texts(true), ["Selected.", "Text of a."]);
        assert_eq!(sources.texts(false), ["", "Text of a."]);
    }
}
