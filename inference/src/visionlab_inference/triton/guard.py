"""Runs a command that ends with the process that asked for it, however that process ends.

    python guard.py FOLDER SHARED_MEMORY_PREFIX COMMAND...

The guard's standard input is a pipe from that process. Its end, or SIGTERM, ends the command: SIGTERM first, SIGKILL after
GRACE_SECONDS. Whatever ended the command, nothing of it is left: neither the processes that it started, nor their zombies, nor
the shared memory under the prefix; nor, once its owner is gone, the folder. Only where the guard itself is killed, the command's
children must notice by themselves that it is gone; Triton's do within seconds.

Started as a script without site-packages, so that it is there in milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

GRACE_SECONDS: Final = 10.0

# From linux/prctl.h.
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


def main(folder: str, prefix: str, command: list[str]) -> int:
    """Run the command; returns its exit code, or 128 and the number of the signal that ended it."""
    libc = ctypes.CDLL(None, use_errno=True)
    # What the command leaves behind becomes this process's child, which can then wait for it.
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _exit)
    # The guard has one thread, so code between fork and exec is safe, and the parent whose death is signalled is the process.
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509
    )
    orphaned = True
    try:
        orphaned = _owner_ends_first(process)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(process)
        _end_descendants(process.pid)
        remove_shared_memory(prefix)
        if orphaned:
            shutil.rmtree(folder, ignore_errors=True)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def remove_shared_memory(prefix: str) -> None:
    """Remove the shared memory whose name begins so; the processes that used it are gone."""
    for file in Path("/dev/shm").glob(f"{prefix}*"):  # noqa: S108
        file.unlink(missing_ok=True)


def _owner_ends_first(process: subprocess.Popen[bytes]) -> bool:
    ended = os.pidfd_open(process.pid)
    ready, _, _ = select.select([sys.stdin, ended], [], [])
    os.close(ended)
    return sys.stdin in ready


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_descendants(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _exit(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
