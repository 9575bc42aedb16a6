//! The front matter of a page: the YAML between `---` lines at its top.

use serde::Deserialize;

/// A larger front matter is not read, in bytes.
const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;

/// What is read of the front matter; anything else in it is left alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct FrontMatter {
    /// The page's title, in place of its first heading.
    pub title: Option<Scalar>,
    /// The last segment of the address, kept as written.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// The address below the base (`/…`), or below the page's folder.
    #[serde(deserialize_with = "text")]
    pub slug: Option<String>,
    /// The short title in the site's menu.
    pub sidebar_label: Option<Scalar>,
    /// A sentence about the page.
    pub description: Option<Scalar>,
    /// The module or part of the book.
    pub module: Option<Scalar>,
    /// The week of the course.
    pub week: Option<Scalar>,
    /// Not published.
    pub draft: Option<bool>,
    /// Published, but not to be found by searching.
    pub unlisted: Option<bool>,
    /// `false` keeps number prefixes in the address.
    pub parse_number_prefixes: Option<bool>,
}

impl FrontMatter {
    /// Whether number prefixes of file and folders stay in the address.
    pub(super) fn keeps_number_prefixes(&self) -> bool {
        self.parse_number_prefixes == Some(false)
    }
}

/// A value people write with or without quotes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    /// A whole number.
    Whole(i64),
    /// Another number.
    Number(f64),
    /// A truth value; somebody's title may be `Yes`.
    Truth(bool),
    /// Text.
    Text(String),
}

impl Scalar {
    /// As text; empty text is none.
    pub(super) fn text(&self) -> Option<String> {
        let text = match self {
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        (!text.is_empty()).then_some(text)
    }
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.and_then(|scalar| scalar.text()))
}

/// A page, cut where its front matter ends.
#[derive(Debug)]
pub(super) struct Split<'a> {
    /// What the front matter says; empty when there is none or it cannot be read.
    pub front: FrontMatter,
    /// The page below it.
    pub body: &'a str,
    /// The line of the file on which `body` begins, from 1.
    pub body_line: usize,
    /// What is wrong with it: the line in the file and a sentence.
    pub problem: Option<(usize, String)>,
}

/// Cuts off the front matter. When it is broken the page is still read, without it.
pub(super) fn split(page: &str) -> Split<'_> {
    let page = page.strip_prefix('\u{feff}').unwrap_or(page);
    let none = |problem| Split { front: FrontMatter::default(), body: page, body_line: 1, problem };
    let mut lines = page.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return none(None) };
    let mut end = first.len();
    for (index, line) in lines.enumerate() {
        if line.trim_end() == "---" {
            let (front, problem) = read(&page[first.len()..end]);
            return Split { front, body: &page[end + line.len()..], body_line: index + 3, problem };
        }
        end += line.len();
    }
    none(Some((1, "the front matter is never closed with ---; the page is read without it".to_owned())))
}

fn read(yaml: &str) -> (FrontMatter, Option<(usize, String)>) {
    if yaml.len() > FRONT_MATTER_BYTES_MAX {
        let kib = FRONT_MATTER_BYTES_MAX / 1024;
        return (
            FrontMatter::default(),
            Some((1, format!("the front matter is larger than {kib} KiB; the page is read without it"))),
        );
    }
    match serde_saphyr::from_str::<Option<FrontMatter>>(yaml) {
        Ok(front) => (front.unwrap_or_default(), None),
        Err(_) if yaml.trim().is_empty() => (FrontMatter::default(), None),
        Err(error) => {
            let line = error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
            (
                salvage(yaml),
                Some((line + 1, "the front matter is not valid YAML; only its plain lines are used".to_owned())),
            )
        }
    }
}

/// The lines of a broken front matter that can be read each on its own, so that an unquoted colon in a description
/// does not move the page to another address.
fn salvage(yaml: &str) -> FrontMatter {
    let plain: String = yaml
        .lines()
        .filter(|line| serde_saphyr::from_str::<FrontMatter>(line).is_ok_and(|front| front != FrontMatter::default()))
        .flat_map(|line| [line, "\n"])
        .collect();
    serde_saphyr::from_str(&plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_read_and_the_body_keeps_its_line() {
        let split =
            split("---\ntitle: 'Sensors: an intro'\nid: 01\nweek: 2\ndraft: false\nkeywords: [a, b]\n---\n# Hi\n");
        assert_eq!(split.front.title.and_then(|t| t.text()).as_deref(), Some("Sensors: an intro"));
        assert_eq!(split.front.week, Some(Scalar::Whole(2)));
        assert_eq!((split.body, split.body_line, split.problem), ("# Hi\n", 8, None));
    }

    #[test]
    fn broken_front_matter_is_named_with_its_line_and_the_rest_is_used() {
        let split = split("---\nid: kept\ndescription: one: two: three\n---\ntext\n");
        let (line, sentence) = split.problem.expect("a problem");
        assert_eq!(line, 3, "{sentence}");
        assert_eq!(split.front.id.as_deref(), Some("kept"));
        assert_eq!(split.body, "text\n");
    }

    #[test]
    fn unterminated_front_matter_is_part_of_the_page() {
        let split = split("---\ntitle: x\n\ntext\n");
        assert_eq!(split.problem.map(|(line, _)| line), Some(1));
        assert!(split.body.contains("text"));
    }

    #[test]
    fn a_page_without_or_with_empty_front_matter_is_fine() {
        for page in ["", "text", "---\n---\n", "---\r\n---\r\ntext", "\u{feff}---\n# only a comment\n---\n"] {
            assert_eq!(split(page).problem, None, "{page:?}");
        }
    }
}
