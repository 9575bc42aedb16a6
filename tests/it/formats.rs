//! Folders of other kinds than Docusaurus' Markdown: HTML, PDF, MkDocs, mdBook, files as they lie.

use std::fs;
use std::sync::Arc;

use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::{self, Generator, Options, Report};
use chatkit_gateway::knowledge::{KnowledgeBase, Passage, Search};
use chatkit_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;

use crate::support::pdf::Pdf;

/// A project with files in it, and a knowledge base of its own.
struct Project {
    root: TempDir,
    knowledge: EmbeddedKnowledge,
}

impl Project {
    async fn new(files: &[(&str, &[u8])]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let store = SqliteStore::open(&root.path().join("rows.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        Self { knowledge: EmbeddedKnowledge::open(Arc::new(store), "book", None), root }
    }

    async fn ingest(&self, folder: &str, options: &Options) -> Report {
        ingest::ingest(&self.root.path().join(folder), options, &self.knowledge, &()).await.unwrap()
    }

    async fn best(&self, query: &str) -> Arc<Passage> {
        let search = Search { query, earlier: &[], limit: 1, strict: false };
        self.knowledge.search(&search).await.unwrap().remove(0).passage
    }

    async fn paths(&self) -> Vec<String> {
        self.knowledge.documents().await.unwrap().into_iter().map(|document| document.path).collect()
    }
}

#[tokio::test]
async fn a_folder_of_html_and_pdf_is_a_book() {
    let pdf = Pdf::of_pages(&["", "BT /F1 12 Tf (Grease the bearing weekly.) Tj ET"]);
    let project = Project::new(&[
        ("html/index.html", b"<title>Start</title><main><p>Quaternions turn things.</main>"),
        ("html/a/joints.htm", b"<h1>Joints</h1><h2 id=hinge>Hinges</h2><p>A hinge turns about one axis.\xe9"),
        ("html/own.html", b"<link rel=canonical href=https://x.dev/own/#a><h1>Own</h1><p>A castor swivels freely."),
        ("html/manual.pdf", &pdf),
        ("html/secret.pdf", b"%PDF-1.4\n1 0 obj <</Type/Page>> endobj trailer <</Encrypt 2 0 R>>"),
        ("html/binary.html", b"\x00\x01\x02"),
    ])
    .await;
    let report = project.ingest("html", &Options::default()).await;
    assert_eq!((report.added, report.passages), (4, 4));
    let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "binary.html: it holds a zero byte and is no text; it is left out",
            "secret.pdf: the PDF is encrypted; it is left out",
        ]
    );
    assert_eq!(project.best("quaternions").await.url, "/");
    let hinge = project.best("hinge axis").await;
    assert_eq!((hinge.url.as_str(), hinge.title.as_str()), ("/a/joints.htm#hinge", "Joints"));
    assert!(hinge.text.ends_with('é'));
    assert_eq!(project.best("castor swivels").await.url, "https://x.dev/own/");
    let page = project.best("grease the bearing").await;
    assert_eq!(
        (page.url.as_str(), page.heading.as_str(), page.title.as_str()),
        ("/manual.pdf#page=2", "Page 2", "manual")
    );
    let options = Options { site_url: Some("https://y.dev".into()), base: Some("/m".into()), ..Options::default() };
    project.ingest("html", &options).await;
    assert_eq!(project.best("castor swivels").await.url, "https://y.dev/m/own.html");
}

#[tokio::test]
async fn mkdocs_pages_open_where_mkdocs_puts_them() {
    let page = "# Joints\n\n## Élan & Co.\n\n!!! warning \"Mind\"\n    A hinge turns about one axis.\n";
    let project = Project::new(&[
        ("mkdocs.yml", b"site_name: Book\nsite_url: https://x.dev/book/\n"),
        ("docs/index.md", b"# Start\n\nQuaternions turn things.\n"),
        ("docs/01-parts/joints.md", page.as_bytes()),
    ])
    .await;
    project.ingest("docs", &Options::default()).await;
    let hinge = project.best("hinge axis").await;
    assert_eq!(hinge.url, "https://x.dev/book/01-parts/joints/#elan-co");
    assert_eq!(hinge.text, "Mind\nA hinge turns about one axis.");
    assert_eq!(project.best("quaternions").await.url, "https://x.dev/book/");
    let options = Options { generator: Some(Generator::Generic), ..Options::default() };
    project.ingest("docs", &options).await;
    assert_eq!(project.best("hinge axis").await.url, "/01-parts/joints.md#élan--co");
}

#[tokio::test]
async fn mdbook_pages_open_where_mdbook_puts_them_and_no_others_are_read() {
    let project = Project::new(&[
        ("book.toml", b"[output.html]\nsite-url = \"/guide/\"\n"),
        ("src/SUMMARY.md", b"# Summary\n\n[Start](README.md)\n- [Joints](parts/joints.md)\n"),
        ("src/README.md", b"# Start\n\nQuaternions turn things.\n"),
        (
            "src/parts/joints.md",
            b"# Joints\n\n## A hinge\n\nA hinge turns about one axis.\n\n```rust\n{{#include x.rs}}\n```\n",
        ),
        ("src/draft.md", b"# Draft\n\nNobody lists this.\n"),
    ])
    .await;
    project.ingest("src", &Options { site_url: Some("https://x.dev".into()), ..Options::default() }).await;
    assert_eq!(project.paths().await, ["README.md", "parts/joints.md"]);
    let hinge = project.best("hinge axis").await;
    assert_eq!(
        (hinge.url.as_str(), hinge.text.as_str()),
        ("https://x.dev/guide/parts/joints.html#a-hinge", "A hinge turns about one axis.")
    );
    assert_eq!(project.best("quaternions").await.url, "https://x.dev/guide/index.html");
}
