//! What is found, and what is not, in a little book of the test's own.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Hit, Index};
use crate::knowledge::{Passage, Search};

fn passage(path: &str, heading: &str, text: &str) -> Arc<Passage> {
    Arc::new(Passage {
        id: format!("{path}#{heading}#{}", text.len()),
        path: path.to_owned(),
        title: "The Garden Book".to_owned(),
        heading: heading.to_owned(),
        heading_path: vec![heading.to_owned()],
        url: format!("/docs/{path}#{}", heading.to_lowercase().replace(' ', "-")),
        module: None,
        week: None,
        position: 0,
        text: text.to_owned(),
    })
}

fn garden() -> Index {
    Index::build(vec![
        passage(
            "soil.md",
            "Compost",
            "Compost is made from leaves, grass and kitchen scraps. Turn the heap once a month so that air gets in.",
        ),
        passage(
            "soil.md",
            "Acidity",
            "Measure the acidity of soil with a strip. Blueberries want acid soil; cabbages do not.",
        ),
        passage(
            "water.md",
            "Drip lines",
            "A drip line gives water slowly at the roots. Call `open_valve(minutes)` from the timer:\n\n```python\nctl.open_valve(20)\n```",
        ),
        passage(
            "water.md",
            "Rain barrels",
            "A barrel under the gutter collects rain. Cover it so that mosquitoes cannot breed.",
        ),
        passage(
            "trees.md",
            "Pruning",
            "Prune apple trees in late winter. Cut just above a bud, and never take more than a third.",
        ),
        passage("trees.md", "Grafting", "Grafting joins a twig of one apple tree to the rootstock of another."),
        passage("urdu.md", "باغ", "باغ میں پودوں کو پانی صبح کے وقت دینا چاہیے۔"),
    ])
}

fn found(index: &Index, query: &str, earlier: &[String], limit: usize) -> Vec<Hit> {
    index.search(&Search { query, earlier, limit, strict: false })
}

fn headings(index: &Index, query: &str, earlier: &[&str]) -> Vec<String> {
    let earlier: Vec<String> = earlier.iter().map(|&question| question.to_owned()).collect();
    found(index, query, &earlier, 5).iter().map(|hit| index.passage(hit.passage).heading.clone()).collect()
}

#[track_caller]
fn finds(query: &str, heading: &str) {
    assert_eq!(headings(&garden(), query, &[]).first().map(String::as_str), Some(heading), "{query}");
}

#[test]
fn a_question_finds_the_passage_that_answers_it() {
    finds("When should I prune apple trees?", "Pruning");
    finds("what are compost heaps made of", "Compost");
    finds("Which plants like acidic soils?", "Acidity");
}

#[test]
fn a_word_finds_what_it_is_derived_from() {
    finds("where does the collector of rain stand", "Rain barrels");
}

#[test]
fn slips_of_the_pen_are_understood() {
    finds("how do i mesure the acidty of soil", "Acidity");
    finds("gratfing aple tree", "Grafting");
}

#[test]
fn names_in_code_are_found_whole_in_parts_and_in_other_spellings() {
    finds("open_valve", "Drip lines");
    finds("ctl.open_valve(20)", "Drip lines");
    finds("openValve", "Drip lines");
    finds("is there any python in this book", "Drip lines");
}

#[test]
fn a_question_in_another_script_finds_its_passage() {
    finds("پودوں کو پانی کب دینا چاہیے؟", "باغ");
}

#[test]
fn a_follow_up_leans_on_what_was_asked_before() {
    assert_eq!(
        headings(&garden(), "And how often should I turn it?", &["How is compost made?"]).first().map(String::as_str),
        Some("Compost")
    );
    assert_eq!(
        headings(&garden(), "How much of it may I cut?", &["How do I prune apple trees?"]).first().map(String::as_str),
        Some("Pruning")
    );
}

#[test]
fn what_the_book_does_not_cover_is_not_answered() {
    for query in [
        "How do I train a neural network with PyTorch?",
        "What is the capital of France?",
        "How do I install the GrowBot 3000 controller?",
        "how fast can a cheetah turn",
        "which cheese goes with apples and walnuts",
        "xyzzy",
        "",
        "the of and",
        "???",
    ] {
        assert_eq!(headings(&garden(), query, &[]), [] as [&str; 0], "{query}");
    }
}

#[test]
fn strictly_asked_a_passage_that_lacks_what_was_asked_about_does_not_answer() {
    let index = garden();
    for (query, answered) in [
        ("How often should the compost heap be turned?", true),
        ("When do I prune apple trees?", true),
        ("What is a rain barrel covered against?", true),
        ("What does compost consist of?", true),
        ("List what compost contains", true),
        ("Summarize how a rain barrel is covered", true),
        ("What does compost cost?", false),
        ("Who invented grafting?", false),
        ("Which vitamins do blueberries have?", false),
    ] {
        let asked = Search { query, earlier: &[], limit: 3, strict: true };
        assert_eq!(!index.search(&asked).is_empty(), answered, "{query}");
    }
}

#[test]
fn scores_go_down_from_at_most_one() {
    let index = garden();
    let hits = found(&index, "apple tree", &[], 5);
    assert!(hits.len() >= 2);
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
}

#[test]
fn an_empty_index_finds_nothing() {
    assert_eq!(found(&Index::build(Vec::new()), "anything", &[], 5), []);
    assert_eq!(found(&garden(), "compost", &[], 0), []);
}

proptest! {
    #[test]
    fn no_text_and_no_question_is_too_strange(texts in prop::collection::vec("\\PC{0,80}", 0..6), query in "\\PC{0,80}", earlier in "\\PC{0,40}") {
        let passages: Vec<_> = texts.iter().enumerate().map(|(n, text)| passage(&format!("{n}.md"), text, text)).collect();
        let index = Index::build(passages);
        let hits = found(&index, &query, &[earlier], 3);
        prop_assert!(hits.len() <= 3);
        prop_assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
    }

    #[test]
    fn a_passage_is_found_by_its_own_words(words in prop::collection::hash_set("[b-df-hj-np-tv-z]{5,9}", 12..30)) {
        let words: Vec<String> = words.into_iter().collect();
        let texts: Vec<String> = words.chunks(4).map(|chunk| chunk.join(" ")).collect();
        let index = Index::build(texts.iter().enumerate().map(|(n, text)| passage(&format!("{n}.md"), "Part", text)).collect());
        for (number, text) in texts.iter().enumerate() {
            let hits = found(&index, text, &[], 1);
            prop_assert_eq!(hits.first().map(|hit| hit.passage as usize), Some(number), "{}", text);
        }
    }
}
