"""Where the gateway differs from the reference on purpose: each rule makes of the reference's answer the one we owe.

A rule sees one request and the reference's answer to it, or is asked before the reference is; it gives the answer that
the gateway must give, or None where it has nothing to say. Where the reference leaves its store in another state than
the gateway must, the rule sets it right, so that everything after is compared as well. A rule that is not needed in a run
has to go.
"""

import dataclasses
import json
from itertools import pairwise

from interpreter import faulty
from reading import REQUEST
from wire import Answer, refused

ROWS_MAX = 200
HIDDEN = ("hidden_context_item", "sdk_hidden_context")
LISTS = ("threads.list", "items.list")
SENTENCE = "any sentence"
# Tells the reference's host to stream widgets as our rule says.
WHOLE_WIDGETS = {"whole-widgets": "on"}
TABLE = []


class Rule:
    def __init__(self, moment, reason, function):
        self.moment, self.reason, self.function, self.times = moment, reason, function, 0

    def __call__(self, *arguments):
        changed = self.function(*arguments)
        self.times += changed is not None
        return changed


def rule(moment, reason):
    def add(function):
        TABLE.append(Rule(moment, reason, function))
        return function

    return add


def before(reason):
    """Asked before the reference is, which then is not: the answer is final."""
    return rule("before", reason)


def after(reason):
    """Given the reference's answer."""
    return rule("after", reason)


def apply(exchange, send):
    """The answer that is owed."""
    for one in TABLE:
        if one.moment == "before" and (answer := one(exchange)) is not None:
            return answer
    answer = send()
    for one in TABLE:
        if one.moment == "after" and (changed := one(exchange, answer)) is not None:
            answer = changed
    return answer


def params_of(exchange, *kinds):
    """The members of a valid request of these types, or None."""
    if exchange.valid and exchange.request["type"] in kinds:
        return exchange.request["params"]
    return None


# ------------------------------------------------------------------ requests that are refused

@before("An action needs a type; the reference puts an object of its own in its place.")
def action_without_type(exchange):
    params = params_of(exchange, "threads.custom_action", "threads.sync_custom_action")
    return refused("400") if params and "type" not in params["action"] else None


@before("The widget may leave out the data of a tag and send null as metadata; the reference fails.")
def lenient(exchange):
    request = exchange.request
    if exchange.valid or not isinstance(request, dict):
        return None
    mended = {name: value for name, value in request.items() if name != "metadata" or value is not None}
    params = request.get("params")
    asked = params.get("input") if isinstance(params, dict) else None
    content = asked.get("content") if isinstance(asked, dict) else None
    if isinstance(content, list):
        tags = [isinstance(part, dict) and part.get("type") == "input_tag" for part in content]
        content = [{"data": {}} | part if tag else part for part, tag in zip(content, tags)]
        mended["params"] = params | {"input": asked | {"content": content}}
    return exchange.again(mended) if mended != request and acceptable(mended) else None


def acceptable(request):
    try:
        REQUEST.validate_python(request)
    except ValueError:
        return False
    return True


@after("What is no request of the protocol is 400 with a sentence, not 500.")
def malformed(exchange, answer):
    return refused("400") if not exchange.valid and answer.status == 500 else None


@after("A negative limit is 400; the reference hands it to the store.")
def negative_limit(exchange, answer):
    params = params_of(exchange, *LISTS)
    return refused("400") if params and int(params.get("limit") or 0) < 0 else None


@after("What this server has no store or hook for, or audio that is not base64, is 400, not 500.")
def unsupported(exchange, answer):
    causes = ("RuntimeError: AttachmentStore is not configured", "NotImplementedError: transcribe()", "Error: ")
    kinds = ("attachments.create", "attachments.delete", "input.transcribe")
    asked = params_of(exchange, *kinds) is not None and answer.status == 500
    return refused("400") if asked and answer.raised.startswith(causes) else None


@after("What is not there is 404 with a sentence, not 500.")
def not_found(exchange, answer):
    return refused("404") if answer.status == 500 and answer.raised.startswith("NotFoundError: ") else None


@after("What is not there is 404 before the stream begins; the reference says 200, cuts the stream and leaves an empty thread.")
def not_found_streaming(exchange, answer):
    if not answer.cut or not answer.raised.startswith("NotFoundError: "):
        return None
    for event in answer.body:
        exchange.host.ask("threads.delete", thread_id=event["thread"]["id"])
    return refused("404")


@after("Items and feedback of a thread that is not there are 404; the reference does not look.")
def not_found_unseen(exchange, answer):
    params = params_of(exchange, "items.list", "items.feedback")
    if params is None or not answer.granted:
        return None
    thread = exchange.host.ask("threads.get_by_id", thread_id=params["thread_id"])
    return None if thread.granted else refused("404")


@after("An unknown cursor is the asker's mistake.")
def unknown_cursor(exchange, answer):
    return refused("4xx") if answer.status == 500 and answer.raised.startswith("UnknownCursor: ") else None


@after("An action on an item that is no widget, asked for one answer, is the asker's mistake.")
def sync_action_on_no_widget(exchange, answer):
    cause = "ValueError: threads.sync_custom_action requires a widget"
    return refused("4xx") if answer.status == 500 and answer.raised.startswith(cause) else None


@after("Answers to what is no open question are refused before the stream begins.")
def no_open_question(exchange, answer):
    asked = params_of(exchange, "threads.add_structured_input") is not None
    return refused("4xx") if asked and answer.cut and answer.raised.startswith("ValueError: ") else None


@before("A locked or closed thread takes no message, if the server is told so, and says it in the stream.")
def locked(exchange):
    params = params_of(exchange, "threads.add_user_message")
    if params is None or not exchange.refuses_locked or not all(map(exchange.has_attachment, params["input"]["attachments"])):
        return None
    thread = exchange.host.ask("threads.get_by_id", thread_id=params["thread_id"])
    if not thread.granted or thread.body["status"]["type"] == "active":
        return None
    return Answer(200, "text/event-stream", [{"type": "error", "code": "custom", "message": SENTENCE, "allow_retry": False}])


# ------------------------------------------------------------------ requests that mean more

@after("A tool's output goes to the newest pending call, whatever follows it; the reference looks at the last item only.")
def newest_pending_call(exchange, answer):
    params = params_of(exchange, "threads.add_client_tool_output")
    if params is None or not answer.cut or not answer.raised.startswith("ValueError: Last thread item"):
        return None
    thread_id, items = params["thread_id"], exchange.stored(params["thread_id"])
    calls = [place for place, item in enumerate(items) if item["type"] == "client_tool_call" and item["status"] == "pending"]
    if not calls:
        return refused("4xx")
    # The call stands last while the reference answers, and is put back where it was.
    call = items[calls[-1]]
    exchange.store(thread_id, [item for item in items if item["id"] != call["id"]] + [call])
    answer = exchange.send(exchange.request)
    left = exchange.stored(thread_id)
    call = next(item for item in left if item["id"] == call["id"])
    behind = {item["id"] for item in items[calls[-1] + 1 :]}
    left = [item for item in left if item["id"] != call["id"]]
    place = next((place for place, item in enumerate(left) if item["id"] in behind), len(left))
    exchange.store(thread_id, [*left[:place], call, *left[place:]])
    return answer


@after("Another try after an item that is no message of the reader goes back to the nearest message before it.")
def retry_walks_back(exchange, answer):
    params = params_of(exchange, "threads.retry_after_item")
    if params is None or not answer.cut or not answer.raised.endswith("is not a user message"):
        return None
    earlier = []
    for item in exchange.stored(params["thread_id"]):
        if item["id"] == params["item_id"]:
            break
        earlier.append(item)
    questions = [item["id"] for item in earlier if item["type"] == "user_message"]
    if not questions:
        return refused("4xx")
    return exchange.send(exchange.request | {"params": params | {"item_id": questions[-1]}})


@after("Another try after an item that is not there is 404; the reference's stream is empty.")
def retry_unknown(exchange, answer):
    asked = params_of(exchange, "threads.retry_after_item") is not None
    return refused("404") if asked and answer.granted and not answer.cut and answer.body == [] else None


@after("A page has at most 200 rows.")
def clamped(exchange, answer):
    params = params_of(exchange, *LISTS)
    if params is None or not answer.granted or len(answer.body["data"]) <= ROWS_MAX:
        return None
    return exchange.send(exchange.request | {"params": params | {"limit": ROWS_MAX}})


@after("The item that a sync action updates is stored; the reference leaves that to the hook.")
def sync_action_stores(exchange, answer):
    params = params_of(exchange, "threads.sync_custom_action")
    if params is None or not answer.granted or "updated_item" not in answer.body:
        return None
    updated, items = answer.body["updated_item"], exchange.stored(params["thread_id"])
    known = any(item["id"] == updated["id"] for item in items)
    items = [updated if item["id"] == updated["id"] else item for item in items]
    exchange.store(params["thread_id"], items if known else [*items, updated])
    return answer


# ------------------------------------------------------------------ what is sent and kept

@after("What was shown of an answer is kept when the turn fails; the reference forgets it.")
def partial_text(exchange, answer):
    return keep_shown(exchange, answer) if answer.unfinished else None


@after("So it is when the turn ends well and never said that the answer was done, which the protocol leaves open.")
def text_never_done(exchange, answer):
    return None if answer.unfinished else keep_shown(exchange, answer)


def keep_shown(exchange, answer):
    if not answer.streams or not answer.granted or answer.cut or answer.left:
        return None
    shown = [item for item in unfinished_messages(answer.body) if any(part["text"].strip() for part in item["content"])]
    if not shown:
        return None
    thread_id = next((event["thread"]["id"] for event in answer.body if event["type"] == "thread.created"), None)
    thread_id = thread_id or exchange.request["params"]["thread_id"]
    exchange.store(thread_id, exchange.stored(thread_id) + shown)
    return answer


def unfinished_messages(events):
    """The assistant's messages that were begun and not done, with the text that was shown of them."""
    open_items = {}
    for event in events:
        kind = event["type"]
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        if kind == "thread.item.added":
            open_items[item_id] = event["item"] | {"content": list(event["item"].get("content", []))}
        elif kind in ("thread.item.done", "thread.item.removed", "thread.item.replaced"):
            open_items.pop(item_id, None)
        elif kind == "thread.item.updated" and event["update"]["type"].startswith("assistant_message."):
            item = open_items.get(item_id)
            if item and item["type"] == "assistant_message":
                update_message(item["content"], event["update"])
    return [item for item in open_items.values() if item["type"] == "assistant_message"]


def update_message(content, update):
    index = update["content_index"]
    while len(content) <= index:
        content.append({"type": "output_text", "text": "", "annotations": []})
    match update["type"].rpartition(".")[2]:
        case "added" | "done":
            content[index] = update["content"]
        case "text_delta":
            content[index] = content[index] | {"text": content[index]["text"] + update["delta"]}
        case "annotation_added":
            annotations = list(content[index]["annotations"])
            annotations.insert(update["annotation_index"], update["annotation"])
            content[index] = content[index] | {"annotations": annotations}


@after("Hidden items are not sent, in no event and in no answer.")
def hidden(exchange, answer):
    if not answer.granted or not isinstance(answer.body, (list, dict)):
        return None
    if isinstance(answer.body, dict):
        shown = answer.body.get("updated_item")
        return Answer(200, answer.type, {}) if shown and shown["type"] in HIDDEN else None
    kept = [event for event in answer.body if event.get("item", {}).get("type") not in HIDDEN]
    return replaced(answer, kept) if len(kept) < len(answer.body) else None


@after("An attachment that belongs to a message is not uploaded any more.")
def no_upload_descriptor(exchange, answer):
    found = []

    def without(value):
        if isinstance(value, list):
            return [without(element) for element in value]
        if not isinstance(value, dict):
            return value
        if "mime_type" in value and "thread_id" in value and "upload_descriptor" in value:
            found.append(value)
            value = {name: inner for name, inner in value.items() if name != "upload_descriptor"}
        return {name: without(inner) for name, inner in value.items()}

    body = without(answer.body) if answer.granted else None
    return replaced(answer, body) if found else None


@before("A widget that grows where the reference's differ does not see it, or fails, is sent whole.")
def whole_widgets(exchange):
    if not exchange.valid or WHOLE_WIDGETS.items() <= exchange.headers.items():
        return None
    # The script of an older message may be what is played.
    again = params_of(exchange, "threads.add_client_tool_output", "threads.add_structured_input", "threads.retry_after_item")
    streamed = streamed_widgets(exchange.stored(again["thread_id"]) if again else exchange.request)
    lost = any(faulty(*pair) for states in streamed for pair in pairwise(states))
    return exchange.again(exchange.request, WHOLE_WIDGETS) if lost else None


def streamed_widgets(value):
    """The states of each widget that a request's scripts stream."""
    if isinstance(value, str) and "stream_widget" in value:
        try:
            yield from streamed_widgets(json.loads(value))
        except ValueError:
            return
    elif isinstance(value, list):
        for element in value:
            yield from streamed_widgets(element)
    elif isinstance(value, dict):
        if isinstance(step := value.get("stream_widget"), dict):
            yield step["states"]
        for inner in value.values():
            yield from streamed_widgets(inner)


def replaced(answer, body):
    return dataclasses.replace(answer, body=body)


# ------------------------------------------------------------------ what only both answers together show

UTC = Rule("together", "Times are UTC and say so; the reference writes its machine's, without a zone.", None)
FIRST_PAGE = Rule("together", "A thread may come with more than its first 20 items; the reference always stops there.", None)
HIDDEN_PAGES = Rule("together", "Hidden items are taken out before a page is cut; all pages together are the same.", None)
TABLE += [UTC, FIRST_PAGE, HIDDEN_PAGES]
