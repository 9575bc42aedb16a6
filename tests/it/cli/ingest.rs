//! `ingest` as its users meet it: killed, stopped and cut off in the middle of a big book, and run again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::program::{Home, Running};
use crate::support::client::{Reader, streamed_text};
use crate::support::house::until;
use crate::support::letters_server::LettersServer;

/// Pages of the book, with three passages each: more than nine times what is stored together.
const PAGES: usize = 800;
/// Requests for vectors after which not all can be of the four batches that are under way at first, nor of all there
/// are: some of the book is stored, some is on its way, and some is neither.
const MIDDLE: usize = 40;
/// How `ingest` is called here.
const INGEST: [&str; 3] = ["ingest", "docs", "--json"];

/// A book that goes to the provider of vectors in more than eighty requests.
fn big_book() -> Home {
    let home = Home::new();
    for page in 0..PAGES {
        let text = format!(
            "# Robot {page}\n\nThe robot no{page}x has wheels.\n\n## Arms\n\nThe arms of no{page}x are long.\n\n## \
             Price\n\nSomebody paid {page} coins for no{page}x.\n"
        );
        home.write(&format!("docs/part-{}/robot-{page}.md", page / 100), text);
    }
    home
}

/// The number of the page that a text for the provider is of. Questions to learn from, which are headings, have none.
fn page_of(text: &str) -> Option<usize> {
    text.split("no").find_map(|rest| rest.split_once('x')?.0.parse().ok())
}

/// How often each page is among the texts.
fn pages_of(texts: &[String]) -> BTreeMap<usize, usize> {
    let mut pages = BTreeMap::new();
    texts.iter().filter_map(|text| page_of(text)).for_each(|page| *pages.entry(page).or_default() += 1);
    pages
}

fn vectors_from<'a>(url: &'a str, model: &'a str) -> [(&'a str, &'a str); 3] {
    [("EMBEDDING_BASE_URL", url), ("EMBEDDING_MODEL", model), ("EMBEDDING_DIMENSIONS", "27")]
}

/// Begins to ingest, and comes back in the middle of it.
fn begun(home: &Home, server: &LettersServer, model: &str, arguments: &[&str]) -> Running {
    let running = home.start(&vectors_from(&server.url(), model), arguments);
    server.until_it_holds_one();
    running
}

fn report(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn count(report: &Value, name: &str) -> usize {
    usize::try_from(report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"))).unwrap()
}

/// How many documents of the book are stored, as a run says that changes nothing.
fn stored(home: &Home) -> usize {
    let told = report(&home.run(&["ingest", "docs", "--dry-run", "--json"]).well());
    assert_eq!(count(&told, "unchanged") + count(&told, "added"), PAGES);
    count(&told, "unchanged")
}

/// All that is stored of the book: documents, passages with their vectors, and what was learned.
async fn rows(home: &Home) -> Vec<(String, String, Vec<u8>)> {
    let file = format!("sqlite://{}", home.path("data/gateway.sqlite").display());
    let pool = sqlx::SqlitePool::connect(&file).await.unwrap();
    let rows = sqlx::query_as(
        "select collection || '/' || path, fingerprint, cast(passages as blob) from knowledge_documents
         union all
         select collection || '/' || path || '/' || position, document, vector from knowledge_passages
         union all
         select name, record, x'' from knowledge_collections
          order by 1",
    );
    let rows = rows.fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows
}

/// Goes on with what was begun: only what was not stored is asked about, and the end is that of a run that was let be.
async fn goes_on(home: &Home, url: &str, texts: impl Fn() -> Vec<String>) {
    let before = texts().len();
    let stored = stored(home);
    assert!((1..PAGES).contains(&stored), "{stored}");
    let told = report(&home.run_with(&vectors_from(url, "letters"), &INGEST).well());
    assert_eq!([count(&told, "unchanged"), count(&told, "added")], [stored, PAGES - stored]);
    let asked = pages_of(&texts()[before..]);
    assert_eq!(asked.len(), PAGES - stored);
    assert!(asked.values().all(|&times| times == 3), "{asked:?}");
    let (undisturbed, server) = (big_book(), LettersServer::start());
    undisturbed.run_with(&vectors_from(&server.url(), "letters"), &INGEST).well();
    assert!(rows(home).await == rows(&undisturbed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_ingestion_that_was_killed_goes_on_where_it_was() {
    let (home, server) = (big_book(), LettersServer::holding_after(MIDDLE));
    let running = begun(&home, &server, "letters", &INGEST);
    running.signal("KILL");
    assert_eq!(running.ended().code, None);
    let mut passages = BTreeMap::<String, usize>::new();
    for (name, _, vector) in rows(&home).await.into_iter().filter(|(name, ..)| !name.ends_with(".md")) {
        if let Some((document, _)) = name.rsplit_once('/') {
            *passages.entry(document.to_owned()).or_default() += usize::from(vector.len() == 4 * 27);
        }
    }
    assert!(passages.values().all(|&passages| passages == 3), "a document is half stored: {passages:?}");
    server.open();
    goes_on(&home, &server.url(), || server.texts()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_signal_ends_an_ingestion_when_what_is_on_its_way_is_stored() {
    let (home, server) = (big_book(), LettersServer::holding_after(MIDDLE));
    let mut running = begun(&home, &server, "letters", &INGEST);
    running.signal("INT");
    running.until_it_says("stopping when what is on its way is stored");
    server.open();
    let ended = running.ended();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let asked: BTreeSet<usize> = pages_of(&server.texts()).into_keys().collect();
    assert_eq!(stored(&home), asked.len());
    let sentence = format!(
        "stopped; {} documents with {} passages were stored, 0 were stored before; run the same command again",
        asked.len(),
        3 * asked.len()
    );
    assert!(ended.err.contains(&sentence), "{sentence}: {ended:?}");
    let told = report(&ended.out);
    assert_eq!((told["ended"].as_str(), count(&told, "added")), (Some("stopped"), asked.len()));
    goes_on(&home, &server.url(), || server.texts()).await;
}

#[test]
fn a_second_signal_ends_an_ingestion_at_once() {
    let (home, server) = (big_book(), LettersServer::holding_after(MIDDLE));
    let mut running = begun(&home, &server, "letters", &INGEST);
    running.signal("INT");
    running.until_it_says("a second signal stops at once");
    running.signal("INT");
    let ended = running.ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!((1..PAGES).contains(&stored(&home)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_that_is_withdrawn_in_the_middle_is_named_and_with_a_new_one_it_goes_on() {
    let (home, server) = (big_book(), LettersServer::holding_after(MIDDLE));
    let running = begun(&home, &server, "letters", &INGEST);
    server.open_with(401);
    let ended = running.ended();
    let told = report(&ended.out);
    assert_eq!((told["ended"].as_str(), count(&told, "added")), (Some("broken_off"), stored(&home)));
    let said = ended.badly(&["EMBEDDING_API_KEY", "documents with", "run the same command again to go on from there"]);
    assert_eq!(said.matches("EMBEDDING_API_KEY").count(), 1, "{said}");
    server.open();
    goes_on(&home, &server.url(), || server.texts()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_provider_that_goes_away_in_the_middle_and_comes_back_is_waited_for() {
    let (home, server) = (big_book(), LettersServer::holding_after(MIDDLE));
    let mut running = begun(&home, &server, "letters", &INGEST);
    let come_back = server.gone();
    running.until_it_says("Trying again in");
    let server = come_back();
    let told = report(&running.ended().well());
    assert_eq!([count(&told, "added"), count(&told, "unchanged")], [PAGES, 0]);
    assert!(server.requests() > 0);
    let (undisturbed, server) = (big_book(), LettersServer::start());
    undisturbed.run_with(&vectors_from(&server.url(), "letters"), &INGEST).well();
    assert!(rows(&home).await == rows(&undisturbed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reembedding_that_was_killed_takes_no_answer_away_and_goes_on() {
    let (home, old) = (big_book(), LettersServer::start());
    home.write("docs/okapi.md", "# The okapi\n\nAn okapi no9999x lives in the forest of the Ituri.\n");
    let (old_url, reembed) = (old.url(), ["ingest", "--reembed", "--json"]);
    home.run_with(&vectors_from(&old_url, "letters"), &INGEST).well();
    let serving = home.serve(&vectors_from(&old_url, "letters"));
    let reader = Reader::new(&serving.url, None);
    let answers = async || {
        let answer = streamed_text(&reader.create("Where does an okapi live?").await);
        assert!(answer.contains("Ituri"), "{answer}");
    };
    let model = async |reader: &Reader| reader.get("/health").await.body["knowledge"]["embedding_model"].clone();
    answers().await;

    let new = LettersServer::holding_after(MIDDLE);
    let running = begun(&home, &new, "others", &reembed);
    answers().await;
    running.signal("KILL");
    assert_eq!(running.ended().code, None);
    answers().await;
    assert_eq!(model(&reader).await, "letters");

    new.open();
    let before = new.texts().len();
    let running = home.start(&vectors_from(&new.url(), "others"), &reembed);
    let ending = tokio::task::spawn_blocking(|| running.ended());
    while !ending.is_finished() {
        answers().await;
    }
    let told = report(&ending.await.unwrap().well());
    let copied = count(&told, "unchanged");
    assert!((1..PAGES).contains(&copied), "{told}");
    assert_eq!(pages_of(&new.texts()[before..]).len(), PAGES + 1 - copied);
    until("the running server tells the new model", async || model(&reader).await == "others").await;
    answers().await;

    let serving = home.serve(&vectors_from(&new.url(), "others"));
    let health = Reader::new(&serving.url, None).get("/health").await;
    let knowledge = &health.body["knowledge"];
    assert_eq!((&knowledge["retrieval"], &knowledge["embedding_model"]), (&json!("hybrid"), &json!("others")));
}

#[test]
fn a_dry_run_says_what_would_be_asks_nobody_and_changes_nothing() {
    let (home, server) = (Home::new(), LettersServer::start());
    let url = server.url();
    let ingest = |arguments: &[&str]| home.run_with(&vectors_from(&url, "letters"), &[&["ingest"], arguments].concat());
    home.write("docs/a.md", "# A\n\nOkapis.\n").write("docs/b.md", "# B\n\nQuaggas.\n");
    let told = ingest(&["docs", "--dry-run"]).well();
    assert!(told.contains("2 documents added, 0 changed, 0 unchanged, 0 removed"), "{told}");
    assert!(told.contains("nothing was changed"), "{told}");
    assert_eq!(server.requests(), 0);
    assert_eq!(count(&report(&ingest(&["docs", "--json"]).well()), "added"), 2);
    let requests = server.requests();
    home.write("docs/a.md", "# A\n\nOther okapis.\n");
    std::fs::remove_file(home.path("docs/b.md")).unwrap();
    for _ in 0..2 {
        let told = report(&ingest(&["docs", "--dry-run", "--json"]).well());
        assert_eq!((told["dry_run"].as_bool(), told["ended"].as_str()), (Some(true), Some("whole")));
        assert_eq!([count(&told, "changed"), count(&told, "removed")], [1, 1]);
    }
    assert_eq!(server.requests(), requests);
}

#[test]
fn the_exit_code_tells_a_whole_book_from_one_with_problems_and_from_none() {
    let home = Home::new();
    home.write("docs/a.md", "# A\n\nOkapis.\n").write("docs/empty/readme.txt", "No page.");
    home.run(&["ingest", "docs"]).well();
    home.write("docs/latin.md", b"# Caf\xe9\n").write("docs/folder.md/b.md", "# B\n\nQuaggas.\n");
    for arguments in [&["ingest", "docs", "--dry-run", "--json"][..], &INGEST, &["ingest", "docs", "--dry-run"]] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}: {ended:?}");
        match arguments.contains(&"--json") {
            true => assert_eq!(report(&ended.out)["problems"][0]["path"], "latin.md", "{ended:?}"),
            false => assert!(ended.err.contains("latin.md:1: byte 6 of the file is not UTF-8"), "{ended:?}"),
        }
    }
    let found = home.run(&["search", "quaggas", "--json"]).well();
    assert!(found.contains("Quaggas"), "{found}");
    home.run(&["ingest", "docs/empty"]).badly(&["docs/empty"]);
    home.run(&["ingest", "nowhere"]).badly(&["nowhere"]);
    for wrong in
        [&["ingest"][..], &["ingest", "docs", "--reembed", "--dry-run"], &["ingest", "docs", "--patience", "x"]]
    {
        assert_eq!(home.run(wrong).code, Some(2), "{wrong:?}");
    }
}
