"""How much memory a process really takes up."""

from __future__ import annotations

import os
from pathlib import Path


def physical_memory(pid: int) -> int:
    """Bytes of physical memory that a process takes up; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
