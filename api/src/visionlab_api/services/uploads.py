"""Large files that arrive in pieces: bytes in the object store, one row each.

A row's `received` is the truth about how far an upload has come. It follows the bytes: these are durable first, so it never
promises what is not there, and what the store holds beyond it (after a crash, or of a piece whose checksum is still open) counts
for nothing and is written over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import ClientDisconnect

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.leases import held, is_free, take
from visionlab_api.database.tables import UploadRow
from visionlab_api.middleware import BodyStalled
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.tus import CHECKSUM_MISMATCH, Checksum
from visionlab_api.threads import run_to_its_end
from visionlab_core.object_store import BLOCK_BYTES, BytesMissing, ObjectStore
from visionlab_core.store_layout import upload_key

log = logging.getLogger(__name__)

# Any number, the same in every process: who creates an upload waits for the others, so that the quota holds.
_QUOTA_LOCK = 7_460_001
_SECONDS_TO_CLOSE = 10.0


class Uploads:
    """What can be done with uploads; no connection to the database is held while bytes come in."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore, configuration: ApiConfiguration) -> None:
        self._sessions = sessions
        self._store = store
        self._configuration = configuration
        self._receiving: set[asyncio.Future[None]] = set()

    async def close(self) -> None:
        """Wait until what has arrived of the pieces that were under way is kept; their requests have been cancelled."""
        if self._receiving:
            await asyncio.wait(self._receiving, timeout=_SECONDS_TO_CLOSE)

    async def create(self, filename: str, metadata: str, length: int) -> UploadRow:
        """Begin an upload of `length` bytes.

        Raises:
            ProblemError: 413 larger than any may be, 415 of a type that is not taken, 507 the quota is used up.
        """
        if length > self._configuration.max_upload_bytes:
            raise _too_large(f"The file has {_shown(length)}; at most {_shown(self._configuration.max_upload_bytes)} are taken.")
        if not filename.lower().endswith(self._configuration.upload_types):
            kinds = ", ".join(self._configuration.upload_types)
            detail = f"{filename!r} is of a type that is not taken. Send one of {kinds}."
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "upload-type", "Type not taken", detail, field="Upload-Metadata"
            )
        row = UploadRow(
            filename=filename, upload_metadata=metadata, length=length, received=0, status="receiving", expires_at=self._expiry()
        )
        async with self._sessions() as session:
            if session.get_bind().dialect.name == "postgresql":
                await session.execute(select(func.pg_advisory_xact_lock(_QUOTA_LOCK)))
            # Written first: on SQLite that is what makes other writers wait until the sum is taken.
            session.add(row)
            await session.flush()
            used = await session.scalar(select(func.sum(UploadRow.length)).where(UploadRow.claimed_by.is_(None))) or 0
            if used > self._configuration.upload_quota_bytes:
                await session.rollback()
                raise self._no_quota(used - length)
            await session.commit()
        return row

    async def find(self, uuid: UUID) -> UploadRow:
        """An upload as it is now; one whose bytes are all there is `done`.

        Raises:
            ProblemError: 404 there is none, 410 it has expired.
        """
        async with self._sessions() as session:
            row = await session.scalar(select(UploadRow).where(UploadRow.uuid == uuid))
        if row is None:
            raise not_found("upload", uuid)
        if row.claimed_by is None and row.expires_at <= datetime.now(UTC):
            detail = "The upload has expired: nothing came for too long. Begin it anew."
            raise ProblemError(HTTPStatus.GONE, "upload-expired", "Upload expired", detail)
        if row.status == "receiving" and row.received == row.length:
            # Also after a crash between the last byte and this.
            try:
                await asyncio.to_thread(self._store.finish, uuid, upload_key(uuid), size=row.length)
            except BytesMissing as error:
                row.received = await self._fall_back(UploadRow.uuid == uuid, error)
            else:
                row.status = "done"
                await self._update(UploadRow.uuid == uuid, UploadRow.received == UploadRow.length, status="done")
        return row

    async def write(
        self, uuid: UUID, offset: int, chunks: AsyncIterator[bytes], *, announced: int | None, checksum: Checksum | None
    ) -> UploadRow:
        """Take in a piece that begins at `offset`; gives the upload as it is then.

        What has arrived of a piece that is cut off is kept; but one with a checksum counts as a whole or not at all.

        Args:
            uuid: the upload.
            offset: where the piece begins: what has been received.
            chunks: the bytes, as they come.
            announced: how many there will be, where that is known.
            checksum: of the whole piece.

        Raises:
            ProblemError: as `find`, and 409 another offset is due, 413 more bytes than the upload has, 423 another piece is just
                being received, 460 the checksum does not match.
            StoreFull, StoreUnavailable: what was received before is still there.
        """
        row = await self.find(uuid)
        if row.received != offset:
            raise _other_offset(row)
        if offset + (announced or 0) > row.length:
            raise _beyond(row)
        async with self._sessions() as session:
            conditions = (UploadRow.uuid == uuid, UploadRow.received == offset, UploadRow.status == row.status)
            holder = await take(session, UploadRow, *conditions)
        if holder is None:
            row = await self.find(uuid)
            raise _other_offset(row) if row.received != offset else _locked()
        under_way = asyncio.get_running_loop().create_future()
        self._receiving.add(under_way)
        try:
            async with held(self._sessions, UploadRow, holder):
                try:
                    await self._receive(row, holder, chunks, checksum)
                except BytesMissing as error:
                    await self._fall_back(UploadRow.holder == holder, error)
                    raise _other_offset(await self.find(uuid)) from error
        finally:
            self._receiving.discard(under_way)
            under_way.set_result(None)
        return await self.find(uuid)

    async def remove(self, uuid: UUID) -> None:
        """Remove an upload and its bytes.

        Raises:
            ProblemError: 404 there is none, 409 something makes use of it.
        """
        async with self._sessions() as session:
            gone = delete(UploadRow).where(UploadRow.uuid == uuid, UploadRow.claimed_by.is_(None)).returning(UploadRow.id)
            if (await session.execute(gone)).first() is None:
                await session.rollback()
                if await session.scalar(select(UploadRow.id).where(UploadRow.uuid == uuid)) is None:
                    raise not_found("upload", uuid)
                detail = "A data set or a model is being made of this upload. It goes by itself when that is done."
                raise ProblemError(HTTPStatus.CONFLICT, "upload-in-use", "Upload in use", detail)
            await session.commit()
        await asyncio.to_thread(self._discard, uuid)

    async def sweep(self) -> int:
        """Remove what has expired, and bytes that belong to no upload; gives how many of both there were.

        Safe beside everything else: rows are there before their bytes, so bytes without a row are nobody's.
        """
        in_store = await asyncio.to_thread(self._in_store)
        async with self._sessions() as session:
            expired = (UploadRow.claimed_by.is_(None), UploadRow.expires_at <= datetime.now(UTC), is_free(UploadRow))
            gone = set(await session.scalars(delete(UploadRow).where(*expired).returning(UploadRow.uuid)))
            await session.commit()
            known = set(await session.scalars(select(UploadRow.uuid)))
        for uuid in gone | (in_store - known):
            await asyncio.to_thread(self._discard, uuid)
        if removed := len(gone | (in_store - known)):
            log.info("removed %d uploads that nobody goes on with", removed)
        return removed

    async def _receive(self, row: UploadRow, holder: UUID, chunks: AsyncIterator[bytes], checksum: Checksum | None) -> None:
        place = row.received
        digest = checksum.start() if checksum else None
        block = bytearray()

        async def keep() -> None:
            nonlocal place
            if block:
                # Where this is cancelled it is done once more, which changes nothing.
                await run_to_its_end(partial(self._store.append, row.uuid, bytes(block), at=place))
                place += len(block)
                block.clear()
                if checksum is None:
                    await self._advance(row.uuid, holder, place)

        try:
            async for chunk in chunks:
                if place + len(block) + len(chunk) > row.length:
                    raise _beyond(row)
                block += chunk
                if digest is not None:
                    digest.update(chunk)
                if len(block) >= BLOCK_BYTES:
                    await keep()
        except (ClientDisconnect, BodyStalled, asyncio.CancelledError):
            if checksum is None:
                await keep()
            raise
        if checksum is not None and digest is not None and digest.digest() != checksum.digest:
            detail = "The piece arrived damaged: its checksum is another. Send it again from the same offset."
            raise ProblemError(CHECKSUM_MISMATCH, "checksum-mismatch", "Checksum mismatch", detail, field="Upload-Checksum")
        await keep()
        if checksum is not None:
            await self._advance(row.uuid, holder, place)

    async def _advance(self, uuid: UUID, holder: UUID, received: int) -> None:
        if not await self._update(UploadRow.holder == holder, received=received, expires_at=self._expiry()):
            await self.find(uuid)
            raise _locked()

    async def _update(self, *conditions: ColumnElement[bool], **values: object) -> bool:
        async with self._sessions() as session:
            statement = update(UploadRow).where(*conditions).values(**values).returning(UploadRow.id)
            found = (await session.execute(statement, execution_options={"synchronize_session": False})).first()
            await session.commit()
        return found is not None

    async def _fall_back(self, condition: ColumnElement[bool], error: BytesMissing) -> int:
        """The store has lost bytes that were counted (an older copy of it was put back?): the client sends them again."""
        log.error("an upload has come to byte %d again: %s", error.size, error)
        await self._update(condition, UploadRow.status == "receiving", received=error.size)
        return error.size

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._configuration.upload_expiry_seconds)

    def _in_store(self) -> set[UUID]:
        found = set(self._store.growing())
        prefix = "uploads/"
        for info in self._store.list(prefix):
            try:
                found.add(UUID(info.key.removeprefix(prefix)))
            except ValueError:
                log.warning("%s in the store is no upload", info.key)
        return found

    def _discard(self, uuid: UUID) -> None:
        self._store.abandon(uuid)
        self._store.delete(upload_key(uuid))

    def _no_quota(self, used: int) -> ProblemError:
        detail = (
            f"Uploads that wait to be finished or made use of take up {_shown(used)} of the "
            f"{_shown(self._configuration.upload_quota_bytes)} that they may: there is no room for this one. "
            "Finish or remove some, or wait until they expire."
        )
        return ProblemError(
            HTTPStatus.INSUFFICIENT_STORAGE, "upload-quota", "Upload quota", detail, field="Upload-Length", retry_after=60
        )


async def claim(session: AsyncSession, uuids: list[UUID], user: UUID) -> list[UploadRow]:
    """Keep finished uploads for what is made of them, in the order asked; not committed.

    Raises:
        ProblemError: 404 there is no such upload, 409 one is not finished or is in use; the session is to be rolled back.
    """
    now = datetime.now(UTC)
    usable = (UploadRow.status == "done", UploadRow.claimed_by.is_(None), UploadRow.expires_at > now)
    taken = update(UploadRow).where(UploadRow.uuid.in_(uuids), *usable).values(claimed_by=user).returning(UploadRow.uuid)
    claimed = set(await session.scalars(taken, execution_options={"synchronize_session": False}))
    rows = {row.uuid: row for row in await session.scalars(select(UploadRow).where(UploadRow.uuid.in_(uuids)))}
    for uuid in uuids:
        if uuid not in rows or (uuid not in claimed and rows[uuid].expires_at <= now and rows[uuid].claimed_by is None):
            raise not_found("upload", uuid, "uploads")
        if uuid not in claimed:
            row = rows[uuid]
            why = "is in use already" if row.claimed_by else f"is not finished: {row.received} of {row.length} bytes are there"
            raise ProblemError(
                HTTPStatus.CONFLICT, "upload-not-usable", "Upload cannot be used", f"{row.filename} {why}.", field="uploads"
            )
    return [rows[uuid] for uuid in uuids]


async def release(session: AsyncSession, user: UUID, *, keep_seconds: float) -> None:
    """Let go of what was claimed: it expires after so many seconds unless it is claimed again; not committed."""
    expiry = datetime.now(UTC) + timedelta(seconds=keep_seconds)
    await session.execute(
        update(UploadRow).where(UploadRow.claimed_by == user).values(claimed_by=None, expires_at=expiry),
        execution_options={"synchronize_session": False},
    )


def _other_offset(row: UploadRow) -> ProblemError:
    detail = f"The upload has come to byte {row.received}; go on from there."
    headers = {"Upload-Offset": str(row.received)}
    return ProblemError(HTTPStatus.CONFLICT, "upload-offset", "Another offset", detail, field="Upload-Offset", headers=headers)


def _beyond(row: UploadRow) -> ProblemError:
    return _too_large(f"The upload was announced with {row.length} bytes; this piece goes beyond them.")


def _too_large(detail: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload-too-large", "Upload too large", detail, field="Upload-Length"
    )


def _locked() -> ProblemError:
    detail = "Another piece of this upload is just being received. Ask for the offset again in a few seconds."
    return ProblemError(HTTPStatus.LOCKED, "upload-locked", "Upload locked", detail, retry_after=2)


def _shown(size: int) -> str:
    return f"{size / 2**30:.3g} GiB" if size >= 2**30 else f"{size / 2**20:.3g} MiB"
