"""Does the README tell the truth? Its curl lines are run as they stand, and what it says they print is looked for.

Each block of shell that calls curl is run, in order, in one shell; of the address only the port is another. Each line
of the block of text after it must be among what was printed, in that order; `…` stands for anything. Between two blocks
the gateway is killed and started again, so what the README shows has to survive that, too.

    python readme.py PATH-OF-THE-PROGRAM README.md
"""

import re
import subprocess
import sys
from pathlib import Path

from gateway import Gateway

ADDRESS = "http://127.0.0.1:8000"
END = "end of the block, status"


def scenes(text):
    """Pairs of a block of shell and the lines it is said to print."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for (kind, block), (next_kind, printed) in zip(blocks, [*blocks[1:], ("", "")]):
        if kind == "sh" and re.search(r"^\s*(\w+=\$\()?curl ", block, re.MULTILINE):
            yield block, printed.splitlines() if next_kind == "text" else []


def missing(expected, printed):
    """The first line that was not printed after the one before it."""
    lines = iter(printed)
    for line in expected:
        pattern = ".*".join(map(re.escape, line.split("…")))
        if line.strip() and not any(re.fullmatch(pattern, other) for other in lines):
            return line
    return None


def main(program, readme):
    told = list(scenes(Path(readme).read_text()))
    failed = 0
    with Gateway(program) as gateway:
        shell = subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=gateway.folder.name)
        for number, (block, expected) in enumerate(told):
            if number:
                gateway.kill()
                gateway.start()
            shell.stdin.write(block.replace(ADDRESS, f"http://127.0.0.1:{gateway.port}") + f'\necho; echo "{END} $?"\n')
            shell.stdin.flush()
            printed = []
            while not (line := shell.stdout.readline()).startswith(END):
                if not line:
                    raise SystemExit("the shell ended early")
                printed.append(line.rstrip("\n").replace(f"127.0.0.1:{gateway.port}", ADDRESS.removeprefix("http://")))
            lost = missing(expected, printed)
            if lost is not None or not any(printed) or line.split()[-1] != "0":
                failed += 1
                print(f"FAIL {readme}: after\n\n{block}\nthis was printed\n\n" + "\n".join(printed) + f"\n\nand not\n\n{lost}")
        shell.stdin.close()
        shell.wait()
    print(f"{len(told) - failed} passed, {failed} failed")
    return 1 if failed or not told else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
