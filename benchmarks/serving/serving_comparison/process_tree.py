"""CPU time and memory of all processes of a server, whatever became of their parents.

Each server is started with a variable in its environment that its children inherit; /proc tells who has it. Some frameworks start
daemons that are nobody's children, and a walk from parent to child would miss them.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

VARIABLE: Final = "SERVING_COMPARISON_SERVER"

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS: Final = 0.5


class ProcessTree:
    """The processes that were started with `environment` in theirs."""

    def __init__(self) -> None:
        self._mark = f"{VARIABLE}={uuid4().hex}".encode()
        self._cpu: dict[int, float] = {}

    @property
    def environment(self) -> dict[str, str]:
        """To add to the environment of the first process."""
        name, _, value = self._mark.decode().partition("=")
        return {name: value}

    def pids(self) -> list[int]:
        """All that run."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                marked = self._mark in (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # ended, or another user's
                continue
            if marked:
                found.append(int(folder.name))
        return found

    def cpu_seconds(self) -> float:
        """User and system time so far. What a process used before it ended counts as of the last call that saw it."""
        for pid in self.pids():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            self._cpu[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
        return sum(self._cpu.values())

    def memory_bytes(self) -> int:
        """Proportional set size: a page that several processes share counts once."""
        total = 0
        for pid in self.pids():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            if found := re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE):
                total += int(found[1]) * 1024
        return total

    def kill(self) -> None:
        """End whatever still runs."""
        for _ in range(20):
            pids = self.pids()
            if not pids:
                return
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.1)


class PeakMemory:
    """`with PeakMemory(tree) as peak:` samples; `peak.bytes` is the most that was seen."""

    def __init__(self, tree: ProcessTree) -> None:
        self.bytes = 0
        self._tree = tree
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.bytes = max(self.bytes, self._tree.memory_bytes())
            if self._stop.wait(_SAMPLE_SECONDS):
                return
