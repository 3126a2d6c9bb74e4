"""What a server said that it had done, and what it may have done: the call was sent, and no answer came."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

UNAVAILABLE = 503


@dataclass
class Image:
    """`data` is None for a generated one. `likes` were acknowledged, `tried_likes` sent."""

    data: bytes | None = None
    seed: int | None = None
    likes: int = 0
    tried_likes: int = 0
    shared: set[bool] = field(default_factory=lambda: {False})
    labels: list[str] = field(default_factory=list)
    gone: bool | None = False
    """None: perhaps."""


@dataclass
class Ledger:
    """Written by many clients: each object by one of them alone."""

    images: dict[str, Image] = field(default_factory=dict)
    uploads: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    """By address: the whole file, and how much of it was acknowledged; not those that data sets are made of, perhaps."""
    datasets: dict[str, int] = field(default_factory=dict)
    """How many images it holds."""
    trainings: dict[str, str] = field(default_factory=dict)
    """"wanted", "removed", or "unclear"."""
    model_status: set[str] = field(default_factory=lambda: {"enabled"})
    acts: set[str] = field(default_factory=set)
    """Ids of the acts of an admin that were acknowledged."""
    answers: Counter[str] = field(default_factory=Counter)


class Unanswered(Exception):
    """The connection broke, or the server said that it cannot now: 503. The call may have been carried out."""


class Caller:
    """A client whose calls may all fail: by a broken connection, or by a 503 that is a problem, and by nothing else."""

    def __init__(self, url: str, ledger: Ledger, stop: threading.Event, **options: Any) -> None:
        self.ledger = ledger
        self._stop = stop
        self.http = httpx.Client(base_url=url, timeout=60, **options)

    def call(self, method: str, path: str, *also: int, **options: Any) -> httpx.Response:
        """Call; gives an answer of success, or one of the statuses in `also`.

        Raises:
            Unanswered: see there.
        """
        try:
            answer = self.http.request(method, path, **options)
        except httpx.TransportError as error:
            self.ledger.answers["broken"] += 1
            self._stop.wait(0.05)
            raise Unanswered from error
        if answer.status_code == UNAVAILABLE:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            assert int(answer.headers["retry-after"]) >= 1
            self.ledger.answers["503" if method == "HEAD" else answer.json()["type"]] += 1
            self._stop.wait(0.05)
            raise Unanswered
        assert answer.is_success or answer.status_code in also, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        self.ledger.answers["2xx" if answer.is_success else str(answer.status_code)] += 1
        piece = method == "PATCH" and path.startswith("/backend/file/upload/")  # no act of its own
        if answer.is_success and method in ("POST", "PATCH", "DELETE") and "authorization" in self.http.headers and not piece:
            self.ledger.acts.add(answer.headers["x-request-id"])
        return answer

    def insist(self, method: str, path: str, *also: int, **options: Any) -> httpx.Response:
        """Call again and again until there is an answer; for calls that change nothing when they come twice."""
        while True:
            try:
                return self.call(method, path, *also, **options)
            except Unanswered:
                continue
