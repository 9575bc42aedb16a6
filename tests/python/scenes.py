"""Scenes to be played to two servers, and what each side remembers while it plays: identifiers, by name and by kind.

A scene has a name, the options its server needs, and steps. A step is one of the conformance cases, whose format it has:
a request, raw bytes, a walk from page to page, or a pause. What a case expects is not looked at here, but for the names
that it gives to identifiers. Beside `$cap:NAME` a step may say `$seen:KIND:N`, which is the Nth identifier of such an
item, thread, attachment or cursor that this side has been shown, counted round and round.
"""

import base64
import json
from dataclasses import dataclass, field

FEATURES = {"attachments", "transcribe", "refuse_locked", "stream_widget"}
UNSEEN = {"thread": "thr_never_seen", "attachment": "atc_never_seen"}
OPENINGS = {"@created": "thread", "@user": "user"}


@dataclass
class Scene:
    name: str
    steps: list
    needs: list = field(default_factory=list)

    def fits(self, features):
        return all((need.lstrip("!") in features) != need.startswith("!") for need in self.needs)


def cases(folder):
    """The scenes of the conformance cases."""
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        yield Scene(case["name"], case["steps"], case.get("needs", []))


class Memory:
    """What one side has been shown in a scene."""

    def __init__(self):
        self.names, self.seen = {}, {}

    def fill(self, template):
        """A request with this side's identifiers and with its scripts as text."""
        if isinstance(template, list):
            return [self.fill(element) for element in template]
        if isinstance(template, dict):
            if set(template) == {"$script"}:
                return json.dumps(self.fill(template["$script"]), ensure_ascii=False, separators=(",", ":"))
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, str) and template.startswith("$cap:"):
            return self.names.get(template.removeprefix("$cap:"), "msg_never_named")
        if isinstance(template, str) and template.startswith("$seen:"):
            _, kind, number = template.split(":")
            known = self.seen.get(kind)
            return known[int(number) % len(known)] if known else UNSEEN.get(kind, "msg_never_seen")
        return template

    def body(self, step):
        """The bytes of a step's request."""
        if "raw_body_base64" in step:
            return base64.b64decode(step["raw_body_base64"])
        if "raw_body" in step:
            parts = step["raw_body"] if isinstance(step["raw_body"], list) else [step["raw_body"]]
            return "".join(part if isinstance(part, str) else part["text"] * part["times"] for part in parts).encode()
        request = step.get("request")
        return json.dumps(self.fill(request), ensure_ascii=False, separators=(",", ":")).encode() if request is not None else b""

    def learn(self, step, answer):
        if not answer.granted:
            return
        self.see(answer.body)
        for name, pointer in step.get("capture", {}).items():
            value = answer.body
            for key in pointer.split("/")[1:]:
                value = value[int(key)] if isinstance(value, list) else value[key]
            self.names[name] = value
        expected = step.get("expect") or {}
        self.bind(expected.get("events", expected.get("json")), answer.body)

    def see(self, value):
        if isinstance(value, list):
            for element in value:
                self.see(element)
        elif isinstance(value, dict):
            kind = None
            if "id" in value and "created_at" in value:
                kind = "thread" if "items" in value else value.get("type")
            elif "mime_type" in value:
                kind = "attachment"
            if kind:
                self.note(kind, value["id"])
            if "has_more" in value and "after" in value:
                self.note("cursor", value["after"])
            for inner in value.values():
                self.see(inner)

    def note(self, kind, identifier):
        known = self.seen.setdefault(kind, [])
        if identifier not in known:
            known.append(identifier)

    def bind(self, pattern, value):
        """Gives the names of a case's pattern to the identifiers that stand in their places."""
        if isinstance(pattern, str):
            if pattern.startswith("$cap:") and isinstance(value, str):
                self.names.setdefault(pattern.removeprefix("$cap:"), value)
            elif pattern.startswith(tuple(OPENINGS)) and isinstance(value, dict):
                self.bind_opening(*pattern.split(":"), event=value)
        elif isinstance(pattern, list) and isinstance(value, list):
            for inner, element in zip(pattern, value):
                self.bind(inner, element)
        elif isinstance(pattern, dict):
            self.bind_members(pattern, value)

    def bind_opening(self, word, name=None, thread="thread", *, event):
        if word == "@created":
            self.bind("$cap:" + (name or "thread"), event.get("thread", {}).get("id"))
        else:
            self.bind("$cap:" + (name or "user"), event.get("item", {}).get("id"))
            self.bind("$cap:" + thread, event.get("item", {}).get("thread_id"))

    def bind_members(self, pattern, value):
        for name, inner in pattern.items():
            if name in ("$has", "$prefix"):
                self.bind(inner, value)
            elif name == "$pluck" and isinstance(value, list):
                self.bind(pattern["is"], [element.get(inner.strip("/")) for element in value if isinstance(element, dict)])
            elif isinstance(value, dict):
                self.bind(inner, value.get(name))
