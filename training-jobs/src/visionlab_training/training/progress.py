"""What a training tells while it runs: a terminal bar, `progress.json` (the latest state) and `metrics.jsonl` (all of it)."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from visionlab_training.training.gradients import device_name
from visionlab_training.whole_file import write_json

_NOT_METRICS = frozenset({"step", "steps", "time", "steps_per_second", "seconds_left"})


class Progress:
    """Reports one training. `folder` receives `progress.json`, replaced atomically, and `metrics.jsonl`, appended to."""

    def __init__(self, folder: Path, *, name: str, steps: int, start: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._steps = steps
        self._began = time.time()
        self._start = start
        self._device = device_name()
        self._bar = tqdm(total=steps, initial=start, desc=name, unit="step", mininterval=0.5 if sys.stderr.isatty() else 60)

    def step(self, step: int, metrics: Mapping[str, float], *, steps: int | None = None) -> None:
        """Tell that all steps up to `step` are finished, with the metrics of late, and how many there will be if that changed."""
        if steps is not None and steps != self._steps:
            self._steps = self._bar.total = steps
        self._bar.set_postfix({key: f"{value:.3f}" for key, value in metrics.items()}, refresh=False)
        self._bar.update(step - self._bar.n)
        elapsed = time.time() - self._began
        rate = (step - self._start) / max(elapsed, 1e-9)
        state: dict[str, Any] = {
            "step": step,
            "steps": self._steps,
            "time": time.time(),
            "device": self._device,
            "steps_per_second": round(rate, 4),
            "seconds_left": round((self._steps - step) / max(rate, 1e-9)),
            **{key: round(float(value), 6) for key, value in metrics.items()},
        }
        write_json(self._folder / "progress.json", state)
        self._append({name: value for name, value in state.items() if name != "device"})

    def metrics_before(self) -> dict[str, float]:
        """What was told last of the steps up to the start: smoothed figures go on from there, as if it had never been stopped."""
        try:
            lines = (self._folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        for line in reversed(lines):
            with suppress(ValueError):  # a line that was being written as the training was killed
                record: dict[str, float] = json.loads(line)
                if "steps" in record and record["step"] <= self._start:
                    return {name: value for name, value in record.items() if name not in _NOT_METRICS}
        return {}

    def validated(self, step: int, **figures: float) -> None:
        """Record what a validation found."""
        self._append({"step": step, "time": time.time(), **{name: round(value, 6) for name, value in figures.items()}})

    def _append(self, record: Mapping[str, float]) -> None:
        with (self._folder / "metrics.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(record) + "\n")

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
