"""Asking until there is an answer: when a call is sent again, and after how long.

Written without input and output, as a generator that says what to do next, so that both clients follow the same rules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import httpx

from visionlab_client.calls import Call
from visionlab_client.errors import Busy, RefusedByServer, UnexpectedAnswer, Unreachable, connection_error, error_of

T = TypeVar("T")

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 10.0
_FIRST_CONTACT = 5.0
"""A server that never answered is perhaps none: who mistyped the address should not wait for a minute."""
_GATEWAY_ERRORS = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
_REFUSALS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(slots=True)
class Patience:
    """For how many seconds a call is sent again and again; 0 = it is sent once. One for all calls to a server."""

    seconds: float
    answered: bool = False
    """Whether this server has ever answered."""

    @property
    def now(self) -> float:
        """Seconds for a call that begins now."""
        return self.seconds if self.answered else min(self.seconds, _FIRST_CONTACT)


def exchange(
    call: Call[T], patience: Patience, seconds: float | None = None
) -> Generator[Call[T] | Wait, httpx.Response | httpx.RequestError | None, T]:
    """Yields the call where it is to be sent (and wants the response or the error), and waits; returns what was answered.

    Sent again are: calls that never reached the server; calls that it refused for now (503, 429), after the time that it names
    in Retry-After; and calls that may be repeated where the connection was cut, nothing came in time, or a proxy answered 502
    or 504. The waits double from a quarter of a second to ten, with jitter: many clients should not come back at one moment.

    Args:
        call: what to ask.
        patience: what is known of the server, and for how long it is asked.
        seconds: for how long instead, for this call alone.

    Raises:
        VisionLabError: what is wrong after the last try.
    """
    began = time.monotonic()
    longest = _FIRST_WAIT
    while True:
        reply = yield call
        if isinstance(reply, httpx.Response):
            patience.answered = True
            if call.is_answered_by(reply):
                return call.read(reply)
        assert reply is not None
        error = connection_error(reply) if isinstance(reply, httpx.RequestError) else error_of(reply)
        wait = _jittered(longest)
        if isinstance(error, RefusedByServer | UnexpectedAnswer) and error.retry_after is not None:
            # Never before the time that the server names.
            wait += error.retry_after
        if not _may_be_sent_again(call, reply, error) or time.monotonic() + wait > began + (
            patience.now if seconds is None else seconds
        ):
            raise error from (reply if isinstance(reply, httpx.RequestError) else None)
        yield Wait(wait)
        longest = min(2 * longest, _LONGEST_WAIT)


def _may_be_sent_again(call: Call[T], reply: httpx.Response | httpx.RequestError, error: Exception) -> bool:
    if isinstance(reply, httpx.ConnectError | httpx.ConnectTimeout):
        return True
    if isinstance(error, Unreachable):
        return call.repeatable
    if isinstance(error, UnexpectedAnswer):
        return error.status in _REFUSALS or (error.status in _GATEWAY_ERRORS and call.repeatable)
    return isinstance(error, Busy)


def _jittered(longest: float) -> float:
    return random.uniform(longest / 2, longest)  # noqa: S311
