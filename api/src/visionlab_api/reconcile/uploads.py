"""Removes uploads that nobody goes on with."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from visionlab_api.services.uploads import Uploads
from visionlab_core.object_store import StoreError

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 60.0


class UploadSweep:
    """Looks every minute; more often where uploads expire sooner than that."""

    def __init__(self, uploads: Uploads, expiry_seconds: float) -> None:
        self._uploads = uploads
        self._pause = min(LONGEST_PAUSE_SECONDS, max(0.5, expiry_seconds / 4))
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what a former process left."""
        self._task = asyncio.create_task(self._follow(), name="upload-sweep")

    async def stop(self) -> None:
        """Sweep no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                if removed := await self._uploads.sweep():
                    log.info("removed %d uploads that nobody goes on with", removed)
            except (SQLAlchemyError, StoreError) as error:
                log.warning("uploads cannot be swept: %s", error)
            except Exception:  # the loop must outlive any fault of one round
                log.exception("a sweep of the uploads failed")
            await asyncio.sleep(self._pause)
