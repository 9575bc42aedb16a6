//! The passages of one turn, numbered as the model is told to cite them.

use chatkit_protocol::{Source, SourceKind};

use crate::knowledge::Found;
use crate::llm::passages::{CitedPassage, ToolResult};

/// Passages in the order in which they were found; the first has number 1.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    site: Option<(String, String)>,
    passages: Vec<Admitted>,
}

#[derive(Clone, Debug)]
struct Admitted {
    passage_id: String,
    cited: CitedPassage,
    source: Source,
}

impl Sources {
    pub(super) fn new(site: Option<(String, String)>) -> Self {
        Self { site, passages: Vec::new() }
    }

    /// Gives passages their numbers; one that was found before keeps its own.
    pub(super) fn admit(&mut self, found: Vec<Found>) -> Vec<u32> {
        found.into_iter().map(|found| self.admit_one(&found)).collect()
    }

    fn admit_one(&mut self, found: &Found) -> u32 {
        let passage = &found.passage;
        if let Some(known) = self.passages.iter().find(|known| known.passage_id == passage.id) {
            return known.cited.number;
        }
        let number = u32::try_from(self.passages.len() + 1).unwrap_or(u32::MAX);
        let url = self.address(&passage.url);
        let cited = CitedPassage {
            number,
            title: passage.title.clone(),
            heading: passage.heading.clone(),
            url: url.clone(),
            text: passage.text.clone(),
        };
        let title = match passage.heading == passage.title {
            true => passage.title.clone(),
            false => format!("{} › {}", passage.title, passage.heading),
        };
        let source = Source {
            title,
            description: None,
            timestamp: None,
            group: None,
            kind: SourceKind::Url { url, attribution: None },
        };
        self.passages.push(Admitted { passage_id: passage.id.clone(), cited, source });
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
        u32::try_from(self.passages.len()).unwrap_or(u32::MAX)
    }

    /// The source of a number, if there is one.
    pub(super) fn source(&self, number: u32) -> Option<&Source> {
        let position = usize::try_from(number).ok()?.checked_sub(1)?;
        self.passages.get(position).map(|admitted| &admitted.source)
    }

    /// What the model is told of the passages with these numbers.
    pub(super) fn tell(&self, numbers: &[u32], note: Option<String>) -> String {
        let cited = |number: &u32| self.passages.get(*number as usize - 1).map(|admitted| admitted.cited.clone());
        ToolResult { passages: numbers.iter().filter_map(cited).collect(), note }.to_json()
    }
}
