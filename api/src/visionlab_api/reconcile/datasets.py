"""Reads the data sets that are wished for, and clears away those that are not any more.

Level-triggered: each round looks at all rows. A data set is read in batches; each is written with how far it came in one
transaction, so whoever goes on after a crash, in this process or another, begins behind the last batch. Images are stored under
their digests before their rows: to store one again changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.leases import held, is_free, take
from visionlab_api.database.tables import DatasetFileRow, DatasetRow, UploadRow
from visionlab_api.reconcile.back_off import BackOff
from visionlab_api.reconcile.loop import Loop
from visionlab_api.services.archives import Limits, UnusableArchive
from visionlab_api.services.dataset_reading import DatasetReading, FileFound, Upload
from visionlab_api.services.datasets import SIZE_STEPS, frozen_files, write_manifest
from visionlab_api.services.fates import Fate
from visionlab_api.services.uploads import release
from visionlab_api.threads import run_to_its_end
from visionlab_core.face_class import FaceClass
from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.store_layout import dataset_prefix

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 0.5
MOST_ATTEMPTS = 5
"""Times that reading may be broken off at one place (the process was killed, say for its memory) before it is given up."""

_ROWS_AT_ONCE = 10_000


class _Lost(Exception):
    """The data set is another worker's now, or is to be removed."""


class DatasetLoop:
    """Follows the datasets table: one reader and one remover in a process, any number of processes."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore, configuration: ApiConfiguration) -> None:
        self._sessions = sessions
        self._store = store
        self._configuration = configuration
        self._faults = BackOff(first=2.0)
        self._loops = [
            Loop("reading of data sets", SECONDS_BETWEEN_ROUNDS, partial(self.round, "pending", "reading")),
            Loop("removal of data sets", SECONDS_BETWEEN_ROUNDS, partial(self.round, "deleting")),
        ]

    def start(self) -> None:
        """Go on where the last process stopped."""
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """Stop after the batch under way; the rest is for the next process."""
        await asyncio.gather(*(loop.stop() for loop in self._loops))

    async def round(self, *states: str) -> None:
        """Bring every data set in one of these states on.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        async with self._sessions() as session:
            waiting = select(DatasetRow.uuid).where(DatasetRow.state.in_(states), is_free(DatasetRow)).order_by(DatasetRow.id)
            uuids = list(await session.scalars(waiting))
        for uuid in uuids:
            if not self._faults.waits(uuid):
                await self._bring(uuid, *states)

    async def _bring(self, uuid: UUID, *states: str) -> None:
        async with self._sessions() as session:
            holder = await take(session, DatasetRow, DatasetRow.uuid == uuid, DatasetRow.state.in_(states))
        if holder is None:
            return
        try:
            async with held(self._sessions, DatasetRow, holder):
                if "deleting" in states:
                    await self._remove(uuid)
                else:
                    await self._read(uuid, holder)
        except _Lost:
            return
        except StoreError as error:
            await self._later(uuid, str(error), error)
        except SQLAlchemyError:
            raise
        except Exception as error:  # one data set must not hold up the others
            log.exception("the data set %s cannot be brought on", uuid)
            await self._later(uuid, "Something went wrong here; the log has the details.", error)
        else:
            self._faults.worked(uuid)

    async def _later(self, uuid: UUID, reason: str, error: Exception) -> None:
        pause = self._faults.failed(uuid)
        log.warning("the data set %s waits for %g seconds: %s", uuid, pause, error)
        async with self._sessions() as session:
            # Another process may have read it to its end by now.
            told = update(DatasetRow).where(DatasetRow.uuid == uuid, DatasetRow.state.in_(("pending", "reading")))
            await session.execute(told.values(reason=f"It is tried again by itself: {reason}"[:1000]))
            await session.commit()

    async def _read(self, uuid: UUID, holder: UUID) -> None:
        row, reading = await self._open(uuid, holder)
        fates, classes, sizes = Counter(row.fates), Counter(row.classes), Counter(row.sizes)
        try:
            while batch := await run_to_its_end(reading.batch):
                kept = [file for file in batch if file.fate == Fate.KEPT]
                fates.update(file.fate.value for file in batch)
                classes.update(file.face_class.value for file in kept if file.face_class)
                sizes.update(_size_step(file) for file in kept)
                row.files += len(batch)
                row.images += len(kept)
                row.image_bytes += sum(file.size for file in kept)
                async with self._sessions() as session:
                    await self._write(
                        session,
                        holder,
                        files=row.files,
                        images=row.images,
                        image_bytes=row.image_bytes,
                        fates=dict(fates),
                        classes=dict(classes),
                        sizes=dict(sizes),
                        progress=reading.progress,
                        attempts=0,
                        reason=None,
                    )
                    await session.execute(insert(DatasetFileRow), [_row(row.id, file) for file in batch])
                    await session.commit()
            if row.images == 0:
                raise UnusableArchive("None of the files is an image that can be used: the list of files says why of each.")
        except UnusableArchive as error:
            await self._end(row, holder, state="failed", reason=str(error)[:1000], keep_uploads=True)
            log.warning("the data set %s cannot be read: %s", row.name, error)
            return
        finally:
            await asyncio.to_thread(reading.close)
        async with self._sessions() as session:
            files = await frozen_files(session, row)
        digest = await write_manifest(self._store, uuid, files)
        await self._end(row, holder, state="ready", digest=digest, progress=1.0, reason=None, keep_uploads=False)
        log.info("the data set %s is ready: %d images of %d files", row.name, row.images, row.files)

    async def _open(self, uuid: UUID, holder: UUID) -> tuple[DatasetRow, DatasetReading]:
        async with self._sessions() as session:
            row = await session.scalar(select(DatasetRow).where(DatasetRow.uuid == uuid))
            if row is None:
                raise _Lost
            if row.attempts >= MOST_ATTEMPTS:
                await session.commit()
                reason = f"Reading was broken off {row.attempts} times after {row.files} files. Is one of the next a damaged one?"
                await self._end(row, holder, state="failed", reason=reason, keep_uploads=True)
                raise _Lost
            await self._write(session, holder, state="reading", attempts=row.attempts + 1)
            await session.commit()
            known = await session.scalars(
                select(DatasetFileRow)
                .where(DatasetFileRow.dataset_id == row.id, DatasetFileRow.fate == Fate.KEPT)
                .order_by(DatasetFileRow.position)
            )
            uploads = {
                upload.uuid: upload for upload in await session.scalars(select(UploadRow).where(UploadRow.claimed_by == uuid))
            }
            configuration = self._configuration
            reading = DatasetReading(
                self._store,
                uuid,
                [
                    Upload(each, uploads[each].filename, uploads[each].length)
                    for each in map(UUID, row.uploads)
                    if each in uploads
                ],
                face_class=FaceClass(row.face_class) if row.face_class else None,
                limits=Limits(configuration.max_dataset_files, configuration.max_dataset_bytes, configuration.max_image_bytes),
                known=[_found(file) for file in known],
                files=row.files,
            )
        return row, reading

    async def _end(self, row: DatasetRow, holder: UUID, *, keep_uploads: bool, **values: object) -> None:
        async with self._sessions() as session:
            await self._write(session, holder, ended_at=datetime.now(UTC), **values)
            # Of what could not be read the uploads are kept for another try.
            keep = self._configuration.upload_expiry_seconds if keep_uploads else 0.0
            await release(session, row.uuid, keep_seconds=keep)
            await session.commit()

    async def _write(self, session: AsyncSession, holder: UUID, **values: object) -> None:
        mine = (DatasetRow.holder == holder, or_(DatasetRow.state == "pending", DatasetRow.state == "reading"))
        statement = update(DatasetRow).where(*mine).values(**values).returning(DatasetRow.id)
        if (await session.execute(statement, execution_options={"synchronize_session": False})).first() is None:
            await session.rollback()
            raise _Lost

    async def _remove(self, uuid: UUID) -> None:
        await asyncio.to_thread(self._remove_files, uuid)
        async with self._sessions() as session:
            identity = await session.scalar(select(DatasetRow.id).where(DatasetRow.uuid == uuid))
            await release(session, uuid, keep_seconds=self._configuration.upload_expiry_seconds)
            await session.commit()
            last = await session.scalar(select(func.max(DatasetFileRow.position)).where(DatasetFileRow.dataset_id == identity))
            # In parts, so that others can write between them.
            for end in range(_ROWS_AT_ONCE, (last or 0) + _ROWS_AT_ONCE + 1, _ROWS_AT_ONCE):
                part = (DatasetFileRow.dataset_id == identity, DatasetFileRow.position < end)
                await session.execute(delete(DatasetFileRow).where(*part))
                await session.commit()
            await session.execute(delete(DatasetRow).where(DatasetRow.id == identity))
            await session.commit()

    def _remove_files(self, uuid: UUID) -> None:
        for info in self._store.list(dataset_prefix(uuid)):
            self._store.delete(info.key)


def _size_step(file: FileFound) -> str:
    side = min(file.width or 0, file.height or 0)
    return str(max(step for step in SIZE_STEPS if step <= side))


def _row(dataset: int, file: FileFound) -> dict[str, object]:
    return {"dataset_id": dataset, **asdict(file)}


def _found(row: DatasetFileRow) -> FileFound:
    return FileFound(
        row.position,
        row.path,
        row.size,
        Fate(row.fate),
        face_class=FaceClass(row.face_class) if row.face_class else None,
        sha256=row.sha256,
        perceptual_hash=row.perceptual_hash,
        suffix=row.suffix,
        width=row.width,
        height=row.height,
    )
