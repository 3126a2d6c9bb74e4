"""What Triton's log says of models that it cannot load."""

from __future__ import annotations

import re
from collections.abc import Collection

_FAILED = re.compile(r"failed to load '([^']+)' version \d+: (.+)")
_NOT_READ = re.compile(r"Poll failed for model directory '([^']+)': (.+)")
_TABLE_ROW = re.compile(r"^\| ([^|]+?) +\| [^|]* \| UNAVAILABLE: (.+?) *\|$")
_LONGEST = 600


def failed_models(log: str, folders: Collection[str]) -> dict[str, str]:
    """Why models failed, by the folder in the repository; those alone that are at fault.

    An ensemble whose bases failed is not at fault.
    """
    found: dict[str, str] = {}
    for line in log.splitlines():
        for pattern in (_FAILED, _NOT_READ, _TABLE_ROW):
            match = pattern.search(line)
            if match and match[1] in folders and match[1] not in found and "depends on" not in match[2]:
                found[match[1]] = match[2].strip().rstrip('"').replace("\\n", " ")[:_LONGEST]
    return found


def last_words(log: str) -> str:
    """The last line that says something, for a message of one line."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not line.startswith(("+-", "| "))]
    return lines[-1][:_LONGEST] if lines else ""
