"""Pictures that people name by their address on the web, fetched for them: the page may speak to no other host."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import httpcore

from visionlab_api.problems import ProblemError
from visionlab_api.services.public_network import NotPublic, PublicNetwork
from visionlab_api.services.web_picture_problems import (
    invalid_address,
    not_public,
    picture_too_large,
    web_failed,
    web_too_slow,
)

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS: Final = 5
MOST_AT_ONCE: Final = 8
"""Each holds a picture in memory, and a connection to somebody who may be slow on purpose."""
MOST_OF_ONE_CALLER: Final = 3

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = (
    (b"Accept", b"image/jpeg, image/png;q=0.9, */*;q=0.1"),
    # What is packed could unpack to any size: it is neither asked for nor taken.
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", f"VisionLab/{version('visionlab-api')}".encode()),
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was at an address, and a name for it."""

    data: bytes
    filename: str


class WebPictures:
    """Fetches over `network`, which sees to it that nothing but the public web is reached.

    Each fetch has a connection of its own, and nothing of one is kept for the next: no cookies, no credentials. Proxies of the
    environment do not count, as they would connect in our place and unjudged.
    """

    def __init__(self, network: PublicNetwork, *, max_bytes: int, seconds: float) -> None:
        self._network = network
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._under_way: Counter[str | None] = Counter()
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        """No more names are looked for."""
        self._network.close()

    async def fetch(self, address: str, caller: str | None) -> Fetched:
        """What is at a web address, within the limits of size and time. Whether it is a picture is for its decoder to say.

        Raises:
            ProblemError: 400, it does not lead to the public web; 413; 422, it is no address; 502, 503 or 504.
        """
        with self._place_for(caller):
            try:
                async with asyncio.timeout(self._seconds):
                    if self._tls is None:
                        self._tls = await asyncio.to_thread(_load)
                    url = _asked(address)
                    return Fetched(await self._follow(url, self._tls), _name_in(url))
            except TimeoutError:
                raise web_too_slow(self._seconds) from None
            except NotPublic:
                # Without its cause: what is said must be the same whatever is there, or not.
                raise not_public() from None
            except (httpcore.NetworkError, httpcore.TimeoutException, ssl.SSLError) as error:
                raise web_failed("does not answer, or not with a certificate that counts") from error
            except httpcore.ProtocolError as error:
                raise web_failed("answered in a way that is not HTTP, or broke off") from error

    @contextmanager
    def _place_for(self, caller: str | None) -> Iterator[None]:
        # Those without limits of rate have none here, but for the common one.
        mine = 0 if caller is None else self._under_way[caller]
        if mine >= MOST_OF_ONE_CALLER or self._under_way.total() >= MOST_AT_ONCE:
            detail = "Too many pictures are being fetched from the web now. Try again in a moment."
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too busy", detail, retry_after=2)
        self._under_way[caller] += 1
        try:
            yield
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]

    async def _follow(self, url: httpx.URL, tls: ssl.SSLContext) -> bytes:
        pool = httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=self._network, max_keepalive_connections=0)
        async with pool:
            for _ in range(MOST_REDIRECTS + 1):
                async with pool.stream("GET", _target(url), headers=[(b"Host", url.netloc), *_HEADERS]) as response:
                    if response.status not in _REDIRECTS:
                        return await self._body(response)
                    url = _next(url, response)
        raise web_failed(f"leads on and on, more than {MOST_REDIRECTS} times")

    async def _body(self, response: httpcore.Response) -> bytes:
        if response.status != HTTPStatus.OK:
            raise web_failed(f"answered {response.status} in place of a picture")
        if any(value.strip().lower() not in (b"", b"identity") for value in _values(response, b"content-encoding")):
            raise web_failed("sent the picture packed (Content-Encoding), which was not asked for")
        if any(value.isdigit() and int(value[:18]) > self._max_bytes for value in _values(response, b"content-length")):
            raise picture_too_large(self._max_bytes)
        data = bytearray()
        async for part in response.aiter_stream():
            data += part
            if len(data) > self._max_bytes:
                raise picture_too_large(self._max_bytes)
        return bytes(data)


def _load() -> ssl.SSLContext:
    """Blocks. Here, as an HTTP client costs memory, and most servers are never asked for a picture of the web."""
    import httpx

    return httpx.create_ssl_context()


def _asked(address: str) -> httpx.URL:
    import httpx

    try:
        url = httpx.URL(address.strip())
    except httpx.InvalidURL:
        raise invalid_address("This is no address of the web. It begins with https:// or http://, and has a host.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise invalid_address("Name an address of the web: it begins with https:// or http://, and has a host.")
    if url.userinfo:
        raise invalid_address("The address has a name or password in it, which is not sent anywhere. Leave it out.")
    return url


def _name_in(url: httpx.URL) -> str:
    return url.path.rstrip("/").rpartition("/")[2] or url.host


def _next(url: httpx.URL, response: httpcore.Response) -> httpx.URL:
    import httpx

    [location] = _values(response, b"location")[:1] or [b""]
    try:
        url = url.join(location.decode())
    except (httpx.InvalidURL, UnicodeDecodeError):
        raise web_failed("leads on to an address that is none") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise NotPublic
    return url


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _values(response: httpcore.Response, wanted: bytes) -> list[bytes]:
    return [value for name, value in response.headers if name.lower() == wanted]
