"""The id that ties together all that one request caused."""

from __future__ import annotations

import re
from contextvars import ContextVar
from os import urandom

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that the current task or thread works for; None outside of requests."""


def new_request_id() -> str:
    """A fresh id: 32 hexadecimal digits."""
    return urandom(16).hex()


def accept_request_id(incoming: str | None) -> str:
    """The id that came with a request where it is harmless (1 to 64 of `A-Z a-z 0-9 . _ -`), else a new one."""
    if incoming is not None and _HARMLESS.fullmatch(incoming):
        return incoming
    return new_request_id()


_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")
