"""Two servers and one client: starting a host of scripts, asking it, and reading what it answers."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gateway import START_SECONDS_MAX
from reading import Difference

SILENCE_SECONDS_MAX = 20
ANSWER_SECONDS_MAX = 60


@dataclass
class Answer:
    """What came back: for a stream its events, for JSON its value, otherwise its text."""

    status: int
    type: str
    body: object
    # The connection broke off before the answer was complete.
    cut: bool = False
    # The client went away before the end.
    left: bool = False
    # What the reference's host says beside the protocol: the exception it met, and that a hook did not come to its end.
    raised: str = ""
    unfinished: bool = False
    # Which statuses are meant, where an answer is derived from a rule: "404", "4xx".
    refusal: str = ""

    @property
    def streams(self):
        return self.type == "text/event-stream"

    @property
    def granted(self):
        return not self.refusal and 200 <= self.status < 300


def refused(statuses):
    """An answer that a rule demands instead of the reference's."""
    return Answer(0, "application/json", None, refusal=statuses)


class Host:
    """A program that plays scripts, on a port and in a folder of its own; `with` starts and ends it."""

    def __init__(self, name, command, options):
        self.name, self.command, self.options = name, command, options

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chatkit-scripts-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = Path(self.folder.name, "log")
        # Nobody's settings; and the reference must write its times without a zone in the zone that we read them in, and
        # look at the members of widgets in one order.
        environment = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "PYTHONHASHSEED": "0"}
        environment |= {"HOME": self.folder.name, "TMPDIR": self.folder.name}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.command, "--port", str(self.port), *self.options],
                env=environment,
                cwd=self.folder.name,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def ready(self):
        """Waits until it listens; apart from the start, so that several hosts can start at once."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()}") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def ask(self, kind, /, **params):
        return self.send(json.dumps({"type": kind, "params": params}).encode())

    def send(self, body, method="POST", path="/chatkit", headers=None, events_wanted=None):
        """Asks; with `events_wanted` the client goes away as soon as so many events have come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SILENCE_SECONDS_MAX)
        data, cut, left, deadline = b"", False, False, time.monotonic() + ANSWER_SECONDS_MAX
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            try:
                while not left and (part := response.read1(1 << 16)):
                    data += part
                    left = events_wanted is not None and data.count(b"\n\ndata: ") + 1 >= events_wanted and data.endswith(b"\n\n")
                    if time.monotonic() > deadline:
                        raise TimeoutError
            except (http.client.IncompleteRead, ConnectionError):
                cut = True
            return read(response, data, cut, events_wanted if left else None)
        except TimeoutError:
            raise Difference(f"the answer of {self.name} did not end; last came {data[-300:]!r}") from None
        except (ConnectionError, http.client.HTTPException) as error:
            raise Difference(f"{self.name} does not answer: {error!r}") from error
        finally:
            connection.close()


def read(response, data, cut, events_wanted):
    kind = response.headers.get_content_type()
    length = response.headers.get("Content-Length")
    short = length is not None and events_wanted is None and len(data) < int(length)
    answer = Answer(response.status, kind, None, cut or short, events_wanted is not None)
    if kind == "application/json":
        answer.body = json.loads(data)
    elif kind != "text/event-stream":
        answer.body = answer.raised = data.decode(errors="replace")
    else:
        answer.body = []
        for frame in data.split(b"\n\n")[:-1]:
            if frame.startswith(b"data: {") and b"\n" not in frame:
                answer.body.append(json.loads(frame[len(b"data: ") :]))
            elif not frame.startswith(b":"):
                raise Difference(f"not one `data: ` line: {frame[:200]!r}")
        comments = re.findall(rb"(?:^|\n\n): (\w+)(?: (.*))?(?=\n\n)", data)
        answer.raised = "".join(text.decode() for word, text in comments if word == b"raised")
        answer.unfinished = any(word == b"unfinished" for word, _ in comments)
        answer.body = answer.body[:events_wanted]
    return answer
