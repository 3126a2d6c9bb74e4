"""Fuzz the whole API from its OpenAPI document, with schemathesis, against a real server.

    make fuzz [FLAGS="--seconds 600 --seed 7"]

Requests are made from the schemas: valid ones, and ones that break them at one place each; the examples of the document; and
chains, where one answer's ids go into the next request. `schemathesis.toml` says what is checked, `hooks.py` adds our own checks.
Prints what schemathesis says; the exit code is 1 where anything failed. Then what it printed names the request as a `curl` line.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from support.archives import face, zip_of
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import GENERATOR, write_tiny_models
from support.tus import upload_file

TESTS = Path(__file__).parent.parent
VISITORS = ("--include-tag", "images", "--include-tag", "models", "--include-tag", "system")
"""What somebody without a token is let do, and some that they are not."""


def start(folder: Path) -> Server:
    """A server with something of everything. It starts no training."""
    write_tiny_models(folder / "models")
    # What is made up may be the address of somebody who was not asked.
    environment = {"VISIONLAB_TRAININGS_AT_ONCE": "0", "VISIONLAB_FETCH_PICTURES": "off"}
    server = Server(folder / "data", folder / "models", VISIONLAB_UI_FOLDER=str(folder / "none"), **environment).start()
    made = server.admin.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 8})
    assert made.status_code == 201, made.text
    for seed in range(4):
        uploaded = server.admin.post("/backend/image", files={"file": ("face.png", face(seed))}, data={"share": "true"})
        assert uploaded.status_code == 201, uploaded.text
    archive = upload_file(server.admin, "faces.zip", zip_of({f"human/{seed}.png": face(seed) for seed in range(6)}))
    dataset = server.admin.post("/backend/dataset", json={"name": "fuzzed", "type": "detector", "uploads": [archive]})
    assert dataset.status_code == 201, dataset.text
    return server


def fuzz(server: Server, *options: str, token: str | None = ADMIN_TOKEN) -> subprocess.CompletedProcess[str]:
    """Run schemathesis; its options come on top of the configuration. `token`: whose requests they are; None: a visitor's."""
    headers = () if token is None else ("--header", f"Authorization: Bearer {token}")
    return subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "--config-file", TESTS / "fuzzing" / "schemathesis.toml"),
            *("--no-color", "run", f"{server.url}/backend/openapi.json"),
            *(*headers, *options),
        ],
        env={**os.environ, "PYTHONPATH": str(TESTS), "FUZZED_SERVER": server.url, "FUZZED_TOKEN": ADMIN_TOKEN},
        cwd=server.folder,  # it leaves its examples there
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    """Fuzz for some time, as an admin and then as a visitor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="how long altogether")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="the same one, the same requests")
    parser.add_argument("--examples", type=int, default=200, help="for each operation and phase in a round")
    arguments = parser.parse_args()
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder))
        try:
            for share, token, options in ((0.75, ADMIN_TOKEN, ()), (0.25, None, VISITORS)):
                seconds = max(1, round(arguments.seconds * share))
                limits = ("--max-time", str(seconds), "--max-examples", str(arguments.examples), "--seed", str(arguments.seed))
                done = fuzz(server, *limits, *options, token=token)
                print(done.stdout, done.stderr, sep="\n")
                code = max(code, done.returncode)
            for line in server.log:
                if "unforeseen" in line:
                    print(line)
                    code = 1
        finally:
            server.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
