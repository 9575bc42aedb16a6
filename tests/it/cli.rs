//! The command line as its users meet it: the real program, in a folder of its own.

mod conformance;
mod ingest;
pub(crate) mod program;
mod qdrant;

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::attachments::days_later;
use crate::support::client::{Reader, input, streamed_text, thread_of, types};
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::until;
use crate::support::web_site::{Answer, WebSite};
use program::Home;

/// Three pages whose words are not in the bundled book.
fn zoo() -> Home {
    let home = Home::new();
    home.write("zoo/okapi.md", "# The okapi\n\nAn okapi has striped legs and lives in the rain forest of the Ituri.\n");
    home.write("zoo/axolotl.mdx", "# The axolotl\n\nAn axolotl grows a lost leg again within weeks.\n");
    home.write(
        "zoo/birds/hoatzin.md",
        "# The hoatzin\n\n## Young\n\nA young hoatzin climbs with claws on its wings.\n",
    );
    home
}

fn json_lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn help_names_every_command() {
    let help = Home::new().run(&["--help"]).well();
    for command in ["serve", "ingest", "ask", "search", "eval", "migrate", "config", "conformance", "healthcheck"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {help}");
    }
}

#[test]
fn an_empty_folder_is_enough_to_search_the_bundled_book() {
    let home = Home::new();
    let found = json_lines(&home.run(&["search", "What is a quaternion?", "--json", "--limit", "2"]).well());
    assert_eq!(found.len(), 2);
    for passage in &found {
        for field in ["path", "heading", "url", "text"] {
            assert!(passage[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {passage}");
        }
        assert!(passage["score"].as_f64().is_some_and(|score| score > 0.0 && score <= 1.0), "{passage}");
    }
    assert!(found[0]["text"].as_str().unwrap().contains("four numbers"), "{}", found[0]);
    let nothing = ["search", "Which spices go into a Hyderabadi biryani?"];
    assert_eq!(home.run(&nothing).well(), "The book has nothing about this.\n");
    assert_eq!(home.run(&[nothing[0], nothing[1], "--json"]).well(), "");
}

#[test]
fn a_question_is_answered_with_sources_and_the_thread_goes_on() {
    let home = Home::new();
    let first = home.run(&["ask", "What is a quaternion?"]);
    let thread =
        first.err.lines().find_map(|line| line.strip_prefix("thread ")).expect("the thread is named").to_owned();
    let answer = first.well();
    assert!(answer.contains("four numbers"), "{answer}");
    assert!(answer.lines().last().unwrap().contains("/book/"), "{answer}");
    let second = home.run(&["ask", "And what is a topic in ROS 2?", "--thread", &thread]);
    assert!(!second.err.contains("thread "), "no other thread is begun: {second:?}");
    assert!(second.well().contains("topic"));
    assert_eq!(
        home.run(&["ask", "hello", "--thread", "thr_nowhere"]).badly(&["there is no thread"]).lines().count(),
        1
    );
    home.run(&["ask", ""]).badly(&["holds no text"]);
}

#[test]
fn an_ingested_book_takes_the_place_of_the_bundled_one() {
    let home = zoo();
    assert!(!home.run(&["search", "quaternion", "--json"]).well().is_empty());
    let ingested = home.run(&["ingest", "zoo", "--site-url", "https://zoo.example.org", "--base", "/animals"]).well();
    assert!(ingested.starts_with("3 documents added, 0 changed, 0 unchanged, "), "{ingested}");
    assert_eq!(home.run(&["search", "quaternion", "--json"]).well(), "");
    let found = json_lines(&home.run(&["search", "claws on the wings of a hoatzin", "--json"]).well());
    assert_eq!(found[0]["path"], "birds/hoatzin.md");
    assert_eq!(found[0]["heading"], "Young");
    assert_eq!(found[0]["url"], "https://zoo.example.org/animals/birds/hoatzin#young");
}

#[test]
fn a_book_with_file_names_of_the_bundled_one_is_not_taken_for_it() {
    let home = Home::new();
    home.write("own/intro.md", "# Zoo\n\nA hoatzin has claws on its wings.\n");
    home.run(&["ingest", "own"]).well();
    for _ in 0..2 {
        let found = json_lines(&home.run(&["search", "claws of a hoatzin", "--json"]).well());
        assert_eq!(found[0]["url"], "/docs/intro");
        assert_eq!(home.run(&["search", "quaternion", "--json"]).well(), "");
    }
}

#[test]
fn ingesting_again_stores_only_what_changed() {
    let home = zoo();
    let counts = || {
        let out = home.run(&["ingest", "zoo"]).well();
        out.split(';').next().unwrap().to_owned()
    };
    assert_eq!(counts(), "3 documents added, 0 changed, 0 unchanged, 0 removed");
    assert_eq!(counts(), "0 documents added, 0 changed, 3 unchanged, 0 removed");
    home.write("zoo/okapi.md", "# The okapi\n\nAn okapi has a long blue tongue.\n");
    std::fs::remove_file(home.path("zoo/axolotl.mdx")).unwrap();
    home.write("zoo/tapir.md", "# The tapir\n\nA tapir swims well.\n");
    assert_eq!(counts(), "1 documents added, 1 changed, 1 unchanged, 1 removed");
    let tongue = home.run(&["search", "okapi tongue", "--json", "--limit", "1"]).well();
    assert!(tongue.contains("blue tongue"), "{tongue}");
    assert_eq!(home.run(&["search", "axolotl", "--json"]).well(), "");
}

#[test]
fn a_folder_without_pages_is_refused_and_nothing_is_forgotten() {
    let home = zoo();
    home.run(&["ingest", "zoo"]).well();
    std::fs::create_dir(home.path("empty")).unwrap();
    home.run(&["ingest", "nowhere"]).badly(&["error: there is no folder", "nowhere"]);
    home.run(&["ingest", "empty"]).badly(&["error: there is no page (.md, .mdx, .html or .pdf) in", "empty"]);
    home.run(&["ingest", "zoo/okapi.md"]).badly(&["error: ", "is a file"]);
    assert!(!home.run(&["search", "okapi", "--json"]).well().is_empty());
}

#[test]
fn a_page_that_cannot_be_read_is_named_with_its_line_and_the_others_are_ingested() {
    let home = zoo();
    home.write("zoo/latin1.md", b"# The ca\xe9 page\n\nNothing.\n").write("zoo/late.md", b"# Late\n\nfine\n\xff\n");
    let ended = home.run(&["ingest", "zoo"]);
    assert!(ended.out.starts_with("3 documents added"), "{ended:?}");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    for named in ["latin1.md:1: ", "late.md:4: ", "not UTF-8", "2 problem(s)"] {
        assert!(ended.err.contains(named), "{named}: {ended:?}");
    }
    assert!(!home.run(&["search", "okapi", "--json"]).well().is_empty());
}

#[test]
fn questions_are_scored_as_a_table_and_as_json() {
    let home = zoo();
    home.run(&["ingest", "zoo"]).well();
    home.write(
        "questions.jsonl",
        "{\"id\":\"q1\",\"question\":\"Where does the okapi live?\",\"kind\":\"keyword\",\"relevant\":[{\"path\":\"okapi.md\",\"heading\":\"The okapi\"}]}\n\n\
         {\"id\":\"q2\",\"question\":\"Who won the cup?\",\"kind\":\"unanswerable\"}\n",
    );
    let table = home.run(&["eval", "questions.jsonl"]).well();
    assert!(table.starts_with("kind "), "{table}");
    for row in ["keyword", "unanswerable", "all"] {
        assert!(table.lines().any(|line| line.starts_with(row)), "{row}: {table}");
    }
    let scores: Value = serde_json::from_str(&home.run(&["eval", "questions.jsonl", "--json"]).well()).unwrap();
    assert_eq!(scores["all"]["answerable"], 1);
    assert_eq!(scores["all"]["hit_at_1"], 1.0);
    assert_eq!(scores["kinds"]["unanswerable"]["unanswerable"], 1);
}

#[test]
fn two_ways_of_searching_are_compared_question_by_question() {
    let home = zoo();
    home.run(&["ingest", "zoo"]).well();
    home.write(
        "questions.jsonl",
        "{\"id\":\"q1\",\"question\":\"Where does the okapi live?\",\"kind\":\"keyword\",\"relevant\":[{\"path\":\"okapi.md\",\"heading\":\"The okapi\"}]}\n",
    );
    let saved = home.run(&["eval", "questions.jsonl", "--json"]).well();
    home.write("saved.json", saved.replace("\"rank\":1", "\"rank\":3"));
    let against = home.run(&["eval", "questions.jsonl", "--against", "saved.json"]).well();
    assert!(against.contains("q1 (keyword): rank 3 -> rank 1"), "{against}");
    let with = home.run(&["eval", "questions.jsonl", "--with", "KNOWLEDGE_COLLECTION=other"]).well();
    assert!(with.starts_with("kind ") && with.contains("q1 (keyword): "), "{with}");
    home.run(&["eval", "questions.jsonl", "--against", "questions.jsonl"]).badly(&["`questions.jsonl` "]);
    home.run(&["eval", "questions.jsonl", "--with", "PORT=many"]).badly(&["PORT"]);
}

#[test]
fn scores_below_a_floor_fail_and_say_which() {
    let home = zoo();
    home.run(&["ingest", "zoo"]).well();
    home.write(
        "questions.jsonl",
        "{\"id\":\"q1\",\"question\":\"Who won the cup?\",\"relevant\":[{\"path\":\"okapi.md\",\"heading\":\"The okapi\"}]}\n\
         {\"id\":\"q2\",\"question\":\"okapi\"}\n",
    );
    home.run(&["eval", "questions.jsonl", "--min-hit-at-3", "0", "--max-false-answers", "1"]).well();
    home.run(&["eval", "questions.jsonl", "--min-hit-at-3", "0.9"]).badly(&["hit@3 is 0.000, less than 0.9"]);
    home.run(&["eval", "questions.jsonl", "--max-false-answers", "0"]).badly(&["false answers", "1.000, more than 0"]);
}

#[test]
fn a_line_that_is_no_question_is_named_by_its_number_and_the_others_count() {
    let home = zoo();
    home.run(&["ingest", "zoo"]).well();
    home.write(
        "questions.jsonl",
        "{\"id\":\"q1\",\"question\":\"okapi\",\"must_contain\":[\"striped\"]}\n\nnot a question\n{\"id\":\"q2\"}\n",
    );
    let ended = home.run(&["eval", "questions.jsonl", "--json"]);
    let scores: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(scores["all"]["answerable"], 1);
    ended.badly(&["questions.jsonl:3: ", "questions.jsonl:4: "]);
    home.write("none.jsonl", "\n");
    home.run(&["eval", "none.jsonl"]).badly(&["`none.jsonl` holds no question"]);
    home.run(&["eval", "nowhere.jsonl"]).badly(&["cannot read `nowhere.jsonl`"]);
}

#[test]
fn a_database_is_brought_up_to_date_once() {
    let home = Home::new();
    let first = home.run(&["migrate"]).well();
    let applied = first.lines().filter(|line| line.starts_with("applied ")).count();
    assert!(applied > 0, "{first}");
    assert!(first.ends_with(&format!("{applied} applied now, 0 before\n")), "{first}");
    assert_eq!(home.run(&["migrate"]).well(), format!("0 applied now, {applied} before\n"));
}

#[test]
fn settings_are_shown_and_secrets_are_not() {
    let secrets = [
        ("OPENAI_API_KEY", "sk-geheim-1"),
        ("DATABASE_URL", "postgres://tutor:geheim-2@db.example.org/tutor"),
        ("DATABASE_URL_DIRECT", "postgres://tutor:geheim-3@db.example.org/tutor"),
        ("HTTPS_PROXY", "http://tutor:geheim-4@proxy.example.org"),
        ("VISITOR_SECRET", "geheim-5-geheim-5-geheim-5-geheim-5"),
    ];
    let home = Home::new();
    let shown = home.run_with(&secrets, &["config", "show"]);
    let page = home.run_with(&secrets, &["config", "markdown"]);
    for ended in [&shown, &page] {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.out.contains("geheim") && !ended.err.contains("geheim"), "{ended:?}");
    }
    for (name, _) in secrets {
        assert!(shown.out.lines().any(|line| line.starts_with(name) && line.contains("***")), "{name}: {}", shown.out);
        assert!(page.out.contains(&format!("`{name}`")), "{name}");
    }
    assert!(shown.out.contains("PORT                     8000 (default)"), "{}", shown.out);
}

#[test]
fn a_model_that_its_provider_switched_off_is_named_among_the_settings() {
    let retired = [("GEMINI_API_KEY", "k"), ("EMBEDDING_MODEL", "text-embedding-004")];
    let shown = Home::new().run_with(&retired, &["config", "show"]).well();
    assert!(shown.contains("switched off on 2026-01-14"), "{shown}");
    assert!(shown.contains("set `gemini-embedding-001`"), "{shown}");
}

#[test]
fn a_key_with_which_no_vectors_come_takes_no_book_away() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{gone}");
    let variables = [("GEMINI_API_KEY", "k"), ("HTTPS_PROXY", proxy.as_str())];
    let home = Home::new();
    for _ in 0..2 {
        let found = home.run_with(&variables, &["search", "What is a quaternion?", "--json"]).well();
        assert!(!json_lines(&found).is_empty(), "{found}");
    }
}

#[test]
fn all_mistakes_in_the_settings_are_reported_together() {
    let mistakes = [
        ("PORT", "eighty"),
        ("HOST", "here"),
        ("ON_DISCONNECT", "geheim"),
        ("LOG_LEVEL", "a=b=c"),
        ("VISITOR_SECRET", "geheim"),
        ("MODEL_PROVIDER", "geheim"),
        ("DATABASE_URL", "mysql://tutor:geheim@db.example.org"),
    ];
    let home = Home::new();
    for arguments in [&["serve"][..], &["config", "show"], &["migrate"]] {
        let said = home.run_with(&mistakes, arguments).badly(&["7 mistake(s)"]);
        for (name, _) in mistakes {
            assert!(said.lines().any(|line| line.trim_start().starts_with(&format!("{name}: "))), "{name}: {said}");
        }
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let home = Home::new();
    home.write(".env", "PORT=1001\nHOST=127.0.0.2\nLOG_LEVEL=debug\n");
    let shown = home.run_with(&[("PORT", "1002"), ("LOG_LEVEL", "warn")], &["config", "show", "--log", "error"]).well();
    for (name, value) in [("HOST", "127.0.0.2"), ("PORT", "1002"), ("LOG_LEVEL", "error")] {
        assert!(shown.lines().any(|line| line.split_whitespace().eq([name, value])), "{name}: {shown}");
    }
    home.write(".env", "PORT=1001\nthis is no assignment geheim\n");
    assert!(!home.run(&["config", "show"]).badly(&[".env"]).contains("geheim"));
}

#[test]
fn a_database_that_cannot_be_opened_is_one_sentence_that_names_the_variable() {
    let home = Home::new();
    home.write("no.sqlite", "This is a letter, and no database at all. ".repeat(100));
    let not_sqlite = format!("sqlite://{}", home.path("no.sqlite").display());
    for (url, why) in [
        ("sqlite:///proc/nope/x.sqlite", "/proc/nope"),
        (&not_sqlite, "not an SQLite database"),
        ("sqlite:", "must name a file"),
        ("postgres://tutor:geheim@127.0.0.1:1/x", "127.0.0.1:1"),
        ("postgres://tutor:geheim@127.0.0.1:99999/x", "not the address"),
        ("mysql://tutor:geheim@127.0.0.1/x", "must begin with postgres:// or sqlite://"),
    ] {
        for arguments in [&["serve", "--port", "0"][..], &["migrate"], &["search", "x"]] {
            let said = home.run_with(&[("DATABASE_URL", url)], arguments).badly(&["error: ", "DATABASE_URL", why]);
            assert!(!said.contains("geheim"), "{said}");
            assert!(said.lines().count() <= 2, "{said}");
        }
    }
    home.write("file", "");
    let data_dir = home.path("file/data");
    home.run(&["migrate", "--data-dir", data_dir.to_str().unwrap()]).badly(&["DATA_DIR"]);
}

#[test]
fn a_port_that_is_taken_is_a_sentence_naming_the_variable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = Home::new().run(&["serve", "--port", &port]).badly(&["error: ", "PORT", &port]);
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn whoever_hangs_up_early_is_no_failure() {
    let home = Home::new();
    for arguments in [
        &["config", "markdown"][..],
        &["config", "show"],
        &["search", "robot", "--json", "--limit", "50"],
        &["ask", "robot"],
    ] {
        let ended = home.run_unread(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains("error") && !ended.err.contains("panicked"), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn logs_go_to_standard_error_as_plain_text_or_json() {
    let plain = Home::new().run(&["search", "robot", "--json", "--log", "info"]);
    assert!(plain.err.contains("Brought the database up to date"), "{plain:?}");
    assert!(!plain.err.contains('\u{1b}'), "{plain:?}");
    json_lines(&plain.well());
    let machine = Home::new().run_with(&[("LOG_FORMAT", "json")], &["search", "robot", "--json", "--log", "info"]);
    let lines = json_lines(&machine.err);
    assert!(lines.iter().any(|line| line["message"] == "Brought the database up to date"), "{machine:?}");
}

#[test]
fn a_running_server_is_ready_and_one_that_is_gone_is_not() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let port = serving.port().to_owned();
    assert_eq!(home.run(&["healthcheck", "--port", &port]).well(), "200 OK\n");
    assert_eq!(home.run_with(&[("HOST", "0.0.0.0"), ("PORT", &port)], &["healthcheck"]).well(), "200 OK\n");
    serving.signal("TERM");
    assert_eq!(serving.ended_within(Duration::from_secs(20)).code(), Some(0));
    home.run(&["healthcheck", "--port", &port]).badly(&["nobody answers at", &port]);
}

#[tokio::test]
async fn a_server_told_to_stop_finishes_its_answer_first() {
    let home = Home::new();
    let serving = home.serve(&[("OFFLINE_PACE_MS", "15")]);
    let reader = visitor(&serving.url).await;
    let mut stream = reader.open("threads.create", json!({"input": input("What is a quaternion?")})).await;
    let begun = stream.until(|event| event["update"]["type"] == "assistant_message.content_part.text_delta").await;
    serving.signal("TERM");
    let rest = stream.rest().await;
    assert_eq!(types(&rest).last().unwrap(), "thread.item.done assistant_message");
    assert_eq!(serving.ended_within(Duration::from_secs(30)).code(), Some(0));
    let serving = home.serve(&[]);
    let kept = reader.at(&serving.url).items(&thread_of(&begun)).await;
    assert_eq!(*kept.last().unwrap(), rest.last().unwrap()["item"]);
}

#[tokio::test]
async fn a_conversation_survives_the_death_of_its_server() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let reader = visitor(&serving.url).await;
    let thread = thread_of(&reader.create("What is a topic in ROS 2?").await);
    reader.say(&thread, "And what is a quaternion?").await;
    let before = reader.items(&thread).await;
    assert_eq!(before.iter().filter(|item| item["type"] == "user_message").count(), 2);
    serving.signal("KILL");
    assert_eq!(serving.ended_within(Duration::from_secs(20)).code(), None);
    let serving = home.serve(&[]);
    let reader = reader.at(&serving.url);
    assert_eq!(reader.items(&thread).await, before);
    reader.say(&thread, "What is a sensor?").await;
    let after = reader.items(&thread).await;
    assert_eq!(after[..before.len()], before);
    assert!(after.len() > before.len());
}

#[tokio::test]
async fn an_answer_whose_server_died_is_kept_as_far_as_it_was_written_and_the_thread_goes_on() {
    let model = FakeModel::start().await;
    let (reply, gate) = Reply::gated_text(["Robots", " sense."]);
    model.reply(reply);
    let home = Home::new();
    let (address, variables) = (model.base_url(), ["OPENAI_BASE_URL"]);
    let variables = variables.map(|name| (name, address.as_str()));
    let serving = home.serve(&variables);
    let reader = visitor(&serving.url).await;
    let mut stream = reader.open("threads.create", json!({"input": input("What do robots do?")})).await;
    gate.open();
    let begun = stream.until(|event| event["update"]["delta"].is_string()).await;
    let thread = thread_of(&begun);
    until("the text so far is there", async || reader.items(&thread).await.len() == 2).await;
    serving.signal("KILL");
    assert_eq!(serving.ended_within(Duration::from_secs(20)).code(), None);
    let serving = home.serve(&variables);
    let reader = reader.at(&serving.url);
    let so_far = ["user_message: What do robots do?", "assistant_message: Robots"];
    assert_eq!(reader.conversation(&thread).await, so_far);
    model.always(Reply::text(["They act."]));
    // The dead turn holds the thread until its lease runs out; the message waits for that.
    assert_eq!(streamed_text(&reader.say(&thread, "And then?").await), "They act.");
    let after = reader.conversation(&thread).await;
    assert_eq!(after[..2], so_far);
    assert_eq!(after[2..], ["user_message: And then?", "assistant_message: They act."]);
}

#[tokio::test]
async fn bytes_of_an_upload_whose_server_died_go_with_a_later_sweep() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let folder = home.path("data/attachments");
    let files =
        || std::fs::read_dir(&folder).unwrap().flatten().filter(|entry| entry.path().read_dir().unwrap().count() > 0);
    let host = serving.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = "POST /chatkit/upload HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n\
                content-length: 3000000\r\n\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 1_000_000]).await.unwrap();
    until("some bytes are written", async || files().count() == 1).await;
    serving.signal("KILL");
    assert_eq!(serving.ended_within(Duration::from_secs(20)).code(), None);
    assert_eq!(files().count(), 1);
    let tomorrow = days_later(&home.path("data"), "", 1).await;
    assert_eq!(tomorrow.sweep().await.unwrap().objects, 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

async fn visitor(url: &str) -> Reader {
    let answer = Reader::new(url, None).post_to("/visitor", "").await;
    Reader::new(url, Some(answer.body["token"].as_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_is_read_from_its_site_when_that_may_be_here() {
    let site = WebSite::start().await;
    site.map(&["/okapi", "/blog"]);
    site.answer("/okapi", [Answer::html("<h1>Okapi</h1><h2 id=legs>Legs</h2><p>An okapi has striped legs.")]);
    let (home, address) = (Home::new(), site.url("/sitemap.xml"));
    home.run(&["ingest", &address]).badly(&["give --allow-private if that is meant"]);
    let told = home.run(&["ingest", &address, "--allow-private", "--delay-ms", "0", "--exclude", "blog"]).well();
    assert!(told.contains("1 documents added"), "{told}");
    let found = json_lines(&home.run(&["search", "striped legs of an okapi", "--json"]).well());
    assert_eq!(found[0]["url"], json!(site.url("/okapi#legs")));
}
