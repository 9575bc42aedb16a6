//! Pages of HTML: the part of a page that its readers read becomes the same sections as a page of Markdown.

mod emit;
mod encoding;
mod survey;
mod tags;
#[cfg(test)]
mod tests;
mod voice;

use tokio::time::Instant;

use super::kind::Around;
use super::page::Page;
use super::passages::{self, Place};
use super::{Problem, Read, document as markdown, route};
use emit::Emit;
use survey::Survey;
use tags::{READING_TIME_MAX, walk};

/// A page of HTML that was read.
#[derive(Debug)]
pub(super) struct HtmlPage {
    /// Its heading, or what it calls itself elsewhere.
    pub title: Option<String>,
    /// The address by which it wants to be known, as written.
    pub canonical: Option<String>,
    /// It asks not to be found.
    pub hidden: bool,
    /// What stands in it. Anchors are those that are in the page; a heading without one has none.
    pub page: Page,
    /// A sentence about what is wrong with it, although it was read.
    pub problem: Option<String>,
}

/// Reads a page of a folder. Where nobody says where the site is, the page itself may.
pub(super) fn document(path: &str, content: &[u8], around: &Around, problems: &mut Vec<Problem>) -> Read {
    let place = markdown::place(path, route::file_url(path, &around.site), around);
    match read(content, None) {
        Ok(page) => {
            let canonical = page.canonical.clone().filter(|url| around.site.url.is_none() && url.starts_with("http"));
            let url = canonical.map(|url| url.split('#').next().unwrap_or("").to_owned());
            passages_of(&Place { url: url.unwrap_or_else(|| place.url.clone()), ..place }, page, problems)
        }
        Err(sentence) => {
            problems.push(Problem { path: path.to_owned(), line: None, sentence });
            Read::Broken
        }
    }
}

/// A page that was read becomes a document.
pub(super) fn passages_of(place: &Place, page: HtmlPage, problems: &mut Vec<Problem>) -> Read {
    let mut problem = |sentence: String| problems.push(Problem { path: place.path.clone(), line: None, sentence });
    if page.hidden {
        return Read::Hidden;
    }
    if let Some(sentence) = page.problem {
        problem(sentence);
    }
    let title = page.page.title.or(page.title).unwrap_or_else(|| route::stem(&place.path).to_owned());
    let document = passages::document(place, &title, &page.page.sections);
    if document.passages.is_empty() {
        problem("it holds no text; there is nothing to find in it, unless a script would write it".into());
    }
    Read::Document(document)
}

/// Reads a page; `charset` is what its server said of the encoding. Fails with a sentence.
pub(super) fn read(bytes: &[u8], charset: Option<&str>) -> Result<HtmlPage, String> {
    let decoded = encoding::decode(bytes, charset);
    if decoded.text.contains('\0') {
        return Err("it holds a zero byte and is no text; it is left out".to_owned());
    }
    let deadline = Instant::now() + READING_TIME_MAX;
    let too_slow = |_| format!("reading it takes more than {} s; it is left out", READING_TIME_MAX.as_secs());
    let survey = walk(&decoded.text, Survey::default(), deadline).map_err(too_slow)?;
    let emit = Emit::new(survey.content(), survey.layout.clone());
    let page = walk(&decoded.text, emit, deadline).map_err(too_slow)?.finish();
    Ok(HtmlPage {
        title: survey.best_title(),
        canonical: survey.canonical,
        hidden: survey.noindex,
        page,
        problem: decoded.broken.map(|name| format!("not all of its bytes are {name}; those that are not are replaced")),
    })
}
