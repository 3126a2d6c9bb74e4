"""The command `visionlab`."""

from __future__ import annotations

import asyncio
import os
import sys

from visionlab_client.command.arguments import parse
from visionlab_client.command.exit_codes import CANNOT, INTERRUPTED, OUTPUT_CLOSED, USAGE, UsageError
from visionlab_client.errors import InvalidURL, VisionLabError


def main() -> None:
    """`visionlab`: see `visionlab --help`."""
    arguments = parse()
    try:
        code = asyncio.run(arguments.run(arguments))
    except (UsageError, InvalidURL) as error:
        code = _say(str(error), USAGE)
    except (VisionLabError, OSError) as error:
        code = OUTPUT_CLOSED if isinstance(error, BrokenPipeError) else _say(str(error), CANNOT)
    except KeyboardInterrupt:
        code = _say("Stopped. What was printed is complete.", INTERRUPTED)
    _leave(code)


def _say(what: str, code: int) -> int:
    print(f"visionlab: {what}", file=sys.stderr)
    return code


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = OUTPUT_CLOSED
    # A thread may still wait for the next line of a pipe, and the interpreter would wait for the thread.
    os._exit(code)
