"""Which CPUs the servers get and which the load gets."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CpuPlan:
    """Disjoint where the machine has two CPUs or more."""

    server: frozenset[int]
    load: frozenset[int]

    @property
    def apart(self) -> bool:
        """Whether servers and load share no CPU."""
        return not self.server & self.load

    def described(self) -> str:
        """For the report."""
        text = f"servers on CPU {_listed(self.server)}, load on CPU {_listed(self.load)}"
        if not self.apart:
            return text + " (NOT apart: the load takes time from the servers)"
        if self.load & _siblings(self.server):
            return text + " (pinned apart, but hardware threads of one core)"
        return text + " (pinned apart)"


def plan_cpus(server: frozenset[int] | None = None, load: frozenset[int] | None = None) -> CpuPlan:
    """A quarter of the CPUs, the last ones and at least one, for the load, the others for the servers; unless told otherwise."""
    usable = sorted(os.sched_getaffinity(0))
    if load is None:
        rest = [cpu for cpu in usable if server is None or cpu not in server] or usable
        load = frozenset(rest[-max(1, len(usable) // 4) :])
    if server is None:
        server = frozenset(cpu for cpu in usable if cpu not in load) or load
    return CpuPlan(server, load)


@contextmanager
def pinned(cpus: frozenset[int]) -> Iterator[None]:
    """Processes that this thread starts in the block run on these CPUs, and whatever they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_name() -> str:
    """The CPU's name."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _siblings(cpus: frozenset[int]) -> frozenset[int]:
    found: set[int] = set()
    for cpu in cpus:
        try:
            text = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
        except OSError:
            continue
        for part in text.strip().split(","):
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _listed(cpus: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(cpus)))
