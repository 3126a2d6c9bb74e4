"""Keeps what a training can go on from in the object store, as it appears in the folder that it trains in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import (
    CHECKPOINTS,
    LOG_FILE,
    METRICS_FILE,
    PROGRESS_FILE,
    SAMPLES,
    TrainingPhase,
    TrainingProgress,
)
from visionlab_training.whole_file import read_json

CHECKPOINT_FILE = "checkpoint.npz"
LONGEST_LOG = 256 * 2**10
_BESIDE = ("plan.json", "data.json", "best.json", "best.npz")
"""In this order: `best.json` must not speak of weights that `best.npz` has not got."""
_NOT_MEASURES = frozenset({"step", "steps", "time", "device", "steps_per_second", "seconds_left"})


class Mirror:
    """Of one training's `run` folder. Files are sent where they have changed since they were last."""

    def __init__(self, store: ObjectStore, training: UUID, run: Path, *, epochs: int | None) -> None:
        self._store = store
        self._training = training
        self._run = run
        self._epochs = epochs
        self._sent: dict[str, tuple[int, int]] = {}

    def restore(self) -> None:
        """Fetch what a job on another machine left, where this one holds nothing newer: it was never here."""
        if (self._run / CHECKPOINT_FILE).exists():
            return
        self._run.mkdir(parents=True, exist_ok=True)
        prefix = training_key(self._training, CHECKPOINTS.rstrip("/")) + "/"
        names = [info.key.removeprefix(prefix) for info in self._store.list(prefix)]
        # The checkpoint comes last: with it, everything is there.
        for name in sorted(names, key=lambda name: name == CHECKPOINT_FILE):
            partial = self._run / f"{name}.partial"
            with partial.open("wb") as handle:
                handle.writelines(self._store.open(prefix + name))
            partial.replace(self._run / name)

    def tell(self, phase: TrainingPhase) -> None:
        """Send how far the training is.

        Raises:
            StoreError: it cannot be sent now.
        """
        state: dict[str, Any] = read_json(self._run / PROGRESS_FILE) or {}
        metrics = {name: float(value) for name, value in state.items() if name not in _NOT_MEASURES}
        step, steps = int(state.get("step", 0)), int(state.get("steps", 0))
        progress = TrainingProgress.model_validate(
            {
                "phase": phase,
                "step": step,
                "steps": steps,
                "epoch": round(step * self._epochs / steps, 3) if self._epochs and steps else None,
                "epochs": self._epochs,
                "seconds_left": state.get("seconds_left"),
                "steps_per_second": state.get("steps_per_second"),
                "device": state.get("device"),
                "metrics": metrics,
                "time": datetime.fromtimestamp(state["time"], UTC) if "time" in state else datetime.now(UTC),
            }
        )
        key = training_key(self._training, PROGRESS_FILE)
        self._store.put(key, progress.model_dump_json().encode(), content_type="application/json")
        self._send(METRICS_FILE, training_key(self._training, METRICS_FILE))
        for path in sorted((self._run / SAMPLES).glob("*.jpg")):
            self._send(SAMPLES + path.name, training_key(self._training, SAMPLES + path.name))

    def log(self, path: Path) -> None:
        """Send the end of the training's log, LONGEST_LOG bytes at the most.

        Raises:
            StoreError: it cannot be sent now.
        """
        if not path.exists() or self._sent.get(LOG_FILE) == (state := _state(path)):
            return
        with path.open("rb") as handle:
            handle.seek(max(0, state[0] - LONGEST_LOG))
            end = handle.read(LONGEST_LOG)
        self._store.put(training_key(self._training, LOG_FILE), end, content_type="text/plain; charset=utf-8")
        self._sent[LOG_FILE] = state

    def checkpoint(self) -> None:
        """Send the checkpoint, and all that it goes with, where there is a new one.

        The checkpoint that is sent was there before what goes with it was read: so the best weights in the store are never older
        than it. Newer ones do no harm: the validation that found them is repeated, and finds the same.

        Raises:
            StoreError: it cannot be sent now.
        """
        latest = self._run / CHECKPOINT_FILE
        if not latest.exists() or self._sent.get(CHECKPOINT_FILE) == _state(latest):
            return
        held = self._run / f"{CHECKPOINT_FILE}.sending"
        held.unlink(missing_ok=True)
        os.link(latest, held)
        try:
            for name in (*_BESIDE, METRICS_FILE):
                self._send(name, training_key(self._training, CHECKPOINTS + name))
            state = _state(held)
            with held.open("rb") as handle:
                self._store.put(training_key(self._training, CHECKPOINTS + CHECKPOINT_FILE), handle)
            self._sent[CHECKPOINT_FILE] = state
        finally:
            held.unlink(missing_ok=True)

    def _send(self, name: str, key: str) -> None:
        path = self._run / name
        if path.exists() and self._sent.get(key) != (state := _state(path)):
            with path.open("rb") as handle:
                self._store.put(key, handle)
            self._sent[key] = state


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
