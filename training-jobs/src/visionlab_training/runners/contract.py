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

    `running`: something works for it, or will once it has what `reason` says it waits for. `paused`: it has stopped with a
    checkpoint. `done`: its result is in the store. `failed`: `reason` says why. `absent`: nothing works for it and nothing told
    how it ended: it was never started, or it was killed. Started (again), it goes on from its last checkpoint.
    """

    state: Literal["absent", "running", "paused", "done", "failed"]
    reason: str | None = None


class TrainingRunner(Protocol):
    """Does the trainings whose orders are in the object store (`visionlab_core.training_job`).

    Level-triggered: each method may be called again at any time, by another process too, and does nothing where there is nothing
    to do. All block: from a coroutine, call them in a thread. A training goes on whatever becomes of who started it.
    """

    def place(self) -> str:
        """Names where its trainings run, in at most 64 characters: a runner with another place sees nothing of them.

        Raises:
            RunnerUnavailable: that cannot be told now.
        """

    def trainings(self) -> list[UUID]:
        """Those of which anything is left here; raises as `place`."""

    def why_unavailable(self) -> str | None:
        """Why no training can be started now, and what to do about it; None: they can."""

    def start(self, training: UUID) -> None:
        """Begin, or go on from the last checkpoint, as if it had never been stopped. Forgets how it ended before.

        Raises:
            RunnerUnavailable: it cannot be started now.
            StoreError: the store cannot be used.
        """

    def suspend(self, training: UUID) -> None:
        """Ask it to write a checkpoint and stop. Its observation says when it has. Raises as `place`."""

    def resume(self, training: UUID) -> None:
        """Go on with a suspended one; raises as `start`."""

    def stop(self, training: UUID) -> bool:
        """End it at once and forget it; True once nothing of it is left here. What is in the store stays. Raises as `place`."""

    def observe(self, training: UUID) -> Observation:
        """How it fares.

        Raises:
            RunnerUnavailable: that cannot be told now.
            StoreError: the store cannot be used.
        """

    def last_words(self, training: UUID) -> str:
        """The end of what a job that told no outcome wrote, for the log; empty where there is none. Raises as `place`."""
