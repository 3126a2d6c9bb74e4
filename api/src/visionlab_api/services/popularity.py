"""How popular generators are: sums over their images, kept in step with them.

Whoever adds, changes or deletes generated images says so here, in the same transaction, and after the images: all take the rows
in this order, so that no two wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.tables import ImageRow, PopularityRow


@dataclass(slots=True)
class Change:
    """What comes to the sums of a generator's version."""

    images: int = 0
    likes: int = 0
    downloads: int = 0


class Changes:
    """Changes of several versions, collected."""

    def __init__(self) -> None:
        self._of: defaultdict[tuple[UUID, int], Change] = defaultdict(Change)

    def of(self, model: UUID | None, version: int | None) -> Change:
        """The one of a version; None: of uploads, which counts nowhere."""
        if model is None or version is None:
            return Change()
        return self._of[model, version]

    async def write(self, session: AsyncSession) -> None:
        """Write them. Not committed."""
        for (uuid, version), change in sorted(self._of.items(), key=itemgetter(0)):
            if change == Change():
                continue
            await session.execute(
                update(PopularityRow)
                .where(PopularityRow.model_uuid == uuid, PopularityRow.model_version == version)
                .values(
                    images=PopularityRow.images + change.images,
                    likes=PopularityRow.likes + change.likes,
                    downloads=PopularityRow.downloads + change.downloads,
                ),
                execution_options={"synchronize_session": False},
            )


async def add_images(session: AsyncSession, rows: Iterable[ImageRow]) -> None:
    """Count new images, which have been flushed. Not committed."""
    made: defaultdict[tuple[UUID, int], list[ImageRow]] = defaultdict(list)
    for row in rows:
        if row.model_uuid is not None and row.model_version is not None:
            made[row.model_uuid, row.model_version].append(row)
    if not made:
        return
    dialect = (await session.connection()).dialect.name
    insert = sqlite.insert(PopularityRow) if dialect == "sqlite" else postgresql.insert(PopularityRow)
    more = insert.on_conflict_do_update(
        index_elements=[PopularityRow.model_uuid, PopularityRow.model_version],
        set_={
            "images": PopularityRow.images + insert.excluded.images,
            "model_name": insert.excluded.model_name,
            "model_label": insert.excluded.model_label,
        },
    )
    for _, images in sorted(made.items(), key=itemgetter(0)):
        one = images[0]
        values = {
            "model_uuid": one.model_uuid,
            "model_version": one.model_version,
            "model_name": one.model_name,
            "model_label": one.model_label or one.model_name,
            "face_class": one.class_label,
            "images": len(images),
            "likes": 0,
            "downloads": 0,
        }
        await session.execute(more, values)
