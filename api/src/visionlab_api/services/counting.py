"""Counts likes and downloads: all that are asked for while one transaction is under way, together in the next.

A commit waits for the disk, and on PostgreSQL transactions that change one row wait for each other. So one after the other, each
with its own commit, a much liked image would take some hundred likes a second. Nobody is answered before the commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api import schemas
from visionlab_api.database.engine import begin_writing
from visionlab_api.database.tables import ImageRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.schemas import CountedAction
from visionlab_api.services.popularity import Changes
from visionlab_api.services.viewer import Viewer

MOST_IMAGES = 1000
"""In one transaction, unless one request alone has more."""

Answer = list[schemas.ImageCounts] | ProblemError


@dataclass(frozen=True, slots=True)
class _Wish:
    images: list[UUID]
    action: CountedAction
    viewer: Viewer
    answer: asyncio.Future[list[schemas.ImageCounts]]


class Counting:
    """One in a process. Of several processes each has its own transactions, which the database puts in order."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._wishes: deque[_Wish] = deque()
        self._task: asyncio.Task[None] | None = None

    async def count(self, images: Sequence[UUID], action: CountedAction, viewer: Viewer) -> list[schemas.ImageCounts]:
        """Count an action once for each distinct image; on return it is durable. The counts have it in them.

        Raises:
            ProblemError: 404 where an image is unknown, or not for this viewer; nothing is counted.
            SQLAlchemyError: the database does not answer.
        """
        wish = _Wish(list(dict.fromkeys(images)), action, viewer, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="counting")
        return await wish.answer

    async def _work(self) -> None:
        while self._wishes:
            group = self._next_group()
            answers: Sequence[Answer | Exception]
            try:
                answers = await self._count(group)
            except Exception as error:  # whatever it is, those who wait are told
                answers = [error] * len(group)
            for wish, answer in zip(group, answers, strict=True):
                if wish.answer.done():  # its client is gone
                    continue
                if isinstance(answer, Exception):
                    wish.answer.set_exception(answer)
                else:
                    wish.answer.set_result(answer)

    def _next_group(self) -> list[_Wish]:
        group = [self._wishes.popleft()]
        images = len(group[0].images)
        while self._wishes and images + len(self._wishes[0].images) <= MOST_IMAGES:
            group.append(self._wishes.popleft())
            images += len(group[-1].images)
        return group

    async def _count(self, group: Sequence[_Wish]) -> list[Answer]:
        async with self._sessions() as session:
            await begin_writing(session)
            uuids = {uuid for wish in group for uuid in wish.images}
            # In this order, so that no two processes wait for each other.
            locked = select(ImageRow).where(ImageRow.uuid.in_(uuids)).order_by(ImageRow.id).with_for_update()
            rows = {row.uuid: row for row in await session.scalars(locked)}
            changes = Changes()
            answers = [_answer(wish, rows, changes) for wish in group]
            await session.flush()
            await changes.write(session)
            await session.commit()
        return answers


def _answer(wish: _Wish, rows: dict[UUID, ImageRow], changes: Changes) -> Answer:
    for uuid in wish.images:
        if uuid not in rows or not wish.viewer.may_see(rows[uuid]):
            return not_found("image", uuid, "images")
    return [_changed(rows[uuid], wish.action, changes) for uuid in wish.images]


def _changed(row: ImageRow, action: CountedAction, changes: Changes) -> schemas.ImageCounts:
    likes = {"like": 1, "unlike": -min(1, row.likes), "download": 0}[action]
    downloads = int(action == "download")
    row.likes += likes
    row.downloads += downloads
    change = changes.of(row.model_uuid, row.model_version)
    change.likes += likes
    change.downloads += downloads
    return schemas.ImageCounts(uuid=row.uuid, likes=row.likes, downloads=row.downloads)
