"""Random conversations: scripts that use all of the protocol, and requests that follow on what they did.

Each scene comes from a number, so a run is the same every time and a failing scene can be played alone. What a scene asks
for is valid, or wrong in a way that the protocol speaks of; nothing depends on time.
"""

import random

from scenes import Scene

WORDS = ["robot", "Ünïcode", "🤖", "روبوٹ", "a\nb", "“quoted”", "x" * 60, " ", "\t", "<b>", "\\", "\u2028", "", "0"]
ICONS = ["search", "bolt", "lucide:ship", "vendor:acme", "circle-question"]
JSONS = [None, True, 0, -1, 1.5, 2**53, "text", "", [], {}, {"k": None, "l": [1, None, {"m": {}}]}, [[["deep"]]]]
LIMITS = [None, 0, 1, 2, 3, 7, 20, 200, 201, 9999, "5", 5.0, True, -1]
KINDS = ["message", "tool_call", "task", "workflow"]


class Author:
    """Writes one scene."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.names = 0
        # Kinds of items that were written so far, and requests that answer to them.
        self.written, self.waiting = {"user_message"}, []
        # Whether what is begun always comes to an end.
        self.tidy = False

    # -------------------------------------------------------------- small things

    def some(self, *choices):
        return self.chance.choice(choices)

    def perhaps(self, probability=0.5):
        return self.chance.random() < probability

    def text(self, most=4):
        return " ".join(self.chance.choice(WORDS) for _ in range(self.chance.randint(0, most)))

    def optional(self, **members):
        """Some of these members; some others as null, which counts as absent."""
        chosen = {name: value for name, value in members.items() if self.perhaps(0.6)}
        return chosen | {name: None for name in members if name not in chosen and self.perhaps(0.2)}

    def few(self, make, most=3):
        return [make() for _ in range(self.chance.randint(0, most))]

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def json(self):
        return self.chance.choice(JSONS)

    def object(self):
        return {self.some("a", "b", "ключ", ""): self.json() for _ in range(self.chance.randint(0, 2))}

    # -------------------------------------------------------------- parts of items

    def source(self, kind=None):
        kind = kind or self.some("url", "file", "entity")
        own = {
            "url": lambda: {"url": self.some("https://example.com", "not a url", "")} | self.optional(attribution="example.com"),
            "file": lambda: {"filename": self.text(1)},
            "entity": lambda: {"id": "e1"}
            | self.optional(icon=self.some(*ICONS), label="L", inline_label="l")
            | self.some({}, {"interactive": self.perhaps()}, {"data": self.object()}),
        }[kind]()
        return {"type": kind, "title": self.text(2)} | own | self.optional(description="d", timestamp="2025", group="g")

    def annotation(self):
        return {"type": "annotation", "source": self.source()} | self.optional(index=self.chance.randint(0, 9))

    def part(self):
        return {"type": "output_text", "text": self.text()} | self.some({}, {"annotations": self.few(self.annotation, 2)})

    def task(self):
        kind = self.some("custom", "web_search", "thought", "file", "image")
        own = {
            "custom": lambda: self.optional(icon=self.some(*ICONS), content=self.text()),
            "web_search": lambda: self.optional(title_query="q") | {"queries": self.few(self.text)} | {"sources": self.few(lambda: self.source("url"))},
            "thought": lambda: {"content": self.text()},
            "file": lambda: {"sources": self.few(lambda: self.source("file"))},
            "image": dict,
        }[kind]()
        indicator = self.some({}, {"status_indicator": self.some("none", "loading", "complete")})
        return {"type": kind} | own | self.optional(title=self.text(2)) | indicator

    def workflow(self):
        summary = self.some({"duration": 7}, {"title": "Done"}, {"title": "Done", "icon": "check"}, None)
        return {"type": self.some("custom", "reasoning"), "tasks": self.few(self.task)} | self.some({}, {"summary": summary}, {"expanded": True})

    def question(self):
        common = {"id": self.some("q1", "q2", "q3"), "question": self.text(2)}
        if self.perhaps():
            return common | {"type": "freeform"} | self.optional(description="d")
        options = self.few(lambda: {"value": self.text(1)})
        return common | {"type": "multiple_choice", "options": options} | self.some({}, {"multiple": self.perhaps()})

    def component(self, depth=2):
        """A component as the open class of the reference takes it: any members, and nulls anywhere."""
        kind = self.some("Text", "Markdown", "Button", "Chart", "Row", "Image", "Table", "Own.Thing")
        own = {
            "Text": lambda: {"value": self.text(2)},
            "Markdown": lambda: {"value": self.text(2), "streaming": self.perhaps()},
            "Button": lambda: {"label": "Go", "onClickAction": {"type": "go", "payload": self.object()}},
            "Chart": lambda: {"data": [{"x": 1, "y": None}, {"x": 1.0}], "series": [None, 1]},
            "Row": lambda: {"children": self.few(lambda: self.component(depth - 1), 2) if depth else []},
        }.get(kind, lambda: {"anything": self.json()})()
        return {"type": kind} | own | self.optional(id=self.some("i1", "i2"), key="k")

    def widget(self):
        return {"type": self.some("Card", "ListView", "Basic"), "children": self.few(self.component)} | self.optional(size="sm", status={"text": "s"})

    def growing_widget(self):
        """States of a widget whose text grows under an identifier, sometimes changed otherwise, too."""
        value, states, heading = self.text(1), [], "H"
        for _ in range(self.chance.randint(1, 4)):
            text = {"type": self.some("Text"), "id": "t", "value": value, "streaming": True}
            states.append({"type": "Card", "children": [{"type": "Title", "value": heading}, text]})
            value += self.text(1)
            heading += self.some("", "", "!")
        return states

    # -------------------------------------------------------------- items

    def item(self, kind, item_id, /, **members):
        self.written.add(kind)
        return {"id": item_id, "thread_id": "$thread", "created_at": "$now", "type": kind} | members

    def body_of(self, kind):
        return {
            "assistant_message": lambda: {"content": self.few(self.part)},
            "client_tool_call": lambda: {"call_id": "call_1", "name": "f", "arguments": self.object()} | self.some({}, {"status": "pending"}, {"status": "completed", "output": self.json()}),
            "widget": lambda: {"widget": self.widget()} | self.optional(copy_text="c"),
            "generated_image": lambda: self.optional(image={"id": "img", "url": "https://example.com/a b.png"}),
            "structured_input": lambda: {"inputs": self.few(self.question)} | self.some({}, {"status": "pending"}),
            "workflow": lambda: {"workflow": self.workflow()},
            "task": lambda: {"task": self.task()},
            "hidden_context_item": lambda: {"content": self.json()},
            "sdk_hidden_context": lambda: {"content": "note"},
            "end_of_turn": dict,
        }[kind]()

    ITEM_KINDS = ["assistant_message", "client_tool_call", "widget", "generated_image", "structured_input", "workflow", "task", "hidden_context_item", "sdk_hidden_context", "end_of_turn"]  # fmt: skip

    def new_id(self):
        return f"$id:{self.name()}:{self.some(*KINDS)}"

    def whole_item(self):
        kind = self.some(*self.ITEM_KINDS)
        return [self.done(kind, self.new_id())]

    def done(self, kind, item_id, /, **members):
        return emit("thread.item.done", item=self.item(kind, item_id, **(members or self.body_of(kind))))

    def streamed_message(self):
        item_id, parts = self.new_id(), self.chance.randint(1, 2)
        steps = [emit("thread.item.added", item=self.item("assistant_message", item_id, content=[]))]
        for index in range(parts):
            place = {"content_index": index + self.some(0, 0, 0, 1)}
            part = "assistant_message.content_part."
            updates = [{"type": part + "added", "content": {"type": "output_text", "text": ""}}] * self.some(0, 1, 1, 1)
            for _ in range(self.chance.randint(0, 4)):
                updates.append({"type": part + "text_delta", "delta": self.text(2)})
                if self.perhaps(0.3):
                    updates.append({"type": part + "annotation_added", "annotation_index": self.chance.randint(0, 2), "annotation": self.annotation()})
            updates += [{"type": part + "done", "content": self.part()}] * self.some(0, 1)
            steps += [emit("thread.item.updated", item_id=item_id, update=update | place) for update in updates]
        return steps + self.finished("assistant_message", item_id)

    def streamed_workflow(self):
        item_id = self.new_id()
        steps = [emit("thread.item.added", item=self.item("workflow", item_id, workflow={"type": "reasoning", "tasks": []}))]
        for index in range(self.chance.randint(0, 3)):
            steps.append(emit("thread.item.updated", item_id=item_id, update={"type": "workflow.task.added", "task_index": index, "task": self.task()}))
            if self.perhaps():
                # Now and then an index that does not exist, which ends the run.
                wrong = self.some(0, 0, 0, 0, 0, 0, 0, 5)
                steps.append(emit("thread.item.updated", item_id=item_id, update={"type": "workflow.task.updated", "task_index": index + wrong, "task": self.task()}))
        return steps + self.finished("workflow", item_id)

    def streamed_image(self):
        item_id, image = self.new_id(), {"id": "img", "url": "data:image/png;base64,AAAA"}
        steps = [emit("thread.item.added", item=self.item("generated_image", item_id))]
        for progress in (0, 0.3333333333333333, 1.0):
            steps.append(emit("thread.item.updated", item_id=item_id, update={"type": "generated_image.updated", "image": image} | self.optional(progress=progress)))
        return steps + self.finished("generated_image", item_id)

    def updated_widget(self):
        item_id = self.new_id()
        updates = [
            {"type": "widget.root.updated", "widget": self.widget()},
            {"type": "widget.component.updated", "component_id": "i1", "component": self.component()},
            {"type": "widget.streaming_text.value_delta", "component_id": "i1", "delta": self.text(), "done": self.perhaps()},
        ]
        steps = [emit("thread.item.added", item=self.item("widget", item_id, widget=self.widget()))]
        steps += [emit("thread.item.updated", item_id=item_id, update=update) for update in updates if self.perhaps()]
        return steps + self.finished("widget", item_id)

    def streamed_widget(self):
        return [{"stream_widget": {"name": self.name(), "states": self.growing_widget()} | self.optional(copy_text="c")}]

    def finished(self, kind, item_id):
        """How a streamed item ends: done, replaced, removed, or never."""
        end = self.some("done", "done", "done", "done", "replaced", "removed", "never")
        if end == "done":
            return [self.done(kind, item_id)]
        if end == "removed":
            return [emit("thread.item.removed", item_id=item_id)]
        if end == "never" and not self.tidy:
            return []
        other = self.some(kind, "assistant_message", "hidden_context_item")
        return [emit("thread.item.replaced", item=self.item(other, item_id, **self.body_of(other)))]

    # -------------------------------------------------------------- everything else a script may do

    def changed_item(self):
        """An item that comes, and is then changed in one of the ways there are."""
        item_id, kind = self.new_id(), self.some(*self.ITEM_KINDS)
        other = self.some(*self.ITEM_KINDS)
        return [self.done(kind, item_id)] + self.some(
            [emit("thread.item.removed", item_id=item_id)],
            [emit("thread.item.replaced", item=self.item(other, item_id, **self.body_of(other)))],
            [self.done(kind, item_id)],
            [emit("thread.item.removed", item_id=item_id), self.done(other, item_id)],
        )

    def signal(self):
        return [
            self.some(
                emit("progress_update", text=self.text(), **self.optional(icon=self.some(*ICONS))),
                emit("notice", level=self.some("info", "warning", "danger"), message=self.text(), **self.optional(title="T")),
                emit("client_effect", name="e", **self.some({}, {"data": self.object()})),
                emit("client_effect", name="e", data={"seen": self.some("$item_types", "$metadata", "$options", "$input", "$sender", "$thread", "$nothing")}),
                emit("error", **self.some({"code": "stream.error"}, {}, {"message": "m", "allow_retry": True})),
                emit("stream_options", stream_options={"allow_cancel": self.perhaps()}),
                emit("thread.item.updated", item_id="msg_unknown1", update={"type": "workflow.task.updated", "task_index": 3, "task": self.task()}),
                emit("thread.item.removed", item_id="msg_unknown2"),
            )
        ]

    def thread_change(self):
        return [
            self.some(
                {"set_title": self.some(self.text(2), None)},
                {"set_allowed_image_domains": self.some(None, [], ["example.com"])},
                {"set_metadata": self.some({}, self.object(), {"allow_cancel": False}, {"allow_cancel": True})},
                {"set_title": "for a moment"},
            )
        ]

    def status_change(self):
        status = self.some({"type": "active"}, {"type": "locked"}, {"type": "locked", "reason": self.text(1)}, {"type": "closed", "reason": None})
        return [{"set_status": status}]

    def repetition(self):
        inner = self.some(
            [emit("thread.item.done", item=self.item("assistant_message", "$new:message", content=[{"type": "output_text", "text": "$n"}]))],
            self.signal() + self.thread_change(),
        )
        return [{"repeat": self.chance.randint(0, 4), "steps": inner}]

    def failure(self):
        fail = self.some(
            {"kind": "custom", "message": self.text(2)},
            {"kind": "custom", "message": "m", "allow_retry": self.perhaps()},
            {"kind": "stream"},
            {"kind": "stream", "allow_retry": self.perhaps()},
            {"kind": "unexpected"},
        )
        return [{"fail": fail}]

    def steps(self, most=6):
        """Steps of a script; what is begun goes on to its end while other things happen, as streams do."""
        threads = [self.chance.choice(self.ACTS)(self) for _ in range(self.chance.randint(0, most))]
        mixed = []
        while threads:
            act = self.chance.choice(threads) if self.perhaps(0.4) else threads[0]
            mixed.append(act.pop(0)) if act else threads.remove(act)
        if self.perhaps(0.15):
            mixed.insert(self.chance.randint(0, len(mixed)), self.failure()[0])
        return mixed

    ACTS = [whole_item, whole_item, whole_item, streamed_message, streamed_message, streamed_workflow, streamed_image, updated_widget, streamed_widget, changed_item, signal, signal, signal, thread_change, thread_change, status_change, repetition]  # fmt: skip

    def script(self):
        steps = self.steps()
        after = self.some({}, {"after": self.steps(3)})
        if self.perhaps(0.2):
            steps.append(self.done("client_tool_call", self.new_id(), call_id="c", name="f", arguments=self.object()))
            self.waiting.append(self.tool_output)
        elif self.perhaps(0.25):
            steps.append(self.done("structured_input", self.new_id(), inputs=self.few(self.question)))
            self.waiting.append(self.answers)
        return {"respond": steps} | after

    # -------------------------------------------------------------- requests

    def input(self):
        said = self.text() if self.perhaps(0.1) else {"$script": self.script()}
        content = [{"type": "input_text", "text": said}]
        if self.perhaps(0.2):
            tag = {"type": "input_tag", "id": "t", "text": "T"} | self.some({}, {"data": self.object()}, {"data": {}, "interactive": True, "group": "g"})
            content.insert(self.some(0, 1), tag)
        options = self.some({}, {}, {"model": "m"}, {"tool_choice": {"id": "t"}, "model": None}, {"tool_choice": None})
        attachments = [self.seen("attachment")] if self.perhaps(0.7 if "attachment" in self.written else 0.03) else []
        return {"content": content, "attachments": attachments, "inference_options": options} | self.optional(quoted_text=self.text(2))

    def seen(self, *kinds):
        """Mostly something that there is."""
        there = [kind for kind in kinds if kind in self.written]
        kinds = there if there and self.perhaps(0.9) else kinds
        return f"$seen:{self.some(*kinds)}:{self.chance.randint(0, 5)}"

    def tool_output(self):
        return self.ask("threads.add_client_tool_output", **self.thread(), result=self.json())

    def thread(self):
        """Nearly always the first thread of the scene."""
        return {"thread_id": "$seen:thread:0" if self.perhaps(0.93) else self.some("$seen:thread:1", "thr_unknown1", "")}

    def widget_action(self):
        sender = self.some({}, {"item_id": None}, {"item_id": ""}, {"item_id": self.seen("widget")}, {"item_id": self.seen("widget", "assistant_message")})
        payload = self.some({"respond": self.steps(3)}, {"respond": self.steps(3)}, {}, None, "text", [1])
        return self.ask("threads.custom_action", **self.thread(), **sender, action=self.some({"type": "go"}, {"type": "go", "payload": payload}, {"type": "go", "payload": payload, "handler": "server"}))

    def sync_action(self):
        kind = self.some("widget", "widget", "assistant_message", "hidden_context_item")
        updated = self.item(kind, self.some("$sender", "$new:message", self.seen("widget")), **self.body_of(kind))
        if updated["id"] == "$sender":
            sender = {"item_id": self.seen("widget")}
        else:
            sender = self.some({}, {"item_id": self.seen("widget", "user_message")})
        return self.ask("threads.sync_custom_action", **self.thread(), **sender, action={"type": "go", "payload": self.some({"updated_item": updated}, {"updated_item": updated}, {"updated_item": None}, {}, None)})

    def answers(self):
        given = {question: {"values": self.few(lambda: self.text(1))} | self.some({}, {"skipped": self.perhaps()}) for question in ("q1", "q2", "q3", "ghost") if self.perhaps()}
        submitted = self.some({}, {"answers": given}, {"answers": given}, {"status": self.some("answered", "skipped"), "answers": given})
        return self.ask("threads.add_structured_input", **self.thread(), item_id=self.seen("structured_input", "structured_input", "structured_input", "widget"), input=submitted)

    def list(self):
        how = self.some({}, {"limit": self.some(*LIMITS)}, {"limit": self.some(*LIMITS), "order": self.some("asc", "desc")})
        after = self.some({}, {}, {"after": ""}, {"after": None}, {"after": self.seen("cursor", "assistant_message", "user_message")})
        if self.perhaps(0.3):
            return self.ask("threads.list", **how, **self.some({}, {"after": self.seen("thread")}))
        return self.ask("items.list", **self.thread(), **how, **after)

    def walk(self):
        request = {"type": "items.list", "params": self.thread() | {"limit": self.chance.randint(1, 5), "order": self.some("asc", "desc")}}
        return {"walk": self.some(request, {"type": "threads.get_by_id", "params": self.thread()})} | self.some({}, {"by": "last_id"})

    def attachment(self):
        self.written.add("attachment")
        mime_type = self.some("text/plain", "image/png", "application/pdf")
        return self.ask("attachments.create", name="größe.x" + self.some("", "y"), size=self.some(0, 12, "7"), mime_type=mime_type)

    def malformed(self):
        """A request of some kind that lost a member, or has one of another type."""
        request = self.request()["request"]
        place, path = request, []
        # What an action carries is the scripts' own, and no part of the protocol.
        while isinstance(place, dict) and place and (not path or self.perhaps(0.6)) and path[-1:] != ["payload"]:
            path.append(self.chance.choice(sorted(place)))
            place = place[path[-1]]
        holder = request
        for name in path[:-1]:
            holder = holder[name]
        if self.perhaps():
            del holder[path[-1]]
        else:
            holder[path[-1]] = self.some(5, [], {}, None, True, "other")
        return {"request": request}

    def ask(self, kind, /, **params):
        return {"request": {"type": kind, "params": params}}

    def message(self):
        return self.ask("threads.add_user_message", **self.thread(), input=self.input())

    def create(self):
        return self.ask("threads.create", input=self.input())

    def retry(self):
        return self.ask("threads.retry_after_item", **self.thread(), item_id=self.seen("user_message", "assistant_message", "end_of_turn"))

    def rename(self):
        return self.ask("threads.update", **self.thread(), title=self.text())

    def read(self):
        return self.ask("threads.get_by_id", **self.thread())

    def feedback(self):
        kind = self.some("positive", "negative")
        return self.ask("items.feedback", **self.thread(), item_ids=self.few(lambda: self.seen("assistant_message")), kind=kind)

    def forget(self):
        return self.ask("attachments.delete", attachment_id=self.seen("attachment"))

    def dictation(self):
        mime_type = self.some("audio/mp4", "audio/webm;codecs=opus")
        return self.ask("input.transcribe", audio_base64=self.some("AAAA", "", "aGk=", "a"), mime_type=mime_type)

    REQUESTS = [message] * 5 + [create, tool_output, answers, retry, retry, widget_action, widget_action, widget_action, sync_action, list, list, list, rename, read, feedback, attachment, forget, dictation]  # fmt: skip

    def request(self):
        return self.chance.choice(self.REQUESTS)(self)

    def further(self):
        if self.waiting and self.perhaps(0.8):
            return self.waiting.pop(0)()
        chance = self.chance.random()
        return self.malformed() if chance < 0.08 else self.walk() if chance < 0.18 else self.request()

    def scene(self, name):
        steps = [self.attachment()] if self.perhaps(0.15) else []
        steps.append(self.ask("threads.create", input=self.input()))
        steps += [self.further() for _ in range(self.chance.randint(1, 7))]
        if self.perhaps(0.05):
            steps.append(self.ask("threads.delete", **self.thread()))
        return Scene(name, steps, self.some([], [], [], ["!attachments"]))

    def abandoned(self, name, policy):
        """A client that goes away in the middle: what is stored once the server has noticed."""
        # Nobody would be there to see what was begun and not ended.
        self.tidy = policy == "finish"
        begun = [step for step in self.steps() if set(step) == {"emit"}]
        # Of what is dropped on the way the client would wait in vain.
        visible = [step for step in begun if step["emit"].get("item", {}).get("type") not in ("hidden_context_item", "sdk_hidden_context")]
        visible.append(emit("progress_update", text="now"))
        pause, rest = (60_000, []) if policy == "cancel" else (80, self.streamed_message() + self.thread_change())
        script = {"respond": [*visible, {"sleep_ms": pause}, *rest]}
        said = {"content": [{"type": "input_text", "text": {"$script": script}}], "attachments": [], "inference_options": {}}
        step = self.ask("threads.create", input=said) | {"cancel_after_events": 3 + len(visible)}
        return Scene(name, [step], [f"policy:{policy}"])


def emit(kind, /, **members):
    return {"emit": {"type": kind} | members}


def random_scenes(count, abandoned_every=40):
    """So many scenes, named by their numbers; now and then one in which the client goes away."""
    for number in range(count):
        author = Author(f"scene {number}")
        if number % abandoned_every == 0:
            yield author.abandoned(f"random-{number}-left-running", "finish")
        elif number % abandoned_every == 1:
            yield author.abandoned(f"random-{number}-stopped", "cancel")
        else:
            yield author.scene(f"random-{number}")
