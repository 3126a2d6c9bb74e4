"""Progress bars of evaluations."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(total: int, name: str) -> Any:
    """A bar of images on stderr: lively on a terminal, a line every half minute in a log."""
    return tqdm(total=total, desc=name, unit="image", mininterval=0.3 if sys.stderr.isatty() else 30)
