"""Does the README tell the truth? Its curl lines are run as they stand, and what it says they print is looked for.

Each block of shell that calls curl is run, in order, in one shell; of the address only the port is another. Each line
of the block of text after it must be among what was printed, in that order; `…` stands for anything. Between two blocks
the gateway is killed and started again, so what the README shows has to survive that, too.

    python readme.py PATH-OF-THE-PROGRAM README.md
"""

import sys
from pathlib import Path

from documents import Shell, scenes
from gateway import Gateway


def main(program, readme):
    told = list(scenes(Path(readme).read_text()))
    failed = 0
    with Gateway(program) as gateway, Shell(gateway.folder.name) as shell:
        for number, scene in enumerate(told):
            if number:
                gateway.kill()
                gateway.start()
            if wrong := shell.play(scene, gateway.port):
                failed += 1
                print(f"FAIL {readme}: {wrong}")
    print(f"{len(told) - failed} passed, {failed} failed")
    return 1 if failed or not told else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
