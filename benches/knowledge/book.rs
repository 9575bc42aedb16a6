//! A book that is made up: words as often as in a language, passages as long as in a textbook, and questions about it.

use std::sync::Arc;

use chatkit_gateway::knowledge::{Document, Passage};

/// Words of the language; the n-th is used 1/n as often as the first.
const VOCABULARY: usize = 40_000;
/// Passages of one page.
const PAGE_PASSAGES: usize = 8;

/// A book of a size, and the same one whenever it is asked for.
pub struct Book {
    random: fastrand::Rng,
    words: Vec<String>,
    /// Up to which share of all uses each word and those before it go.
    shares: Vec<f64>,
}

impl Book {
    pub fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let words = (0..VOCABULARY).map(|_| word(&mut random)).collect();
        let mut sum = 0.0;
        #[expect(clippy::cast_precision_loss, reason = "the vocabulary is small")]
        let shares = (1..=VOCABULARY)
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Self { random, words, shares }
    }

    fn pick(&mut self) -> &str {
        let at = self.random.f64() * self.shares[VOCABULARY - 1];
        &self.words[self.shares.partition_point(|&share| share < at).min(VOCABULARY - 1)]
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for word in 0..words {
            if word > 0 {
                text.push_str(if word % 13 == 0 { ". " } else { " " });
            }
            text.push_str(self.pick());
        }
        text + "."
    }

    /// The page of this number, as Markdown.
    pub fn page(&mut self) -> String {
        let mut page = format!("# {}\n\n", self.text(3));
        for passage in 0..PAGE_PASSAGES {
            let words = self.random.usize(40..180);
            page.push_str(&format!("## {}\n\n{}\n\n", self.text(3), self.text(words)));
            if passage % 6 == 5 {
                page.push_str(&format!("```python\n{}\n```\n\n", self.text(12).replace(' ', "_")));
            }
        }
        page
    }

    /// Documents with so many passages together.
    pub fn documents(&mut self, passages: usize) -> Vec<Document> {
        (0..passages.div_ceil(PAGE_PASSAGES)).map(|number| self.document(number)).collect()
    }

    fn document(&mut self, number: usize) -> Document {
        let path = format!("part-{:03}/page-{number:06}.md", number / 100);
        let title = self.text(3);
        let passages = (0..PAGE_PASSAGES).map(|position| {
            let heading = self.text(3);
            let words = self.random.usize(40..180);
            Passage {
                id: format!("{number:08}-0000-0000-0000-{position:012}"),
                path: path.clone(),
                title: title.clone(),
                heading_path: vec![heading.clone()],
                url: format!("https://book.example.org/docs/{path}#{position}"),
                heading,
                module: None,
                week: None,
                position: u32::try_from(position).unwrap_or(0),
                text: self.text(words),
            }
        });
        let passages = passages.collect();
        Document { path, fingerprint: number.to_string(), passages }
    }

    /// Questions as readers put them: some words of one passage, among words that every question has.
    pub fn questions(&mut self, passages: &[Arc<Passage>], count: usize) -> Vec<String> {
        (0..count)
            .map(|_| {
                let passage = &passages[self.random.usize(0..passages.len())];
                let words: Vec<&str> = passage.text.split([' ', '.']).filter(|word| word.len() > 4).collect();
                let wanted: Vec<&str> =
                    (0..self.random.usize(2..6)).map(|_| words[self.random.usize(0..words.len())]).collect();
                format!("How does the {} work?", wanted.join(" "))
            })
            .collect()
    }
}

fn word(random: &mut fastrand::Rng) -> String {
    const ONSETS: &[&str] = &["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl", "ch"];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ea", "ou"];
    let syllables = random.usize(1..5);
    let end = ["", "n", "r", "s", "t"][random.usize(0..5)];
    (0..syllables)
        .flat_map(|_| [ONSETS[random.usize(0..ONSETS.len())], VOWELS[random.usize(0..VOWELS.len())]])
        .chain([end])
        .collect()
}
