"""Connections that never say what they want are closed, as are requests whose client has fallen silent."""

from __future__ import annotations

import asyncio
import resource
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 30.0
"""From the start of a connection, or of a request on it, to the end of the request's head."""

KEEP_ALIVE_SECONDS: Final = 75
"""Between two requests, as nginx has it. uvicorn's 5 are less than what clients keep their connections for, and a request that is
sent at the moment of closing is lost."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself only bounds the time between two requests."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request's head is due."""
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD_SECONDS, transport.close)

    def on_message_begin(self) -> None:
        """A request's head is due."""
        self._cancel()
        self._head = self.loop.call_later(HEAD_SECONDS, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._cancel()
        super().connection_lost(exc)

    def _cancel(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def allow_many_connections() -> None:
    """Each connection is an open file: take as many as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
