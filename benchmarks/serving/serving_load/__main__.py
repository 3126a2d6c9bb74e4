"""`python -m serving_load`: run one load that standard input describes.

Writes a line `begin` and a line `end` at the ends of the window, so that who started it can measure the server over the same
time, and then the observation as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from serving_load.figures import Observation
from serving_load.loops import Target, closed_loop, open_loop
from serving_load.requests import RequestShape, request_maker


class _Announced:
    """A window whose ends are lines of standard output."""

    def begin(self) -> None:
        print("begin", flush=True)

    def end(self) -> None:
        print("end", flush=True)


def main() -> None:
    """Read what to do, do it, and write what was seen."""
    job = json.load(sys.stdin)
    print(json.dumps(uvloop.run(_run(job, _target(job))).to_json()), flush=True)


def _target(job: dict[str, Any]) -> Target:
    photos = Path(job["photos"])
    jpegs = [path.read_bytes() for path in sorted(photos.glob("*.jpg"))]
    host, port = job["host"], job["port"]
    make = request_maker(RequestShape(**job["request"]), f"{host}:{port}", jpegs, np.load(photos / "pixels.npy"))
    # No two loads of a server send the same bytes.
    first = job["seed"] * 10**9
    return Target(host, port, lambda number: make(first + number), job["patience"])


async def _run(job: dict[str, Any], target: Target) -> Observation:
    common = {"warmup": job["warmup"], "seconds": job["seconds"], "window": _Announced()}
    if job["clients"]:
        return await closed_loop(target, clients=job["clients"], **common)
    return await open_loop(target, rate=job["rate"], seed=job["seed"], **common)


if __name__ == "__main__":
    main()
