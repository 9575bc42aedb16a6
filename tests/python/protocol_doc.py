"""Do the descriptions of the wire tell the truth? Their curl lines are run as they stand, against the server they name.

The line before each block names the server. The blocks of one chapter go into one shell, in order, and each line of the
block of text after one must be among what was printed, in that order; `…` stands for anything. Every type of request
must have been asked for. That the tables of the document are those of the schema is a test in Rust.

    python protocol_doc.py FOLDER-OF-THE-PROGRAMS docs/protocol.md docs/curl.md
"""

import json
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from documents import Shell, scenes
from gateway import Gateway

SCHEMA = Path(__file__).parent.parent.parent / "protocol/schema/request.json"

# What the document calls each server, its program, and how it is started. An answer takes some seconds, so that there is
# something to stop.
SERVERS = {
    "tutor": ("chatkit-gateway", ("serve",), {"OFFLINE_PACE_MS": "25"}),
    "to-do list": ("examples/custom_responder", (), {}),
    "scripted host": ("examples/scripted", (), {}),
}


class Servers:
    """The servers of the document, each started when it is first asked for."""

    def __init__(self, programs, running):
        self.programs, self.running, self.ports = Path(programs), running, {}

    def port(self, said):
        name = next((name for name in SERVERS if name in said), None)
        if name is None:
            raise SystemExit(f"the line before a block must name one of {', '.join(SERVERS)}, and says: {said}")
        if name not in self.ports:
            program, command, settings = SERVERS[name]
            server = Gateway(self.programs / program, command, **settings)
            self.ports[name] = self.running.enter_context(server).port
        return self.ports[name]


def kinds():
    """Every type of request that the schema has."""
    return {kind["properties"]["type"]["const"] for kind in json.loads(SCHEMA.read_text())["oneOf"]}


def main(programs, *documents):
    told = [(document, scene) for document in documents for scene in scenes(Path(document).read_text())]
    began, failed, asked = time.monotonic(), 0, set()
    with ExitStack() as running:
        servers = Servers(programs, running)
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="chatkit-protocol-"))
        for (document, chapter), its_scenes in groupby(told, lambda one: (one[0], one[1].chapter)):
            with Shell(folder) as shell:
                for _, scene in its_scenes:
                    asked.update(re.findall(r'"type":"([a-z_.]+)"', scene.block))
                    wrong = shell.play(scene, servers.port(scene.said)) if scene.told else "nothing is said to be printed"
                    if wrong:
                        failed += 1
                        print(f"FAIL {document}, {chapter}: {wrong}")
    for kind in sorted(kinds() - asked):
        failed += 1
        print(f"FAIL no block asks for `{kind}`")
    print(f"{len(told)} blocks run, {failed} failed, in {time.monotonic() - began:.0f} s")
    return 1 if failed or not told else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
