"""Where a clock is wrong nothing is removed for its age, until it is right again or has been the new one for an hour."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import KINDS, database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import ImageRow, LeaderRow
from visionlab_api.reconcile.clocks import SECONDS_TO_SETTLE, Clocks
from visionlab_core.store_layout import image_key

DAY = 86400.0


@asynccontextmanager
async def sessions_of(folder, kind):
    url = database_url(folder, kind)
    migrate(url)
    engine = open_engine(url)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("jump", [DAY, -DAY, 3650 * DAY])
async def test_a_servers_clock_that_is_not_the_databases_is_not_believed(tmp_path, kind, jump, caplog):
    wrong = 0.0
    async with sessions_of(tmp_path, kind) as sessions:
        clocks = Clocks(sessions, own=lambda: time.time() + wrong)
        assert await clocks.agree()
        wrong = jump
        with caplog.at_level(logging.ERROR):
            assert not await clocks.agree()
            wrong += 60.0  # time passes, and it is wrong still
            assert not await clocks.agree()
        assert [record.message.count("Set them right") for record in caplog.records] == [1], "told once"
        wrong = 0.0
        assert await clocks.agree()


@pytest.mark.parametrize("jump", [DAY, -DAY, 3650 * DAY])
async def test_a_jump_of_all_clocks_is_believed_after_an_hour(tmp_path, jump):
    passed = 0.0
    async with sessions_of(tmp_path, "sqlite") as sessions:
        clocks = Clocks(sessions, steady=lambda: time.time() + passed)
        assert await clocks.agree()
        passed -= jump  # as seen by the steady clock, the others have jumped
        assert not await clocks.agree()
        passed += 200.0  # put right little by little
        assert not await clocks.agree()
        # Nobody put it right: it was wrong before.
        for _ in range(int(SECONDS_TO_SETTLE / 200)):
            passed += 200.0
            answer = await clocks.agree()
        assert answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("days", "believed"), [(-365, False), (-8, False), (-6, True), (-0.01, True), (0.01, False), (365, False)]
)
async def test_a_clock_that_is_wrong_at_the_start_is_believed_after_an_hour(tmp_path, kind, days, believed, caplog):
    """The moment that the server before left is moved, in place of all clocks."""
    async with sessions_of(tmp_path, kind) as sessions:
        assert await Clocks(sessions).agree(), "there is nothing yet that it could contradict"
        await move_last(sessions, days)
        passed = 0.0
        clocks = Clocks(sessions, steady=lambda: time.time() + passed)
        with caplog.at_level(logging.ERROR):
            assert await clocks.agree() == believed
            assert await clocks.agree() == believed
        assert [record.message.count("was last believed at") for record in caplog.records] == ([] if believed else [1])
        # Another server that is started meanwhile believes it no sooner.
        assert await Clocks(sessions).agree() == believed
        while passed < SECONDS_TO_SETTLE:
            passed += 200.0
            answer = await clocks.agree()
        assert answer
        assert await Clocks(sessions).agree(), "the next one goes on from there"


async def move_last(sessions, days: float) -> None:
    async with sessions() as session:
        last = await session.scalar(select(LeaderRow.renewed_at).where(LeaderRow.name == "sweeps by age"))
        assert abs((datetime.now(UTC) - last).total_seconds()) < 60
        await session.execute(
            update(LeaderRow).where(LeaderRow.name == "sweeps by age").values(renewed_at=last + timedelta(days=days))
        )
        await session.commit()


def row(uuid) -> ImageRow:
    return ImageRow(
        uuid=uuid,
        image_type="uploaded",
        store_key=image_key(uuid, ".png"),
        content_type="image/png",
        size=1,
        sha256="0" * 64,
        width=1,
        height=1,
        visitor=uuid4(),
        created_at=datetime.now(UTC) - timedelta(days=1),
    )
