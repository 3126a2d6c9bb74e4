"""What a load saw, and the figures that are made of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(slots=True)
class Observation:
    """One load on one server.

    In a closed loop a request belongs to the window where its answer comes within it; in an open loop, where it was due within
    it, whenever its answer came.

    Attributes:
        seconds: length of the window.
        sent: the window's requests.
        answered_inside: good answers that came within the window: the throughput.
        latencies: seconds from when each request was due to its good answer; of a request that had no answer when the load gave
            up, the time that it had waited by then (it would have been longer).
        errors: the window's requests without a good answer, by reason.
        late: seconds between when a request was due and when it left, where a connection was free: the load's own fault.
        busy: share of one CPU that the load itself used; near 1, the load was the limit and not the server.
    """

    seconds: float
    sent: int = 0
    answered_inside: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)
    busy: float = 0.0

    @property
    def throughput(self) -> float:
        """Good answers a second."""
        return self.answered_inside / self.seconds

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "errors": dict(self.errors)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**values, "errors": Counter(values["errors"])})


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least `percent` % of them do not exceed (nearest rank); NaN where there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
