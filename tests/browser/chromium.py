"""A Chromium without a window, spoken to through two pipes.

    with Chromium() as browser:
        page = browser.open("http://localhost:3000/")
        page.run("document.title")
"""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ANSWER_SECONDS_MAX = 60


def program():
    """Where a Chromium is, or nothing."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Chromium:
    """A browser with a profile of its own, which goes away with it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chatkit-browser-")
        to_read, self.to_browser = os.pipe()
        self.from_browser, to_write = os.pipe()

        def as_it_expects():
            # The browser reads from 3 and writes to 4; the pipes may have these very numbers.
            reading, writing = os.dup(to_read), os.dup(to_write)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        command = [
            program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
            f"--user-data-dir={self.folder.name}", "--remote-debugging-pipe",
        ]
        self.process = subprocess.Popen(
            command, close_fds=False, preexec_fn=as_it_expects,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.asked, self.unread, self.told = 0, b"", []
        return self

    def __exit__(self, *_):
        try:
            self.ask("Browser.close")
        except (OSError, RuntimeError):
            self.process.kill()
        try:
            self.process.wait(ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        for _ in range(50):
            # Helpers of the browser may still be writing to its profile.
            shutil.rmtree(self.folder.name, ignore_errors=True)
            if not os.path.exists(self.folder.name):
                break
            time.sleep(0.1)

    def ask(self, method, session=None, **params):
        """What the browser answers to a command of its DevTools protocol."""
        self.asked += 1
        number = self.asked
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        answer = self.hear(lambda said: said.get("id") == number, method)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def hear(self, wanted, what):
        """The first message that is wanted, of those that came and those to come; what was heard before it is kept."""
        for at, said in enumerate(self.told):
            if wanted(said):
                return self.told.pop(at)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while True:
            while b"\0" in self.unread:
                message, self.unread = self.unread.split(b"\0", 1)
                said = json.loads(message)
                if wanted(said):
                    return said
                self.told.append(said)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.from_browser], [], [], left)[0]:
                raise RuntimeError(f"the browser does not answer: {what}")
            read = os.read(self.from_browser, 1 << 16)
            if not read:
                raise RuntimeError(f"the browser is gone: {what}")
            self.unread += read

    def open(self, url):
        """A tab with this page, loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable", session)
        page = Page(self, session)
        page.go(url)
        return page


class Page:
    """A tab."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def go(self, url):
        """Loads a page in this tab."""
        is_loaded = lambda said: said.get("sessionId") == self.session and said.get("method") == "Page.loadEventFired"
        self.browser.told = [said for said in self.browser.told if not is_loaded(said)]
        self.browser.ask("Page.navigate", self.session, url=url)
        self.browser.hear(is_loaded, f"loading {url}")

    def run(self, script):
        """What an expression, perhaps one to be waited for, comes to; what it throws is raised."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self.browser.ask("Runtime.evaluate", self.session, **asked)
        if thrown := answer.get("exceptionDetails"):
            raise PageError(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    def complaints(self):
        """What the browser logged about this page so far."""
        logged = [said for said in self.browser.told if said.get("method") == "Log.entryAdded"]
        return [said["params"]["entry"]["text"] for said in logged if said.get("sessionId") == self.session]


class PageError(Exception):
    """A script of a page threw something."""
