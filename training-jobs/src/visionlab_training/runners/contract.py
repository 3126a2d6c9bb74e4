"""What every runner of trainings promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID


class RunnerUnavailable(Exception):
    """No training can be started now; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Observation:
    """How a training fares.

    `running`: something works for it. `paused`: it has stopped with a checkpoint. `done`: its result is in the store. `failed`:
    `reason` says why. `absent`: nothing works for it and nothing told how it ended: it was never started, or it was killed.
    Started (again), it goes on from its last checkpoint.
    """

    state: Literal["absent", "running", "paused", "done", "failed"]
    reason: str | None = None


class TrainingRunner(Protocol):
    """Does the trainings whose orders are in the object store (`visionlab_core.training_job`).

    Level-triggered: each method may be called again at any time, by another process too, and does nothing where there is nothing
    to do. All block: from a coroutine, call them in a thread. A training goes on whatever becomes of who started it.
    """

    def why_unavailable(self) -> str | None:
        """Why no training can be started now, and what to do about it; None: they can."""

    def start(self, training: UUID) -> None:
        """Begin, or go on from the last checkpoint, as if it had never been stopped. Forgets how it ended before.

        Raises:
            RunnerUnavailable: it cannot be started now.
            StoreError: the store cannot be used.
        """

    def suspend(self, training: UUID) -> None:
        """Ask it to write a checkpoint and stop. Its observation says when it has."""

    def resume(self, training: UUID) -> None:
        """Go on with a suspended one; raises as `start`."""

    def stop(self, training: UUID) -> bool:
        """End it at once and forget it; True once nothing of it is left here. What is in the store stays."""

    def observe(self, training: UUID) -> Observation:
        """How it fares.

        Raises:
            StoreError: the store cannot be used.
        """
