"""Does the reference understand us? Real answers of the gateway are read with the types of `openai-chatkit`.

Whatever the gateway sends must be accepted by the reference's types, and must be what the reference would have written
for the same value: each event and each body is parsed, serialised again as the reference's server does, and compared.
A member that the reference does not know, or would have left out, is a difference. The order of members is none, and but
for widgets (see `reading.py`) nothing needs an exception: given a time with a zone, the reference writes UTC with `Z` as
the gateway does.

    python oracle.py PATH-OF-THE-PROGRAM
"""

import json
import sys

from pydantic import ValidationError

from gateway import Gateway
from reading import EVENT, ITEMS, NOTHING, REQUEST, THREAD, THREADS, Difference, compare, frames


def message(text, **more):
    return {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}} | more


TAGGED = message("", inference_options={"model": "m", "tool_choice": {"id": "t"}}) | {
    "content": [
        {"type": "input_text", "text": "What is "},
        {"type": "input_tag", "id": "urdf", "text": "URDF", "data": {"week": None}, "interactive": True},
    ]
}


def thread(**more):
    """The members of a request about the thread that was made first."""
    return lambda seen: {"thread_id": seen["thread"]} | more


def question(**more):
    """The same, about its newest message of the reader."""
    return lambda seen: {"thread_id": seen["thread"], "item_id": seen["question"]} | more


def judged(seen):
    return {"thread_id": seen["thread"], "item_ids": [seen["question"]], "kind": "positive"}


# A row an exchange: what it shows, the type of the request and its members (given what was seen so far), the type of the
# answer (EVENT: a stream of them), and how to look at it more closely.
EXCHANGES = [
    ("a new thread", "threads.create", lambda _: {"input": message("What is the zero moment point?")}, EVENT, "answered"),
    ("a follow-up", "threads.add_user_message", thread(input=message("And how does a robot use it?")), EVENT, "answered"),
    ("on a quotation", "threads.add_user_message", thread(input=message("What is this?", quoted_text="A PID loop.")), EVENT, "finished"),
    ("not in the book", "threads.add_user_message", thread(input=message("Who won in 1998? 🤖 روبوٹ")), EVENT, "finished"),
    ("a tag and options", "threads.add_user_message", thread(input=TAGGED), EVENT, "finished"),
    ("another try", "threads.retry_after_item", question(), EVENT, "finished"),
    ("a thread", "threads.get_by_id", thread(), THREAD, "json"),
    ("a title", "threads.update", thread(title="Balance ⚖️"), THREAD, "json"),
    ("all threads", "threads.list", lambda _: {"limit": 9999, "order": "desc"}, THREADS, "one_row"),
    ("oldest first", "items.list", thread(limit=9999, order="asc"), ITEMS, "json"),
    ("a page, and more behind it", "items.list", thread(limit=2, order="desc"), ITEMS, "cut_page"),
    ("a good answer", "items.feedback", judged, NOTHING, "json"),
    ("a deletion", "threads.delete", thread(), NOTHING, "json"),
]

# The same with a model that nobody can reach.
EXCHANGES_WITHOUT_MODEL = [
    ("no model", "threads.create", lambda _: {"input": message("What is a sensor?")}, EVENT, "failed"),
]


def check(condition, sentence):
    if not condition:
        raise Difference(sentence)


class Look:
    """A closer look at an answer, by the name in the table."""

    @staticmethod
    def json(seen, body):
        pass

    @staticmethod
    def one_row(seen, body):
        check([row["id"] for row in body["data"]] == [seen["thread"]], "the list is not this visitor's one thread")

    @staticmethod
    def cut_page(seen, body):
        check(len(body["data"]) == 2 and body["has_more"] and body["after"] == body["data"][-1]["id"], "the page does not say where it goes on")

    @staticmethod
    def finished(seen, events):
        for event in events:
            check(event["type"] != "error", f"the turn failed: {event}")
            if event["type"] == "thread.created":
                seen["thread"] = event["thread"]["id"]
            if event["type"] == "thread.item.done" and event["item"]["type"] == "user_message":
                seen["question"] = event["item"]["id"]
        answers = [event["item"] for event in events if event["type"] == "thread.item.done" and event["item"]["type"] == "assistant_message"]
        check(answers, "there is no answer")
        for answer in answers:
            Look.written(answer, [event["update"] for event in events if event.get("item_id") == answer["id"]])
        return answers

    @staticmethod
    def answered(seen, events):
        annotations = [annotation for answer in Look.finished(seen, events) for part in answer["content"] for annotation in part["annotations"]]
        check(annotations, "the answer cites nothing")

    @staticmethod
    def failed(seen, events):
        last = events[-1]
        check(last["type"] == "error" and last["code"] == "custom" and last["message"] and last["allow_retry"], f"no error with a sentence at the end: {last}")

    @staticmethod
    def written(answer, updates):
        """What was shown piece by piece is what is kept, and each citation points into it."""
        for index, part in enumerate(answer["content"]):
            mine = [update for update in updates if update.get("content_index") == index]
            shown = "".join(update["delta"] for update in mine if update["type"].endswith("text_delta"))
            check(shown == part["text"], f"the deltas say {shown!r}, the item {part['text']!r}")
            added = [update["annotation"] for update in mine if update["type"].endswith("annotation_added")]
            check(added == part["annotations"], "the citations that were shown are not the ones that are kept")
            # Places in a text are counted in UTF-16 code units, as the browser counts them.
            length = len(part["text"].encode("utf-16-le")) // 2
            check(all(0 <= annotation["index"] <= length for annotation in added), "a citation points past its text")


def exchange(gateway, visitor, seen, kind, params, adapter, look):
    request = json.dumps({"type": kind, "params": params}).encode()
    REQUEST.validate_json(request)
    status, content_type, body = gateway.post("/chatkit", request, {"Content-Type": "application/json", **visitor})
    check(status == 200, f"status {status}: {body.decode()}")
    if adapter is EVENT:
        check(content_type.startswith("text/event-stream"), f"the content type is {content_type!r}")
        answer = [compare(adapter, frame) for frame in frames(body)]
    else:
        check(content_type.startswith("application/json"), f"the content type is {content_type!r}")
        answer = compare(adapter, body)
    getattr(Look, look)(seen, answer)
    return len(answer) if adapter is EVENT else 1


def run(gateway, exchanges):
    token = json.loads(gateway.post("/visitor")[2])
    visitor, seen, passed = {token["header"]: token["token"]}, {}, 0
    for name, kind, params, adapter, look in exchanges:
        try:
            values = exchange(gateway, visitor, seen, kind, params(seen), adapter, look)
        except (Difference, ValidationError, KeyError) as error:
            print(f"FAIL {kind}: {name}\n    {error if not isinstance(error, KeyError) else f'no {error} was seen before'}")
        else:
            print(f"ok   {kind}: {name} ({values} {'events' if adapter is EVENT else 'body'})")
            passed += 1
    return passed, len(exchanges) - passed


def main(program):
    results = []
    with Gateway(program) as gateway:
        results.append(run(gateway, EXCHANGES))
    with Gateway(program, OPENAI_BASE_URL="http://127.0.0.1:1/v1") as gateway:
        results.append(run(gateway, EXCHANGES_WITHOUT_MODEL))
    passed, failed = map(sum, zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
