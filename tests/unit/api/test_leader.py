"""One process leads at a time; another follows when it ends, hangs or cannot reach the database."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import KINDS, database_url
from support.waiting import until

from visionlab_api.database.clock import from_now
from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.leader import LeaseLeader, leader_of
from visionlab_api.database.leases import LEASE_SECONDS
from visionlab_api.database.tables import LeaderRow


@asynccontextmanager
async def process(url):
    """A process that stands for it, as far as the database knows."""
    engine = open_engine(url)
    leader = leader_of(url, async_sessionmaker(engine, expire_on_commit=False))
    await leader.start()
    try:
        yield leader
    finally:
        await leader.stop()
        await engine.dispose()


@pytest.fixture
def url_of(tmp_path):
    def of(kind):
        url = database_url(tmp_path, kind)
        migrate(url)
        return url

    return of


@pytest.mark.parametrize("kind", KINDS)
async def test_one_leads_and_the_next_follows_when_it_ends(url_of, kind):
    url = url_of(kind)
    async with process(url) as second_to_last:
        async with process(url) as other:
            assert (second_to_last.leads, other.leads) == (True, False)
        async with process(url) as last:
            assert not last.leads
            await second_to_last.stop()
            assert not second_to_last.leads
            await until(lambda: last.leads)


async def test_a_leader_that_cannot_renew_stops_before_another_begins(url_of, tmp_path):
    url = url_of("postgresql")
    async with process(url) as first, process(url) as second:
        engine = open_engine(url)
        # What the database sees of a leader that renews no more: the lease is another's by now.
        async with engine.begin() as connection:
            await connection.execute(update(LeaderRow).values(renewed_at=from_now(-LEASE_SECONDS - 1)))
        await engine.dispose()
        await until(lambda: first.leads != second.leads)
        assert not (first.leads and second.leads)


async def test_a_leader_whose_event_loop_hung_does_not_believe_that_it_leads(url_of, monkeypatch):
    async with process(url_of("postgresql")) as leader:
        assert leader.leads
        assert isinstance(leader, LeaseLeader)
        now = __import__("time").monotonic()
        monkeypatch.setattr("visionlab_api.database.leader.time.monotonic", lambda: now + LEASE_SECONDS)
        assert not leader.leads


def test_the_file_is_given_free_by_the_kernel(tmp_path):
    from visionlab_api.database.leader import FileLeader

    path = str(tmp_path / "visionlab.db.leader")
    child = os.fork()
    if child == 0:
        os._exit(0 if FileLeader(path)._take(path) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert FileLeader(path)._take(path)
