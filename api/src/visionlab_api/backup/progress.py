"""How far a backup is, on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """A bar on standard error, where that is a terminal; for the block."""

    def __init__(self, what: str) -> None:
        self._bar = tqdm(desc=what, unit=" objects", disable=not sys.stderr.isatty())
        self._bytes = 0

    def __enter__(self) -> Self:
        """Show."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave it standing."""
        self._bar.close()

    def aim(self, objects: int) -> None:
        """So many objects there are."""
        self._bar.total = objects

    def pass_on(self, size: int) -> None:
        """So many bytes more."""
        self._bytes += size
        self._bar.set_postfix_str(f"{self._bytes / 2**20:.0f} MiB", refresh=False)

    def count(self) -> None:
        """One more object."""
        self._bar.update()
