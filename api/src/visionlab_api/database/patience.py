"""How long is waited for PostgreSQL. One that hangs takes connections and questions, and TCP finds nothing wrong with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, ClassVar, Self

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async

SECONDS = 8.0
"""For an answer. Ours take milliseconds; the slowest, which freeze a large data set, two seconds."""
_SECONDS_AFTER_SILENCE = 1.0
"""For the answers that follow one that did not come: requests then fail soon, until one of them is answered."""
_SECONDS_TO_CANCEL = 0.5


class ImpatientConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed where an answer takes too long; that is an OperationalError, as where the server is gone."""

    _silent: ClassVar[bool] = False

    @classmethod
    async def connect(cls, *arguments: Any, **options: Any) -> Self:
        """See `psycopg.AsyncConnection.connect`."""
        if ImpatientConnection._silent:
            options["connect_timeout"] = 2  # libpq knows none that is shorter
        try:
            return await super().connect(*arguments, **options)
        except psycopg.errors.ConnectionTimeout:
            ImpatientConnection._silent = True
            raise

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - psycopg calls it so
        """See `psycopg.AsyncConnection.wait`: everything that is asked is waited for here."""
        patience = _SECONDS_AFTER_SILENCE if ImpatientConnection._silent else SECONDS
        try:
            answer = await wait_async(gen, self.pgconn.socket, interval, timeout or patience)
        except asyncio.CancelledError:
            await self._give_up()
            raise
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            await self._give_up()
            ImpatientConnection._silent = True
            raise psycopg.OperationalError(f"the database has not answered for {patience:g} seconds") from error
        ImpatientConnection._silent = False
        return answer

    async def _give_up(self) -> None:
        """Close the connection: a question is still open, so nothing else can be asked."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            try:
                # One that only waits for a lock must not wait on for nobody.
                with suppress(psycopg.Error):
                    await self.cancel_safe(timeout=_SECONDS_TO_CANCEL)
            finally:
                self.pgconn.finish()
