"""What the exit code of `visionlab` says. `visionlab --help` lists them."""

from __future__ import annotations

DONE = 0
SOME_FAILED = 1
"""Some images have no answer, or the server is not ready."""
USAGE = 2
CANNOT = 3
"""The server is not there, is another one, or refuses."""
INTERRUPTED = 130
OUTPUT_CLOSED = 141


class UsageError(Exception):
    """The command line asks for something that cannot be."""
