"""Answers of two servers in one form: identifiers by the order in which they came, times and addresses as words."""

import re
from datetime import datetime, timedelta, timezone

IDENTIFIER = re.compile(r"\b(thr|msg|tc|tsk|wf|atc|shcx)_[0-9A-Za-z]{6,}")
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
# Times that lie so near are those of the run itself.
NOW = timedelta(hours=1)
URL, METHODS = "URL", ("POST", "PUT")


class Normal:
    """The form of one side's answers in one scene. `strict` holds its times to UTC with `Z`."""

    def __init__(self, strict, labels=None):
        self.strict, self.labels = strict, dict(labels or {})
        self.times_without_zone = 0

    def copy(self):
        return Normal(self.strict, self.labels)

    def answer(self, answer):
        if answer.refusal:
            return {"refused": answer.refusal}
        if answer.status >= 400:
            return {"refused": str(answer.status)} | (self.without_sentence(answer) if self.strict else {})
        what = "events" if answer.streams else "body"
        return {"status": answer.status, "type": answer.type, what: self.value(answer.body), "cut": answer.cut}

    def without_sentence(self, answer):
        """What is wrong with the body of a refusal, which must tell people and programs why."""
        body = answer.body if isinstance(answer.body, dict) else {}
        error = body.get("error") if isinstance(body.get("error"), dict) else {}
        told = all(isinstance(sentence, str) and sentence for sentence in (body.get("message"), error.get("message")))
        return {} if told and answer.type == "application/json" else {"type": answer.type, "body": answer.body}

    def value(self, value, member=None):
        if isinstance(value, list):
            return [self.value(element) for element in value]
        if isinstance(value, dict):
            if member == "upload_descriptor":
                return self.descriptor(value)
            # Both sides are walked in one order, whatever the order of their members.
            return {name: self.value(value[name], name) for name in sorted(value)}
        if not isinstance(value, str):
            return value
        if member == "created_at":
            return self.time(value)
        if member == "preview_url":
            return URL
        return IDENTIFIER.sub(self.label, value)

    def descriptor(self, value):
        """Where and how bytes are brought is the server's choice."""
        url, method, headers = (value.get(name) for name in ("url", "method", "headers"))
        known = isinstance(url, str) and method in METHODS and isinstance(headers, dict)
        return URL if known and len(value) == 3 else value

    def label(self, found):
        kind = found[1]
        number = sum(label.startswith(kind + "#") for label in self.labels.values())
        return self.labels.setdefault(found[0], f"{kind}#{number}")

    def time(self, text):
        if self.strict and not UTC_TIME.fullmatch(text):
            return f"not UTC: {text}"
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if time.tzinfo is None:
            self.times_without_zone += 1
            time = time.replace(tzinfo=timezone.utc)
        return "NOW" if abs(datetime.now(timezone.utc) - time) < NOW else time.astimezone(timezone.utc).isoformat()
