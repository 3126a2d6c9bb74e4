"""The loads that each server gets, and the process that makes them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from serving_comparison.contenders import Terms
from serving_comparison.cpus import CpuPlan, pinned
from serving_comparison.environments import PEERS
from serving_comparison.process_tree import PeakMemory, ProcessTree
from serving_comparison.server import HOST, RunningServer
from serving_load.figures import Observation
from serving_load.requests import RequestShape

PATIENCE: Final = 10.0
"""Seconds after the window for which answers are waited for."""


@dataclass(frozen=True, slots=True)
class Load:
    """A closed loop of `clients`, or an open loop of `rate` images a second, which is `part` of VisionLab's capacity."""

    clients: int = 0
    rate: float = 0.0
    part: float = 0.0

    @property
    def title(self) -> str:
        """For the report."""
        if self.clients:
            return f"closed loop, {self.clients} client{'s' if self.clients > 1 else ''}"
        share = f" ({self.part:.0%} of VisionLab's capacity)" if self.part else ""
        return f"open loop, {self.rate:.0f} images/s{share}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a load saw, and what the server used in the same window: CPU seconds, and the most memory in bytes."""

    seen: Observation
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the window and of the warm-up before it."""

    seconds: float
    warmup: float


class LoadFailed(RuntimeError):
    """The load's own process failed."""


def measure_server(
    server: RunningServer, request: RequestShape, load: Load, timing: Timing, *, photos: Path, plan: CpuPlan, seed: int
) -> Measurement:
    """Put a load on a server."""
    job = {
        "host": HOST,
        "port": server.port,
        "request": {"shape": request.shape, "path": request.path, "field": request.field},
        **_common(load, timing, photos, seed),
    }
    with pinned(plan.load):
        process = _start("serving_load")
    return _measured(process, job, server.tree)


def measure_session(terms: Terms, load: Load, timing: Timing, *, photos: Path, plan: CpuPlan, seed: int) -> Measurement:
    """Put a load on a bare session of ONNX Runtime, on the CPUs of a server."""
    job = {**_session(terms, photos), **_common(load, timing, photos, seed)}
    tree = ProcessTree()
    with pinned(plan.server):
        process = _start("serving_comparison.bare_session", tree.environment)
    return _measured(process, job, tree)


def probabilities_of_session(terms: Terms, photos: Path, count: int) -> list[list[float]]:
    """What ONNX Runtime itself answers about the first photos."""
    process = _start("serving_comparison.bare_session")
    job = {**_session(terms, photos), "check": count}
    out, _ = process.communicate(json.dumps(job))
    if process.returncode:
        raise LoadFailed("a bare session of ONNX Runtime failed")
    answers: list[list[float]] = json.loads(out)
    return answers


def _session(terms: Terms, photos: Path) -> dict[str, Any]:
    return {"model": str(terms.version.onnx), "threads": terms.cpus, "max_batch": terms.max_batch, "photos": str(photos)}


def _common(load: Load, timing: Timing, photos: Path, seed: int) -> dict[str, Any]:
    return {
        "photos": str(photos),
        "clients": load.clients,
        "rate": load.rate,
        "seed": seed,
        "seconds": timing.seconds,
        "warmup": timing.warmup,
        "patience": PATIENCE,
    }


def _start(module: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(PEERS.parent), **(environment or {})},
    )


def _measured(process: subprocess.Popen[str], job: dict[str, Any], tree: ProcessTree) -> Measurement:
    assert process.stdin is not None
    assert process.stdout is not None
    # A load that hangs must not hang the comparison.
    limit = threading.Timer(job["warmup"] + job["seconds"] + PATIENCE + 60, process.kill)
    limit.start()
    try:
        process.stdin.write(json.dumps(job))
        process.stdin.close()
        with PeakMemory(tree) as peak:
            _expect(process.stdout.readline(), "begin")
            before = tree.cpu_seconds()
            _expect(process.stdout.readline(), "end")
            used = tree.cpu_seconds() - before
        seen = Observation.from_json(json.loads(process.stdout.read()))
    except ValueError as error:
        raise LoadFailed(f"the load's process failed: {error}") from error
    finally:
        limit.cancel()
        process.kill()
        process.wait()
    return Measurement(seen, used, peak.bytes)


def _expect(line: str, word: str) -> None:
    if line.strip() != word:
        raise ValueError(f"it said {line.strip()!r} instead of {word!r}")
