"""Which process works for a training. A process id alone says nothing: they are given out again."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from visionlab_training.whole_file import read_json, write_json

PROCESS_FILE = "process.json"


def note_process(folder: Path) -> None:
    """Leave word that this process works for the training of the folder."""
    write_json(folder / PROCESS_FILE, {"pid": os.getpid(), "started": started(os.getpid())})


def noted_process(folder: Path) -> tuple[int, bool] | None:
    """The id of the process that left word last, and whether it still lives; None: nobody did."""
    noted = read_json(folder / PROCESS_FILE)
    if not isinstance(noted, dict) or not isinstance(pid := noted.get("pid"), int) or pid <= 1:
        return None
    return pid, noted.get("started") is not None and started(pid) == noted["started"]


def orphans(leader: int, lock: Path) -> list[int]:
    """Processes of a session whose leader is dead, that hold the lock file open; none where there is no /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == leader and any(os.readlink(file) == str(lock) for file in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


def started(pid: int) -> str | None:
    """When a process started, in words that differ for another of that id; None: there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # Ticks since the boot; after a boot they may be the same.
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else f"{boot} {fields[19]}"
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return told.stdout.strip() or None
