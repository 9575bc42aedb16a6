//! What pages of HTML come to, as generators of sites and people write them.

use super::read;
use crate::knowledge::ingest::page::{Page, read as read_markdown};
use crate::knowledge::ingest::site::Generator;

fn markdown_page(markdown: &str) -> Page {
    read_markdown(markdown, Generator::Docusaurus)
}

/// Heading, anchor and blocks of each section that has blocks.
fn sections(html: &str) -> Vec<(String, Option<String>, Vec<String>)> {
    let page = read(html.as_bytes(), None).expect("a page").page;
    let sections = page.sections.into_iter().filter(|section| !section.blocks.is_empty());
    sections.map(|s| (s.heading, s.anchor, crate::knowledge::ingest::chunk::cut(&s.blocks))).collect()
}

#[track_caller]
fn check(html: &str, expected: &[(&str, Option<&str>, &str)]) {
    let found = sections(html);
    let found: Vec<_> = found.iter().map(|(h, a, texts)| (h.as_str(), a.as_deref(), texts.join("\n\n"))).collect();
    let found: Vec<_> = found.iter().map(|(h, a, text)| (*h, *a, text.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_page_becomes_what_the_same_markdown_becomes() {
    let markdown = "# Arms\n\nBefore *all* of `it`.\n\n## Joints {#j}\n\nOne, `<two>` and `*three*`.\n\n- a\n- b\n  1. c\n  2. d\n- e\n\n\
                    | Size | Cost |\n|---|---|\n| Small | **5** |\n\n```python\nx = 1\n\n  y = 2\n```\n\n> Quoted words\n\n### Deep\n\nDeep.\n";
    let html = "<!doctype html><html><head><title>Arms | Book</title></head><body><nav>Menu</nav><h1>Arms</h1>\
                <p>Before\n <em>all</em> of <code>it</code>.\n<h2 id=j>Joints</h2><p>One, <code>&lt;two&gt;</code> and <code>*three*</code>.\
                <ul><li>a<li>b<ol><li>c<li>d</ol><li>e</ul><table><thead><tr><th>Size<th>Cost</thead><tr><td>Small<td><b>5</b></table>\
                <pre><code class=\"language-python\">\nx = 1\n\n  y = 2\n</code></pre><blockquote><p>Quoted\nwords</blockquote>\
                <h3 id=deep>Deep</h3><p>Deep.</p></body></html>";
    assert_eq!(read(html.as_bytes(), None).expect("a page").page, markdown_page(markdown));
}

#[test]
fn only_the_main_part_is_read() {
    let around = |content: &str| {
        format!(
            "<body><header>Head <a href=/>Home</a></header><nav><ul><li>Menu</ul></nav><aside>Side</aside>{content}\
             <form>Search <input></form><footer>Foot</footer><script>var x = '<p>no';</script></body>"
        )
    };
    for content in [
        "<main><nav>Crumbs</nav><p>Text.</p><footer>Edit</footer></main>",
        "<div role=main><p>Text.</div>",
        "<main><div>x</div><article><p>Text.</article></main>",
        "<article><header>Text.</header></article>",
        "<div><p>Text.</p></div>",
    ] {
        check(&around(content), &[("", None, "Text.")]);
    }
    check("<main></main><p>Text.", &[("", None, "Text.")]);
    check("<main>All of <article>x</article> this is read.</main>", &[("", None, "All of\n\nx\n\nthis is read.")]);
}

#[test]
fn what_nobody_sees_is_not_read() {
    for hidden in [
        "<p hidden>no</p>",
        "<p hidden>no",
        "<div style='color:red; DISPLAY : none'>no</div>",
        "<p aria-hidden=TRUE>no</p>",
        "<template><p>no</template>",
        "<noscript>no</noscript>",
        "<style>no</style>",
        "<button>no</button>",
        "<svg><title>no</title><text>no</text></svg>",
        "<dialog>no</dialog>",
        "<textarea>no</textarea>",
        "<!-- no -->",
        "<nav><div><ul><li>no</nav>",
        "<div role=navigation>no</div>",
        "<ul class='x toc'><li>no</ul>",
    ] {
        check(&format!("{hidden}<p>Text."), &[("", None, "Text.")]);
    }
    check("<div role=tabpanel hidden>Second tab.</div>", &[("", None, "Second tab.")]);
    check("<details><summary>More</summary>Text.</details>", &[("", None, "More\n\nText.")]);
}

#[test]
fn anchors_are_those_in_the_page() {
    for (heading, anchor) in [
        ("<h2 id=one>One</h2>", Some("one")),
        ("<h2 class='anchor' id='one'>One<a href='#one' class='hash-link'>&#8203;</a></h2>", Some("one")),
        ("<h2 id=one>One<a class=headerlink href='#one' title='Permanent link'>&para;</a></h2>", Some("one")),
        ("<h2 id=one><a class=header href='#one'>One</a></h2>", Some("one")),
        ("<section id=one><h2>One<a class=headerlink href='#one'>¶</a></h2>", Some("one")),
        ("<section id=one>\n<div><h2>One</h2></div>", Some("one")),
        ("<h2><a name=one></a>One</h2>", Some("one")),
        ("<a id=one></a>\n<h2>One</h2>", Some("one")),
        ("<h2><a class=anchor aria-hidden=true id=one href=#one><svg></svg></a>One</h2>", None),
        ("<h2><a href='#one'>One</a> <a href='#x'>#</a></h2>", Some("one")),
        ("<p id=far>Text.</p><h2>One</h2>", None),
        ("<h2>One</h2>", None),
    ] {
        let found = sections(&format!("<main>{heading}<p>Text.</main>"));
        let last = found.last().expect("a section");
        assert_eq!((last.0.as_str(), last.1.as_deref()), ("One", anchor), "{heading}");
    }
}

#[test]
fn code_keeps_its_lines_and_its_language() {
    for (html, text) in [
        ("<pre>a\n b</pre>", "```\na\n b\n```"),
        (
            "<pre class='prism-code language-js'><code><span style='color:red'>a<br></span><span>b<br></span></code></pre>",
            "```js\na\nb\n```",
        ),
        ("<pre class=shiki data-lang=ts><div class=l>a</div><div class=l>b</div></pre>", "```ts\na\nb\n```"),
        (
            "<table class=highlighttable><tr><td class=linenos><pre>1\n2</pre></td><td><pre><code class=lang-c++>a\nb</code></pre></td></tr></table>",
            "```c++\na\nb\n```",
        ),
        (
            "<pre><code class='language-rust,no_run'>&lt;a&gt; &amp;b</code><button>Copy</button></pre>",
            "```rust\n<a> &b\n```",
        ),
        ("<pre><code class=language-text>```\nx\n```</code></pre>", "````\n```\nx\n```\n````"),
        ("<ol><li>Do<pre><code class=language-sh>x\n</code></pre></ol>", "1. Do\n  ```sh\n  x\n  ```"),
    ] {
        check(html, &[("", None, text)]);
    }
}

#[test]
fn lists_definitions_figures_and_formulas_become_text() {
    for (html, text) in [
        ("<dl><dt>Arm<dd>Moves.<dt>Leg<dd><p>Walks.</dl>", "- Arm\n  Moves.\n- Leg\n  Walks."),
        ("<dl><dt>f(x)<dd>Does.<pre>f(1)</pre></dl>", "f(x)\n\nDoes.\n\n```\nf(1)\n```"),
        ("<figure><img src=x alt='A red arm'><figcaption>Fig. 1</figcaption></figure>", "A red arm\n\nFig. 1"),
        ("<ol start=3><li>c<li><p>d</p><p>e</p></ol>", "3. c\n4. d\n  e"),
        ("<p>a<br>b &nbsp; c&shy;d<wbr>e</p>", "a\nb cde"),
        (
            "<table><caption>Sizes</caption><tr><th>A<th>B</tr><tr><td><p>1</p><p>2</p><td></table>",
            "Sizes\nA | B\n1 2 |",
        ),
        ("<table role=presentation><tr><td><p>a</p><td>b</table>", "a\n\nb"),
        (
            "<p>So <span class=katex><math><semantics><mi>E</mi><annotation encoding='application/x-tex'>E=mc^2</annotation></semantics></math><span aria-hidden=true>E=mc2</span></span>.</p>",
            "So $E=mc^2$.",
        ),
        ("<ul><li><a href=/a>One</a></li><li></li><li>Two</li></ul>", "- One\n- Two"),
    ] {
        check(html, &[("", None, text)]);
    }
}

#[test]
fn a_page_says_what_it_is() {
    let page = read(
        b"<title>T | Site</title><meta property=og:title content='Shared'><link rel=canonical href=' https://x.dev/a '>\
          <meta name=ROBOTS content='nofollow, NoIndex'><p>x",
        None,
    )
    .expect("a page");
    assert_eq!((page.title.as_deref(), page.canonical.as_deref()), (Some("Shared"), Some("https://x.dev/a")));
    assert!(page.hidden);
    assert_eq!(read(b"<title>\n T </title>x", None).expect("a page").title.as_deref(), Some("T"));
    assert_eq!(
        read(b"<title>T</title><h1>Own <b>name</b></h1>", None).expect("a page").title.as_deref(),
        Some("Own name")
    );
    assert_eq!(read(b"a\0b", None).err().as_deref(), Some("it holds a zero byte and is no text; it is left out"));
}

#[test]
fn tags_that_nobody_closed_or_opened_do_no_harm() {
    check("<div><p>a<div>b</p></section></div></b>c<h2>d<p>e", &[("", None, "a\n\nb\n\nc"), ("d", None, "e")]);
    check("<table><tr><td>a</div><td>b", &[("", None, "a | b")]);
    check("<main><ul><li>a</main>b", &[("", None, "- a")]);
    check("plain text & nothing <else", &[("", None, "plain text & nothing")]);
    check("", &[]);
}

#[test]
fn pages_made_to_hurt_are_read_in_time() {
    let nested = |open: &str, times: usize| open.repeat(times) + "deep";
    for page in [
        nested("<div>", 20_000),
        nested("<ul><li>", 20_000),
        nested("<b><font size=1>", 10_000) + &"<p>x".repeat(10_000),
        nested("<table><tr><td>", 10_000),
        nested("<dl><dt><dd>", 10_000),
        nested("<h2><a href=#a>", 10_000),
        nested("<p><svg><math>", 10_000),
        "</div>".repeat(20_000),
        "<ul><li>".repeat(300) + &"<li>x".repeat(20_000),
        "<!--".repeat(20_000),
    ] {
        let text: usize = sections(&page).iter().flat_map(|(_, _, texts)| texts).map(String::len).sum();
        // Lists are set off by spaces, a few for each line.
        assert!(text <= 12 * page.len() + 1000, "{text} bytes of {}", page.len());
    }
}

#[test]
fn a_page_that_takes_too_long_is_given_up() {
    let late = tokio::time::Instant::now() - std::time::Duration::from_millis(1);
    assert!(super::walk("<p>x", super::Survey::default(), late).is_err());
}

proptest::proptest! {
    #[test]
    fn whatever_the_page_it_is_read(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..60)) {
        let page: String = parts.concat();
        let read = read(page.as_bytes(), None);
        proptest::prop_assert!(read.is_ok());
    }
}

const PARTS: &[&str] = &[
    "<div>",
    "</div>",
    "<p>",
    "</p>",
    "<h1>",
    "</h1>",
    "<h2 id=a>",
    "</h2>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<li>",
    "</li>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<th>",
    "<pre>",
    "</pre>",
    "<code>",
    "</code>",
    "<a href=#x>",
    "</a>",
    "<main>",
    "</main>",
    "<article>",
    "</article>",
    "<math>",
    "</math>",
    "<svg>",
    "</svg>",
    "<script>",
    "</script>",
    "<br>",
    "<dl>",
    "<dt>",
    "<dd>",
    "</dl>",
    "<blockquote>",
    "</blockquote>",
    "text ",
    " ",
    "\n",
    "é",
    "&lt;",
    "<caption>",
    "<form>",
    "</form>",
    "<title>",
    "</title>",
];
