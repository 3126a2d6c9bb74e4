"""A small HTTP server that behaves as it is told, well or badly."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behave = Callable[[int, bytes], Awaitable[bytes | None]]
"""From a request's number (the first is 0) and its body to the answer; None: the connection is closed instead."""


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more.encode(), len(body), body)


@asynccontextmanager
async def serving(behave: Behave, *, heads: list[bytes] | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """`async with serving(behave) as port:` answers on that port. `heads` collects what requests begin with."""
    count = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if heads is not None:
                    heads.append(head)
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
                number, count = count, count + 1
                said = await behave(number, body)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
