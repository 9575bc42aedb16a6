//! Books on their way in: large ones, interrupted ones, and files that nobody should have put there.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::ingest::{self, End, IngestError, Options, Page, Progress, Read, Report, Source, Step};
use chatkit_gateway::knowledge::{
    Description, Document, DocumentState, Found, KnowledgeBase, KnowledgeError, Passage, Search,
};
use chatkit_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder of pages, and a knowledge base that can be told to be away.
struct Shelf {
    folder: TempDir,
    knowledge: Moody,
}

/// The embedded knowledge base behind a line that may be cut.
struct Moody {
    inner: EmbeddedKnowledge,
    /// Calls that still work before it is away; `usize::MAX` for always.
    works: AtomicUsize,
    /// Calls that fail before it works again.
    fails: AtomicUsize,
    /// Documents that were put.
    put: Arc<AtomicUsize>,
}

impl Moody {
    fn answer(&self) -> Result<(), KnowledgeError> {
        if self.works.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Ok(());
        }
        if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(KnowledgeError::Away("nobody answers".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl KnowledgeBase for Moody {
    async fn prepare(&self) -> Result<(), KnowledgeError> {
        self.inner.prepare().await
    }
    async fn search(&self, asked: &Search<'_>) -> Result<Vec<Found>, KnowledgeError> {
        self.inner.search(asked).await
    }
    async fn put(&self, documents: Vec<Document>) -> Result<(), KnowledgeError> {
        self.answer()?;
        let count = documents.len();
        self.inner.put(documents).await?;
        self.put.fetch_add(count, Ordering::SeqCst);
        Ok(())
    }
    async fn remove(&self, path: &str) -> Result<(), KnowledgeError> {
        self.inner.remove(path).await
    }
    async fn documents(&self) -> Result<Vec<DocumentState>, KnowledgeError> {
        self.inner.documents().await
    }
    async fn document(&self, path: &str) -> Result<Option<Document>, KnowledgeError> {
        self.inner.document(path).await
    }
    async fn settle(&self) -> Result<(), KnowledgeError> {
        self.inner.settle().await
    }
    async fn beside(&self) -> Result<Arc<dyn KnowledgeBase>, KnowledgeError> {
        self.inner.beside().await
    }
    async fn take_place(&self) -> Result<(), KnowledgeError> {
        self.inner.take_place().await
    }
    async fn describe(&self) -> Result<Description, KnowledgeError> {
        self.inner.describe().await
    }
}

impl Shelf {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("rows.sqlite")).await.unwrap();
        store.migrate().await.unwrap();
        fs::create_dir(folder.path().join("docs")).unwrap();
        let knowledge = Moody {
            inner: EmbeddedKnowledge::open(Arc::new(store), "book", None),
            works: AtomicUsize::new(usize::MAX),
            fails: AtomicUsize::new(0),
            put: Arc::default(),
        };
        Self { folder, knowledge }
    }

    fn pages(&self) -> PathBuf {
        self.folder.path().join("docs")
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.pages().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// So many pages with two passages each.
    fn write_many(&self, pages: usize) -> &Self {
        for page in 0..pages {
            let folder = page / 100;
            self.write(
                &format!("part-{folder}/page-{page}.md"),
                format!("# Page {page}\n\n## One\n\nText {page}.\n\n## Two\n\nMore.\n"),
            );
        }
        self
    }

    async fn ingest(&self) -> Report {
        self.ingest_with(&Options::default(), &()).await.unwrap()
    }

    async fn ingest_with(&self, options: &Options, progress: &dyn Progress) -> Result<Report, IngestError> {
        ingest::ingest(&self.pages(), options, &self.knowledge, progress).await
    }

    async fn paths(&self) -> Vec<String> {
        self.knowledge.documents().await.unwrap().into_iter().map(|document| document.path).collect()
    }
}

/// Added, changed, unchanged, removed.
fn counts(report: &Report) -> [usize; 4] {
    [report.added, report.changed, report.unchanged, report.removed]
}

fn problems(report: &Report) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}

fn impatient() -> Options {
    Options { patience: Some(Duration::ZERO), ..Options::default() }
}

#[tokio::test]
async fn a_book_of_many_batches_is_there_as_a_whole() {
    let shelf = Shelf::new().await;
    let report = shelf.write_many(900).ingest().await;
    assert_eq!((counts(&report), report.passages, report.passages_stored), ([900, 0, 0, 0], 1800, 1800));
    let described = shelf.knowledge.describe().await.unwrap();
    assert_eq!((described.documents, described.passages), (900, 1800));
    assert_eq!(counts(&shelf.ingest().await), [0, 0, 900, 0]);
}

#[tokio::test]
async fn a_knowledge_base_that_goes_away_keeps_what_it_has_and_the_next_run_goes_on() {
    let shelf = Shelf::new().await;
    shelf.write_many(900);
    shelf.knowledge.works.store(3, Ordering::SeqCst);
    shelf.knowledge.fails.store(usize::MAX, Ordering::SeqCst);
    let broken = shelf.ingest_with(&impatient(), &()).await.unwrap_err();
    let stored = shelf.paths().await.len();
    assert!(stored > 0 && stored < 900, "{stored}");
    let sentence = broken.to_string();
    assert!(sentence.starts_with("the knowledge base cannot be reached: nobody answers; "), "{sentence}");
    assert!(sentence.contains(&format!("{stored} documents with {} passages were stored", stored * 2)), "{sentence}");
    assert!(sentence.contains("run the same command again"), "{sentence}");
    shelf.knowledge.works.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(counts(&shelf.ingest().await), [900 - stored, 0, stored, 0]);
}

#[tokio::test]
async fn nothing_is_forgotten_by_a_run_that_did_not_come_to_its_end() {
    let shelf = Shelf::new().await;
    shelf.write("old.md", "# Old\n\nText.\n").ingest().await;
    fs::remove_file(shelf.pages().join("old.md")).unwrap();
    shelf.write_many(10);
    shelf.knowledge.works.store(0, Ordering::SeqCst);
    shelf.knowledge.fails.store(usize::MAX, Ordering::SeqCst);
    shelf.ingest_with(&impatient(), &()).await.unwrap_err();
    assert_eq!(shelf.paths().await, ["old.md"]);
}

/// Hears of waiting, and of documents; stops the run at one of them.
#[derive(Default)]
struct Heard {
    waits: AtomicUsize,
    stored: AtomicUsize,
    stop_at: Option<(usize, Options)>,
}

impl Progress for Heard {
    fn begin(&self, _: Option<usize>) {}
    fn advance(&self, _: &str, step: Step, _: usize) {
        let stored = self.stored.fetch_add(usize::from(step == Step::Added), Ordering::SeqCst);
        if let Some((_, options)) = self.stop_at.as_ref().filter(|(at, _)| stored == *at) {
            options.stop.cancel();
        }
    }
    fn leave_out(&self, _: &str) {}
    fn wait(&self, _: &KnowledgeError, _: Duration) {
        self.waits.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_knowledge_base_that_comes_back_is_waited_for_and_whoever_watches_is_told() {
    let shelf = Shelf::new().await;
    shelf.write_many(10);
    shelf.knowledge.works.store(0, Ordering::SeqCst);
    shelf.knowledge.fails.store(1, Ordering::SeqCst);
    let heard = Heard::default();
    let report = shelf.ingest_with(&Options::default(), &heard).await.unwrap();
    assert_eq!(counts(&report), [10, 0, 0, 0]);
    assert_eq!(heard.waits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn whoever_stops_it_keeps_what_was_stored_and_can_go_on() {
    let shelf = Shelf::new().await;
    shelf.write_many(1500);
    let options = Options::default();
    let heard = Heard { stop_at: Some((5, options.clone())), ..Heard::default() };
    let stopped = shelf.ingest_with(&options, &heard).await.unwrap_err();
    let stored = shelf.paths().await.len();
    assert!(stored > 0 && stored < 1500, "{stored}");
    assert!(stopped.to_string().starts_with(&format!("stopped; {stored} documents with")), "{stopped}");
    assert_eq!(counts(&shelf.ingest().await), [1500 - stored, 0, stored, 0]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let shelf = Shelf::new().await;
    shelf.write("a.md", "# A\n\nText.\n").write("b.md", "# B\n\nText.\n").ingest().await;
    fs::remove_file(shelf.pages().join("b.md")).unwrap();
    shelf.write("a.md", "# A\n\nOther text.\n").write("c.md", "# C\n\nText.\n");
    let options = Options { dry_run: true, ..Options::default() };
    let report = shelf.ingest_with(&options, &()).await.unwrap();
    assert_eq!(counts(&report), [1, 1, 0, 1]);
    assert_eq!(shelf.paths().await, ["a.md", "b.md"]);
    assert_eq!(counts(&shelf.ingest().await), [1, 1, 0, 1]);
}

/// Gives documents without end, and notes how many it gave that were not stored yet.
struct Endless {
    documents: usize,
    given: usize,
    put: Arc<AtomicUsize>,
    ahead: usize,
    whole: bool,
}

#[async_trait]
impl Source for Endless {
    fn name(&self) -> String {
        "endless".into()
    }
    fn expected(&self) -> Option<usize> {
        None
    }
    async fn next(&mut self) -> Result<Option<Page>, IngestError> {
        if self.given == self.documents {
            return Ok(None);
        }
        self.given += 1;
        self.ahead = self.ahead.max(self.given - self.put.load(Ordering::SeqCst));
        let path = format!("{}.md", self.given);
        let passage = |position: u32| Passage {
            id: format!("{path}-{position}"),
            path: path.clone(),
            title: path.clone(),
            heading: path.clone(),
            heading_path: Vec::new(),
            url: format!("/docs/{path}"),
            module: None,
            week: None,
            position,
            text: "Text.".into(),
        };
        let document =
            Document { path: path.clone(), fingerprint: "1".into(), passages: (0..4).map(passage).collect() };
        Ok(Some(Page { path, read: Read::Document(document), problems: Vec::new() }))
    }
    fn end(&mut self) -> End {
        End { whole: self.whole, ..End::default() }
    }
}

#[tokio::test]
async fn only_a_few_batches_are_in_memory_however_large_the_book() {
    let shelf = Shelf::new().await;
    let mut source =
        Endless { documents: 3_000, given: 0, put: Arc::clone(&shelf.knowledge.put), ahead: 0, whole: true };
    let report = ingest::ingest_from(&mut source, &Options::default(), &shelf.knowledge, &()).await.unwrap();
    assert_eq!((report.added, report.passages), (3_000, 12_000));
    assert!(source.ahead * 4 <= 6 * 256, "{} documents were held at once", source.ahead);
}

#[tokio::test]
async fn a_source_that_did_not_give_everything_makes_nothing_forgotten() {
    let shelf = Shelf::new().await;
    let source = |documents, whole| Endless { documents, given: 0, put: Arc::default(), ahead: 0, whole };
    let options = Options::default();
    ingest::ingest_from(&mut source(3, true), &options, &shelf.knowledge, &()).await.unwrap();
    let report = ingest::ingest_from(&mut source(1, false), &options, &shelf.knowledge, &()).await.unwrap();
    assert!(report.incomplete && report.removed == 0);
    assert_eq!(shelf.paths().await.len(), 3);
    let report = ingest::ingest_from(&mut source(1, true), &options, &shelf.knowledge, &()).await.unwrap();
    assert_eq!((report.removed, shelf.paths().await.len()), (2, 1));
}

#[tokio::test]
async fn every_broken_file_is_named_the_rest_is_taken_in_and_what_was_stored_of_them_is_kept() {
    let shelf = Shelf::new().await;
    let broken = ["binary.md", "control.md", "deep.md", "headings.md", "huge.md", "latin.md"];
    for name in broken {
        shelf.write(name, format!("# Earlier\n\nEarlier text of {name}.\n"));
    }
    shelf.write("good.md", "# Good\n\nGood text.\n").ingest().await;
    shelf
        .write("binary.md", b"\x7fELF\0\0\0")
        .write("control.md", "# A\n\n\u{1}\u{2}\u{3}\u{4}\u{5}")
        .write("deep.md", format!("# A\n\n{}x\n", "> ".repeat(10_000)))
        .write("headings.md", "## b\n".repeat(100_000))
        .write("huge.md", vec![b'a'; usize::try_from(ingest::FILE_BYTES_MAX).unwrap() + 1])
        .write("latin.md", b"# Caf\xe9\n")
        .write("empty.md", "")
        .write("fence.md", "# A\n\n```py\nx = 1\n")
        .write("jsx.mdx", "# A\n\nText <Card title=\"{\">\n\n</Tabs>\n")
        .write("open.md", "---\ntitle: A\n\nText.\n");
    let report = shelf.ingest().await;
    assert_eq!(
        problems(&report),
        [
            "binary.md:1: it holds a zero byte and is no text; it is left out",
            "control.md:3: it is full of control characters and is no text; it is left out",
            "deep.md:3: more than 200 quotes and lists in one another; the page is left out",
            "empty.md: it holds no text; there is nothing to find in it",
            "fence.md:3: a code block is never closed; the rest of the page is read as code",
            "headings.md:10001: it has more than 10000 headings; it is left out",
            "huge.md: it is larger than 2 MiB; it is left out",
            "jsx.mdx:3: <Card> is never closed",
            "jsx.mdx:5: </Tabs> closes nothing",
            "latin.md:1: byte 6 of the file is not UTF-8; it is left out",
            "open.md:1: the front matter is never closed with ---; the page is read without it",
        ]
    );
    assert_eq!(counts(&report), [4, 0, 1, 0]);
    for name in broken {
        let query = format!("earlier text of {name}");
        let asked = Search { query: &query, earlier: &[], limit: 10, strict: false };
        let found = shelf.knowledge.search(&asked).await.unwrap();
        assert!(found.iter().any(|found| found.passage.path == name), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_a_circle_names_that_are_no_text_and_pipes_cost_only_themselves() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let shelf = Shelf::new().await;
    shelf.write("good.md", "# Good\n\nText.\n").write("part/a.md", "# A\n\nText.\n");
    symlink("two.md", shelf.pages().join("one.md")).unwrap();
    symlink("one.md", shelf.pages().join("two.md")).unwrap();
    symlink("..", shelf.pages().join("part/up")).unwrap();
    fs::write(shelf.pages().join(std::ffi::OsStr::from_bytes(b"caf\xe9.md")), "# A\n").unwrap();
    let pipe = shelf.pages().join("pipe.md");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let report = shelf.ingest().await;
    assert_eq!(
        problems(&report),
        [
            ".: the name of caf\u{fffd}.md is not UTF-8; it is left out",
            "one.md: it is a link that leads nowhere; it is left out",
            "part/up: it is a link to a folder that is read anyway; it is left out",
            "pipe.md: it is no file; it is left out",
            "two.md: it is a link that leads nowhere; it is left out",
        ]
    );
    assert_eq!(shelf.paths().await, ["good.md", "part/a.md"]);
}

/// Changes the folder while it is read: at the first page that is done.
struct Meddler(PathBuf);

impl Progress for Meddler {
    fn begin(&self, _: Option<usize>) {
        fs::remove_file(self.0.join("vanishes.md")).unwrap();
        fs::remove_file(self.0.join("moves-away.md")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/hostname", self.0.join("moves-away.md")).unwrap();
    }
    fn advance(&self, _: &str, _: Step, _: usize) {}
    fn leave_out(&self, _: &str) {}
    fn wait(&self, _: &KnowledgeError, _: Duration) {}
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_vanishes_or_becomes_a_link_while_the_folder_is_read_keeps_what_was_stored() {
    let shelf = Shelf::new().await;
    shelf.write("vanishes.md", "# A\n\nText.\n").write("moves-away.md", "# B\n\nText.\n");
    shelf.write("stays.md", "# C\n\nText.\n").ingest().await;
    let report = shelf.ingest_with(&Options::default(), &Meddler(shelf.pages())).await.unwrap();
    assert_eq!(
        problems(&report),
        [
            "moves-away.md: it is a link that leaves the folder; it is left out",
            "vanishes.md: it vanished while the folder was read",
        ]
    );
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    assert_eq!(shelf.paths().await.len(), 3);
}

#[tokio::test]
async fn a_report_names_only_so_many_problems_and_counts_the_rest() {
    let shelf = Shelf::new().await;
    shelf.write("good.md", "# A\n\nText.\n").write("bad.mdx", "<A>\n\n".repeat(50));
    for page in 0..ingest::PROBLEMS_MAX {
        shelf.write(&format!("latin-{page}.md"), b"\xe9");
    }
    let report = shelf.ingest().await;
    assert_eq!((report.problems.len(), report.more_problems), (ingest::PROBLEMS_MAX, 21));
    assert!(problems(&report).contains(&"bad.mdx: 31 more problems".to_owned()));
}
