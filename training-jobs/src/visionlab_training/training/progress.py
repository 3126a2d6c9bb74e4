"""What a training tells while it runs: a terminal bar, `progress.json` (the latest state) and `metrics.jsonl` (all of it)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

INTERRUPTED = 75
"""Exit code of a training that was told to stop and has written its checkpoint (EX_TEMPFAIL: run it again to go on)."""


class Progress:
    """Reports one training. `folder` receives `progress.json`, replaced atomically, and `metrics.jsonl`, appended to."""

    def __init__(self, folder: Path, *, name: str, steps: int, start: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._steps = steps
        self._began = time.time()
        self._start = start
        self._bar = tqdm(total=steps, initial=start, desc=name, unit="step", mininterval=0.5 if sys.stderr.isatty() else 60)

    def step(self, step: int, metrics: Mapping[str, float], *, record: bool) -> None:
        """Count a finished step; with `record`, write its metrics to the files too."""
        self._bar.update(1)
        if not record:
            return
        self._bar.set_postfix({key: f"{value:.3f}" for key, value in metrics.items()}, refresh=False)
        elapsed = time.time() - self._began
        rate = (step - self._start) / max(elapsed, 1e-9)
        state = {
            "step": step,
            "steps": self._steps,
            "time": time.time(),
            "steps_per_second": round(rate, 4),
            "seconds_left": round((self._steps - step) / max(rate, 1e-9)),
            **{key: round(float(value), 6) for key, value in metrics.items()},
        }
        write_json(self._folder / "progress.json", state)
        with (self._folder / "metrics.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(state) + "\n")

    def close(self) -> None:
        """End the bar."""
        self._bar.close()


class StopRequest:
    """Turns SIGTERM and SIGINT into a flag that the loop reads between two steps."""

    def __init__(self) -> None:
        self.requested = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1), encoding="utf-8")
    with partial.open("rb") as handle:
        os.fsync(handle.fileno())
    partial.replace(path)
