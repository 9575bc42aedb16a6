// The page at `/`: a small client of the ChatKit protocol, as a widget would speak it.
//
// What a reader or a model wrote becomes text of elements and nothing else: `innerHTML` is used nowhere.

import { element, link, markdown } from "./markdown.js";

const say = document.body.dataset;
const at = id => document.getElementById(id);
const [conversation, question, progress, hint] = ["conversation", "question", "status", "hint"].map(at);
const threads = document.querySelector("#threads ul");

/** The thread that is shown; none before its first message. */
let threadId = null;
/** What ends the connection of the answer that is on its way; nothing between two answers. */
let answering = null;
/** Whether the reader has stopped it. */
let isStopped = false;
/** The items that are shown, by id: `{ item, shown }`. */
const items = new Map();

// --- The protocol ---

/** What the server said in place of an answer. */
class Refusal extends Error {}

async function send(type, params, signal) {
  const request = () => fetch(say.chatkit, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type, params }),
    signal,
  });
  let answer = await request();
  // A cookie that is not good any more is taken back by the very answer that says so.
  if (answer.status === 401) answer = await request();
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refusal(told.message ?? `${answer.status} ${answer.statusText}`);
}

const ask = async (type, params) => (await send(type, params)).json();

async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const frames = (unread + read.value).split("\n\n");
    unread = frames.pop();
    for (const frame of frames) {
      if (frame.startsWith("data: ")) yield JSON.parse(frame.slice("data: ".length));
    }
  }
}

/** Changes an item as an update says. */
function apply(item, update) {
  const [subject, ...rest] = update.type.split(".");
  if (subject === "assistant_message") {
    const part = () => item.content[update.content_index] ??= { text: "", annotations: [] };
    switch (rest.join(".")) {
      case "content_part.added": case "content_part.done": item.content[update.content_index] = update.content; break;
      case "content_part.text_delta": part().text += update.delta; break;
      case "content_part.annotation_added":
        part().annotations.splice(update.annotation_index, 0, update.annotation); break;
    }
  }
  if (subject === "workflow") item.workflow.tasks[update.task_index] = update.task;
}

// --- What is shown ---

/** What an item looks like now; nothing for what only programs see. */
function look(item) {
  switch (item.type) {
    case "user_message":
      return message("reader", say.reader, element("div", { className: "text", dir: "auto" },
        item.content.map(part => part.text).join("")));
    case "assistant_message": return message("tutor", say.tutor, ...item.content.flatMap(answer));
    case "workflow": return message("workflow", say.tutor, workflow(item.workflow));
    case "client_tool_call": case "end_of_turn": case "hidden_context_item": case "sdk_hidden_context": return null;
    default: return message("workflow", say.tutor, element("p", {}, `${say.other} ${item.type}`));
  }
}

const message = (kind, by, ...shown) =>
  element("li", { className: kind }, element("span", { className: "by" }, by), ...shown);

/** A part of an answer: its text with marks where it cites, and what it cites. */
function answer(part) {
  const cited = part.annotations ?? [];
  const name = source => source.url ?? source.filename ?? source.id;
  const sources = [...new Map(cited.map(({ source }) => [name(source), source])).values()];
  const marks = cited.map(({ index, source }) => {
    const number = sources.findIndex(other => name(other) === name(source)) + 1;
    return { at: index ?? part.text.length, number, title: source.title, url: source.url };
  });
  const text = element("div", {}, markdown(part.text, marks));
  if (!sources.length) return [text];
  const listed = sources.map(source => element("li", { dir: "auto" }, link(source.url, source.title)));
  return [text, element("section", { className: "sources" },
    element("h2", {}, say.sources), element("ol", {}, ...listed))];
}

function workflow({ summary, tasks }) {
  const steps = tasks.filter(Boolean);
  const title = summary?.title ?? steps.at(-1)?.title ?? "";
  const step = task => element("li", { dir: "auto" }, task.title ?? task.content ?? task.type,
    ...(task.sources ?? []).flatMap(source => [" · ", link(source.url, source.title)]));
  return element("details", {}, element("summary", { dir: "auto" }, title), element("ul", {}, ...steps.map(step)));
}

/** Puts an item where it belongs, or draws it again. */
function show(item) {
  const known = items.get(item.id);
  const shown = look(item);
  items.set(item.id, { item, shown });
  if (!shown) return known?.shown?.remove();
  if (known?.shown) {
    // Whoever opened the steps wants them to stay open.
    const [was, is] = [known.shown, shown].map(li => li.querySelector("details"));
    if (was?.open && is) is.open = true;
    known.shown.replaceWith(shown);
  } else {
    keepingAtTheEnd(() => conversation.append(shown));
  }
  hint.hidden = true;
}

const waiting = new Set();

/** Draws an item again with the next frame, however many updates come until then. */
function showSoon(item) {
  if (!waiting.size) {
    requestAnimationFrame(() => keepingAtTheEnd(() => {
      // What was completed meanwhile is drawn as it is now.
      for (const id of waiting) if (items.has(id)) show(items.get(id).item);
      waiting.clear();
    }));
  }
  waiting.add(item.id);
}

/** A reader who looks at the end goes on looking at it. */
function keepingAtTheEnd(change) {
  const { scrollHeight, scrollTop, clientHeight } = conversation;
  const atEnd = scrollHeight - scrollTop - clientHeight < 80;
  change();
  if (atEnd) conversation.scrollTop = conversation.scrollHeight;
}

function remove(id) {
  items.get(id)?.shown?.remove();
  items.delete(id);
}

function clear() {
  items.clear();
  waiting.clear();
  conversation.replaceChildren();
  progress.textContent = "";
  hint.hidden = false;
}

function complain(sentence, again) {
  const button = again && element("button", { type: "button", onclick: again }, say.retry);
  const shown = element("li", { className: "error", role: "alert" },
    element("span", { dir: "auto" }, sentence), ...(button ? [button] : []));
  keepingAtTheEnd(() => conversation.append(shown));
  hint.hidden = true;
}

// --- Answers ---

/** Carries out a request that is answered by a stream. Whether the server has the question now. */
async function follow(type, params) {
  for (const complaint of conversation.querySelectorAll(".error")) complaint.remove();
  [answering, isStopped] = [new AbortController(), false];
  working(true);
  let kept = type === "threads.retry_after_item";
  // What was not kept is back in the box by the time that somebody wants it sent again.
  const again = () => (kept ? retry() : submit());
  let after = say.complete;
  try {
    for await (const event of events(await send(type, params, answering.signal))) {
      kept ||= event.item?.type === "user_message";
      if (event.type === "error") {
        after = "";
        complain(event.message ?? say.away, event.allow_retry ? again : null);
      } else {
        hear(event);
      }
    }
    progress.textContent = isStopped ? say.stopped : after;
  } catch (error) {
    progress.textContent = isStopped ? say.stopped : "";
    if (error.name !== "AbortError") complain(error instanceof Refusal ? error.message : say.away, again);
  }
  answering = null;
  working(false);
  await list();
  return kept;
}

function hear(event) {
  switch (event.type) {
    case "thread.created": enter(event.thread.id); break;
    case "thread.updated": list(); break;
    case "thread.item.added": case "thread.item.done": case "thread.item.replaced": show(event.item); break;
    case "thread.item.removed": remove(event.item_id); break;
    case "thread.item.updated": {
      const known = items.get(event.item_id);
      if (!known) break;
      apply(known.item, event.update);
      showSoon(known.item);
      if (event.update.delta) progress.textContent = "";
      break;
    }
    case "progress_update": progress.textContent = event.text; break;
    case "notice": progress.textContent = event.message; break;
  }
}

function working(is) {
  conversation.ariaBusy = String(is);
  at("send").hidden = is;
  at("stop").hidden = !is;
  if (is) progress.textContent = say.thinking;
}

async function submit() {
  const text = question.value.trim();
  if (!text || answering) return;
  question.value = "";
  const input = { content: [{ type: "input_text", text }], attachments: [], inference_options: {} };
  const kept = threadId
    ? await follow("threads.add_user_message", { thread_id: threadId, input })
    : await follow("threads.create", { input });
  // What the server did not take is the reader's to send again.
  if (!kept && !question.value) question.value = text;
}

/** Has the last question answered once more. */
async function retry() {
  if (answering) return;
  const shown = [...items.values()];
  const last = shown.findLastIndex(({ item }) => item.type === "user_message");
  if (last < 0) return submit();
  for (const { item } of shown.slice(last + 1)) remove(item.id);
  await follow("threads.retry_after_item", { thread_id: threadId, item_id: shown[last].item.id });
}

async function stop() {
  if (!answering) return;
  isStopped = true;
  if (!threadId) return answering.abort();
  await fetch(`${say.chatkit}/threads/${threadId}/stop`, { method: "POST" }).catch(() => answering?.abort());
}

// --- Threads ---

/** Shows which thread is open, in the list and in the address. */
function enter(id) {
  threadId = id;
  history.replaceState(null, "", id ? `#${id}` : location.pathname);
  for (const button of threads.querySelectorAll("button[data-id]")) {
    if (button.dataset.id === id) button.ariaCurrent = "true";
    else button.removeAttribute("aria-current");
  }
}

async function list() {
  // The answer to this request also brings a new reader the cookie by which they are known again.
  const page = await ask("threads.list", { limit: 50, order: "desc" }).catch(() => null);
  if (!page) return;
  threads.replaceChildren(...page.data.map(thread => {
    const began = new Date(thread.created_at);
    const when = { dateStyle: "medium", timeStyle: "short" };
    const title = thread.title || began.toLocaleString(document.documentElement.lang, when);
    const opener = element("button", { type: "button", dir: "auto", onclick: () => open(thread.id) }, title);
    opener.dataset.id = thread.id;
    const away = element("button", { type: "button", onclick: () => forget(thread.id) }, "×");
    away.ariaLabel = `${say.delete}: ${title}`;
    return element("li", {}, opener, away);
  }));
  enter(threadId);
}

async function open(id) {
  menu(false);
  leave();
  clear();
  enter(id);
  try {
    let page = (await ask("threads.get_by_id", { thread_id: id })).items;
    for (;;) {
      if (threadId !== id) return;
      page.data.forEach(show);
      if (!page.has_more) break;
      page = await ask("items.list", { thread_id: id, limit: 100, order: "asc", after: page.after });
    }
    conversation.scrollTop = conversation.scrollHeight;
  } catch (error) {
    enter(null);
    complain(error instanceof Refusal ? error.message : say.away);
  }
}

/** The reader looks elsewhere; the answer is written to its end without them. */
function leave() {
  answering?.abort();
}

function begin() {
  menu(false);
  leave();
  clear();
  enter(null);
  question.focus();
}

async function forget(id) {
  if (!confirm(say.sure)) return;
  await ask("threads.delete", { thread_id: id }).catch(error => complain(error.message));
  if (threadId === id) begin();
  await list();
}

function menu(isOpen) {
  at("threads").classList.toggle("open", isOpen);
  at("menu").ariaExpanded = String(isOpen);
}

// --- The page ---

at("composer").addEventListener("submit", event => {
  event.preventDefault();
  submit();
});
question.addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") stop();
});
at("stop").addEventListener("click", stop);
at("new").addEventListener("click", begin);
at("menu").addEventListener("click", () => menu(at("menu").ariaExpanded !== "true"));
addEventListener("hashchange", () => {
  const id = location.hash.slice(1);
  if (id && id !== threadId) open(id);
});

at("send").disabled = true;
threadId = location.hash.slice(1) || null;
await list();
at("send").disabled = false;
if (threadId) await open(threadId);
