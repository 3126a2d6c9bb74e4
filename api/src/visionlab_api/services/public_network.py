"""Connections to the public web alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

import httpcore

from visionlab_api.services.public_addresses import Address, Reach

Resolve = Callable[[str, int], Sequence[Address]]
"""From a name and a port to all addresses that it has, in the order to try them; blocks. Raises OSError, ValueError."""

_MOST_TRIES: Final = 4
_SECONDS_OF_A_TRY: Final = 4.0


class NotPublic(Exception):
    """A host is not, or not only, of the public web, or there is no such host: who asks is not to learn which."""


def addresses_of(host: str, port: int) -> list[Address]:
    """What the system knows of a name; blocks.

    Raises:
        OSError, OverflowError, UnicodeError: there is no such name or port.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(each[4][0]) for each in found))


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name once, judges every address that it has, and connects to one of those that were judged.

    So a name that says something else a moment later (DNS rebinding) leads nowhere else. TLS is above this; it verifies the name.
    """

    def __init__(
        self, reach: Reach, resolve: Resolve = addresses_of, connector: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._reach = reach
        self._resolve = resolve
        self._connector = connector or httpcore.AnyIOBackend()
        # Not the threads that the store works on: names of strangers may take their time.
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="names")

    def close(self) -> None:
        """Wait for nobody who still looks for a name."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host.

        Raises:
            NotPublic: it is not of the public web.
            ConnectError, ConnectTimeout: none of its addresses answers.
        """
        addresses = await self._judged(host, port)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                stream = await self._connector.connect_tcp(
                    str(address), port, min(timeout or _SECONDS_OF_A_TRY, _SECONDS_OF_A_TRY), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
            else:
                return await self._not_ourselves(stream, address, port)
        raise AssertionError("there is an address at least")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise NotPublic

    async def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        await asyncio.sleep(seconds)

    async def _judged(self, host: str, port: int) -> Sequence[Address]:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host, port)
        except (OSError, OverflowError, ValueError) as error:  # no such name, no such port, no name at all
            raise NotPublic from error
        if not found or not all(self._reach.allows(address, port) for address in found):
            raise NotPublic
        return found[:_MOST_TRIES]

    async def _not_ourselves(
        self, stream: httpcore.AsyncNetworkStream, address: Address, port: int
    ) -> httpcore.AsyncNetworkStream:
        # This machine's own public address, from inside: past the firewall that is before it.
        ours, theirs = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
        if ours and theirs and ours[0] == theirs[0] and not self._reach.names(address, port):
            await stream.aclose()
            raise NotPublic
        return stream
