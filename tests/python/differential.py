"""Do we answer as the reference does? The same requests go to the reference's server and to ours, and are compared.

All conformance cases are played, and then random conversations that are the same in every run. What comes back, and what
is then found stored, must be the same on both sides once identifiers and times are put into one form; what differs on
purpose is a rule in `deliberate.py`, and each of those rules must be needed. At the end some answers of ours are spoiled
(`spoil.py`), which must be noticed. All our answers are also read by the reference's types, as `reading.py` says.

    python differential.py PATH-OF-OUR-SCRIPTED-HOST     # `--only 'retry-*'` plays some scenes, `--scripts 50` fewer random ones
    python differential.py --reference                   # the reference against itself, without any rule
"""

import argparse
import fnmatch
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import deliberate
import scenes
import scripts
import spoil
from reading import Tally
from stage import Ours, Reference, Side, Stage
from wire import Host

FOLDER = Path(__file__).parent
CASES = FOLDER.parent.parent / "protocol/conformance/cases"
REFERENCE = [sys.executable, str(FOLDER / "reference.py")]
SCRIPTS = 300
FAILURES_SHOWN_MAX = 20

# The ways in which the hosts are started, and what they can do then. Each scene is played in the first that fits.
SETUPS = [
    ("on on refuse finish", {"attachments", "transcribe", "refuse_locked", "stream_widget", "policy:finish"}),
    ("on on refuse cancel", {"attachments", "transcribe", "refuse_locked", "stream_widget", "policy:cancel"}),
    ("off off allow finish", {"stream_widget", "policy:finish"}),
]
# So often at least each kind must be seen in a whole run. Hidden items are not among them, because nobody is shown any.
SEEN_MIN = dict.fromkeys(
    [
        *("thread.created", "thread.updated", "thread.item.added", "thread.item.updated", "thread.item.done"),
        *("thread.item.removed", "thread.item.replaced", "stream_options", "progress_update", "client_effect"),
        *("error", "notice"),
        *("user_message", "assistant_message", "client_tool_call", "widget", "generated_image", "structured_input"),
        *("workflow", "task", "end_of_turn"),
        *(f"assistant_message.content_part.{what}" for what in ("added", "text_delta", "annotation_added", "done")),
        *("widget.streaming_text.value_delta", "widget.component.updated", "widget.root.updated"),
        *("workflow.task.added", "workflow.task.updated", "generated_image.updated"),
        *("input_text", "input_tag", "output_text", "annotation", "url", "file", "entity", "image"),
        *("multiple_choice", "freeform", "custom", "reasoning", "web_search", "thought"),
        *("active", "locked", "closed"),
    ],
    10,
)
OPTIONS = ("--attachments", "--transcriber", "--locked", "--on-disconnect")


class Run:
    """All scenes in all set-ups, and what came of it."""

    def __init__(self, command):
        # Without a program of ours the reference stands on both sides, and no rule applies.
        self.command, self.ruled = [command] if command else REFERENCE, bool(command)
        self.played, self.failed, self.noticed, self.tally = 0, 0, 0, Tally()

    def play(self, all_scenes):
        parts = [[] for _ in SETUPS]
        for scene in all_scenes:
            fitting = [part for (_, features), part in zip(SETUPS, parts) if scene.fits(features)]
            if not fitting:
                self.fail(scene.name, "no set-up has what it needs")
            else:
                fitting[0].append(scene)
        with ThreadPoolExecutor(len(SETUPS)) as pool, ExitStack() as running:
            hosts = []
            for setup, _ in SETUPS:
                options = [word for pair in zip(OPTIONS, setup.split()) for word in pair]
                named = (("the reference", REFERENCE), ("our host", self.command))
                hosts.append([running.enter_context(Host(name, command, options)) for name, command in named])
            playing = [pool.submit(self.part, *pair, setup[1], part) for pair, setup, part in zip(hosts, SETUPS, parts)]
            for part in playing:
                part.result()

    def part(self, theirs, ours, features, part):
        for host in (theirs, ours):
            host.ready()
        reference = Reference(theirs, "refuse_locked" in features) if self.ruled else Side(theirs, strict=False)
        stage = Stage(reference, Ours(ours, self.tally) if self.ruled else Side(ours, strict=False))
        for scene in part:
            self.played += 1
            if differs := stage.play(scene):
                self.fail(scene.name, differs)
            for how in spoil.WAYS.get(scene.name, []) if self.ruled else []:
                stage.ours = spoil.Spoiled(ours, self.tally, how)
                if stage.play(scene):
                    self.noticed += 1
                else:
                    self.fail(scene.name, f"nobody noticed what `{how.__name__}` did to our answer")
                stage.ours = Ours(ours, self.tally)

    def fail(self, name, why):
        self.failed += 1
        if self.failed <= FAILURES_SHOWN_MAX:
            print(f"FAIL {name}, {why}\n", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program", nargs="?", type=Path)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--only", default="*")
    parser.add_argument("--scripts", type=int, default=SCRIPTS)
    asked = parser.parse_args()
    if bool(asked.program) == asked.reference:
        parser.error("name our scripted host, or say --reference")
    began, run = time.monotonic(), Run(asked.program and str(asked.program.resolve()))
    every = [*scenes.cases(CASES), scripts.hidden_pages(), *scripts.random_scenes(asked.scripts)]
    run.play([scene for scene in every if fnmatch.fnmatch(scene.name, asked.only)])
    whole = run.ruled and asked.only == "*" and asked.scripts == SCRIPTS
    for rule in deliberate.TABLE if run.ruled else []:
        if whole and not rule.times:
            run.fail("deliberate.py", f"a difference that nobody sees any more: {rule.reason}")
        else:
            print(f"{rule.times:6} × {rule.reason}")
    for sentence in run.tally.below(SEEN_MIN) if whole else []:
        run.fail("scripts.py", sentence)
    print(run.tally)
    took = time.monotonic() - began
    print(f"{run.played} scenes played, {run.failed} failed, {run.noticed} spoiled answers noticed, in {took:.0f} s")
    return 1 if run.failed or not run.played else 0


if __name__ == "__main__":
    sys.exit(main())
