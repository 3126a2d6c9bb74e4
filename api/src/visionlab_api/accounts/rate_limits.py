"""How much one caller may ask for in a minute. In memory, of this replica alone: no call waits for a database to be counted.

Each caller has a token bucket for requests and one for images, full at first: a burst of a minute's worth is let through, then
what refills, a minute's worth in a minute. Callers are counted by what they cannot choose: their key, their account, or
their address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

from visionlab_api.accounts.principal import Principal, Scope
from visionlab_api.problems import ProblemError

MOST_CALLERS = 20_000
"""Some 5 MB. The one that was quiet for longest is forgotten first, so is given a full bucket: it has refilled by then, unless so
many addresses ask at once."""


@dataclass(slots=True)
class _Bucket:
    left: float
    seen: float


class Limit:
    """So many a minute for each caller."""

    def __init__(self, what: str, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str, count: int = 1) -> float:
        """Take from a caller's bucket. Gives 0 where there was enough, else the seconds until there is; then nothing is taken.

        More than a bucket holds is taken from a full one, which is then in debt: else it could never be asked for.
        """
        now = self._clock()
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self.per_minute, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(caller)
            bucket.left = min(self.per_minute, bucket.left + (now - bucket.seen) * self.per_minute / 60)
            bucket.seen = now
        needed = min(count, self.per_minute)
        if bucket.left < needed:
            return (needed - bucket.left) * 60 / self.per_minute
        bucket.left -= count
        return 0.0

    def headers(self, caller: str) -> list[tuple[bytes, bytes]]:
        """What is left, as draft-ietf-httpapi-ratelimit-headers-10 writes it: `r` now, and all of it again in `t` seconds."""
        bucket = self._buckets.get(caller)
        left = self.per_minute if bucket is None else bucket.left
        until_full = ceil((self.per_minute - left) * 60 / self.per_minute)
        return [
            (b"ratelimit-policy", f'"{self.what}";q={self.per_minute};w=60'.encode()),
            (b"ratelimit", f'"{self.what}";r={max(0, int(left))};t={until_full}'.encode()),
        ]


class RateLimits:
    """The limits of all callers; 0 a minute: none."""

    def __init__(self, *, requests: int, images: int, sign_ins: int) -> None:
        self.requests = Limit("requests", requests) if requests else None
        self.images = Limit("images", images) if images else None
        self.sign_ins = Limit("sign-ins", sign_ins) if sign_ins else None

    def charge_request(self, caller: str | None) -> None:
        """Count a request.

        Raises:
            ProblemError: 429, there were too many.
        """
        _charge(self.requests, caller, 1)

    def charge_images(self, caller: str | None, count: int) -> None:
        """Count images that a caller asks about, uploads or has made.

        Raises:
            ProblemError: 429, there were too many.
        """
        _charge(self.images, caller, count)

    def charge_sign_in(self, address: str) -> None:
        """Count a try to sign in, or a key that does not count.

        Raises:
            ProblemError: 429, there were too many.
        """
        _charge(self.sign_ins, address, 1)

    async def wait_for_image(self, caller: str | None) -> None:
        """Wait until the next image of a stream may be taken: its client feels it as it feels that detectors are busy."""
        # Nothing tells of the time that passes but the clock.
        while self.images is not None and caller is not None and (seconds := self.images.take(caller)):  # noqa: ASYNC110
            await asyncio.sleep(seconds)


def caller_of(principal: Principal, address: str) -> str | None:
    """Who is counted; None for those without limits."""
    if principal.may(Scope.INFERENCE):
        return None
    return f"{principal.kind}:{principal.id}" if principal.id else address


def network_of(address: str) -> str:
    """An address, or of IPv6 the /64 that a single household has at the least."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def _charge(limit: Limit | None, caller: str | None, count: int) -> None:
    if limit is None or caller is None or not (seconds := limit.take(caller, count)):
        return
    what = limit.what.replace("-", " ")
    detail = (
        f"That is more than {limit.per_minute} {what} a minute. Ask again in {ceil(seconds)} s, or with an API key that has the "
        "scope 'inference'."
    )
    headers = {name.decode(): value.decode() for name, value in limit.headers(caller)}
    raise ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many", "Too many requests", detail, retry_after=seconds, headers=headers
    )
