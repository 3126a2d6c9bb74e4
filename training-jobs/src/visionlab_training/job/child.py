"""The process that trains, watched by the job."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from visionlab_core.object_store import ENVIRONMENT_PREFIX
from visionlab_training.physical_memory import physical_memory

_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 8192
_OOM_SCORE = 500
"""Of -1000 to 1000: where memory runs out, the training goes before the server does."""


class Child:
    """A training's process. Standard output and error go to `log`, which begins anew.

    Args:
        command: program and arguments.
        log: the file.
        keep_open: descriptors that it holds as long as it lives.
    """

    def __init__(self, command: Sequence[str], log: Path, *, keep_open: Sequence[int] = ()) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the operator's own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # The job alone deals with the store: what trains need not know the key to it.
                env={name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)},
                pass_fds=tuple(keep_open),
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - this process has one thread
            )

    def ended(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """The same, after so many seconds at the most."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def ask_to_stop(self) -> None:
        """SIGTERM: write a checkpoint and end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def memory(self) -> int:
        """Bytes of physical memory that it takes up; 0 where the system does not say."""
        return physical_memory(self._process.pid)

    def last_words(self) -> str:
        """The end of what it wrote."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - _LAST_WORDS))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


def _end_with_parent() -> None:
    # Where the job itself is killed, its training writes a checkpoint and ends: nobody would tell of it any more.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
