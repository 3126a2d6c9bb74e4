"""What tests of the loops and services stand on."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url

from visionlab_api.database.engine import migrate, open_engine


@pytest.fixture
async def sessions(tmp_path):
    """Sessions to an empty database of the newest schema."""
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()
