"""Documents that are run: their blocks of shell, what these are said to print, and a shell to find out."""

import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass

# Where documents say that the server is; of it only the port is another in a test.
ADDRESS = "http://127.0.0.1:8000"
END = "end of the block, status"
BLOCK_SECONDS_MAX = 60


@dataclass
class Scene:
    """A block of shell that asks a server."""

    # The heading of the second level above it.
    chapter: str
    # The line of prose before it.
    said: str
    block: str
    # The lines of the block of text after it, if there is one: what is said to be printed.
    told: list


def scenes(text):
    """The blocks of a document that call curl, in order."""
    blocks = list(re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    for block, after in zip(blocks, [*blocks[1:], None]):
        if block[1] == "sh" and re.search(r"\bcurl -", block[2]):
            before = text[: block.start()].rstrip()
            chapters = re.findall(r"^## (.*)$", before, re.MULTILINE)
            told = after[2].splitlines() if after and after[1] == "text" else []
            yield Scene(chapters[-1] if chapters else "", before.rpartition("\n")[2], block[2], told)


def missing(told, printed):
    """The first line that was not printed after the one before it; `…` stands for anything."""
    lines = iter(printed)
    for line in told:
        pattern = ".*".join(map(re.escape, line.split("…")))
        if line.strip() and not any(re.fullmatch(pattern, other) for other in lines):
            return line
    return None


class Shell:
    """A shell that is handed one block after the other, as somebody would paste them; `with` ends it."""

    def __init__(self, folder):
        # A group of its own, so that what a block left behind ends with it.
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(["sh"], stdin=pipe, stdout=pipe, text=True, cwd=folder, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.end()

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def play(self, scene, port):
        """Runs a block against the server at this port; what is wrong with the answer, as text, or nothing."""
        here = ADDRESS.rpartition(":")[0] + f":{port}"
        self.process.stdin.write(scene.block.replace(ADDRESS, here) + f'\necho; echo "{END} $?"\n')
        self.process.stdin.flush()
        patience = threading.Timer(BLOCK_SECONDS_MAX, self.end)
        patience.start()
        printed = []
        while (line := self.process.stdout.readline()) and not line.startswith(END):
            printed.append(line.rstrip("\r\n").replace(here.removeprefix("http://"), ADDRESS.removeprefix("http://")))
        patience.cancel()
        if not line:
            raise SystemExit(f"the shell ended early, or took longer than {BLOCK_SECONDS_MAX} s, in\n\n{scene.block}")
        lost = missing(scene.told, printed)
        if lost is None and any(printed) and line.split()[-1] == "0":
            return None
        return f"after\n\n{scene.block}\nthis was printed\n\n" + "\n".join(printed) + f"\n\nand not\n\n{lost}"
