//! A book on its way in and out again: folders, a real SQLite file, the embedded knowledge base, and its score.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatkit_gateway::knowledge::embedded::EmbeddedKnowledge;
use chatkit_gateway::knowledge::eval;
use chatkit_gateway::knowledge::ingest::{self, IngestError, Options, Progress, Report, Step};
use chatkit_gateway::knowledge::{Found, KnowledgeBase, KnowledgeError, Search};
use chatkit_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder of pages, and a knowledge base in a file beside it.
struct Shelf {
    folder: TempDir,
    knowledge: EmbeddedKnowledge,
}

impl Shelf {
    async fn new(pages: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let knowledge = open(&folder.path().join("rows.sqlite")).await;
        let shelf = Self { folder, knowledge };
        fs::create_dir(shelf.pages()).unwrap();
        for (path, text) in pages {
            shelf.write(path, text.as_bytes());
        }
        shelf
    }

    fn pages(&self) -> PathBuf {
        self.folder.path().join("docs")
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.pages().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    async fn ingest(&self) -> Report {
        self.ingest_with(&Options::default()).await.unwrap()
    }

    async fn ingest_with(&self, options: &Options) -> Result<Report, IngestError> {
        ingest::ingest(&self.pages(), options, &self.knowledge, &()).await
    }

    async fn paths(&self) -> Vec<String> {
        self.knowledge.documents().await.unwrap().into_iter().map(|document| document.path).collect()
    }

    async fn search(&self, query: &str) -> Vec<Found> {
        search(&self.knowledge, query).await
    }
}

async fn open(file: &Path) -> EmbeddedKnowledge {
    let store = SqliteStore::open(file).await.unwrap();
    store.migrate().await.unwrap();
    EmbeddedKnowledge::open(Arc::new(store), "book", None)
}

async fn search(knowledge: &EmbeddedKnowledge, query: &str) -> Vec<Found> {
    knowledge.search(&Search { query, earlier: &[], limit: 3, strict: false }).await.unwrap()
}

/// Added, changed, unchanged, removed.
fn counts(report: &Report) -> [usize; 4] {
    [report.added, report.changed, report.unchanged, report.removed]
}

const JOINTS: &str = "# Joints\n\n## Hinges\n\nA hinge joint turns about one axis.\n";
const WHEELS: &str = "# Wheels\n\n## Castors\n\nA castor wheel swivels freely.\n";

#[tokio::test]
async fn ingesting_again_touches_only_what_changed_and_forgets_what_is_gone() {
    let shelf = Shelf::new(&[("01-joints.md", JOINTS), ("wheels.mdx", WHEELS)]).await;
    let first = shelf.ingest().await;
    assert_eq!((counts(&first), first.passages), ([2, 0, 0, 0], 2));
    assert_eq!(counts(&shelf.ingest().await), [0, 0, 2, 0]);

    shelf.write("wheels.mdx", b"# Wheels\n\n## Tracks\n\nA tracked vehicle turns on the spot.\n");
    assert_eq!(counts(&shelf.ingest().await), [0, 1, 1, 0]);
    assert_eq!(shelf.search("tracked vehicle").await[0].passage.heading, "Tracks");
    assert!(shelf.search("castor swivels").await.is_empty());

    fs::remove_file(shelf.pages().join("01-joints.md")).unwrap();
    assert_eq!(counts(&shelf.ingest().await), [0, 0, 1, 1]);
    assert_eq!(shelf.paths().await, ["wheels.mdx"]);
    assert!(shelf.search("hinge joint").await.is_empty());
}

#[tokio::test]
async fn other_options_store_everything_again_with_new_addresses() {
    let shelf = Shelf::new(&[("01-joints.md", JOINTS)]).await;
    shelf.ingest().await;
    assert_eq!(shelf.search("hinge joint axis").await[0].passage.url, "/docs/joints#hinges");
    let options = Options { site_url: Some("https://x.dev".into()), base: Some("/book".into()), ..Options::default() };
    assert_eq!(counts(&shelf.ingest_with(&options).await.unwrap()), [0, 1, 0, 0]);
    assert_eq!(shelf.search("hinge joint axis").await[0].passage.url, "https://x.dev/book/joints#hinges");
}

#[tokio::test]
async fn the_site_s_own_configuration_gives_the_address() {
    let shelf = Shelf::new(&[("joints.md", JOINTS)]).await;
    let config = "export default { url: 'https://y.dev', baseUrl: '/', presets: [['classic', { docs: { routeBasePath: 'read' } }]] };";
    fs::write(shelf.folder.path().join("docusaurus.config.js"), config).unwrap();
    shelf.ingest().await;
    assert_eq!(shelf.search("hinge joint axis").await[0].passage.url, "https://y.dev/read/joints#hinges");
}

#[tokio::test]
async fn broken_files_are_named_with_their_lines_and_the_rest_goes_on() {
    let shelf =
        Shelf::new(&[("good.md", JOINTS), ("later.md", WHEELS), ("open.mdx", "# A\n\n<Card>\n\nText.\n")]).await;
    shelf.ingest().await;
    shelf.write("later.md", b"# Wheels\n\nbad \xff byte\n");
    shelf.write("huge.md", &vec![b'a'; usize::try_from(ingest::FILE_BYTES_MAX).unwrap() + 1]);
    shelf.write("_partial.md", b"not a page");
    shelf.write(".hidden/a.md", b"not a page");
    shelf.write("node_modules/a.md", b"not a page");
    let report = shelf.ingest().await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "huge.md: it is larger than 2 MiB; it is left out",
            "later.md:3: byte 15 of the file is not UTF-8; it is left out",
            "open.mdx:3: <Card> is never closed",
        ]
    );
    // What was stored of a page that broke is better than nothing.
    assert_eq!(shelf.paths().await, ["good.md", "later.md", "open.mdx"]);
    assert_eq!(counts(&report), [0, 0, 2, 0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_out_of_the_folder_is_refused() {
    let shelf = Shelf::new(&[("good.md", JOINTS)]).await;
    let outside = shelf.folder.path().join("secret.md");
    fs::write(&outside, "# Secret\n\nThe secret word.\n").unwrap();
    std::os::unix::fs::symlink(&outside, shelf.pages().join("secret.md")).unwrap();
    std::os::unix::fs::symlink(shelf.folder.path(), shelf.pages().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere.md", shelf.pages().join("dangling.md")).unwrap();
    let problems: Vec<String> = shelf.ingest().await.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "dangling.md: it is a link that leads nowhere; it is left out",
            "loop: it is a link that leaves the folder; it is left out",
            "secret.md: it is a link that leaves the folder; it is left out",
        ]
    );
    assert_eq!(shelf.paths().await, ["good.md"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_ingested_is_refused_with_a_sentence_and_nothing_is_forgotten() {
    let shelf = Shelf::new(&[("a.md", JOINTS)]).await;
    shelf.ingest().await;
    let refused = async |folder: PathBuf| {
        ingest::ingest(&folder, &Options::default(), &shelf.knowledge, &()).await.unwrap_err().to_string()
    };
    let empty = shelf.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(refused(shelf.folder.path().join("none")).await.starts_with("there is no folder "));
    assert!(refused(shelf.pages().join("a.md")).await.ends_with("is a file; give the folder it is in"));
    assert!(refused(empty.clone()).await.starts_with("there is no page (.md, .mdx, .html or .pdf) in "));
    fs::write(empty.join("b.md"), b"\xff").unwrap();
    let unreadable = refused(empty).await;
    assert!(unreadable.starts_with("no page in ") && unreadable.contains("b.md:1: "), "{unreadable}");
    assert_eq!(shelf.paths().await, ["a.md"]);
}

#[tokio::test]
async fn what_is_excluded_is_left_out() {
    let shelf = Shelf::new(&[("a.md", JOINTS), ("README.md", WHEELS), ("drafts/b.md", WHEELS)]).await;
    let options = Options { exclude: vec!["README.md".into(), "drafts/**".into()], ..Options::default() };
    assert_eq!(counts(&shelf.ingest_with(&options).await.unwrap()), [1, 0, 0, 0]);
}

#[tokio::test]
async fn progress_is_told_of_every_document() {
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);
    impl Progress for Told {
        fn begin(&self, pages: Option<usize>) {
            self.0.lock().unwrap().push(format!("{pages:?} pages"));
        }
        fn advance(&self, path: &str, step: Step, passages: usize) {
            self.0.lock().unwrap().push(format!("{path} {step:?} {passages}"));
        }
        fn leave_out(&self, _: &str) {}
        fn wait(&self, _: &KnowledgeError, _: Duration) {}
    }
    let shelf = Shelf::new(&[("a.md", JOINTS), ("b.md", WHEELS)]).await;
    shelf.ingest().await;
    fs::remove_file(shelf.pages().join("a.md")).unwrap();
    shelf.write("c.md", JOINTS.as_bytes());
    let told = Told::default();
    ingest::ingest(&shelf.pages(), &Options::default(), &shelf.knowledge, &told).await.unwrap();
    assert_eq!(*told.0.lock().unwrap(), ["Some(2) pages", "b.md Unchanged 0", "c.md Added 1", "a.md Removed 0"]);
}

#[tokio::test]
async fn pages_in_memory_are_ingested_like_a_folder() {
    let shelf = Shelf::new(&[]).await;
    let pages = [
        ("part-1/_category_.json", "{\"label\": \"Part one\"}"),
        ("part-1/01-joints.md", JOINTS),
        ("questions.jsonl", "{}"),
    ];
    let pages = pages.map(|(path, text)| (path.to_owned(), text.as_bytes()));
    let documents = ingest::read(pages, &Options::default());
    let report = ingest::put_all(documents, &shelf.knowledge).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let found = shelf.search("hinge joint axis").await;
    assert_eq!(
        (found[0].passage.module.as_deref(), found[0].passage.url.as_str()),
        (Some("Part one"), "/docs/part-1/joints#hinges")
    );
}

/// How long a change elsewhere may take to be seen; the promise is a second.
const SEEN_ELSEWHERE_MAX: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_change_by_another_process_is_seen_without_being_told() {
    let shelf = Shelf::new(&[("a.md", JOINTS)]).await;
    shelf.ingest().await;
    let elsewhere = open(&shelf.folder.path().join("rows.sqlite")).await;
    assert_eq!(search(&elsewhere, "hinge joint axis").await.len(), 1);

    shelf.write("a.md", WHEELS.as_bytes());
    shelf.ingest().await;
    let seen = async {
        while search(&elsewhere, "castor wheel swivels").await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SEEN_ELSEWHERE_MAX, seen).await.unwrap();
    assert!(search(&elsewhere, "hinge joint axis").await.is_empty());
}

#[tokio::test]
async fn it_says_what_it_is_and_how_much_it_holds() {
    let shelf = Shelf::new(&[("a.md", JOINTS), ("b.md", WHEELS)]).await;
    shelf.ingest().await;
    let description = shelf.knowledge.describe().await.unwrap();
    assert_eq!(
        (description.kind, description.retrieval, description.collection.as_str()),
        ("embedded", "lexical", "book")
    );
    assert_eq!((description.documents, description.passages), (2, 2));
}

/// The floors are below what is reached, so that a better edition of the book does not fail for one question.
#[tokio::test]
async fn the_book_that_ships_with_the_house_is_found_by_its_own_questions() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    let folder = tempfile::tempdir().unwrap();
    let knowledge = open(&folder.path().join("rows.sqlite")).await;
    let report = ingest::ingest(&book, &Options::default(), &knowledge, &()).await.unwrap();
    assert_eq!(report.problems, []);
    let (questions, bad) = eval::questions(&fs::read_to_string(book.join("questions.jsonl")).unwrap());
    assert_eq!(bad, []);
    let scores = eval::evaluate(&questions, &knowledge).await.unwrap();
    assert!(scores.all.hit_at_3 >= 0.8, "{scores}");
    assert!(scores.all.false_answers <= 0.4, "{scores}");
    assert!(scores.all.false_refusals <= 0.1, "{scores}");
}
