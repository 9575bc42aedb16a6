"""Does the reference understand all that our own tests were told? What they received is read with the reference's types.

Each test of the gateway writes down what it is answered (`tests/it/support/transcript.rs`). Here each event and each
body of a request that was granted is read and compared as `reading.py` says. So that nothing is proven by silence, a run
must have seen at least what the floors say. Kinds of items and events that only scripts bring about have their floor in
`differential.py`.

    python transcripts.py FOLDER
"""

import json
import sys
from pathlib import Path

from reading import ANSWERS, EVENT, Difference, Tally

DIFFERENCES_SHOWN_MAX = 20

# So much at least must have been seen; raise it when there are tests of more.
BODIES_MIN = 200
SEEN_MIN = {
    "thread.created": 50,
    "thread.updated": 5,
    "thread.item.added": 70,
    "thread.item.updated": 1000,
    "thread.item.done": 120,
    "thread.item.replaced": 1,
    "stream_options": 70,
    "progress_update": 20,
    "error": 8,
    "user_message": 150,
    "assistant_message": 120,
    "workflow": 50,
    "widget": 8,
    "client_tool_call": 2,
}


def read(line, tally):
    """Reads what one test was told at one time; gives what is wrong with it, or nothing."""
    said = json.loads(line)
    granted = "event" in said or 200 <= said["status"] < 300
    if not granted or said["request"] not in ANSWERS:
        return None
    try:
        if ANSWERS[said["request"]] is EVENT and "event" not in said:
            raise Difference(f"a stream was asked for, and this came: {said['body']}")
        tally.take(said["request"], said.get("event", said.get("body")).encode())
    except Difference as difference:
        return f"{said['request']} in {said['test']}\n    {difference}"
    return None


def main(folder):
    tally, wrong = Tally(), []
    for path in sorted(Path(folder).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            wrong += filter(None, (read(line, tally) for line in lines))
    wrong += tally.below(SEEN_MIN)
    if tally.bodies < BODIES_MIN:
        wrong.append(f"only {tally.bodies} bodies seen, at least {BODIES_MIN} expected")
    for sentence in wrong[:DIFFERENCES_SHOWN_MAX]:
        print(f"FAIL {sentence}")
    print(f"{tally}; {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
