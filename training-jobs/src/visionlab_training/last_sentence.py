"""What a command said last."""

from __future__ import annotations

_PREFIX = "visionlab: "


def last_sentence(output: str) -> str:
    """The sentence that one of our commands ended with; else the last line of a traceback."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]
    return (said or lines or [""])[-1]
