"""Random conversations: scripts that use all of the protocol, and requests that follow on what they did.

Each scene comes from a number, so a run is the same every time and a failing scene can be played alone. What a scene asks
for is valid, or wrong in a way that the protocol speaks of; nothing depends on time.
"""

from items import ITEM_KINDS, JSONS, ICONS, Items
from scenes import Scene

LIMITS = [None, 0, 1, 2, 3, 7, 20, 200, 201, 9999, "5", 5.0, True, -1]
HIDDEN = ("hidden_context_item", "sdk_hidden_context")
TEMPLATES = ["$item_types", "$metadata", "$options", "$input", "$sender", "$thread", "$nothing"]
PART = "assistant_message.content_part."
# One scene in so many is one that the client leaves while the answer runs.
LEFT_EVERY = 40


def emit(kind, /, **members):
    return {"emit": {"type": kind} | members}


def added(item):
    return emit("thread.item.added", item=item)


def done(item):
    return emit("thread.item.done", item=item)


def updated(item_id, kind, /, **members):
    return emit("thread.item.updated", item_id=item_id, update={"type": kind} | members)


def ask(kind, /, **params):
    return {"request": {"type": kind, "params": params}}


class Scripts(Items):
    """Makes up scripts: acts of several steps each, which may go on side by side."""

    def __init__(self, seed):
        super().__init__(seed)
        # Whether what is begun always comes to an end.
        self.tidy = False
        # Requests that answer to what a script asked.
        self.waiting = []

    def whole_item(self):
        return [done(self.whole(self.some(*ITEM_KINDS), self.new_id()))]

    def streamed_message(self):
        item_id = self.new_id()
        steps = [added(self.item("assistant_message", item_id, content=[]))]
        for number in range(self.chance.randint(1, 2)):
            index = number + self.some(0, 0, 0, 1)
            if self.perhaps(0.75):
                empty = {"type": "output_text", "text": ""}
                steps.append(updated(item_id, PART + "added", content_index=index, content=empty))
            for _ in range(self.chance.randint(0, 4)):
                steps.append(updated(item_id, PART + "text_delta", content_index=index, delta=self.text(2)))
                if self.perhaps(0.3):
                    place = {"content_index": index, "annotation_index": self.chance.randint(0, 2)}
                    steps.append(updated(item_id, PART + "annotation_added", **place, annotation=self.annotation()))
            if self.perhaps():
                steps.append(updated(item_id, PART + "done", content_index=index, content=self.part()))
        return steps + self.finished("assistant_message", item_id)

    def streamed_workflow(self):
        item_id = self.new_id()
        steps = [added(self.item("workflow", item_id, workflow={"type": "reasoning", "tasks": []}))]
        for index in range(self.chance.randint(0, 3)):
            steps.append(updated(item_id, "workflow.task.added", task_index=index, task=self.task()))
            if self.perhaps():
                # Now and then an index that does not exist, which ends the run.
                index += self.some(0, 0, 0, 0, 0, 0, 0, 5)
                steps.append(updated(item_id, "workflow.task.updated", task_index=index, task=self.task()))
        return steps + self.finished("workflow", item_id)

    def streamed_image(self):
        item_id, image = self.new_id(), {"id": "img", "url": "data:image/png;base64,AAAA"}
        steps = [added(self.item("generated_image", item_id))]
        for progress in (0, 0.3333333333333333, 1.0):
            steps.append(updated(item_id, "generated_image.updated", image=image, **self.optional(progress=progress)))
        return steps + self.finished("generated_image", item_id)

    def updated_widget(self):
        item_id = self.new_id()
        updates = [
            updated(item_id, "widget.root.updated", widget=self.widget()),
            updated(item_id, "widget.component.updated", component_id="i1", component=self.component()),
            updated(item_id, "widget.streaming_text.value_delta", component_id="i1", delta=self.text(), done=self.perhaps()),
        ]
        steps = [update for update in updates if self.perhaps()]
        return [added(self.item("widget", item_id, widget=self.widget())), *steps, *self.finished("widget", item_id)]

    def streamed_widget(self):
        self.made.add("widget")
        name = self.new_id().split(":")[1]
        return [{"stream_widget": {"name": name, "states": self.growing_widget()} | self.optional(copy_text="c")}]

    def finished(self, kind, item_id):
        """How a streamed item ends: done, replaced, removed, or never."""
        end = self.some("done", "done", "done", "done", "replaced", "removed", "never")
        if end == "done":
            return [done(self.whole(kind, item_id))]
        if end == "removed":
            return [emit("thread.item.removed", item_id=item_id)]
        if end == "never" and not self.tidy:
            return []
        other = kind if self.tidy else self.some(kind, "assistant_message", "hidden_context_item")
        return [emit("thread.item.replaced", item=self.whole(other, item_id))]

    def changed_item(self):
        """An item that comes, and is then changed in one of the ways there are."""
        item_id, kind, other = self.new_id(), self.some(*ITEM_KINDS), self.some(*ITEM_KINDS)
        removed = emit("thread.item.removed", item_id=item_id)
        replaced = emit("thread.item.replaced", item=self.whole(other, item_id))
        then = self.some([removed], [replaced], [done(self.whole(kind, item_id))], [removed, done(self.whole(other, item_id))])
        return [done(self.whole(kind, item_id)), *then]

    def signal(self):
        errors = self.some({"code": "stream.error"}, {}, {"message": "m", "allow_retry": True})
        return [
            self.some(
                emit("progress_update", text=self.text(), **self.optional(icon=self.some(*ICONS))),
                emit("notice", level=self.some("info", "warning", "danger"), message=self.text(), **self.optional(title="T")),
                emit("client_effect", name="e", **self.some({}, {"data": self.object()})),
                emit("client_effect", name="e", data={"seen": self.some(*TEMPLATES)}),
                emit("error", **errors),
                emit("stream_options", stream_options={"allow_cancel": self.perhaps()}),
                updated("msg_unknown1", "workflow.task.updated", task_index=3, task=self.task()),
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
        locked = self.some({"type": "locked"}, {"type": "locked", "reason": self.text(1)})
        return [{"set_status": self.some({"type": "active"}, locked, locked, {"type": "closed", "reason": None})}]

    def repetition(self):
        counted = self.item("assistant_message", "$new:message", content=[{"type": "output_text", "text": "$n"}])
        inner = self.some([done(counted)], self.signal() + self.thread_change())
        return [{"repeat": self.chance.randint(0, 4), "steps": inner}]

    def failure(self):
        fail = self.some(
            {"kind": "custom", "message": self.text(2)},
            {"kind": "custom", "message": "m", "allow_retry": self.perhaps()},
            {"kind": "stream"},
            {"kind": "stream", "allow_retry": self.perhaps()},
            {"kind": "unexpected"},
        )
        return {"fail": fail}

    ACTS = [
        *[whole_item] * 3,
        *[streamed_message] * 2,
        streamed_workflow,
        streamed_image,
        updated_widget,
        streamed_widget,
        changed_item,
        *[signal] * 3,
        *[thread_change] * 2,
        status_change,
        repetition,
    ]

    def steps(self, most=6):
        """Steps of a script; what is begun goes on to its end while other things happen, as streams do."""
        acts = [self.chance.choice(self.ACTS)(self) for _ in range(self.chance.randint(0, most))]
        steps = []
        while acts:
            act = self.chance.choice(acts) if self.perhaps(0.4) else acts[0]
            if act:
                steps.append(act.pop(0))
            else:
                acts.remove(act)
        if self.perhaps(0.15):
            steps.insert(self.chance.randint(0, len(steps)), self.failure())
        return steps

    def script(self):
        steps, after = self.steps(), self.some({}, {"after": self.steps(3)})
        if self.perhaps(0.2):
            steps.append(done(self.item("client_tool_call", self.new_id(), call_id="c", name="f", arguments=self.object())))
            self.waiting.append(self.tool_output)
        elif self.perhaps(0.25):
            steps.append(done(self.item("structured_input", self.new_id(), inputs=self.few(self.question))))
            self.waiting.append(self.answers)
        return {"respond": steps} | after


class Requests(Scripts):
    """Makes up requests, mostly about what there is."""

    def __init__(self, seed):
        super().__init__(seed)
        self.made.add("user_message")

    def seen(self, *kinds):
        there = [kind for kind in kinds if kind in self.made]
        kinds = there if there and self.perhaps(0.9) else kinds
        return f"$seen:{self.some(*kinds)}:{self.chance.randint(0, 5)}"

    def thread(self):
        """Nearly always the first thread of the scene."""
        return {"thread_id": "$seen:thread:0" if self.perhaps(0.93) else self.some("$seen:thread:1", "thr_unknown1", "")}

    def input(self):
        content = [{"type": "input_text", "text": self.text() if self.perhaps(0.1) else {"$script": self.script()}}]
        if self.perhaps(0.2):
            more = self.some({}, {"data": self.object()}, {"data": {}, "interactive": True, "group": "g"})
            content.insert(self.some(0, 1), {"type": "input_tag", "id": "t", "text": "T"} | more)
        options = self.some({}, {}, {"model": "m"}, {"tool_choice": {"id": "t"}, "model": None}, {"tool_choice": None})
        attachments = [self.seen("attachment")] if self.perhaps(0.7 if "attachment" in self.made else 0.03) else []
        said = {"content": content, "attachments": attachments, "inference_options": options}
        return said | self.optional(quoted_text=self.text(2))

    def create(self):
        return ask("threads.create", input=self.input())

    def message(self):
        return ask("threads.add_user_message", **self.thread(), input=self.input())

    def tool_output(self):
        return ask("threads.add_client_tool_output", **self.thread(), result=self.chance.choice(JSONS))

    def answers(self):
        given = {}
        for question in ("q1", "q2", "q3", "ghost"):
            if self.perhaps():
                given[question] = {"values": self.few(lambda: self.text(1))} | self.some({}, {"skipped": self.perhaps()})
        status = {"status": self.some("answered", "skipped")}
        submitted = self.some({}, {"answers": given}, {"answers": given}, status | {"answers": given})
        item_id = self.seen("structured_input", "structured_input", "structured_input", "widget")
        return ask("threads.add_structured_input", **self.thread(), item_id=item_id, input=submitted)

    def retry(self):
        item_id = self.seen("user_message", "assistant_message", "end_of_turn")
        return ask("threads.retry_after_item", **self.thread(), item_id=item_id)

    def custom_action(self):
        sender = self.some(None, "", self.seen("widget"), self.seen("widget", "assistant_message"))
        script = {"respond": self.steps(3)}
        payload = self.some({}, {"payload": self.some(script, script, script, {}, None, "text", [1])})
        action = {"type": "go"} | payload | self.some({}, {"handler": "server", "streaming": True})
        return ask("threads.custom_action", **self.thread(), **self.some({}, {"item_id": sender}), action=action)

    def sync_action(self):
        kind = self.some("widget", "widget", "assistant_message", "hidden_context_item")
        updated_id = self.some("$sender", "$new:message", self.seen("widget"))
        # Without a sender there would be an item without an identifier.
        sender = {"item_id": self.seen("widget")}
        if updated_id != "$sender":
            sender = self.some({}, {"item_id": self.seen("widget", "user_message")})
        item = {"updated_item": self.whole(kind, updated_id)}
        payload = self.some(item, item, {"updated_item": None}, {}, None)
        return ask("threads.sync_custom_action", **self.thread(), **sender, action={"type": "go", "payload": payload})

    def list_items(self):
        after = self.some(None, "", self.seen("cursor", "assistant_message", "user_message"))
        how = self.optional(limit=self.some(*LIMITS)) | self.some({}, {"order": self.some("asc", "desc")})
        return ask("items.list", **self.thread(), **how, **self.some({}, {}, {"after": after}))

    def list_threads(self):
        how = self.optional(limit=self.some(*LIMITS)) | self.some({}, {"order": self.some("asc", "desc")})
        return ask("threads.list", **how, **self.some({}, {"after": self.seen("thread")}))

    def rename(self):
        return ask("threads.update", **self.thread(), title=self.text())

    def read(self):
        return ask("threads.get_by_id", **self.thread())

    def feedback(self):
        items = self.few(lambda: self.seen("assistant_message"))
        return ask("items.feedback", **self.thread(), item_ids=items, kind=self.some("positive", "negative"))

    def attach(self):
        self.made.add("attachment")
        mime_type = self.some("text/plain", "image/png", "application/pdf")
        return ask("attachments.create", name="größe.x", size=self.some(1, 12, "7"), mime_type=mime_type)

    def detach(self):
        return ask("attachments.delete", attachment_id=self.seen("attachment"))

    def dictate(self):
        mime_type = self.some("audio/mp4", "audio/webm;codecs=opus")
        return ask("input.transcribe", audio_base64=self.some("AAAA", "", "aGk=", "a"), mime_type=mime_type)

    REQUESTS = [
        *[message] * 5,
        create,
        tool_output,
        answers,
        *[retry] * 2,
        *[custom_action] * 3,
        sync_action,
        *[list_items] * 2,
        list_threads,
        rename,
        read,
        feedback,
        attach,
        detach,
        dictate,
    ]

    def request(self):
        return self.chance.choice(self.REQUESTS)(self)

    def walk(self):
        how = {"limit": self.chance.randint(1, 5), "order": self.some("asc", "desc")}
        request = self.some(ask("items.list", **self.thread(), **how), ask("threads.get_by_id", **self.thread()))
        return {"walk": request["request"]} | self.some({}, {"by": "last_id"})

    def malformed(self):
        """A request of some kind that lost a member, or has one of another type."""
        step = self.request()
        holder, name = step, "request"
        # What an action carries is the scripts' own, and no part of the protocol.
        while isinstance(holder[name], dict) and holder[name] and name != "payload" and (holder is step or self.perhaps(0.6)):
            holder = holder[name]
            name = self.chance.choice(sorted(holder))
        if self.perhaps():
            del holder[name]
        else:
            holder[name] = self.some(5, [], {}, None, True, "other")
        return step

    def further(self):
        if self.waiting and self.perhaps(0.8):
            return self.waiting.pop(0)()
        return self.some(*[self.request] * 10, self.malformed, self.walk)()

    def conversation(self, name):
        steps = [self.attach()] if self.perhaps(0.15) else []
        steps.append(self.create())
        steps += [self.further() for _ in range(self.chance.randint(1, 7))]
        if self.perhaps(0.05):
            steps.append(ask("threads.delete", **self.thread()))
        return Scene(name, steps, self.some([], [], [], ["!attachments"]))

    def left(self, name, policy):
        """A client that goes away in the middle: what is stored once the server has noticed."""
        # Nobody would be there to see what was begun and not ended.
        self.tidy = policy == "finish"
        shown = [step for step in self.steps() if set(step) == {"emit"}]
        # For what is not sent the client would wait in vain.
        shown = [step for step in shown if step["emit"].get("item", {}).get("type") not in HIDDEN]
        shown.append(emit("progress_update", text="now"))
        rest = self.streamed_message() + self.thread_change() if policy == "finish" else []
        pause = {"sleep_ms": 80 if policy == "finish" else 60_000}
        text = {"$script": {"respond": [*shown, pause, *rest]}}
        said = {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}}
        step = ask("threads.create", input=said) | {"cancel_after_events": 3 + len(shown)}
        return Scene(name, [step], [f"policy:{policy}"])


def hidden_pages():
    """Lists whose pages end before, in and after what nobody is shown; by chance this comes about too seldom."""
    author = Items("hidden")
    kinds = ["assistant_message", "hidden_context_item", "sdk_hidden_context", "end_of_turn", "hidden_context_item"]
    items = [done(author.whole(kind, author.new_id())) for kind in kinds]
    text = {"$script": {"respond": items}}
    said = {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}}
    steps = [ask("threads.create", input=said)]
    for order in ("asc", "desc"):
        for limit in range(1, 6):
            steps.append(ask("items.list", thread_id="$seen:thread:0", limit=limit, order=order))
    return Scene("hidden-pages", steps)


def random_scenes(count):
    """So many scenes, named by their numbers."""
    for number in range(count):
        author = Requests(f"scene {number}")
        if number % LEFT_EVERY == 0:
            yield author.left(f"random-{number}-left-running", "finish")
        elif number % LEFT_EVERY == 1:
            yield author.left(f"random-{number}-stopped", "cancel")
        else:
            yield author.conversation(f"random-{number}")
