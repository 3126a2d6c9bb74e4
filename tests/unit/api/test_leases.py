"""A row has one worker at a time, and is free again some seconds after its worker has died, whatever the clock did."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import KINDS, database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.leases import LEASE_SECONDS, held, renew, take
from visionlab_api.database.tables import LeaderRow, UploadRow


@pytest.fixture(params=KINDS)
async def sessions(tmp_path, request):
    url = database_url(tmp_path, request.param)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions() as session:
        session.add(UploadRow(filename="a.zip", upload_metadata="", length=1, expires_at=datetime.now(UTC)))
        await session.commit()
    yield sessions
    await engine.dispose()


async def taken(sessions):
    async with sessions() as session:
        return await take(session, UploadRow, UploadRow.filename == "a.zip")


async def test_a_row_has_one_worker_until_it_is_given_back(sessions):
    holder = await taken(sessions)
    assert holder is not None
    async with held(sessions, UploadRow, holder):
        assert await taken(sessions) is None
    assert await taken(sessions) is not None


async def test_a_row_that_is_not_as_it_should_be_is_not_taken(sessions):
    async with sessions() as session:
        assert await take(session, UploadRow, UploadRow.filename == "a.zip", UploadRow.received == 1) is None
    assert await taken(sessions) is not None


@pytest.mark.parametrize(("age", "free"), [(0, False), (LEASE_SECONDS + 1, True), (3600, True), (-3600, True)])
async def test_a_lease_that_is_not_renewed_lapses_even_where_the_clock_jumped(sessions, age, free):
    assert await taken(sessions) is not None
    async with sessions() as session:
        await session.execute(update(UploadRow).values(renewed_at=datetime.now(UTC) - timedelta(seconds=age)))
        await session.commit()
    assert (await taken(sessions) is not None) is free


async def test_who_has_lost_a_row_does_not_free_it_for_others(sessions):
    first = await taken(sessions)
    async with sessions() as session:
        await session.execute(update(UploadRow).values(renewed_at=datetime.now(UTC) - timedelta(hours=1)))
        await session.commit()
    second = await taken(sessions)
    assert second is not None
    async with held(sessions, UploadRow, first):
        pass
    async with sessions() as session:
        assert await session.scalar(select(UploadRow.holder)) == second


async def test_a_renewal_that_is_cancelled_at_any_moment_leaves_no_lock_behind(tmp_path):
    url = database_url(tmp_path, "sqlite")
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions() as session:
        session.add(LeaderRow(name="cancelled"))
        await session.commit()
        holder = await take(session, LeaderRow)
    assert holder is not None
    cancelled = []  # and what they have in hand
    with closing(sqlite3.connect(url.database, timeout=2, isolation_level=None)) as other:
        for steps in range(60):
            renewal = asyncio.create_task(renew(sessions, LeaderRow, holder))
            await asyncio.sleep(steps / 5000)
            renewal.cancel()
            cancelled.append(await asyncio.gather(renewal, return_exceptions=True))
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
    await engine.dispose()
