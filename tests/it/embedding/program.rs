//! The program with a model for vectors: what goes there, and what becomes of a book when the model changes.

use crate::cli::program::Home;
use crate::support::letters_server::LettersServer;

const QUESTION: [&str; 2] = ["search", "What is a quaternion?"];

/// The variables of a house whose vectors come from there.
fn vectors_from<'a>(url: &'a str, model: &'a str) -> [(&'a str, &'a str); 3] {
    [("EMBEDDING_BASE_URL", url), ("EMBEDDING_MODEL", model), ("EMBEDDING_DIMENSIONS", "27")]
}

#[test]
fn a_book_goes_there_once_and_each_question_when_it_is_asked() {
    let server = LettersServer::start();
    let home = Home::new();
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    let texts = server.texts();
    assert!(texts.iter().filter(|text| text.contains("quaternion")).count() > 1);
    assert!(texts.iter().any(|text| text == QUESTION[1]), "{}", texts.len());
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    assert_eq!(server.texts()[texts.len()..], [QUESTION[1]]);
}

#[test]
fn a_model_that_somebody_asked_for_is_not_compared_with_the_vectors_of_another() {
    let server = LettersServer::start();
    let home = Home::new();
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    let texts = server.texts().len();
    home.run_with(&vectors_from(&server.url(), "others"), &QUESTION).badly(&["`letters`", "`others`", "--reembed"]);
    assert_eq!(server.texts().len(), texts);
}

#[test]
fn a_model_that_nobody_asked_for_leaves_the_vectors_of_another_alone() {
    let server = LettersServer::start();
    let home = Home::new();
    let before = home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    let ended = home.run_with(&[("GEMINI_API_KEY", "k"), ("HTTPS_PROXY", "http://127.0.0.1:9")], &QUESTION);
    assert!(ended.err.contains("Finding by words alone: the stored vectors are of `letters`"), "{}", ended.err);
    assert!(!ended.well().is_empty() && !before.is_empty());
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
}

#[test]
fn a_wrong_key_that_somebody_gave_for_vectors_is_told_at_once() {
    let server = LettersServer::refusing(401);
    let home = Home::new();
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).badly(&["EMBEDDING_API_KEY"]);
    let requests = server.requests();
    assert!((1..=4).contains(&requests), "batches that were on their way together are not sent again: {requests}");
}

#[test]
fn a_provider_that_is_away_costs_the_bundled_book_its_vectors_and_nothing_else() {
    let server = LettersServer::refusing(503);
    let home = Home::new();
    let ended = home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION);
    assert!(ended.err.contains("The bundled book is found by words alone"), "{}", ended.err);
    assert!(!ended.well().is_empty());
    let asked = server.requests();
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    assert_eq!(server.requests(), asked, "a book without vectors is not asked about");
}

#[test]
fn questions_are_measured_with_the_search_that_a_server_would_have() {
    let server = LettersServer::start();
    let home = Home::new();
    home.write(
        "questions.jsonl",
        "{\"id\":\"q1\",\"question\":\"What is a quaternion?\",\"must_contain\":[\"quaternion\"]}\n",
    );
    home.run_with(&vectors_from(&server.url(), "letters"), &QUESTION).well();
    let unasked = [("GEMINI_API_KEY", "k"), ("HTTPS_PROXY", "http://127.0.0.1:9")];
    let ended = home.run_with(&unasked, &["eval", "questions.jsonl"]);
    assert!(ended.err.contains("Finding by words alone: the stored vectors are of `letters`"), "{}", ended.err);
    ended.well();
    let asked_for = vectors_from(&server.url(), "others").map(|(name, value)| format!("{name}={value}"));
    let with = asked_for.iter().flat_map(|set| ["--with", set]);
    let compared: Vec<&str> = ["eval", "questions.jsonl"].into_iter().chain(with).collect();
    home.run(&compared).badly(&["`letters`", "`others`", "--reembed"]);
}
