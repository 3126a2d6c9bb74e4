"""What a Triton server says of its own work, as the same metrics that the embedded backend has.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from visionlab_core.model_card import ModelCard
from visionlab_core.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Durations:
    """How often something was done, and the nanoseconds that it took in all."""

    count: int = 0
    ns: int = 0

    def __sub__(self, before: Self) -> Durations:
        return Durations(self.count - before.count, self.ns - before.ns)


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Since the server's start: the calls' waits in the queue, and the runs by the size of their batch."""

    queue: Durations = Durations()
    runs: Mapping[int, Durations] = field(default_factory=dict)


def read_statistics(answer: Any) -> dict[str, ModelStatistics]:
    """The statistics by model, from the JSON of `GET /v2/models/stats`.

    Ensembles are left out: what runs is their models.

    Raises:
        ValueError: it is something else.
    """
    try:
        return {
            model["name"]: ModelStatistics(
                queue=_durations(model["inference_stats"]["queue"]),
                runs={batch["batch_size"]: _durations(batch["compute_infer"]) for batch in model["batch_stats"]},
            )
            for model in answer["model_stats"]
            if model.get("batch_stats")
        }
    except (KeyError, TypeError) as error:
        raise ValueError(f"The statistics have no or other fields than the protocol: {error!r}") from error


class ServerStatistics:
    """Hands on what was done between two looks at one server.

    Triton says how often and how long, not how long each time: calls count with the mean of the time between looks, and so do
    the runs of batches of one size. Sums, counts and batch sizes are exact.

    Args:
        metrics: what is told.
        models: the cards, by the names that the server has.
    """

    def __init__(self, metrics: Metrics, models: Mapping[str, ModelCard]) -> None:
        self._metrics = metrics
        self._labels = {name: (card.name, str(card.version)) for name, card in models.items()}
        self._before: dict[str, ModelStatistics] = {}

    def look(self, statistics: Mapping[str, ModelStatistics]) -> None:
        """Take what the server says now. Models that are not ours are passed over."""
        for name, now in statistics.items():
            if name not in self._labels:
                continue
            before = self._before.get(name, ModelStatistics())
            labels = self._labels[name]
            _observe(self._metrics.inference_queue_seconds.labels(*labels), now.queue - before.queue)
            for size, runs in now.runs.items():
                new = runs - before.runs.get(size, Durations())
                _observe(self._metrics.inference_seconds.labels(*labels), new)
                for _ in range(new.count):
                    self._metrics.inference_batch_size.labels(*labels).observe(size)
            self._before[name] = now


def _durations(value: Mapping[str, int]) -> Durations:
    # Zeros may be left out, as everywhere in protobuf's JSON.
    return Durations(int(value.get("count", 0)), int(value.get("ns", 0)))


def _observe(histogram: Any, new: Durations) -> None:
    for _ in range(new.count):
        histogram.observe(new.ns / new.count / 1e9)
