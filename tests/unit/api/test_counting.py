"""Likes and downloads that come at once are counted together, and each as if it had come alone."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import KINDS, database_url

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import ImageRow, PopularityRow
from visionlab_api.problems import ProblemError
from visionlab_api.services.counting import Counting
from visionlab_api.services.deletion import mark_deleted
from visionlab_api.services.popularity import add_images
from visionlab_api.services.viewer import Viewer

MODEL, ME = uuid4(), uuid4()
ANYBODY = Viewer(None)


@pytest.fixture(params=KINDS)
async def sessions(request, tmp_path):
    url = database_url(tmp_path, request.param)
    migrate(url)
    engine = open_engine(url)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


async def add(sessions, image_type: str = "generated") -> UUID:
    """A new image; an upload is ME's."""
    made = image_type == "generated"
    row = ImageRow(
        uuid=uuid4(), image_type=image_type, model_uuid=MODEL if made else None, model_name="g" if made else None,
        model_version=1 if made else None, store_key="k", content_type="image/png", size=1, sha256="0", width=1, height=1,
        visitor=ME, likes=0, downloads=0,
    )  # fmt: skip
    async with sessions() as session:
        session.add(row)
        await session.flush()
        await add_images(session, [row])
        await session.commit()
    return row.uuid


async def kept(sessions, image: UUID) -> tuple[int, int]:
    async with sessions() as session:
        row = await session.scalar(select(ImageRow).where(ImageRow.uuid == image))
    return row.likes, row.downloads


async def popularity(sessions) -> tuple[int, int, int]:
    async with sessions() as session:
        row = await session.scalar(select(PopularityRow).where(PopularityRow.model_uuid == MODEL))
    return row.images, row.likes, row.downloads


async def test_all_that_come_at_once_are_counted_and_each_sees_its_own(sessions):
    image, other = await add(sessions), await add(sessions)
    processes = [Counting(sessions), Counting(sessions)]
    answers = await asyncio.gather(*(processes[number % 2].count([image], "like", ANYBODY) for number in range(200)))
    assert sorted(answer[0].likes for answer in answers) == list(range(1, 201))
    assert await kept(sessions, image) == (200, 0)
    await asyncio.gather(
        *(processes[number % 2].count([other, image][:: 1 - number % 2 * 2], "download", ANYBODY) for number in range(50))
    )
    assert await kept(sessions, image) == (200, 50)
    assert await popularity(sessions) == (2, 200, 100)


async def test_likes_taken_back_never_fall_below_zero(sessions):
    image, counting = await add(sessions), Counting(sessions)
    actions = ["unlike", "like", "unlike", "unlike", "like", "like"]
    answers = await asyncio.gather(*(counting.count([image], action, ANYBODY) for action in actions))
    assert [answer[0].likes for answer in answers] == [0, 1, 0, 0, 1, 2]
    assert await popularity(sessions) == (1, 2, 0)


async def test_each_gets_its_own_answer(sessions):
    image, upload, counting = await add(sessions), await add(sessions, "uploaded"), Counting(sessions)
    answers = await asyncio.gather(
        counting.count([image, uuid4()], "like", ANYBODY),
        counting.count([image, upload], "like", ANYBODY),
        counting.count([image, upload], "like", Viewer(ME)),
        counting.count([image, image], "like", ANYBODY),
        return_exceptions=True,
    )
    for refused in answers[:2]:
        assert isinstance(refused, ProblemError)
        assert refused.status == 404
    assert [each.likes for each in answers[2]] == [1, 1]
    assert [each.likes for each in answers[3]] == [2]
    assert await kept(sessions, image) == (2, 0)
    assert await popularity(sessions) == (1, 2, 0)


async def test_caller_who_goes_away_holds_up_no_other(sessions):
    image, counting = await add(sessions), Counting(sessions)
    gone = asyncio.create_task(counting.count([image], "like", ANYBODY))
    stays = asyncio.create_task(counting.count([image], "download", ANYBODY))
    await asyncio.sleep(0)
    gone.cancel()
    [counts] = await stays
    assert counts.downloads == 1


async def test_fault_of_the_database_is_told_and_the_next_is_counted(sessions):
    image, counting = await add(sessions), Counting(sessions)
    async with sessions() as session:
        await session.execute(update(ImageRow).values(likes=-1 + 2**31))
        await session.commit()
    if session.get_bind().dialect.name == "postgresql":  # SQLite's integers have room for more
        with pytest.raises(SQLAlchemyError):
            await counting.count([image], "like", ANYBODY)
    [counts] = await counting.count([image], "download", ANYBODY)
    assert counts.downloads == 1


async def test_deleted_images_count_no_more(sessions):
    image, other, counting = await add(sessions), await add(sessions), Counting(sessions)
    await counting.count([image, other], "like", ANYBODY)
    async with sessions() as session:
        assert await mark_deleted(session, ImageRow.uuid == image) == 1
    with pytest.raises(ProblemError):
        await counting.count([image], "like", ANYBODY)
    assert await popularity(sessions) == (1, 1, 0)
