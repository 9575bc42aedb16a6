//! What MDX becomes, snippet by snippet, and what must hold for any text.

use proptest::prelude::*;

use super::to_markdown;

#[track_caller]
fn check(mdx: &str, markdown: &str) {
    let result = to_markdown(mdx, true);
    assert_eq!(result.text.lines().map(str::trim_end).collect::<Vec<_>>(), markdown.lines().collect::<Vec<_>>());
    assert_eq!(result.problems, [], "{mdx}");
}

#[track_caller]
fn check_problems(mdx: &str, problems: &[(usize, &str)]) {
    let found = to_markdown(mdx, true).problems;
    let found: Vec<_> = found.iter().map(|(line, sentence)| (*line, sentence.as_str())).collect();
    assert_eq!(found, problems, "{mdx}");
}

#[test]
fn imports_and_exports_are_taken_out() {
    check("import Tabs from '@theme/Tabs';\nimport {\n  A,\n  B,\n} from './x';\n\n# Title", "\n\n\n\n\n\n# Title");
    check("export const x = {\n  a: [1, 2],\n\n  b: '}',\n};\n\nText", "\n\n\n\n\n\nText");
    check("A sentence.\n\nimport duties are high this year.", "A sentence.\n\nimport duties are high this year.");
    check("import the map from the robot before you start.", "import the map from the robot before you start.");
}

#[test]
fn components_are_unwrapped_and_their_words_kept() {
    check(
        "<Hero title=\"The DNA\" variant=\"blue\">\n  <p>\n    A <strong>body</strong> first.\n  </p>\n</Hero>",
        "**The DNA**\n\nA body first.\n\n",
    );
    check("<Figure\n  src={img}\n  alt=\"A robot arm\"\n/>\n\nText", "A robot arm\n\n\n\n\nText");
    check("Press <kbd>Ctrl</kbd>+<kbd>C</kbd> and use <code>rm</code>.", "Press Ctrl+C and use `rm`.");
    check("<Card><p># not a heading</p></Card>", "\\# not a heading");
    check("<Card>1. not a list</Card>", "1\\. not a list");
    check("<details>\n<summary>More</summary>\n\nInside\n\n</details>", "\nMore\n\nInside\n\n\n");
    check("<ul>\n  <li>One</li>\n  <li>Two</li>\n</ul>", "\n- One\n- Two\n");
    check("<h3 id=\"own\">Own anchor</h3>", "### Own anchor {#own}");
    check("<>\n  Fragment\n</>", "\nFragment\n");
}

#[test]
fn a_table_of_components_becomes_rows() {
    check(
        "<Table>\n  <TableRow>\n    <TableHead>Size</TableHead>\n    <TableHead>Cost</TableHead>\n  </TableRow>\n  <TableRow>\n    \
         <TableCell>Small</TableCell><TableCell>5 €</TableCell>\n  </TableRow>\n</Table>",
        "\n\nSize\n| Cost\n\n\nSmall | 5 €\n\n",
    );
}

#[test]
fn strings_that_a_reader_sees_are_kept_wherever_they_stand() {
    check(
        "<Quiz questions={[{ question: \"What is a node?\", answer: 'A process', id: 'q1' }]} />",
        "What is a node? A process",
    );
    check("<Steps items={['Plug it in', \"Turn it on\"]} size=\"3\" />", "Plug it in Turn it on");
    check("<Note title={`Careful`} />", "**Careful**");
    check("{'literal text'} and {\"more\"}{' '}{`here`}", "literal text and more here");
    check("Value: {props.value}.", "Value: .");
    check("{list.map((x) => <li key={x}>{x}</li>)}\n\nText", "\n\nText");
}

#[test]
fn words_between_tags_in_an_expression_are_kept() {
    check("{open && <p>Come <b>in</b>{name}.</p>}", "Come in.");
    check("{dark ? (\n  <p>Night.</p>\n) : (\n  <p>Day.</p>\n)}", "Night. Day.\n\n\n\n");
    check("{a < b && c > d}", "");
}

#[test]
fn a_tag_without_end_still_says_what_it_says() {
    let page = to_markdown("<Card title=\"Motors\">\n\nThey turn.", true);
    assert_eq!(page.text, "**Motors**\n\nThey turn.");
}

#[test]
fn comments_are_taken_out() {
    check("A {/* hidden {brace */}B", "A B");
    check("{/*\n# hidden\n*/}\nB", "\n\n\nB");
    check("A <!-- one\ntwo --> B", "A\n B");
}

#[test]
fn admonitions_keep_their_titles() {
    check(":::note[Read *this*]\n\nText\n\n:::", "**Read *this***\n\nText\n\n");
    check(":::tip Title\nText\n:::", "**Title**\nText\n");
    check(":::warning\nText\n:::", "**Warning**\nText\n");
    check("::::info\n\n:::danger{title=\"Hot\"}\n\nText\n\n:::\n\n::::", "**Info**\n\n**Hot**\n\nText\n\n\n\n");
    check_problems("Text\n\n:::note\n\nText", &[(3, "an admonition (:::) is never closed")]);
    check_problems(":::", &[(1, "a ::: closes nothing")]);
}

#[test]
fn code_is_left_alone_whatever_it_holds() {
    for code in [
        "```python title=\"a.py\"\n# a comment\nx = {1}\n<b>\nimport os\n:::\n```",
        "~~~\n```\n<Card>\n~~~",
        "````md\n```js\n{x}\n```\n````",
        "- item\n  ```bash\n  # not a heading {x}\n  ```",
        "> ```\n> <a>\n> ```",
        "Text with `<Card>` and ``{a ` b}`` spans",
        "$$\n\\frac{a}{b}\n$$",
        "Inline $x^{2}$ and $\\{y\\}$ math",
    ] {
        check(code, code);
    }
}

#[test]
fn code_inside_components_moves_to_the_left() {
    check(
        "<Tabs>\n  <TabItem value=\"py\" label=\"Python\">\n\n    ```python\n    def f():\n        # deep\n    ```\n\n  </TabItem>\n</Tabs>",
        "\n**Python**\n\n```python\ndef f():\n    # deep\n```\n\n\n",
    );
    check("<CodeBlock language=\"py\">{`\nx = 1\n`}</CodeBlock>", "```\nx = 1\n```");
}

#[test]
fn indented_code_is_code_in_markdown_files_only() {
    let page = "Text\n\n    # <a> {b}\n\nMore";
    assert_eq!(to_markdown(page, false).text, page);
    assert_eq!(to_markdown("Text\n\n      deep", true).text, "Text\n\ndeep");
}

#[test]
fn what_only_looks_like_a_tag_stays() {
    check("a < b and 3 <4, <https://x.dev> and <me@x.dev>", "a \\< b and 3 \\<4, <https://x.dev> and <me@x.dev>");
    check("A heading {#with-id}", "A heading {#with-id}");
    check("## Heading {/* #own */}", "## Heading {#own}");
    check("Costs $5 and \\{ is a brace", "Costs $5 and \\{ is a brace");
}

#[test]
fn broken_pages_are_named_with_lines_and_still_read() {
    check_problems("One\n\n<Card>\nText", &[(3, "<Card> is never closed")]);
    check_problems("One </Card>", &[(1, "</Card> closes nothing")]);
    check_problems("```\ncode", &[(1, "a code block is never closed; the rest of the page is read as code")]);
    check_problems("a\nb {c", &[(2, "a { is never closed; it is read as text")]);
    check_problems("a <!-- b", &[(1, "a comment (<!--) is never closed")]);
    check_problems("Use <package_name> here", &[(1, "<package_name> is never closed")]);
    assert!(to_markdown("Use <package_name> here", true).text.contains("\\<package_name>"));
    assert!(to_markdown("A vector<Foo> of them", true).text.contains("vector\\<Foo>"));
    check_problems(
        "export const x = {\n\nText",
        &[(1, "an import or export is never closed; it is left out up to the next empty line")],
    );
}

#[test]
fn line_ends_of_other_systems_count_as_one() {
    assert_eq!(to_markdown("a\r\nb\rc", true).text, "a\nb\nc");
}

/// Pieces of pages, put together in any order.
fn snippets() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "{",
        "}",
        "`",
        "```",
        "~~~",
        ":::",
        "::::note[x]",
        "$",
        "$$",
        "<Card title=\"a\">",
        "</Card>",
        "<br/>",
        "<td>",
        "</td>",
        "<h2 id='x'>",
        "</h2>",
        "{/*",
        "*/}",
        "<!--",
        "-->",
        "import x from 'y'",
        "export const a = {",
        "# heading",
        "- item",
        "1. item",
        "> quote",
        "    indented",
        "\t",
        "\n",
        "\n",
        "\n\n",
        " ",
        "text",
        "\\",
        "\"",
        "'",
        "é",
        "🤖",
        "\u{202e}",
        "<>",
        "</>",
        "| a | b |",
        "|---|---|",
        "[^1]",
        "[^1]: note",
        "{`\n",
        "\n`}",
        "<CodeBlock>",
        "</CodeBlock>",
        "<script>",
        "\r\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,200}", mdx: bool) {
        to_markdown(&text, mdx);
    }

    #[test]
    fn lines_keep_their_numbers(page in snippets(), mdx: bool) {
        let plain = page.replace("\r\n", "\n").replace('\r', "\n");
        let result = to_markdown(&page, mdx);
        prop_assert_eq!(result.text.matches('\n').count(), plain.matches('\n').count(), "{:?}", result.text);
        let lines = plain.matches('\n').count() + 1;
        prop_assert!(result.problems.iter().all(|(line, _)| (1..=lines).contains(line)));
        super::super::page::read(&result.text, crate::knowledge::ingest::Generator::default());
    }

    #[test]
    fn a_closed_block_of_code_loses_no_line(
        code in prop::collection::vec("[ -~é]{0,30}", 0..12),
        before in prop::collection::vec(prop::sample::select(vec!["# a\n", "- b\n", "<br/>", "{1}\n", "\n", "text ", "> c\n", "| d |\n", ":::x\n"]), 0..9),
    ) {
        let before = before.concat();
        let code: Vec<String> = code.into_iter().filter(|line| !line.contains("~~~")).collect();
        let page = format!("{before}\n\n~~~text\n{}\n~~~\n", code.join("\n"));
        let result = to_markdown(&page, true).text;
        prop_assert!(result.contains(&format!("~~~text\n{}\n~~~", code.join("\n"))), "{}", result);
    }
}
