"""Does the program answer whatever is asked as its description says? Schemathesis makes up the requests.

It asks every door of the description, as a stranger, as a visitor and as a user, with requests that fit the description
and with requests that do not. No answer may be a 5xx, have a status, a content type or a header that is not described,
or a shape other than the one described. The requests are the same in every run of the same description.

    python fuzzed.py PATH-OF-THE-PROGRAM docs/openapi.json
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from described import ACCOUNT, SETTINGS
from echo import Echo
from gateway import Gateway

SECONDS_MAX = 300
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
# Who asks, in which ways, and how often at each door in the last of them. What is found in more belongs into a test of
# its own. A visitor and a user differ from a stranger in what they may see, and not in how they are read.
RUNS = {
    "stranger": ("examples,coverage,fuzzing", 4),
    "visitor": ("examples,fuzzing", 6),
    "user": ("examples,fuzzing", 10),
}
# Where a handler has several doors, the description calls those after the first by such a name; one of them is enough.
OTHER_SPELLINGS = "_at_"



def shown(gateway, who):
    """The header that says who asks."""
    if who == "visitor":
        return ["-H", "x-chatkit-visitor: " + json.loads(gateway.post("/visitor")[2])["token"]]
    if who == "user":
        signed_up = gateway.post("/auth/signup", json.dumps(ACCOUNT), {"content-type": "application/json"})
        return ["-H", "authorization: Bearer " + json.loads(signed_up[2])["session"]["token"]]
    return []


def run(program, document, who):
    phases, examples = RUNS[who]
    with Echo() as echo, Gateway(program, **SETTINGS | echo.settings) as gateway:
        config = Path(gateway.folder.name, "schemathesis.toml")
        # A stranger stays one: it would sign up by itself.
        config.write_text("[auth]\nauto-signup = false\n")
        command = [
            *(Path(sys.executable).parent / "schemathesis", "--config-file", config, "--no-color", "run", Path(document).resolve()),
            *("--url", f"http://127.0.0.1:{gateway.port}"),
            *("--phases", phases, "--max-examples", str(examples)),
            *("--seed", "1", "--generation-deterministic", "--no-shrink"),
            *("--generation-with-security-parameters", "false", "--suppress-health-check", "all"),
            *("--checks", ",".join(CHECKS), "--continue-on-failure", "--warnings", "off", "--max-redirects", "0"),
            *("--request-timeout", "30", "--exclude-operation-id-regex", OTHER_SPELLINGS),
            *shown(gateway, who),
        ]
        done = subprocess.run(command, cwd=gateway.folder.name, capture_output=True, text=True, timeout=SECONDS_MAX)
        panicked = "panicked at" in Path(gateway.folder.name, "log").read_text()
    return done, panicked


def main(program, document):
    failed = 0
    for who in RUNS:
        began = time.monotonic()
        done, panicked = run(program, document, who)
        if done.returncode or panicked:
            failed += 1
            print(done.stdout, done.stderr)
        told = [line.strip() for line in done.stdout.splitlines() if "generated" in line or "selected" in line]
        verdict = "a panic" if panicked else "as described" if not done.returncode else "FAIL"
        print(f"{who}: {verdict}, in {time.monotonic() - began:.0f} s; {'; '.join(told)}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
