"""How the reference reads what we send: its types, and the comparison of a value with what it would have written."""

import json
import warnings
from collections import Counter

from pydantic import TypeAdapter, ValidationError

with warnings.catch_warnings():
    # The reference warns about widget classes of its own when it is imported.
    warnings.simplefilter("ignore")
    from chatkit.types import (
        Attachment,
        ChatKitReq,
        Page,
        SyncCustomActionResponse,
        Thread,
        ThreadItem,
        ThreadStreamEvent,
        TranscriptionResult,
    )
    from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot

EVENT = TypeAdapter(ThreadStreamEvent)
REQUEST = TypeAdapter(ChatKitReq)
THREAD, THREADS, ITEMS = TypeAdapter(Thread), TypeAdapter(Page[Thread]), TypeAdapter(Page[ThreadItem])
NOTHING, ATTACHMENT = TypeAdapter(dict[None, None]), TypeAdapter(Attachment)

# What a request is answered with when it is granted.
ANSWERS = {
    "threads.create": EVENT,
    "threads.add_user_message": EVENT,
    "threads.add_client_tool_output": EVENT,
    "threads.add_structured_input": EVENT,
    "threads.retry_after_item": EVENT,
    "threads.custom_action": EVENT,
    "threads.sync_custom_action": TypeAdapter(SyncCustomActionResponse),
    "threads.get_by_id": THREAD,
    "threads.list": THREADS,
    "threads.update": THREAD,
    "threads.delete": NOTHING,
    "items.list": ITEMS,
    "items.feedback": NOTHING,
    "attachments.create": ATTACHMENT,
    "attachments.delete": NOTHING,
    "input.transcribe": TypeAdapter(TranscriptionResult),
    # No request of the protocol, but a door whose answer the protocol knows.
    "/chatkit/upload": ATTACHMENT,
}

# What holds a widget, in which member, and the class of the reference that takes any widget as it is.
WIDGETS = {
    "widget": ("widget", DynamicWidgetRoot),
    "widget.root.updated": ("widget", DynamicWidgetRoot),
    "widget.component.updated": ("component", DynamicWidgetComponent),
}


class Difference(Exception):
    """The reference would have written something else."""


def open_widgets(value):
    """The same value, with each widget as the reference's open class, which keeps all members.

    The reference tries its typed classes first when it reads a widget, and those drop what they do not know and fill in
    what was not said. Its servers do not read the widgets that they send: they build them, with the open class when
    they come from a template.
    """
    if isinstance(value, list):
        return [open_widgets(element) for element in value]
    if not isinstance(value, dict):
        return value
    opened = {name: open_widgets(inner) for name, inner in value.items()}
    member, open_class = WIDGETS.get(value.get("type"), (None, None))
    if isinstance(value.get(member), dict):
        opened[member] = open_class.model_validate(value[member])
    return opened


def written(adapter, parsed):
    """A value as the reference's server writes it, as plain JSON."""
    return json.loads(adapter.dump_json(parsed, by_alias=True, exclude_none=True, context={"exclude_metadata": True}))


def same(one, other):
    """Equality of JSON, in which 1, 1.0 and true are three values; the order of members is none."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def compare(adapter, raw):
    """Reads bytes with the reference's type, writes them again as its server does, and gives them as plain JSON."""
    ours = json.loads(raw)
    try:
        theirs = written(adapter, adapter.validate_json(raw))
        # Its typed widgets drop and add members (see `open_widgets`); all around a widget is held to the types even so,
        # and the widget to the rule that it has no null.
        if not same(ours, theirs):
            theirs = written(adapter, adapter.validate_python(open_widgets(ours)))
    except ValidationError as error:
        raise Difference(f"the reference does not accept it: {error}\n{raw.decode()}") from error
    if not same(ours, theirs):
        theirs, ours = (json.dumps(value, ensure_ascii=False) for value in (theirs, ours))
        raise Difference(f"the reference would write\n      {theirs}\n    where we write\n      {ours}")
    return ours


def frames(body):
    """The JSON of each event of a stream, whose framing must be exactly the protocol's; comments are skipped."""
    if not body.endswith(b"\n\n"):
        raise Difference(f"the stream ends in the middle of an event: {body[-80:]!r}")
    for frame in body[:-2].split(b"\n\n"):
        if frame.startswith(b":"):
            continue
        if not frame.startswith(b"data: {") or b"\n" in frame or b"\r" in frame:
            raise Difference(f"not one `data: ` line: {frame[:200]!r}")
        yield frame[len(b"data: ") :]


class Tally:
    """Answers that were read and found good, and what there was in them."""

    def __init__(self):
        self.events = self.bodies = 0
        self.seen = Counter()

    def __str__(self):
        return f"{self.events} events and {self.bodies} bodies read by the reference's types"

    def take(self, request, raw):
        """Reads an event or a body that answers a request of this type."""
        adapter = ANSWERS[request]
        self.count(compare(adapter, raw))
        if adapter is EVENT:
            self.events += 1
        else:
            self.bodies += 1

    def count(self, value):
        """Counts each `type` that something has, at any depth: of events, updates, items, parts, tasks, components."""
        if isinstance(value, list):
            for element in value:
                self.count(element)
        elif isinstance(value, dict):
            if isinstance(value.get("type"), str):
                self.seen[value["type"]] += 1
            for inner in value.values():
                self.count(inner)

    def below(self, floor):
        """What was seen less often than a floor says, as sentences."""
        short = [(kind, least) for kind, least in floor.items() if self.seen[kind] < least]
        return [f"`{kind}` was seen {self.seen[kind]} times, at least {least} expected" for kind, least in short]
