"""The protocol that every way of running models follows, and what can go wrong behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from numpy.typing import NDArray

from visionlab_core.model_card import ModelCard

Tensors = Mapping[str, NDArray[Any]]
MakeTensors = Callable[[], Tensors]
"""Makes the inputs of one row; blocks, as decoding an image does."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Names one version of one model."""

    uuid: UUID
    version: int

    def __str__(self) -> str:
        return f"{self.uuid}/{self.version}"


@dataclass(frozen=True, slots=True)
class ServingState:
    """How a model fares. `reason` says in words why it failed."""

    state: Literal["loading", "ready", "failed"]
    reason: str | None = None


class Priority(IntEnum):
    """Who waits for an answer. A lower number goes first."""

    INTERACTIVE = 0
    BULK = 1


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """The outputs of one call, and its share of the time that the model ran (seconds): by its rows, where calls ran together."""

    outputs: dict[str, NDArray[Any]]
    seconds: float


class InferenceError(RuntimeError):
    """A backend could not answer."""


class ModelNotServed(InferenceError):
    """The model is not loaded: unknown to the backend, still loading, or it failed to load."""


class BackendBusy(InferenceError):
    """The queue is full. Ask again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendUnavailable(InferenceError):
    """The server that runs the models is away or does not answer in time. Ask again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelFailed(InferenceError):
    """The model ran and failed, or gave values that are no numbers."""


class InferenceBackend(Protocol):
    """Runs models. All methods are called from one event loop and never block it."""

    async def infer(
        self,
        model: ModelVersion,
        inputs: Tensors | MakeTensors,
        *,
        outputs: frozenset[str] | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> InferenceResult:
        """Run a model on named tensors that share their first dimension N (1 or more).

        The answer has the `outputs` that are named, or all: those that nobody wants need not be computed, and may be left out.

        Inputs that are yet to be made are made off the event loop; where the model runs in this process, by the thread that runs
        it, just before, so that they are still in its CPU's caches. A caller that is cancelled costs no run that has not begun.

        Raises:
            Exception: what `inputs` raised, where they were yet to be made.
            ModelNotServed: the model is not ready.
            BackendBusy: the queue is full.
            BackendUnavailable: the server behind the backend is away; an embedded backend has none.
            ModelFailed: the model failed on this input.
            ValueError: an input is missing, unknown, or of another shape or type than the card says; an output is unknown.
        """

    def models(self) -> Mapping[ModelVersion, ServingState]:
        """Every model that the backend was asked to serve, and its state."""

    def card(self, model: ModelVersion) -> ModelCard:
        """The card of a ready model.

        Raises:
            ModelNotServed: the model is not ready.
        """

    async def ready(self) -> bool:
        """True where the backend itself answers."""
