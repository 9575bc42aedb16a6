"""Two servers on one stage: each step of a scene is played to both, and what they answer and keep is compared."""

import difflib
import json
import time

import deliberate
import scenes
from normal import Normal
from reading import REQUEST, Difference, same
from wire import Answer

PAGES_MAX = 500
LINES_SHOWN_MAX = 80
# What a client left alone may take so long until it is stored.
SETTLE_SECONDS_MAX = 5
# What did not change for so long has settled: longer than a script of a scene pauses.
STILL_SECONDS = 0.9


class Side:
    """One server and what it has shown in the scene at hand."""

    def __init__(self, host, strict):
        self.host, self.strict = host, strict
        self.begin()

    def begin(self):
        self.memory, self.normal = scenes.Memory(), Normal(self.strict)

    def ask(self, body, **how):
        return self.host.send(body, **how)

    def play(self, step):
        if "walk" in step:
            return self.walk(self.memory.fill(step["walk"]), step.get("by"))
        how = {"method": step.get("method", "POST"), "headers": step.get("headers")}
        return self.ask(self.memory.body(step), **how, events_wanted=step.get("cancel_after_events"))

    def walk(self, request, by=None):
        """All rows of a list, as one answer."""
        rows = []
        for _ in range(PAGES_MAX):
            answer = self.ask(json.dumps(request).encode())
            if not answer.granted:
                return answer
            page = answer.body.get("items", answer.body)
            rows += page["data"]
            if page["has_more"] != ("after" in page):
                raise Difference(f"a page of {self.host.name} has both no cursor and more behind it, or neither: {page}")
            if not page["has_more"]:
                return Answer(200, answer.type, rows)
            if request["type"] == "threads.get_by_id":
                request = {"type": "items.list", "params": {"thread_id": request["params"]["thread_id"], "order": "asc"}}
            after = page["data"][-1]["id"] if by == "last_id" and page["data"] else page["after"]
            request = request | {"params": request["params"] | {"after": after}}
        raise Difference(f"the pages of {self.host.name} do not end")

    def rest(self, request, answer):
        """An answer with a page of items, as all rows from there on."""
        page, asked = answer.body.get("items", answer.body), self.memory.fill(request)["params"]
        others = {name: value for name, value in answer.body.items() if name not in ("items", *page)}
        rows = page["data"]
        if page["has_more"]:
            order = "asc" if request["type"] == "threads.get_by_id" else asked.get("order", "desc")
            further = {"thread_id": asked["thread_id"], "order": order, "after": page["after"]}
            rows = rows + self.walk({"type": "items.list", "params": further}).body
        return Answer(answer.status, answer.type, others | {"rows": rows})


class Ours(Side):
    """Our side, all of whose answers the reference's types must understand."""

    def __init__(self, host, tally):
        super().__init__(host, strict=True)
        self.tally = tally

    def ask(self, body, **how):
        answer = super().ask(body, **how)
        if answer.granted:
            kind = json.loads(body)["type"]
            for value in answer.body if answer.streams else [answer.body]:
                self.tally.take(kind, json.dumps(value).encode())
        return answer


class Reference(Side):
    """The reference, whose answers are turned into those that we owe."""

    def __init__(self, host, refuses_locked):
        self.refuses_locked = refuses_locked
        super().__init__(host, strict=False)

    def ask(self, body, *, headers=None, **how):
        exchange = Exchange(self, body, headers or {})
        return deliberate.apply(exchange, lambda: self.host.send(body, headers=headers, **how))

    def hides(self, request):
        """Whether something in a thread is there and not shown."""
        stored = Exchange(self, b"", {}).stored(self.memory.fill(request)["params"]["thread_id"])
        return any(item["type"] in deliberate.HIDDEN for item in stored)


class Exchange:
    """One request to the reference, as the rules see it."""

    def __init__(self, side, body, headers):
        self.side, self.host, self.refuses_locked, self.headers = side, side.host, side.refuses_locked, headers
        try:
            self.request = json.loads(body)
        except (ValueError, RecursionError):
            self.request = None
        try:
            REQUEST.validate_json(body)
            self.valid = True
        except ValueError:
            self.valid = False

    def send(self, request):
        """The reference's own answer to another request."""
        return self.host.send(json.dumps(request).encode(), headers=self.headers)

    def again(self, request, headers=None):
        """The answer that is owed to another request."""
        return self.side.ask(json.dumps(request).encode(), headers=self.headers | (headers or {}))

    def has_attachment(self, attachment_id):
        return self.host.send(None, method="GET", path=f"/attachments/{attachment_id}").granted

    def stored(self, thread_id):
        """All items of a thread, hidden ones included, oldest first."""
        return self.host.send(None, method="GET", path=f"/items/{thread_id}").body

    def store(self, thread_id, items):
        # What is null is left out when it is written, and yet the reference reads no hidden item without its content.
        items = [{"content": None} | item if item["type"] == "hidden_context_item" else item for item in items]
        answer = self.host.send(json.dumps(items).encode(), method="PUT", path=f"/items/{thread_id}")
        if not answer.granted:
            raise Difference(f"the reference did not store {items}: {answer.body}")


class Stage:
    """Two servers that play the same scenes."""

    def __init__(self, theirs, ours):
        self.theirs, self.ours = theirs, ours

    def play(self, scene):
        """Plays a scene; gives what differs, as text, or nothing."""
        for side in (self.theirs, self.ours):
            side.begin()
        where = "before the first step"
        try:
            for number, step in enumerate(scene.steps):
                where = f"step {number}: {title(step)}"
                self.step(step)
            where = "what is stored at the end"
            # A client that went away may have left a turn behind.
            self.stored(wait=any("cancel_after_events" in step for step in scene.steps))
        except Difference as difference:
            return f"{where}\n{difference}"
        finally:
            self.clear()
        return None

    def step(self, step):
        if "wait_ms" in step:
            time.sleep(step["wait_ms"] / 1000)
            return
        for _ in range(step.get("repeat", 1)):
            theirs, ours = self.agreed(lambda side: side.play(step), step.get("request"), wait="within_ms" in step)
            self.theirs.memory.learn(step, theirs)
            self.ours.memory.learn(step, ours)

    def stored(self, wait):
        """Compares all that the scene left in both stores."""
        requests = [{"type": "threads.list", "params": {"order": "asc"}}]
        for number in range(len(self.theirs.memory.seen.get("thread", []))):
            thread = {"thread_id": f"$seen:thread:{number}"}
            requests.append({"type": "threads.get_by_id", "params": thread})
            requests.append({"type": "items.list", "params": thread | {"order": "asc", "limit": 7}})
            requests.append({"type": "items.list", "params": thread | {"limit": 50}})
        for place, request in enumerate(requests):
            self.agreed(lambda side, request=request: side.walk(side.memory.fill(request)), wait=wait and place < 2)

    def agreed(self, play, request=None, wait=False):
        """Both answers, which must be the same; if there is something to wait for, for a while."""
        began, still, last = time.monotonic(), None, None
        while True:
            answers = play(self.theirs), play(self.ours)
            shown = self.shown(*answers)
            if not same(*shown) and (uncut := self.uncut(request, *answers)):
                rule, *lists = uncut
                shown = self.shown(*lists)
                rule.times += same(*shown)
            now = time.monotonic()
            if not same(*shown) and not (wait and now - began < SETTLE_SECONDS_MAX):
                raise Difference(both(*shown))
            still = now if still is None or shown[0] != last or not same(*shown) else still
            last = shown[0]
            if same(*shown) and (not wait or now - still > STILL_SECONDS):
                self.theirs.normal, self.ours.normal = self.forms
                deliberate.UTC.times += self.theirs.normal.times_without_zone > 0
                return answers
            time.sleep(0.05)

    def shown(self, theirs, ours):
        """Both answers in one form. The identifiers that are new in it are known once the answers are agreed on."""
        self.forms = self.theirs.normal.copy(), self.ours.normal.copy()
        shown = [form.answer(answer) for form, answer in zip(self.forms, (theirs, ours))]
        if shown[0].get("refused") == "4xx" and shown[1].get("refused", "").startswith("4"):
            shown[1]["refused"] = "4xx"
        for owed, told in zip(shown[0].get("events", []), shown[1].get("events", [])):
            if owed.get("message") == deliberate.SENTENCE and isinstance(told.get("message"), str) and told["message"]:
                told["message"] = deliberate.SENTENCE
        return shown

    def uncut(self, request, theirs, ours):
        """Both answers with all rows from there on instead of one page, and the rule for it, if pages may be cut otherwise."""
        kind = request.get("type") if isinstance(request, dict) else None
        listed = theirs.granted and ours.granted and kind in ("threads.get_by_id", "items.list")
        if not listed or not isinstance(self.theirs, Reference):
            return None
        if kind == "threads.get_by_id":
            rule = deliberate.FIRST_PAGE if theirs.body["items"]["has_more"] else None
        else:
            rule = deliberate.HIDDEN_PAGES if self.theirs.hides(request) else None
        return rule and (rule, self.theirs.rest(request, theirs), self.ours.rest(request, ours))

    def clear(self):
        """Leaves two empty stores to the next scene."""
        for side in (self.theirs, self.ours):
            for attachment_id in side.memory.seen.get("attachment", []):
                side.host.ask("attachments.delete", attachment_id=attachment_id)
            while rows := side.host.ask("threads.list", limit=100).body["data"]:
                for row in rows:
                    side.host.ask("threads.delete", thread_id=row["id"])


def title(step):
    request = step.get("request") or step.get("walk") or {}
    return request.get("type", "a request") if isinstance(request, dict) else "a request"


def both(theirs, ours):
    """A difference as a person wants to see it."""
    texts = [json.dumps(shown, indent=1, ensure_ascii=False, sort_keys=True).splitlines() for shown in (theirs, ours)]
    lines = list(difflib.unified_diff(*texts, "owed, by the reference", "ours", lineterm="", n=6))
    return "\n".join(lines[:LINES_SHOWN_MAX] + ["…"] * (len(lines) > LINES_SHOWN_MAX))
