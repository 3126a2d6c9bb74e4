"""What every process of VisionLab stands on: the database and the object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.engine import migrate, open_engine
from visionlab_core.object_store import ObjectStore
from visionlab_core.telemetry import Metrics

_STORE_THREADS = 16


@dataclass(frozen=True, slots=True)
class Foundation:
    """Open for as long as the process runs."""

    configuration: ApiConfiguration
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    store: ObjectStore
    metrics: Metrics


@asynccontextmanager
async def open_foundation(configuration: ApiConfiguration, metrics: Metrics) -> AsyncIterator[Foundation]:
    """Bring the database to the newest schema, and open it and the store."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_STORE_THREADS, thread_name_prefix="store"))
    url = configuration.resolved_database_url()
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    try:
        store = await asyncio.to_thread(configuration.open_store)
        yield Foundation(configuration, engine, async_sessionmaker(engine, expire_on_commit=False), store, metrics)
    finally:
        await engine.dispose()
