"""What runs on this machine."""

from __future__ import annotations

from pathlib import Path


def session(leader: int) -> dict[int, str]:
    """The processes of a session, zombies too, and their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
