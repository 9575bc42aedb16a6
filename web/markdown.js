// Markdown as elements, without ever making markup of a text: as much of it as answers use.
//
// Everything is made with `createElement` and text nodes, and a link leads to `http` and `https` only.

/** Deeper quotations and lists are shown as text. */
const LEVELS_MAX = 8;
/** A longer paragraph is shown as it is: finding pairs in it could take long. */
const PARAGRAPH_CHARS_MAX = 20_000;
// Stand for a citation while its text is taken apart; what a text has of them is taken out first.
const [OPENS, CLOSES] = ["\uE000", "\uE001"];

/** An element with properties and children, which are elements or texts. */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A link to a page; only its text where the address is none to follow. */
export function link(address, ...text) {
  if (!address || !URL.canParse(address, document.baseURI)) return element("span", {}, ...text);
  const { protocol, href } = new URL(address, document.baseURI);
  if (!["http:", "https:"].includes(protocol)) return element("span", {}, ...text);
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...text);
}

/** A text as elements; marks are `{ at, number, title, url }`, each at its place in the text in UTF-16 units. */
export function markdown(text, marks = []) {
  let marked = "";
  let done = 0;
  const plain = text.replaceAll(/[\uE000\uE001]/g, "\uFFFD");
  const inOrder = marks.map((mark, name) => ({ ...mark, name })).sort((one, other) => one.at - other.at);
  for (const { at, name } of inOrder) {
    marked += plain.slice(done, at) + OPENS + name + CLOSES;
    done = Math.max(done, at);
  }
  const shown = document.createDocumentFragment();
  shown.append(...blocks((marked + plain.slice(done)).split(/\r?\n/), marks, 0));
  return shown;
}

const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^\s{0,3}(?:[-*_]\s*){3,}$/;
const QUOTE = /^\s{0,3}> ?/;
const ENTRY = /^(\s*)([-*+]|\d{1,9}[.)])\s+/;
const CELLS = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const begins = line => [FENCE, HEADING, RULE, QUOTE, ENTRY].some(block => block.test(line));

function blocks(lines, marks, level) {
  if (level > LEVELS_MAX) return [paragraph(lines, marks)];
  const made = [];
  let at = 0;
  const takeWhile = so => {
    const from = at;
    while (at < lines.length && so(lines[at])) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
    } else if (FENCE.test(line)) {
      const fence = line.match(FENCE)[1];
      at += 1;
      const code = takeWhile(inside => !inside.trim().startsWith(fence));
      at += 1;
      made.push(element("pre", { dir: "ltr", tabIndex: 0 }, element("code", {}, unmarked(code.join("\n")))));
    } else if (HEADING.test(line)) {
      const [, signs, words] = line.match(HEADING);
      at += 1;
      // The page's own heading is the first.
      made.push(element(`h${Math.min(signs.length + 1, 6)}`, { dir: "auto" }, ...inline(words, marks)));
    } else if (RULE.test(line)) {
      at += 1;
      made.push(element("hr", {}));
    } else if (QUOTE.test(line)) {
      const quoted = takeWhile(inside => QUOTE.test(inside)).map(inside => inside.replace(QUOTE, ""));
      made.push(element("blockquote", { dir: "auto" }, ...blocks(quoted, marks, level + 1)));
    } else if (ENTRY.test(line)) {
      const [, indent, sign] = line.match(ENTRY);
      const belongs = ([, inner, other]) => inner.length > indent.length || /\d/.test(other) === /\d/.test(sign);
      const inside = line => (ENTRY.test(line) ? belongs(line.match(ENTRY)) : /^\s+\S/.test(line));
      made.push(list(takeWhile(inside), marks, level));
    } else if (line.includes("|") && CELLS.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      const rows = takeWhile(inside => inside.includes("|"));
      made.push(table(rows, marks));
    } else {
      const from = at;
      at += 1;
      takeWhile(inside => inside.trim() && !begins(inside));
      made.push(paragraph(lines.slice(from, at), marks));
    }
  }
  return made;
}

const paragraph = (lines, marks) => element("p", { dir: "auto" }, ...inline(lines.join("\n"), marks));

function list(lines, marks, level) {
  const [, indent, sign] = lines[0].match(ENTRY);
  const entries = [];
  for (const line of lines) {
    const entry = line.match(ENTRY);
    if (entry && (entry[1].length <= indent.length || !entries.length)) {
      entries.push({ width: entry[0].length, lines: [line.slice(entry[0].length)] });
    } else {
      const { width, lines: own } = entries.at(-1);
      own.push(line.slice(Math.min(width, line.search(/\S/))));
    }
  }
  const isOrdered = /\d/.test(sign);
  const shown = entries.map(entry => {
    const made = blocks(entry.lines, marks, level + 1);
    // An entry of one paragraph needs none around it.
    const children = made[0]?.tagName === "P" ? [...made[0].childNodes, ...made.slice(1)] : made;
    return element("li", { dir: "auto" }, ...children);
  });
  return element(isOrdered ? "ol" : "ul", isOrdered ? { start: Number.parseInt(sign) } : {}, ...shown);
}

function table(rows, marks) {
  const cells = row => row.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim());
  const shown = (row, kind) =>
    element("tr", {}, ...cells(row).map(cell => element(kind, { dir: "auto" }, ...inline(cell, marks))));
  const [head, , ...body] = rows;
  return element("table", {}, element("thead", {}, shown(head, "th")),
    element("tbody", {}, ...body.map(row => shown(row, "td"))));
}

const SPAN = new RegExp([
  "\\\\([!-/:-@[-`{-~])",
  "(`+)([^`][^]*?)\\2(?!`)",
  String.raw`\*\*(?=\S)([^]+?)\*\*`,
  String.raw`\*(?=[^\s*])([^*]+?)\*`,
  String.raw`(?<![\p{L}\p{N}_])_(?=[^\s_])([^_]+?)_(?![\p{L}\p{N}_])`,
  String.raw`!?\[([^\][]*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)`,
  String.raw`(https?://[^\s<>()"'\uE000]*[^\s<>()"'\uE000.,;:!?])`,
  `${OPENS}(\\d+)${CLOSES}`,
].join("|"), "gu");

function inline(text, marks, level = 0) {
  if (text.length > PARAGRAPH_CHARS_MAX || level > LEVELS_MAX) return [unmarked(text)];
  const made = [];
  let done = 0;
  for (const found of text.matchAll(SPAN)) {
    const [whole, sign, , code, strong, stars, underscores, words, address, bare, mark] = found;
    if (found.index > done) made.push(text.slice(done, found.index));
    done = found.index + whole.length;
    const inside = words => inline(words, marks, level + 1);
    if (sign !== undefined) made.push(sign);
    else if (code !== undefined) made.push(element("code", { dir: "ltr" }, unmarked(code)));
    else if (strong !== undefined) made.push(element("strong", {}, ...inside(strong)));
    else if (stars !== undefined) made.push(element("em", {}, ...inside(stars)));
    else if (underscores !== undefined) made.push(element("em", {}, ...inside(underscores)));
    else if (words !== undefined) made.push(link(address, ...inside(words)));
    else if (bare !== undefined) made.push(link(bare, bare));
    else made.push(citation(marks[Number(mark)]));
  }
  made.push(text.slice(done));
  return made;
}

function citation({ number, title, url }) {
  const shown = link(url, String(number));
  shown.title = title;
  shown.ariaLabel = `${number}: ${title}`;
  return element("sup", {}, shown);
}

/** A text without the places of its citations. */
const unmarked = text => text.replaceAll(/\uE000\d+\uE001/g, "");
