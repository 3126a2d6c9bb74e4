"""Where the server is, and how to speak to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import httpx

from visionlab_client.errors import InvalidURL
from visionlab_client.exchange import Patience
from visionlab_client.image_source import LARGEST_IMAGE

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 2.0
"""uvicorn closes idle connections after five. To close them earlier than that keeps a call from being sent into a closing one."""


@dataclass(frozen=True)
class Connection:
    """What both clients are told by their caller.

    Attributes:
        url: the server's address, such as "http://localhost:8000"; a path in front of /backend may follow.
        patience: for how long a call is sent again where the server is busy or gone.
        timeout: seconds that the server may be silent within one call.
        headers: sent with each request, for what stands in front of the server.
        largest_image: bytes of a file that are read at most.
        visitor: whose the images are that are uploaded without a key: those of this client, and of all that share its connection.
        key: an API key of the server; default: the environment variable VISIONLAB_API_KEY, where it is set.

    Raises:
        InvalidURL: `url` cannot be a server's address.
        ValueError: `patience` is negative, `timeout` not positive, or `key` no key.
    """

    url: str
    patience: Patience
    timeout: float = 120.0
    headers: Mapping[str, str] = field(default_factory=dict)
    largest_image: int = LARGEST_IMAGE
    key: str | None = field(default=None, repr=False)
    visitor: UUID = field(default_factory=uuid4, repr=False)

    def __post_init__(self) -> None:
        _check(self.url)
        if not self.patience.seconds >= 0:
            raise ValueError(f"patience is a number of seconds, 0 or more, not {self.patience.seconds}.")
        if not self.timeout > 0:
            raise ValueError(f"timeout is a number of seconds, more than 0, not {self.timeout}.")

        key = self._key()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("key has a character that no API key has. Was more copied than the key?")

    def options(self) -> dict[str, Any]:
        """The arguments of httpx's clients."""
        key = self._key()
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        return {
            "base_url": self.url,
            "headers": {"User-Agent": f"visionlab-client/{version('visionlab-client')}", **authorization, **self.headers},
            "cookies": {"visionlab_visitor": str(self.visitor)},
            "timeout": httpx.Timeout(self.timeout, connect=min(_CONNECT_SECONDS, self.timeout), pool=None),
            # How many are open at once is for the caller to say, not for the pool.
            "limits": httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE_SECONDS),
        }

    def _key(self) -> str:
        return self.key if self.key is not None else os.environ.get("VISIONLAB_API_KEY", "")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there under its name once it is whole, and not before."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check(url: str) -> None:
    example = "It looks like http://localhost:8000 or https://visionlab.example.org."
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise InvalidURL(f"{str(url)[:200]!r} is not the address of a server: {error}. {example}") from error
    if parsed.scheme not in ("http", "https"):
        raise InvalidURL(f"{url[:200]!r} does not begin with http:// or https://. {example}")
    if not parsed.host:
        raise InvalidURL(f"{url[:200]!r} names no host. {example}")
    if parsed.query or parsed.fragment:
        raise InvalidURL(f"{url[:200]!r} has a query or a fragment; leave it out. {example}")
