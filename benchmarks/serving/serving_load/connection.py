"""One HTTP/1.1 connection that costs the load little: it reads what is needed to find an answer's end, and nothing else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, Self, cast

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"^HTTP/1\.0|\r\nconnection: *close", re.IGNORECASE)


class ConnectionLost(ConnectionError):
    """The server closed the connection before its answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status and body."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """Carries one request at a time. `usable` is False once the server has closed it or said that it will."""

    def __init__(self) -> None:
        self.usable = True
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """Write a request; the future gives its answer, or raises ConnectionLost."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.usable or self._transport is None:
            answer.set_exception(ConnectionLost("closed"))
            return answer
        self._answer = answer
        self._transport.write(request)
        return answer

    def close(self) -> None:
        """Close at once; an answer that is waited for is lost."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        answer = parse_answer(self._buffer)
        if answer is None:
            return
        parsed, closes = answer
        self._buffer.clear()
        self.usable = self.usable and not closes
        waiting, self._answer = self._answer, None
        if waiting is not None and not waiting.done():
            waiting.set_result(parsed)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.usable = False
        waiting, self._answer = self._answer, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(ConnectionLost(str(exc or "closed by the server")))


def parse_answer(buffer: bytearray) -> tuple[Answer, bool] | None:
    """The answer at the start of what came, and whether the connection ends with it; None while it is not whole."""
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return None
    head, start = bytes(buffer[:end]), end + len(_END_OF_HEAD)
    if length := _LENGTH.search(head):
        if len(buffer) < start + int(length[1]):
            return None
        body = bytes(buffer[start:])
    elif _CHUNKED.search(head):
        chunks = _unchunked(buffer, start)
        if chunks is None:
            return None
        body = chunks
    else:
        body = b""
    return Answer(int(head[9:12]), body), bool(_CLOSE.search(head))


def _unchunked(buffer: bytearray, start: int) -> bytes | None:
    parts: list[bytes] = []
    while (line := buffer.find(b"\r\n", start)) >= 0:
        size = int(bytes(buffer[start:line]).partition(b";")[0], 16)
        start = line + 2
        if len(buffer) < start + size + 2:
            return None
        if size == 0:
            return b"".join(parts)
        parts.append(bytes(buffer[start : start + size]))
        start += size + 2
    return None
