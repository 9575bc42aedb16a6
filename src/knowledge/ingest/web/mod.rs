//! Getting a book in from the web: the pages that a site's map lists, fetched with care and at a walking pace.

mod fetch;
mod guard;
mod map;
mod robots;
mod sitemap;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use reqwest::Url;
use tokio::time::Instant;

use super::kind::HTML_BYTES_MAX;
use super::passages::Place;
use super::source::{End, Page, Read, Source};
use super::{IngestError, Options, Problem, html, pdf};
use fetch::{Failed, Fetcher, Got};
use map::Map;

/// Pages that are fetched at the same time.
const FETCHES_TOGETHER_MAX: usize = 4;

/// So many pages in a row that the site did not answer for are the end: the site is away.
const FAILURES_IN_A_ROW_MAX: usize = 12;

/// A site is read for so long; what was not read until then is kept as it is stored.
const SITE_TIME_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// How a site is read.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// The site may be on this machine or in a private network.
    pub allow_private: bool,
    /// Hosts whose pages are read too when the map lists them.
    pub also_hosts: Vec<String>,
    /// Names or patterns of paths (`docs`, `guides/**`); none are all.
    pub include: Vec<String>,
    /// The pause between two requests; the site may ask for a longer one.
    pub delay: Duration,
}

impl Default for WebOptions {
    fn default() -> Self {
        let delay = Duration::from_millis(100);
        Self { allow_private: false, also_hosts: Vec::new(), include: Vec::new(), delay }
    }
}

/// A site as a source: the pages that its map lists, each known by its address.
pub struct Web {
    name: String,
    fetcher: Arc<Fetcher>,
    pages: std::vec::IntoIter<Url>,
    listed: Arc<HashSet<String>>,
    under_way: FuturesUnordered<BoxFuture<'static, Fetched>>,
    /// Where pages came from in the end.
    seen: HashSet<String>,
    failures_in_a_row: usize,
    deadline: Instant,
    whole: bool,
    problems: Vec<Problem>,
}

/// What became of an address of the map.
struct Fetched {
    address: Url,
    result: Result<Arrived, Failed>,
}

/// A page that came, and was read.
struct Arrived {
    url: String,
    read: Read,
    problems: Vec<Problem>,
}

impl Web {
    /// Reads the map of a site; none of its pages is fetched yet. `address` is a map's own, or a site's, whose map is
    /// looked for where sites have it; of the latter only pages below the address are taken.
    ///
    /// # Errors
    /// There is no map, it cannot be read, or it lists no page of the site.
    pub async fn open(address: &str, options: &Options) -> Result<Self, IngestError> {
        let refused = |sentence: String| IngestError::Source(format!("{address}: {sentence}"));
        let site = Url::parse(address).map_err(|error| refused(format!("it is no address ({error})")))?;
        let WebOptions { allow_private, also_hosts, include, delay } = &options.web;
        let fetcher = Fetcher::new(&site, also_hosts, *allow_private, *delay)
            .map_err(|error| refused(format!("nothing can be fetched here: {error}")))?;
        let (fetcher, Map { pages, whole, problems }) =
            map::read(fetcher, &site, include, &options.exclude).await.map_err(refused)?;
        if pages.is_empty() {
            let first = problems.first().map_or(String::new(), |problem| format!(" ({})", problem.sentence));
            return Err(refused(format!("its map lists no page of the site{first}")));
        }
        Ok(Self {
            name: address.to_owned(),
            fetcher: Arc::new(fetcher),
            listed: Arc::new(pages.iter().map(|page| page.to_string()).collect()),
            pages: pages.into_iter(),
            under_way: FuturesUnordered::new(),
            seen: HashSet::new(),
            failures_in_a_row: 0,
            deadline: Instant::now() + SITE_TIME_MAX,
            whole,
            problems,
        })
    }

    fn fill(&mut self) {
        while self.under_way.len() < FETCHES_TOGETHER_MAX {
            let Some(address) = self.pages.next() else { return };
            let (fetcher, listed) = (Arc::clone(&self.fetcher), Arc::clone(&self.listed));
            self.under_way.push(Box::pin(async move {
                let result = match fetcher.get(&address, bytes_max).await {
                    Ok(got) => read(&address, got, listed).await,
                    Err(failed) => Err(failed),
                };
                Fetched { address, result }
            }));
        }
    }

    fn page(&mut self, Fetched { address, result }: Fetched) -> Result<Page, IngestError> {
        let path = address.to_string();
        let problem = |sentence: String| vec![Problem { path: path.clone(), line: None, sentence }];
        let failed = match result {
            Ok(Arrived { url, read, problems }) => {
                self.failures_in_a_row = 0;
                // Two addresses that lead to the same page are one page.
                let read = if self.seen.insert(url) { read } else { Read::Hidden };
                return Ok(Page { path, read, problems });
            }
            Err(failed) => failed,
        };
        self.failures_in_a_row = if failed.is_of_site() { self.failures_in_a_row + 1 } else { 0 };
        if self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX {
            return Err(IngestError::Source(format!("{}: {failed}; run the same command again later", self.name)));
        }
        Ok(match failed {
            Failed::Gone(_) => {
                let problems =
                    problem(format!("{failed}, although the map lists it; what was stored of it is forgotten"));
                Page { path: path.clone(), read: Read::Hidden, problems }
            }
            failed => Page { problems: problem(format!("{failed}; it is left out")), path, read: Read::Broken },
        })
    }
}

#[async_trait]
impl Source for Web {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn expected(&self) -> Option<usize> {
        Some(self.pages.len())
    }

    async fn next(&mut self) -> Result<Option<Page>, IngestError> {
        if Instant::now() > self.deadline {
            self.whole = false;
            let sentence = format!("reading it takes more than {} h; the rest is kept", SITE_TIME_MAX.as_secs() / 3600);
            self.problems.push(Problem { path: self.name.clone(), line: None, sentence });
            return Ok(None);
        }
        self.fill();
        match self.under_way.next().await {
            Some(fetched) => self.page(fetched).map(Some),
            None => Ok(None),
        }
    }

    fn end(&mut self) -> End {
        End { whole: self.whole, kept: Vec::new(), problems: std::mem::take(&mut self.problems) }
    }
}

/// How large a page of a type may be.
fn bytes_max(kind: &str) -> Option<u64> {
    match kind {
        "text/html" | "application/xhtml+xml" => Some(HTML_BYTES_MAX),
        "application/pdf" | "application/x-pdf" => Some(crate::pdf::FILE_BYTES_MAX as u64),
        // Nobody said; it is looked at.
        "" | "application/octet-stream" => Some(HTML_BYTES_MAX),
        _ => None,
    }
}

/// Reads a page off the async threads.
async fn read(address: &Url, got: Got, listed: Arc<HashSet<String>>) -> Result<Arrived, Failed> {
    let path = address.to_string();
    let work = tokio::task::spawn_blocking(move || {
        let url = got.url.to_string();
        let mut problems = Vec::new();
        let place = Place { path, url: url.clone(), module: None, week: None };
        let read = match () {
            () if got.noindex => Read::Hidden,
            () if crate::pdf::is_pdf(&got.bytes) => pdf::document(&place, &got.bytes, &mut problems),
            () => hypertext(&place, &got, &listed, &mut problems),
        };
        Arrived { url, read, problems }
    });
    work.await.map_err(|_| Failed::Away("reading it failed; please report it".to_owned()))
}

fn hypertext(place: &Place, got: &Got, listed: &HashSet<String>, problems: &mut Vec<Problem>) -> Read {
    let mut broken = |sentence: String| {
        problems.push(Problem { path: place.path.clone(), line: None, sentence });
        Read::Broken
    };
    if !got.kind.contains("html") && !got.bytes.trim_ascii_start().starts_with(b"<") {
        return broken("it is no page of HTML; it is left out".to_owned());
    }
    match html::read(&got.bytes, got.charset.as_deref()) {
        Ok(page) => {
            let canonical = page.canonical.as_deref().and_then(|canonical| got.url.join(canonical).ok());
            let elsewhere = canonical.map(|url| url.to_string()).filter(|url| *url != place.url && *url != place.path);
            match elsewhere {
                // The page says that it is another one, and that one is read too.
                Some(url) if listed.contains(&url) => Read::Hidden,
                Some(_) | None => html::passages_of(place, page, problems),
            }
        }
        Err(sentence) => broken(sentence),
    }
}
