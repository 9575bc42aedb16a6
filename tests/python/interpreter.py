"""The reference's server with hooks that do what a script says; a script is the text of the reader's message."""

import asyncio
import json
from datetime import datetime

from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.server import ChatKitServer, diff_widget, stream_widget
from chatkit.store import default_generate_id
from chatkit.types import (
    StreamOptions,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStatus,
    TranscriptionResult,
    UserMessageItem,
    WidgetItem,
    WidgetRootUpdated,
)
from chatkit.widgets import DynamicWidgetRoot
from pydantic import TypeAdapter

from reading import EVENT, open_widgets

STATUS, ITEM = TypeAdapter(ThreadStatus), TypeAdapter(ThreadItem)
GREETING = {
    "id": "$new:message",
    "thread_id": "$thread",
    "created_at": "$now",
    "type": "assistant_message",
    "content": [{"type": "output_text", "text": "Hi there!"}],
}
# What a message means that is none.
NO_SCRIPT = {hook: [{"emit": {"type": "thread.item.done", "item": GREETING}}] for hook in ("respond", "after")}


def script_of(message):
    text = "".join(part.text for part in message.content if part.type == "input_text")
    try:
        script = json.loads(text)
    except ValueError:
        return NO_SCRIPT
    return script if isinstance(script, dict) else NO_SCRIPT


def faulty(before, after):
    """Whether the reference's differ loses something of what changed between two states, or may fail on them.

    It fails on members that come or go, unless it happens to see another change first: it looks in no fixed order.
    """
    if outline(before) != outline(after):
        return True
    before, after = (DynamicWidgetRoot.model_validate(state) for state in (before, after))
    shown = before.model_dump()
    for update in diff_widget(before, after):
        if isinstance(update, WidgetRootUpdated):
            return False
        grow(shown, update.component_id, update.delta)
    return shown != after.model_dump()


def outline(value):
    """The members of a value, and of what is in it."""
    if isinstance(value, list):
        return [outline(element) for element in value]
    if isinstance(value, dict):
        return {name: outline(inner) for name, inner in value.items()}
    return None


def grow(value, component_id, delta):
    """Appends to the text of a component, wherever in a widget it stands."""
    if isinstance(value, list):
        for element in value:
            grow(element, component_id, delta)
    elif isinstance(value, dict):
        if value.get("id") == component_id:
            value["value"] += delta
        for inner in value.values():
            grow(inner, component_id, delta)


class Run:
    """One run of a script: what its templates stand for, and its steps as events."""

    def __init__(self, server, thread, message, sender, visit):
        self.server, self.thread, self.message, self.sender, self.visit = server, thread, message, sender, visit
        self.names, self.repetition = {}, 0

    def fill(self, template):
        if isinstance(template, list):
            return [self.fill(element) for element in template]
        if isinstance(template, dict):
            return {name: self.fill(inner) for name, inner in template.items()}
        return self.word(template) if isinstance(template, str) and template.startswith("$") else template

    def word(self, word):
        kind, *names = word.split(":")
        if kind == "$id" and len(names) == 2:
            if names[0] not in self.names:
                self.names[names[0]] = default_generate_id(names[1])
            return self.names[names[0]]
        if kind == "$new" and len(names) == 1:
            return default_generate_id(names[0])
        options = self.message and self.message.inference_options.model_dump(mode="json", exclude_none=True)
        values = {
            "$thread": self.thread.id,
            "$now": datetime.now().isoformat(),
            "$n": str(self.repetition),
            "$input": self.message and self.message.id,
            "$options": options,
            "$sender": self.sender and self.sender.id,
            "$metadata": self.thread.metadata,
            "$item_types": [item.type for item in self.server.store.items.get(self.thread.id, {}).values()],
        }
        return values.get(word, word)

    async def steps(self, steps):
        for step in steps or []:
            (kind, argument), *more = step.items()
            if kind == "repeat":
                for self.repetition in range(argument):
                    async for event in self.steps(dict(more)["steps"]):
                        yield event
                continue
            argument = self.fill(argument)
            match kind:
                case "emit":
                    yield EVENT.validate_python(open_widgets(argument))
                case "stream_widget":
                    async for event in self.widget(argument):
                        yield event
                case "sleep_ms":
                    await asyncio.sleep(argument / 1000)
                case "fail":
                    self.fail(argument)
                case "set_status":
                    self.thread.status = STATUS.validate_python(argument)
                case "set_title" | "set_allowed_image_domains" | "set_metadata":
                    setattr(self.thread, kind.removeprefix("set_"), argument)
                case _:
                    raise RuntimeError(f"no such step: {kind}")

    def fail(self, how):
        match how["kind"]:
            case "custom":
                raise CustomStreamError(how["message"], allow_retry=how.get("allow_retry") or False)
            case "stream":
                raise StreamError(ErrorCode.STREAM_ERROR, allow_retry=how.get("allow_retry"))
            case _:
                raise RuntimeError("as the script wants it")

    async def widget(self, argument):
        states = [DynamicWidgetRoot.model_validate(state) for state in argument["states"]]
        copy_text, item_id = argument.get("copy_text"), self.word(f"$id:{argument['name']}:message")
        if not self.visit.whole_widgets:
            async def one_by_one():
                for state in states:
                    yield state

            async for event in stream_widget(self.thread, one_by_one(), copy_text, lambda _: item_id):
                yield event
            return
        item = WidgetItem(
            id=item_id, thread_id=self.thread.id, created_at=datetime.now(), widget=states[0], copy_text=copy_text
        )
        yield ThreadItemAddedEvent(item=item)
        for before, after in zip(states, states[1:]):
            wrong = faulty(before.model_dump(), after.model_dump())
            for update in [WidgetRootUpdated(widget=after)] if wrong else diff_widget(before, after):
                yield ThreadItemUpdatedEvent(item_id=item_id, update=update)
        yield ThreadItemDoneEvent(item=item.model_copy(update={"widget": states[-1]}))


class Scripted(ChatKitServer):
    """Plays scripts; with a transcriber or without."""

    def __init__(self, store, attachment_store, transcriber):
        super().__init__(store, attachment_store)
        self.transcriber = transcriber

    async def respond(self, thread, input_user_message, context):
        context.begun = True
        said = [item for item in self.store.items.get(thread.id, {}).values() if isinstance(item, UserMessageItem)]
        script = script_of(input_user_message or said[-1])
        run = Run(self, thread, input_user_message, None, context)
        async for event in run.steps(script.get("respond" if input_user_message else "after")):
            yield event
        context.finished = True

    async def action(self, thread, action, sender, context):
        context.begun = True
        payload = action.payload if isinstance(action.payload, dict) else {}
        async for event in Run(self, thread, None, sender, context).steps(payload.get("respond")):
            yield event
        context.finished = True

    async def sync_action(self, thread, action, sender, context):
        payload = action.payload if isinstance(action.payload, dict) else {}
        template = Run(self, thread, None, sender, context).fill(payload.get("updated_item"))
        item = None if template is None else ITEM.validate_python(open_widgets(template))
        return SyncCustomActionResponse(updated_item=item)

    async def transcribe(self, audio_input, context):
        if not self.transcriber:
            return await super().transcribe(audio_input, context)
        return TranscriptionResult(text=f"{len(audio_input.data)} bytes of {audio_input.media_type}")

    def get_stream_options(self, thread, context):
        return StreamOptions(allow_cancel=thread.metadata.get("allow_cancel") is not False)
