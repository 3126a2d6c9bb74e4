"""How many steps fit into the time that there is."""

from __future__ import annotations

import json
import time
from pathlib import Path

from visionlab_training.whole_file import write_json

_IGNORED, _TIMED = 3, 16
"""The first steps compile; the next ones are timed, a whole period of the lazy penalties of a StyleGAN2."""


class StepBudget:
    """Fixes the number of steps once, from the speed of the first ones, and keeps it in `folder/plan.json` for later runs."""

    def __init__(self, folder: Path, steps: int, seconds: float | None) -> None:
        """`steps`: how many are wanted; `seconds`: how long they may take in all, or None for as long as it takes."""
        self._file = folder / "plan.json"
        self._wanted = steps
        self._seconds = seconds
        self._began = time.monotonic()
        self._ignored_until = 0.0
        self._seen = 0
        self._planned: int | None = None
        if seconds is None:
            self._planned = steps
        elif self._file.exists():
            self._planned = min(steps, int(json.loads(self._file.read_text(encoding="utf-8"))["steps"]))

    @property
    def steps(self) -> int:
        """The number of steps in all, as far as it is known."""
        return self._wanted if self._planned is None else self._planned

    def after(self, step: int) -> int:
        """Tell that a step (counted from 1) is finished; the number of steps in all."""
        if self._planned is not None or self._seconds is None:
            return self.steps
        self._seen += 1
        if self._seen == _IGNORED:
            self._ignored_until = time.monotonic()
        if self._seen == _IGNORED + _TIMED:
            now = time.monotonic()
            each = (now - self._ignored_until) / _TIMED
            left = self._seconds - (now - self._began)
            self._planned = max(step, min(self._wanted, step + int(left / each)))
            write_json(self._file, {"steps": self._planned, "seconds": self._seconds, "seconds_per_step": round(each, 4)})
        return self.steps
