//! A book that is read from its site: a real server, a real SQLite file, and pages as sites have them.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::{self, IngestError, Options, Report, Web, WebOptions};
use chatkit_gateway::knowledge::{KnowledgeBase, Passage, Search};
use chatkit_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;

use crate::support::pdf::Pdf;
use crate::support::web_site::{Answer, WebSite};

/// A site, and a knowledge base for it.
struct Library {
    site: WebSite,
    knowledge: EmbeddedKnowledge,
    _folder: TempDir,
}

impl Library {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("rows.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        let knowledge = EmbeddedKnowledge::open(Arc::new(store), "book", None);
        Self { site: WebSite::start().await, knowledge, _folder: folder }
    }

    async fn ingest(&self, path: &str) -> Result<Report, IngestError> {
        self.ingest_with(path, local()).await
    }

    async fn ingest_with(&self, path: &str, web: WebOptions) -> Result<Report, IngestError> {
        let options = Options { web, ..Options::default() };
        let mut source = Web::open(&self.site.url(path), &options).await?;
        ingest::ingest_from(&mut source, &options, &self.knowledge, &()).await
    }

    /// Paths of what is stored, without the site.
    async fn paths(&self) -> Vec<String> {
        let documents = self.knowledge.documents().await.unwrap();
        documents.into_iter().map(|document| document.path.replace(&self.site.url(""), "")).collect()
    }

    async fn best(&self, query: &str) -> Option<Arc<Passage>> {
        let search = Search { query, earlier: &[], limit: 1, strict: false };
        self.knowledge.search(&search).await.unwrap().pop().map(|found| found.passage)
    }
}

fn local() -> WebOptions {
    WebOptions { allow_private: true, delay: Duration::ZERO, ..WebOptions::default() }
}

fn counts(report: &Report) -> [usize; 4] {
    [report.added, report.changed, report.unchanged, report.removed]
}

fn problems(report: &Report, site: &WebSite) -> Vec<String> {
    let mut problems: Vec<_> = report.problems.iter().map(|p| p.to_string().replace(&site.url(""), "")).collect();
    problems.sort();
    problems
}

const JOINTS: &str = "<title>Joints | Book</title><nav>Menu</nav><main><h1>Joints</h1><h2 id=hinges>Hinges</h2>\
                      <p>A hinge joint turns about one axis.</main>";
const WHEELS: &str = "<title>Wheels | Book</title><main><h1>Wheels</h1><p>A castor wheel swivels freely.</main>";

#[tokio::test]
async fn the_pages_of_a_map_can_be_found_and_open_where_they_are_read() {
    let library = Library::new().await;
    library.site.map(&["/joints#top", "/joints", "/manual.pdf", "https://elsewhere.example/x"]);
    library.site.answer("/joints", [Answer::html(JOINTS)]);
    let manual = Pdf::of_pages(&["BT /F1 12 Tf (The manual) Tj ET", "BT /F1 12 Tf (Grease the bearing weekly.) Tj ET"]);
    library.site.answer("/manual.pdf", [Answer::page("application/pdf", manual)]);
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert_eq!(
        problems(&report, &library.site),
        ["/sitemap.xml: 1 pages of its map are left out: they are on other hosts; --also-host lets them be read"]
    );
    let hinge = library.best("hinge joint axis").await.unwrap();
    assert_eq!((hinge.title.as_str(), hinge.heading.as_str()), ("Joints", "Hinges"));
    assert_eq!(hinge.url, library.site.url("/joints#hinges"));
    let bearing = library.best("grease the bearing").await.unwrap();
    assert_eq!((bearing.title.as_str(), bearing.heading.as_str()), ("The manual", "Page 2"));
    assert_eq!(bearing.url, library.site.url("/manual.pdf#page=2"));
    assert!(library.site.header("/joints", "user-agent").unwrap().starts_with("chatkit-gateway/"));
}

#[tokio::test]
async fn only_what_changed_is_stored_again_and_what_fails_keeps_what_is_stored() {
    let library = Library::new().await;
    let site = &library.site;
    site.map(&["/a", "/b", "/c", "/d"]);
    for page in ["/a", "/b", "/c", "/d"] {
        site.answer(page, [Answer::html(&format!("<p>Page {page} is about quaternions."))]);
    }
    assert_eq!(counts(&library.ingest("/sitemap.xml").await.unwrap()), [4, 0, 0, 0]);
    // What is not for readers may change without anything being stored again.
    site.answer("/a", [Answer::html("<script nonce=1></script><nav>New</nav><p>Page /a is about quaternions.")]);
    site.answer("/b", [Answer::html("<p>Page /b is about gears.")]);
    site.answer("/c", [Answer::of(500)]);
    site.answer("/d", [Answer::of(410)]);
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert_eq!(counts(&report), [0, 1, 1, 1]);
    assert_eq!(library.paths().await, ["/a", "/b", "/c"]);
    assert_eq!(
        problems(&report, site),
        [
            "/c: the site answers with 500; it is left out",
            "/d: there is no such page (410), although the map lists it; what was stored of it is forgotten",
        ]
    );
    site.map(&["/b", "/c"]);
    assert_eq!(counts(&library.ingest("/sitemap.xml").await.unwrap()), [0, 0, 1, 1]);
    assert_eq!(library.paths().await, ["/b", "/c"]);
}

#[tokio::test]
async fn a_site_that_is_away_loses_nothing() {
    let library = Library::new().await;
    let site = &library.site;
    site.map(&["/a"]);
    site.answer("/a", [Answer::html(JOINTS)]);
    library.ingest("/sitemap.xml").await.unwrap();
    for (map, sentence) in [
        (Answer::of(500), "the site answers with 500"),
        (Answer::html("<html>Welcome"), "it is no sitemap"),
        (Answer::page("application/xml", "<urlset></urlset>"), "its map lists no page of the site"),
    ] {
        site.answer("/sitemap.xml", [map]);
        let error = library.ingest("/sitemap.xml").await.unwrap_err().to_string();
        assert_eq!(error, format!("{}: {sentence}", site.url("/sitemap.xml")));
    }
    // Half a map: nobody knows what the other half says.
    site.answer(
        "/sitemap.xml",
        [Answer::page("application/xml", format!("<urlset><url><loc>{}</loc></url><url>", site.url("/b")))],
    );
    site.answer("/b", [Answer::html(WHEELS)]);
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert!(report.incomplete);
    assert_eq!((counts(&report), library.paths().await), ([1, 0, 0, 0], vec!["/a".to_owned(), "/b".to_owned()]));
}

#[tokio::test]
async fn maps_are_found_and_followed_and_packed_ones_unpacked() {
    let library = Library::new().await;
    let site = &library.site;
    let index = |maps: &[&str]| {
        let maps = maps.iter().map(|map| format!("<sitemap><loc>{}</loc></sitemap>", site.url(map)));
        Answer::page("text/xml", format!("<sitemapindex>{}</sitemapindex>", maps.collect::<String>()))
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("<urlset><url><loc>{}</loc></url></urlset>", site.url("/book/b")).as_bytes()).unwrap();
    site.answer("/robots.txt", [Answer::page("text/plain", "User-agent: *\nSitemap: /maps/all.xml\n")]);
    site.answer("/maps/all.xml", [index(&["/maps/1.txt", "/maps/2.xml.gz", "/maps/all.xml", "/maps/gone.xml"])]);
    site.answer(
        "/maps/1.txt",
        [Answer::page("text/plain", format!("{}\n{}\n", site.url("/book/a"), site.url("/news")))],
    );
    site.answer("/maps/2.xml.gz", [Answer::page("application/gzip", packed.finish().unwrap())]);
    site.answer("/book/a", [Answer::html(JOINTS)]);
    site.answer("/book/b", [Answer::html(WHEELS)]);
    let report = library.ingest("/book").await.unwrap();
    assert_eq!(
        (counts(&report), library.paths().await),
        ([2, 0, 0, 0], vec!["/book/a".to_owned(), "/book/b".to_owned()])
    );
    // The map that is gone may have listed pages that are stored.
    assert!(report.incomplete);
    assert_eq!(
        problems(&report, site),
        ["/maps/gone.xml: there is no such page (404); what is stored of its pages is kept"]
    );
}

#[tokio::test]
async fn what_the_site_does_not_want_read_is_not_asked_for() {
    let library = Library::new().await;
    let site = &library.site;
    site.answer(
        "/robots.txt",
        [Answer::page("text/plain", "User-agent: chatkit-gateway\nDisallow: /private\n\nUser-agent: *\nDisallow: /")],
    );
    site.map(&[
        "/open",
        "/private/a",
        "/skip/a",
        "/docs/no",
        "/docs/hidden",
        "/docs/header",
        "/docs/twin",
        "/docs/alias",
    ]);
    site.answer("/open", [Answer::html(JOINTS)]);
    site.answer("/docs/hidden", [Answer::html("<meta name=robots content=noindex><p>Hidden.")]);
    site.answer("/docs/header", [Answer::html("<p>Hidden.").with("x-robots-tag", "noindex")]);
    site.answer("/docs/twin", [Answer::html("<link rel=canonical href=/open><p>The same again.")]);
    site.answer("/docs/alias", [Answer::to("/open")]);
    site.answer("/docs/no", [Answer::page("image/png", "x")]);
    let options = Options {
        web: WebOptions { include: vec!["open".into(), "private".into(), "skip".into(), "docs".into()], ..local() },
        exclude: vec!["skip".into()],
        ..Options::default()
    };
    let mut source = Web::open(&site.url("/"), &options).await.unwrap();
    let report = ingest::ingest_from(&mut source, &options, &library.knowledge, &()).await.unwrap();
    assert_eq!((counts(&report), report.hidden), ([1, 0, 0, 0], 4));
    assert_eq!(
        problems(&report, site),
        [
            "/: 1 pages of its map are left out: the site's robots.txt asks not to read them",
            "/docs/no: it is of type image/png; only pages of HTML and PDF files are read; it is left out",
        ]
    );
    let asked = site.asked();
    assert!(!asked.iter().any(|path| path.starts_with("/private") || path.starts_with("/skip")), "{asked:?}");
}

#[tokio::test]
async fn a_site_whose_rules_cannot_be_read_is_not_read() {
    let library = Library::new().await;
    library.site.map(&["/a"]);
    library.site.answer("/robots.txt", [Answer::of(500)]);
    let error = library.ingest("/sitemap.xml").await.unwrap_err().to_string();
    assert!(
        error.ends_with("its robots.txt cannot be read, so nobody knows what may be: the site answers with 500"),
        "{error}"
    );
    assert_eq!(library.site.asked(), ["/robots.txt"]);
}

#[tokio::test]
async fn redirects_are_followed_within_the_site_and_nowhere_else() {
    let library = Library::new().await;
    let site = &library.site;
    let metadata = "http://169.254.169.254/latest/meta-data/";
    site.map(&["/moved", "/file", "/metadata", "/port", "/circle", "/elsewhere", "/user"]);
    site.answer("/moved", [Answer::to("/moved/2")]);
    site.answer("/moved/2", [Answer::of(301).with("location", "3#part")]);
    site.answer("/moved/3", [Answer::html(JOINTS)]);
    site.answer("/file", [Answer::to("file:///etc/passwd")]);
    site.answer("/metadata", [Answer::to(metadata)]);
    site.answer("/port", [Answer::to("http://127.0.0.1:22/")]);
    site.answer("/circle", [Answer::to("/circle")]);
    site.answer("/elsewhere", [Answer::to("https://elsewhere.example/x")]);
    site.answer("/user", [Answer::to(&site.url("/moved/3").replace("http://", "http://me:secret@"))]);
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert_eq!(
        problems(&report, site),
        [
            "/circle: it leads on and on; it is left out",
            "/elsewhere: it leads to elsewhere.example, which is another site; --also-host lets that be read too; it is left out",
            "/file: only http and https addresses are fetched, not `file:`; it is left out",
            "/metadata: 169.254.169.254 is no address that pages are read from; it is left out",
            "/port: port 22 is neither 80, 443 nor the port the site was given with; it is left out",
            "/user: an address with a user's name or password in it is not fetched; it is left out",
        ]
    );
    assert_eq!(library.best("hinge joint axis").await.unwrap().url, site.url("/moved/3#hinges"));
}

#[tokio::test]
async fn this_machine_is_not_read_unless_that_is_meant() {
    let library = Library::new().await;
    library.site.map(&["/a"]);
    let port = library.site.url("").rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let address = format!("http://{host}:{port}/sitemap.xml");
        let error = Web::open(&address, &Options::default()).await.err().unwrap().to_string();
        assert!(
            error.contains("is in a private network or on this machine; give --allow-private if that is meant"),
            "{error}"
        );
    }
    assert_eq!(library.site.asked(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_from_the_site_into_this_machine_is_refused() {
    // The site is allowed to be here; what it leads to is judged on its own.
    let library = Library::new().await;
    let other = WebSite::start().await;
    library.site.map(&["/in"]);
    library.site.answer("/in", [Answer::to(&other.url("/secret"))]);
    let error = library.ingest("/sitemap.xml").await.unwrap_err().to_string();
    assert!(error.contains("is neither 80, 443 nor the port the site was given with"), "{error}");
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn a_site_that_has_no_time_is_asked_again_when_it_said() {
    let library = Library::new().await;
    library.site.map(&["/a", "/b"]);
    library.site.answer("/a", [Answer::of(429).with("retry-after", "1"), Answer::of(503), Answer::html(JOINTS)]);
    library.site.answer("/b", [Answer::of(429).with("retry-after", "9999")]);
    let begun = tokio::time::Instant::now();
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert_eq!(problems(&report, &library.site), ["/b: the site has no time for it (429); it is left out"]);
    assert_eq!(library.paths().await, ["/a"]);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn answers_that_unpack_without_end_and_pages_that_are_too_large_are_left_out() {
    let library = Library::new().await;
    let site = &library.site;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..12 {
        bomb.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    site.map(&["/a", "/bomb", "/large"]);
    site.answer("/a", [Answer::html(JOINTS)]);
    site.answer("/bomb", [Answer::page("text/html", bomb).with("content-encoding", "gzip")]);
    site.answer("/large", [Answer::page("text/html; charset=utf-8", vec![b'a'; 9 << 20])]);
    let report = library.ingest("/sitemap.xml").await.unwrap();
    assert_eq!(
        problems(&report, site),
        ["/bomb: it is larger than 8 MiB; it is left out", "/large: it is larger than 8 MiB; it is left out"]
    );
}

#[tokio::test]
async fn requests_keep_their_distance() {
    let library = Library::new().await;
    library.site.map(&["/a", "/b", "/c"]);
    for page in ["/a", "/b", "/c"] {
        library.site.answer(page, [Answer::html(&format!("<p>{page}"))]);
    }
    let begun = tokio::time::Instant::now();
    let web = WebOptions { delay: Duration::from_millis(60), ..local() };
    library.ingest_with("/sitemap.xml", web).await.unwrap();
    // Five requests, so four distances.
    assert!(begun.elapsed() >= Duration::from_millis(240), "{:?}", begun.elapsed());
}
