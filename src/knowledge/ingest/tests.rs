//! What a page comes to: passages, addresses, problems.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::knowledge::Passage;

/// What pages come to.
#[derive(Default)]
struct Plan {
    documents: Vec<Document>,
    hidden: usize,
    broken: Vec<String>,
    problems: Vec<Problem>,
}

fn plan<C: Into<Vec<u8>>>(pages: impl IntoIterator<Item = (&'static str, C)>, around: &Around) -> Plan {
    let mut plan = Plan::default();
    for (path, content) in pages {
        match kind::read(Kind::of(path).unwrap(), path, &content.into(), around, &mut plan.problems) {
            Read::Document(document) => plan.documents.push(document),
            Read::Hidden => plan.hidden += 1,
            Read::Broken => plan.broken.push(path.to_owned()),
        }
    }
    plan
}

fn planned(pages: &[(&'static str, &str)]) -> Plan {
    plan(pages.iter().copied(), &Around::default())
}

fn passages(page: &str) -> Vec<Passage> {
    planned(&[("page.mdx", page)]).documents.remove(0).passages
}

/// Heading, anchor and text of each passage.
#[track_caller]
fn check(page: &str, expected: &[(&str, &str, &str)]) {
    let passages = passages(page);
    let found: Vec<_> = passages
        .iter()
        .map(|p| (p.heading.as_str(), p.url.strip_prefix("/docs/page").unwrap_or(&p.url), p.text.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_page_is_cut_at_its_headings() {
    check(
        "Before.\n\n# Title\n\nIntro.\n\n## One\n\nText *one*.\n\n### Deep `code()` and **bold**\n\nDeep.\n\n## Two {#second}\n\nTwo.\n\n\
         ## Empty\n\n## One\n\nAgain.\n",
        &[
            ("Title", "", "Before."),
            ("Title", "", "Intro."),
            ("One", "#one", "Text one."),
            ("Deep code() and bold", "#deep-code-and-bold", "Deep."),
            ("Two", "#second", "Two."),
            ("One", "#one-1", "Again."),
        ],
    );
}

#[test]
fn the_first_heading_takes_its_anchor_although_it_has_none() {
    check("# Setup\n\nA.\n\n## Setup\n\nB.\n", &[("Setup", "", "A."), ("Setup", "#setup-1", "B.")]);
}

#[test]
fn underlined_headings_are_headings_and_comments_in_code_are_not() {
    check(
        "Title\n=====\n\nSub\n---\n\n```bash title=\"run.sh\"\n# no heading\n## neither\n```\n\n1. Step\n\n   ~~~\n   # nor this\n   ~~~\n",
        &[(
            "Sub",
            "#sub",
            "```bash title=\"run.sh\"\n# no heading\n## neither\n```\n\n1. Step\n  ```\n  # nor this\n  ```",
        )],
    );
}

#[test]
fn tables_lists_images_footnotes_and_math_become_text() {
    check(
        "## A\n\n| Size | Cost |\n|---|--:|\n| Small | **5** |\n\n![A red arm](/x.png) and [a link](/y).\n\n- [x] done\n- outer\n  - inner\n\n\
         Noted.[^1]\n\n[^1]: The note.\n\nIt is $a_1 * b_1$.\n\n> Quoted\n> words\n",
        &[(
            "A",
            "#a",
            "Size | Cost\nSmall | 5\n\nA red arm and a link.\n\n- [x] done\n- outer\n  - inner\n\nNoted.\n\nThe note.\n\nIt is $a_1 * b_1$.\n\nQuoted words",
        )],
    );
}

#[test]
fn code_in_a_line_keeps_its_marks_only_where_they_are_needed() {
    check(
        "Use `base_link`, `<inertial>`, `*args` and `__init__`.",
        &[("page", "", "Use base_link, `<inertial>`, `*args` and `__init__`.")],
    );
}

#[test]
fn a_passage_knows_its_place() {
    let page = "---\ntitle: Front title\ndescription: About joints.\nweek: Weeks 3-4\n---\n\n# Heading\n\n## A\n\n### B\n\nText.\n";
    let plan = planned(&[("02-part/01-page.md", page)]);
    let passages = &plan.documents[0].passages;
    let last = passages.last().unwrap();
    assert_eq!((last.title.as_str(), last.week, last.module.as_deref()), ("Front title", Some(3), Some("part")));
    assert_eq!(last.heading_path, ["A", "B"]);
    assert_eq!(last.url, "/docs/part/page#b");
    assert_eq!(passages.iter().map(|p| p.position).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((passages[0].heading.as_str(), passages[0].text.as_str()), ("Heading", "About joints."));
}

#[test]
fn module_and_week_come_from_folders_and_their_labels() {
    let labels = BTreeMap::from([
        ("module-02".to_owned(), "Module 2: Motion".to_owned()),
        ("guides".to_owned(), "Guides".to_owned()),
    ]);
    let pages = ["module-02/week-3/a.md", "module-03/a.md", "guides/a.md", "other/a.md", "a.md"];
    let plan = plan(pages.map(|path| (path, "Text.")), &Around { labels, ..Around::default() });
    let found: BTreeMap<_, _> = plan
        .documents
        .iter()
        .map(|d| (d.path.as_str(), (d.passages[0].module.as_deref(), d.passages[0].week)))
        .collect();
    assert_eq!(found["module-02/week-3/a.md"], (Some("Module 2: Motion"), Some(3)));
    assert_eq!(found["module-03/a.md"], (Some("module-03"), None));
    assert_eq!(found["guides/a.md"], (Some("Guides"), None));
    assert_eq!((found["other/a.md"], found["a.md"]), ((None, None), (None, None)));
}

#[test]
fn ids_stay_with_the_text_and_are_never_shared() {
    let before = passages("## A\n\nOne.\n\n## A\n\nOne.\n");
    let after = passages("## New\n\nZero.\n\n## A\n\nOne.\n\n## A\n\nOne.\n");
    assert_eq!(before[0].id, after[1].id);
    assert_ne!(before[0].id, before[1].id);
}

#[test]
fn a_fingerprint_changes_with_whatever_changes_the_passages() {
    let of = |text: &str, site: &Site, label: &str| {
        let labels = BTreeMap::from([("module-1".to_owned(), label.to_owned())]);
        let around = Around { site: site.clone(), labels };
        plan([("module-1/a.md", text)], &around).documents.remove(0).fingerprint
    };
    let site = Site::default();
    assert_eq!(of("A", &site, "L"), of("A", &site, "L"));
    let elsewhere = Site { url: Some("https://x.dev".into()), ..Site::default() };
    let all = [of("A", &site, "L"), of("B", &site, "L"), of("A", &elsewhere, "L"), of("A", &site, "M")];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn drafts_and_unlisted_pages_are_left_out() {
    let plan = planned(&[("a.md", "---\ndraft: true\n---\nA"), ("b.md", "---\nunlisted: true\n---\nB"), ("c.md", "C")]);
    assert_eq!((plan.hidden, plan.documents.len()), (2, 1));
}

#[test]
fn broken_pages_are_named_and_the_rest_goes_on() {
    let pages: [(&str, &[u8]); 5] = [
        ("a.md", b"fine\nthen \xff\n"),
        ("b.md", b"zero\n\0"),
        ("c.md", b"---\nt: [\n---\nText\n\n<Card>\n"),
        ("d.md", b"\n"),
        ("e.md", b"Good."),
    ];
    let plan = plan(pages, &Around::default());
    let problems: Vec<String> = plan.problems.iter().map(Problem::to_string).collect();
    assert_eq!(problems[0], "a.md:2: byte 11 of the file is not UTF-8; it is left out");
    assert_eq!(problems[1], "b.md:2: it holds a zero byte and is no text; it is left out");
    assert!(problems[2].starts_with("c.md:") && problems[2].contains("not valid YAML"), "{problems:?}");
    assert_eq!(problems[3], "c.md:6: <Card> is never closed");
    assert_eq!(problems[4], "d.md: it holds no text; there is nothing to find in it");
    assert_eq!(plan.documents.iter().map(|d| d.path.as_str()).collect::<Vec<_>>(), ["c.md", "d.md", "e.md"]);
    assert_eq!(plan.broken, ["a.md", "b.md"]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_page_or_a_problem(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let plan = plan([("a.mdx", content)], &Around::default());
        prop_assert!(!plan.problems.is_empty() || !plan.documents.is_empty() || plan.hidden > 0);
    }

    #[test]
    fn words_come_out_in_the_order_in_which_they_stand(words in prop::collection::vec("[a-z]{1,9}", 1..60), breaks in prop::collection::vec(0..6usize, 60)) {
        let marks = [" ", "\n\n", "\n\n## h\n\n", "\n\n- ", "\n", "\n\n> "];
        let page: String = words.iter().zip(breaks).flat_map(|(word, mark)| [word.as_str(), marks[mark]]).collect();
        let text: String = passages(&page).iter().map(|p| format!("{} ", p.text)).collect();
        let found: Vec<&str> = text.split_whitespace().filter(|word| *word != "-").collect();
        prop_assert_eq!(found, words);
    }
}

/// The anchor of a heading on a page of its own, and what is shown of it.
#[track_caller]
fn check_heading(heading: &str, anchor: &str, shown: &str) {
    check(&format!("## {heading}\n\nText.\n"), &[(shown, &format!("#{anchor}"), "Text.")]);
}

#[test]
fn anchors_of_hard_headings_are_those_that_docusaurus_makes() {
    for (heading, anchor, shown) in [
        ("Badge <Badge text=\"beta\" />", "badge-", "Badge beta"),
        ("Badge in <Badge>beta</Badge>", "badge-in-beta", "Badge in beta"),
        ("Omit <!-- omit in toc -->", "omit-", "Omit"),
        ("Heading<br/>broken", "headingbroken", "Heading broken"),
        ("Only {/* a note */}", "only--a-note-", "Only"),
        ("Own {/* #own and a note */}", "own", "Own"),
        ("Version {props.version} x", "version-propsversion-x", "Version x"),
        ("{'literal'} text", "literal-text", "literal text"),
        ("Sense:Think", "sense", "Sense:Think"),
        ("`sense:think` and a:b", "sensethink-and-a", "sense:think and a:b"),
        (":rocket: Launch", "rocket-launch", ":rocket: Launch"),
        ("Time 10:30am", "time-1030am", "Time 10:30am"),
        ("<span style={{color: 'red'}}>Red</span> one", "red-one", "Red one"),
        ("H<sub>2</sub>O and <code>x_y</code>", "h2o-and-x_y", "H2O and x_y"),
        ("A &amp; B", "a--b", "A & B"),
        ("Escaped \\{x\\} \\_z\\_", "escaped-x-_z_", "Escaped {x} _z_"),
    ] {
        check_heading(heading, anchor, shown);
    }
}

#[test]
fn a_heading_with_an_anchor_of_its_own_takes_none_from_the_others() {
    check(
        "## Own {#own}\n\nA.\n\n## own\n\nB.\n\n## own\n\nC.\n",
        &[("Own", "#own", "A."), ("own", "#own", "B."), ("own", "#own-1", "C.")],
    );
}
