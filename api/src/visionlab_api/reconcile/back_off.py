"""Pauses before what failed is tried again: each time twice as long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

LONGEST_PAUSE = 300.0


@dataclass(slots=True)
class _Fault:
    pause: float
    again: float


class BackOff:
    """Knows which rows failed, and when each is tried again. Its clock never jumps.

    Args:
        first: seconds of the first pause; the longest is LONGEST_PAUSE.
    """

    def __init__(self, first: float) -> None:
        self._first = first
        self._faults: dict[UUID, _Fault] = {}

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._faults)

    def waits(self, uuid: UUID) -> bool:
        """It failed, and its pause is not over."""
        fault = self._faults.get(uuid)
        return fault is not None and fault.again > time.monotonic()

    def failed(self, uuid: UUID) -> float:
        """It failed now; gives the seconds until it is tried again."""
        before = self._faults.get(uuid)
        pause = self._first if before is None else min(2 * before.pause, LONGEST_PAUSE)
        self._faults[uuid] = _Fault(pause, time.monotonic() + pause)
        return pause

    def worked(self, uuid: UUID) -> None:
        """It did not fail: its next pause is the first again."""
        self._faults.pop(uuid, None)

    def clear(self) -> None:
        """Let all be tried now."""
        self._faults.clear()
