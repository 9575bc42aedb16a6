"""Random items and their parts: all types that the protocol has, with and without what may be left out."""

import random

WORDS = ["robot", "Ünïcode", "🤖", "روبوٹ", "a\nb", "“quoted”", "x" * 60, " ", "\t", "<b>", "\\", "\u2028", "", "0"]
ICONS = ["search", "bolt", "lucide:ship", "vendor:acme", "circle-question"]
JSONS = [None, True, 0, -1, 1.5, 2**53, "text", "", [], {}, {"k": None, "l": [1, None, {"m": {}}]}, [[["deep"]]]]
IDENTIFIER_KINDS = ["message", "tool_call", "task", "workflow"]
ITEM_KINDS = [
    "assistant_message",
    "client_tool_call",
    "widget",
    "generated_image",
    "structured_input",
    "workflow",
    "task",
    "hidden_context_item",
    "sdk_hidden_context",
    "end_of_turn",
]


class Items:
    """Makes up items by throwing dice; the same seed gives the same ones."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.names = 0
        # Kinds of items that were made so far.
        self.made = set()

    def some(self, *choices):
        return self.chance.choice(choices)

    def perhaps(self, probability=0.5):
        return self.chance.random() < probability

    def text(self, most=4):
        return " ".join(self.chance.choice(WORDS) for _ in range(self.chance.randint(0, most)))

    def few(self, make, most=3):
        return [make() for _ in range(self.chance.randint(0, most))]

    def optional(self, **members):
        """Some of these members; some others as null, which counts as absent."""
        chosen = {name: value for name, value in members.items() if self.perhaps(0.6)}
        return chosen | {name: None for name in members if name not in chosen and self.perhaps(0.2)}

    def object(self):
        return {self.some("a", "b", "ключ", ""): self.chance.choice(JSONS) for _ in range(self.chance.randint(0, 2))}

    # ---------------------------------------------------------------- parts

    def source(self, kind=None):
        match kind or self.some("url", "file", "entity"):
            case "url":
                own = {"type": "url", "url": self.some("https://example.com", "not a url", "")}
                own |= self.optional(attribution="example.com")
            case "file":
                own = {"type": "file", "filename": self.text(1)}
            case "entity":
                own = {"type": "entity", "id": "e1"}
                own |= self.optional(icon=self.some(*ICONS), label="L", inline_label="l")
                own |= self.some({}, {"interactive": self.perhaps()}, {"data": self.object()})
        return {"title": self.text(2)} | own | self.optional(description="d", timestamp="2025", group="g")

    def annotation(self):
        return {"type": "annotation", "source": self.source()} | self.optional(index=self.chance.randint(0, 9))

    def part(self):
        annotations = self.some({}, {"annotations": self.few(self.annotation, 2)})
        return {"type": "output_text", "text": self.text()} | annotations

    def task(self):
        match self.some("custom", "web_search", "thought", "file", "image"):
            case "custom":
                own = {"type": "custom"} | self.optional(icon=self.some(*ICONS), content=self.text())
            case "web_search":
                own = {"type": "web_search", "queries": self.few(self.text)} | self.optional(title_query="q")
                own |= {"sources": self.few(lambda: self.source("url"))}
            case "thought":
                own = {"type": "thought", "content": self.text()}
            case "file":
                own = {"type": "file", "sources": self.few(lambda: self.source("file"))}
            case "image":
                own = {"type": "image"}
        indicator = self.some({}, {"status_indicator": self.some("none", "loading", "complete")})
        return own | self.optional(title=self.text(2)) | indicator

    def workflow(self):
        summary = self.some({"duration": 7}, {"title": "Done"}, {"title": "Done", "icon": "check"}, None)
        more = self.some({}, {"summary": summary}, {"expanded": True})
        return {"type": self.some("custom", "reasoning"), "tasks": self.few(self.task)} | more

    def question(self):
        common = {"id": self.some("q1", "q2", "q3"), "question": self.text(2)}
        if self.perhaps():
            return common | {"type": "freeform"} | self.optional(description="d")
        options = self.few(lambda: {"value": self.text(1)})
        return common | {"type": "multiple_choice", "options": options} | self.some({}, {"multiple": self.perhaps()})

    # ---------------------------------------------------------------- widgets

    def component(self, depth=2):
        """A component as the open class of the reference takes it: any members, and nulls anywhere."""
        match self.some("Text", "Markdown", "Button", "Chart", "Row", "Image", "Table", "Own.Thing"):
            case "Text":
                own = {"type": "Text", "value": self.text(2)}
            case "Markdown":
                own = {"type": "Markdown", "value": self.text(2), "streaming": self.perhaps()}
            case "Button":
                own = {"type": "Button", "onClickAction": {"type": "go", "payload": self.object()}}
            case "Chart":
                own = {"type": "Chart", "data": [{"x": 1, "y": None}, {"x": 1.0}], "series": [None, 1]}
            case "Row":
                own = {"type": "Row", "children": self.few(lambda: self.component(depth - 1), 2) if depth else []}
            case other:
                own = {"type": other, "anything": self.chance.choice(JSONS)}
        return own | self.optional(id=self.some("i1", "i2"), key="k")

    def widget(self):
        root = {"type": self.some("Card", "ListView", "Basic"), "children": self.few(self.component)}
        return root | self.optional(size="sm", status={"text": "s"})

    def growing_widget(self):
        """States of a widget whose texts grow; now and then in a way that the reference's differ does not see."""
        texts, heading, more = [self.text(1), self.text(1)], "H", {}
        identified = [{"id": "t"} if self.perhaps(0.9) else {}, {"id": "m"} if self.perhaps(0.9) else {}]
        wrapped, states = self.perhaps(0.1), []
        for _ in range(self.chance.randint(1, 4)):
            children = [
                {"type": "Title", "value": heading},
                {"type": "Text", "value": texts[0], "streaming": True} | identified[0],
                {"type": "Markdown", "value": texts[1]} | identified[1],
            ]
            if wrapped:
                children[1] = {"type": "Transition", "children": children[1]}
            states.append({"type": "Card", "children": children} | more)
            texts = [text + self.some("", self.text(1)) for text in texts]
            heading += self.some("", "", "!")
            more = self.some(more, more, more, more, {"size": "sm"})
        return states

    # ---------------------------------------------------------------- items

    def new_id(self):
        self.names += 1
        return f"$id:n{self.names}:{self.some(*IDENTIFIER_KINDS)}"

    def item(self, kind, item_id, /, **members):
        self.made.add(kind)
        return {"id": item_id, "thread_id": "$thread", "created_at": "$now", "type": kind} | members

    def whole(self, kind, item_id):
        """An item with all that belongs to one of its kind."""
        return self.item(kind, item_id, **getattr(self, f"of_{kind}")())

    def of_assistant_message(self):
        return {"content": self.few(self.part)}

    def of_client_tool_call(self):
        done = {"status": "completed", "output": self.chance.choice(JSONS)}
        called = {"call_id": "call_1", "name": "f", "arguments": self.object()}
        return called | self.some({}, {"status": "pending"}, done)

    def of_widget(self):
        return {"widget": self.widget()} | self.optional(copy_text="c")

    def of_generated_image(self):
        return self.optional(image={"id": "img", "url": "https://example.com/a b.png"})

    def of_structured_input(self):
        return {"inputs": self.few(self.question)} | self.some({}, {"status": "pending"})

    def of_workflow(self):
        return {"workflow": self.workflow()}

    def of_task(self):
        return {"task": self.task()}

    def of_hidden_context_item(self):
        return {"content": self.chance.choice(JSONS)}

    def of_sdk_hidden_context(self):
        return {"content": "note"}

    def of_end_of_turn(self):
        return {}
