"""Knows whether the object store can be used, so that who asks for the status need not wait for a store that does not answer."""

from __future__ import annotations

import asyncio
import logging

from visionlab_api.reconcile.loop import Loop
from visionlab_core.object_store import ObjectStore, StoreError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 5.0
LOOKS_FOR_A_TRY_TO_WRITE = 12
"""Requests that write cost money in the cloud, and what may be written changes seldom."""


class StoreWatch(Loop):
    """Looks every few seconds. `problem` says what is wrong with the store; None: nothing."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__("look at the store", SECONDS_BETWEEN_LOOKS, self.look)
        self._store = store
        self.problem: str | None = None
        self._looks = 0

    async def look(self) -> None:
        """Look now."""
        before = self.problem
        # One that could not be written to is only right again when it can.
        write = before is not None or self._looks % LOOKS_FOR_A_TRY_TO_WRITE == 0
        self._looks += 1
        try:
            await asyncio.to_thread(self._store.check, write=write)
        except StoreError as error:
            self.problem = str(error)
        else:
            self.problem = None
        if self.problem is not None and before is None:
            log.error("the store cannot be used: %s", self.problem)
        elif self.problem is None and before is not None:
            log.info("the store can be used again")
