"""Does the reference understand all that our own tests were told? What they received is read with the reference's types.

Each test of the gateway writes down what it is answered (`tests/it/support/transcript.rs`). Here each event and each
body of a request that was granted is read and compared as `reading.py` says. So that nothing is proven by silence, a run
must have seen at least what the floors say.

    python transcripts.py FOLDER
"""

import json
import sys
from collections import Counter
from pathlib import Path

from reading import ANSWERS, EVENT, Difference, compare

DIFFERENCES_SHOWN_MAX = 20

# So much at least must have been seen of each; raise it when tests of more are there.
EVENTS_MIN = 2000
BODIES_MIN = 200
KINDS_SEEN_MIN = {
    "thread.created": 100,
    "thread.updated": 1,
    "thread.item.added": 100,
    "thread.item.updated": 1000,
    "thread.item.done": 100,
    "stream_options": 100,
    "progress_update": 10,
    "error": 10,
    "user_message": 100,
    "assistant_message": 100,
    "workflow": 10,
}


class Tally:
    """What was seen, and what was wrong with it."""

    def __init__(self):
        self.kinds, self.answers, self.exceptions = Counter(), Counter(), Counter()
        self.differences = []

    def read(self, line):
        said = json.loads(line)
        granted = "event" in said or 200 <= said["status"] < 300
        adapter = ANSWERS.get(said["request"])
        if not granted or adapter is None:
            return
        try:
            if adapter is EVENT and "event" not in said:
                raise Difference(f"a stream was asked for, and this came: {said['body']}")
            value = compare(adapter, said.get("event", said.get("body")).encode(), self.exceptions)
        except (Difference, ValueError) as difference:
            self.differences.append(f"{said['request']} in {said['test']}\n    {difference}")
            return
        self.answers["events" if adapter is EVENT else "bodies"] += 1
        self.count(value if adapter is EVENT else {"type": said["request"]} | value)

    def count(self, value):
        """Counts each `type` that something has, at any depth: of events, updates, items, parts, tasks, components."""
        if isinstance(value, list):
            for element in value:
                self.count(element)
        elif isinstance(value, dict):
            if isinstance(value.get("type"), str):
                self.kinds[value["type"]] += 1
            for inner in value.values():
                self.count(inner)

    def below_the_floor(self):
        floors = {"events": EVENTS_MIN, "bodies": BODIES_MIN}
        short = [(name, self.answers[name], least) for name, least in floors.items() if self.answers[name] < least]
        short += [(kind, self.kinds[kind], least) for kind, least in KINDS_SEEN_MIN.items() if self.kinds[kind] < least]
        return [f"{name}: {seen} seen, at least {least} expected" for name, seen, least in short]


def main(folder):
    tally = Tally()
    for path in sorted(Path(folder).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                tally.read(line)
    for difference in tally.differences[:DIFFERENCES_SHOWN_MAX]:
        print(f"FAIL {difference}")
    short = tally.below_the_floor()
    for sentence in short:
        print(f"FAIL too few {sentence}")
    for name, times in tally.exceptions.items():
        print(f"excepted {times} times: {name}")
    print(f"{tally.answers['events']} events and {tally.answers['bodies']} bodies read, {len(tally.differences)} differ")
    return 1 if tally.differences or short else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
