//! The book that ships with the program: its pages, and how they get into an empty knowledge base.

use std::fmt::Write;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use rust_embed::RustEmbed;

use crate::config::HttpSettings;
use crate::knowledge::ingest::{self, Report};
use crate::knowledge::{Document, KnowledgeBase, KnowledgeError, Passage};

#[derive(RustEmbed)]
#[folder = "book/"]
#[include = "*.md"]
#[include = "*.mdx"]
#[include = "*_category_.json"]
struct Pages;

/// Below this path the bundled book is read.
pub const BASE: &str = "/book";

/// The style sheet that stands in every page.
pub const STYLE: &str = "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:17px/1.6 system-ui,sans-serif}\
    pre{overflow:auto;padding:1rem;background:#f4f4f4}code{font-size:.9em}table{border-collapse:collapse}\
    td,th{border:1px solid #ccc;padding:.3rem .6rem}:target{background:#fff3b0}";

fn options() -> ingest::Options {
    ingest::Options { base: Some(BASE.to_owned()), ..ingest::Options::default() }
}

fn pages() -> impl Iterator<Item = (String, Vec<u8>)> {
    Pages::iter().filter_map(|path| Pages::get(&path).map(|page| (path.to_string(), page.data.into_owned())))
}

/// Marks the documents that came with the program, so that a book of the operator's own is never taken for this one.
const MARK: &str = "bundled ";

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let mut documents = ingest::read(pages(), &options());
    for document in &mut documents {
        document.fingerprint.insert_str(0, MARK);
    }
    documents
});

/// Where readers reach this server, for links into the bundled book.
pub fn site(settings: &HttpSettings) -> String {
    settings.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.nearest()))
}

/// Puts the book into a knowledge base that is empty, or holds an earlier edition of it; leaves any other alone.
///
/// # Errors
/// The knowledge base did not take it.
pub async fn ingest_if_alone(knowledge: &dyn KnowledgeBase) -> Result<Option<Report>, KnowledgeError> {
    let stored = knowledge.documents().await?;
    if !stored.iter().all(|document| document.fingerprint.starts_with(MARK)) {
        return Ok(None);
    }
    match ingest::put_all(DOCUMENTS.clone(), knowledge).await {
        // The edition that is stored can be searched by its words, which is better than no book.
        Err(why @ KnowledgeError::OtherSpace { configured: None, .. }) => {
            tracing::warn!(error = %why, "The bundled book stays as it was stored");
            Ok(None)
        }
        put => put.map(Some),
    }
}

/// The list of pages, as HTML.
pub fn contents() -> String {
    let mut list = String::from("<h1>The book</h1><ol>");
    for document in DOCUMENTS.iter() {
        let Some(first) = document.passages.first() else { continue };
        let _ = write!(list, "<li><a href=\"{}\">{}</a></li>", address(first), escaped(&first.title));
    }
    list.push_str("</ol>");
    page_of("The book", &list)
}

/// A page by its path below [`BASE`], as HTML; each heading has the anchor that citations point at.
pub fn page(path: &str) -> Option<String> {
    let wanted = format!("{BASE}/{}", path.trim_matches('/'));
    let of_page = |document: &&Document| document.passages.first().is_some_and(|first| address(first) == wanted);
    let document = DOCUMENTS.iter().find(of_page)?;
    let title = &document.passages.first()?.title;
    let mut body = format!("<p><a href=\"{BASE}\">The book</a></p><h1>{}</h1>", escaped(title));
    let mut heading = None;
    for passage in &document.passages {
        if heading != Some(&passage.heading) && !passage.heading_path.is_empty() {
            let level = (passage.heading_path.len() + 1).min(6);
            let anchor = passage.url.split_once('#').map_or("", |(_, anchor)| anchor);
            let _ = write!(body, "<h{level} id=\"{}\">{}</h{level}>", escaped(anchor), escaped(&passage.heading));
        }
        heading = Some(&passage.heading);
        let text = Parser::new_ext(&passage.text, Options::ENABLE_TABLES);
        html::push_html(&mut body, text.filter(|event| !leads_elsewhere(event)).map(without_markup));
    }
    Some(page_of(title, &body))
}

/// The page a passage is on, without its anchor.
fn address(passage: &Passage) -> &str {
    passage.url.split('#').next().unwrap_or_default()
}

/// Links and pictures name files of the book's source, which are not served: their words stay, they do not.
fn leads_elsewhere(event: &Event<'_>) -> bool {
    use Event::{End, Start};
    matches!(event, Start(Tag::Link { .. } | Tag::Image { .. }) | End(TagEnd::Link | TagEnd::Image))
}

/// Markup inside a page is shown, not obeyed.
fn without_markup(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    }
}

fn page_of(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><body>{body}</body></html>"
    )
}

/// A text as HTML that shows it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
