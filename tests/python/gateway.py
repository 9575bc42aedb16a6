"""A gateway of our own for one run: a free port, a folder that goes away, and no settings but the ones given."""

import http.client
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS_MAX = 30
ANSWER_SECONDS_MAX = 60
# Limits that tests of other things do not want to reach.
LIMITS = (
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_DAY",
    "MESSAGES_PER_MINUTE_PER_ADDRESS",
    "MESSAGES_PER_DAY_PER_ADDRESS",
    "PERSONALIZATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY_PER_ADDRESS",
    "STREAMS_PER_READER",
    "STREAMS_PER_ADDRESS",
    "REQUESTS_PER_MINUTE_PER_ADDRESS",
)


class Gateway:
    """Runs the program in an empty folder; `with` ends it. It can be killed and started again on the same port and files.

    The examples are started by the same hand: they take the port from `--port` or from the setting.
    """

    def __init__(self, program, command=("serve",), **settings):
        self.program, self.command = str(Path(program).resolve()), command
        self.settings = settings
        self.port = 0

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chatkit-gateway-")
        self.start()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def start(self):
        log = Path(self.folder.name, "log")
        # Settings of whoever runs the tests must not reach the program, so it gets an environment of its own.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "TMPDIR": self.folder.name,
            "DATA_DIR": str(Path(self.folder.name, "data")),
            "PORT": str(self.port),
            "OFFLINE_PACE_MS": "0",
            "TITLES": "off",
        } | dict.fromkeys(LIMITS, "0")
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [self.program, *self.command, "--port", str(self.port)],
                env=environment | self.settings,
                cwd=self.folder.name,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (listening := re.search(r"Listening on http://127\.0\.0\.1:(\d+)", log.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise SystemExit(f"the gateway did not start:\n{log.read_text()}")
            time.sleep(0.02)
        self.port = int(listening[1])

    def kill(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def post(self, path, body=b"", headers=None):
        """Status, content type and bytes of an answer, read to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("POST", path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            connection.close()
