"""What was lately found out about secrets, so that a program's next call needs no database."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 10.0
"""A key that is revoked works at most so much longer on other replicas, at once no more on the one that was told."""
_MOST = 4096


class KnownSecrets(Generic[T]):
    """Digests and what they stand for, each for a short time; None: nothing. The oldest goes where there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, T | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, digest: str) -> tuple[T | None] | None:
        """What a digest stands for; None where that is not known."""
        found = self._known.get(digest)
        if found is None or found[0] < self._clock():
            return None
        return (found[1],)

    def keep(self, digest: str, value: T | None, seconds: float = SECONDS) -> None:
        """Keep it for at most so many seconds."""
        self._known[digest] = (self._clock() + min(seconds, SECONDS), value)
        self._known.move_to_end(digest)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget all of it: something was revoked."""
        self._known.clear()
