"""The schedule makes a challenge only when the interval is over and enough was labelled; and whoever comes second makes none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url
from support.tiny_models import DETECTOR, detector_card, detector_onnx

from visionlab_api.accounts.audit import AuditLog
from visionlab_api.database.account_tables import AuditRow
from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.leader import FileLeader
from visionlab_api.database.tables import ChallengeRow, ImageRow, LabelRow
from visionlab_api.reconcile.challenges import ChallengeLoop
from visionlab_api.services.settings import write_challenge_settings
from visionlab_api.services.starters import index_row
from visionlab_core.object_store import FolderObjectStore

A_MONTH_AGO = datetime.now(UTC) - timedelta(days=30)


class Place:
    """A database with one detector in service for a month, and the loop on it."""

    def __init__(self, sessions, store) -> None:
        self.sessions = sessions
        self.loop = ChallengeLoop(sessions, store, AuditLog(sessions, 0), FileLeader(None))

    async def settle(self, **settings) -> None:
        async with self.sessions() as session:
            await write_challenge_settings(session, {"min_labels": 3, "models": [str(DETECTOR)], **settings})

    async def label(self, count: int, *, shared: bool = True, at: datetime | None = None) -> None:
        async with self.sessions() as session:
            for _ in range(count):
                uuid = uuid4()
                image = ImageRow(
                    uuid=uuid,
                    image_type="uploaded",
                    class_label="human",
                    store_key=f"images/{uuid}",
                    content_type="image/png",
                    size=1,
                    sha256=uuid.hex * 2,
                    width=64,
                    height=64,
                    visitor=uuid,
                    shared=shared,
                )
                session.add(image)
                await session.flush()
                # Twice: what counts is images.
                session.add_all(
                    LabelRow(image_id=image.id, label="human", visitor=uuid, created_at=at or datetime.now(UTC)) for _ in range(2)
                )
            await session.commit()

    async def made(self) -> list[ChallengeRow]:
        await self.loop.schedule()
        async with self.sessions() as session:
            return list(await session.scalars(select(ChallengeRow).order_by(ChallengeRow.id)))


@pytest.fixture
async def place(tmp_path):
    url = database_url(tmp_path)
    migrate(url)
    engine = open_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions() as session:
        row = index_row(detector_card(detector_onnx()), status="enabled")
        row.created_at = A_MONTH_AGO
        session.add(row)
        await session.commit()
    yield Place(sessions, FolderObjectStore(tmp_path / "store"))
    await engine.dispose()


async def test_none_is_made_before_there_are_enough_new_labels(place):
    await place.settle(every_days=7)
    await place.label(2)
    await place.label(5, shared=False)
    await place.label(5, at=A_MONTH_AGO - timedelta(days=1))
    assert await place.made() == []
    await place.label(1)
    # It is tried; that this model cannot be trained here is the reason that the row gives.
    [made] = await place.made()
    assert (made.state, made.made_by) == ("failed", "schedule")
    assert made.reason
    async with place.sessions() as session:
        [entry] = await session.scalars(select(AuditRow))
    assert (entry.actor_kind, entry.action, entry.status) == ("system", "POST /backend/challenge", 422)
    assert len(await place.made()) == 1, "the interval begins anew"


async def test_none_is_made_before_the_interval_is_over_nor_without_a_schedule(place):
    await place.label(9)
    await place.settle(every_days=31)
    assert await place.made() == []
    await place.settle(every_days=0)
    assert await place.made() == []
    await place.settle(every_days=29, models=[str(uuid4())])
    assert await place.made() == []
    await place.settle(every_days=29, models=[])
    assert await place.made() == [], "it was not trained here"
    await place.settle(every_days=29)
    assert len(await place.made()) == 1


@pytest.mark.parametrize(("state", "reason"), [("proposed", None), ("kept", "No better.")])
async def test_what_was_labelled_before_the_last_challenge_counts_no_more(place, state, reason):
    await place.label(9, at=datetime.now(UTC) - timedelta(days=20))
    async with place.sessions() as session:
        session.add(
            ChallengeRow(
                model_uuid=DETECTOR,
                model_name="tiny-detector",
                champion_version=1,
                state=state,
                reason=reason,
                made_by="demand",
                rule={},
                new_labels=9,
                created_at=datetime.now(UTC) - timedelta(days=10),
            )
        )
        await session.commit()
    await place.settle(every_days=7)
    assert len(await place.made()) == 1
    await place.label(3)
    assert len(await place.made()) == (1 if state == "proposed" else 2), "while one is open, none follows"
