"""Brings trainings to what is wished of them: queued ones are started in order, others paused, resumed, ended, registered.

Level-triggered: each round compares every row with what its runner observes, so whatever happened meanwhile (this process or the
training was killed, the machine was started anew) the next round finds the same wish and goes on. What is written to a row is
written under the lease that this loop holds on it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.database.clock import from_now
from visionlab_api.database.leases import held, is_free, take
from visionlab_api.database.tables import TrainingRow
from visionlab_api.reconcile.back_off import LONGEST_PAUSE, BackOff
from visionlab_api.reconcile.loop import Loop
from visionlab_api.services.datasets import let_go
from visionlab_api.services.starters import index_row
from visionlab_api.services.training_images import digests_of, read_listed, write_training_manifest
from visionlab_api.services.training_results import UnusableResult, install_result, tidy
from visionlab_core.object_store import KeyNotFound, ObjectStore, StoreError
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import PROGRESS_FILE, SPEC_FILE, TrainingOrder, TrainingProgress
from visionlab_training.runners import Observation, RunnerUnavailable, TrainingRunner

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 0.5
MOST_ATTEMPTS = 4
"""Times that a training may be broken off (killed, say for its memory) without having come further, before it is given up."""

SECONDS_TO_ABANDON = 2 * LONGEST_PAUSE
"""A training whose place nobody has looked after for so long: others say so, and may remove it."""
_SECONDS_BETWEEN_TIDYING = 60.0
_ABANDONED = (
    "It runs on another machine, whose server has not been seen for ten minutes. Start that server, and it goes on; or remove "
    "the training and queue it anew."
)
_QUEUE_LOCK = 7_301_004
"""PostgreSQL's advisory lock under which a training is let out of the queue. SQLite has one writer at a time anyway."""


def _abandoned() -> ColumnElement[bool]:
    return TrainingRow.renewed_at < from_now(-SECONDS_TO_ABANDON)


class _Lost(Exception):
    """The training is another worker's now, or its wish has changed: the next round looks again."""


class TrainingLoop(Loop):
    """Follows the trainings table.

    Args:
        sessions: to the database.
        store: the object store.
        runner: what does the trainings.
        at_once: how many may run at the same time.
    """

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore, runner: TrainingRunner, *, at_once: int
    ) -> None:
        super().__init__("round of the trainings", SECONDS_BETWEEN_ROUNDS, self.round)
        self._sessions = sessions
        self._store = store
        self._runner = runner
        self._at_once = at_once
        self._faults = BackOff(first=1.0)
        self._place = ""
        self._tidied = -math.inf

    async def process(self) -> str | None:
        """Go through the queue now, also those that wait after a fault. Gives why none can be started; None: they can."""
        self._faults.clear()
        self.wake()
        return await self.why_unavailable()

    async def why_unavailable(self) -> str | None:
        """Why none can be started; None: they can."""
        return await asyncio.to_thread(self._runner.why_unavailable)

    async def round(self) -> None:
        """Bring every training on.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        if not self._place:
            try:
                self._place = await asyncio.to_thread(self._runner.place)
            except RunnerUnavailable as error:
                await self._none_can_start(str(error))
                return
        if time.monotonic() > self._tidied + _SECONDS_BETWEEN_TIDYING:
            self._tidied = time.monotonic()
            try:
                await self._tidy()
            except RunnerUnavailable as error:
                log.warning("what runs here cannot be tidied up now: %s", error)
        async with self._sessions() as session:
            query = select(TrainingRow.uuid).where(*self._due(), is_free(TrainingRow)).order_by(TrainingRow.id)
            uuids = list(await session.scalars(query))
        for uuid in uuids:
            if not self._faults.waits(uuid):
                await self._bring(uuid)

    def _due(self) -> tuple[ColumnElement[bool], ...]:
        """What this process has something to do with: asked again as one is taken, since another may have ended it by then."""
        resumed = and_(TrainingRow.status == "paused", TrainingRow.wish == "run")
        due = or_(TrainingRow.status.in_(("pending", "running")), TrainingRow.wish == "removed", resumed)
        ours = or_(TrainingRow.place.is_(None), TrainingRow.place == self._place, TrainingRow.status == "pending")
        removable = and_(TrainingRow.wish == "removed", _abandoned())
        return due, or_(ours, removable)

    async def _bring(self, uuid: UUID) -> None:
        async with self._sessions() as session:
            holder = await take(session, TrainingRow, TrainingRow.uuid == uuid, *self._due())
            row = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == uuid))
        if holder is None or row is None:
            return
        try:
            async with held(self._sessions, TrainingRow, holder):
                await self._step(row, holder)
        except _Lost:
            return
        except (StoreError, RunnerUnavailable) as error:
            await self._later(row, str(error))
        except SQLAlchemyError:
            raise
        except Exception:  # one training must not hold up the others
            log.exception("the training %s cannot be brought on", row.name)
            await self._later(row, "Something went wrong here; the log has the details.")
        else:
            self._faults.worked(uuid)

    async def _step(self, row: TrainingRow, holder: UUID) -> None:
        if row.wish == "removed":
            await self._remove(row)
        elif row.status == "paused":
            await self._write(row, holder, status="pending")
        elif row.status == "pending" and row.wish == "pause":
            await self._write(row, holder, status="paused", reason=None)
        elif row.status == "pending":
            await self._start(row, holder)
        else:
            await self._observe(row, holder)

    async def _start(self, row: TrainingRow, holder: UUID) -> None:
        """Let a training out of the queue, where there is room."""
        if (reason := await asyncio.to_thread(self._runner.why_unavailable)) is not None:
            if row.reason != reason[:1000]:
                await self._write(row, holder, reason=reason[:1000])
            return
        if not await self._let_out(row, holder):
            return
        log.info("the training %s begins", row.name)
        await self._run(row)

    async def _none_can_start(self, reason: str) -> None:
        """Say so on all that wait."""
        reason = reason[:1000]
        waiting = (TrainingRow.status == "pending", TrainingRow.wish == "run", is_free(TrainingRow))
        told = update(TrainingRow).where(*waiting, TrainingRow.reason.is_distinct_from(reason)).values(reason=reason)
        async with self._sessions() as session:
            found = await session.execute(told.returning(TrainingRow.id), execution_options={"synchronize_session": False})
            if found.all():
                log.warning("no training can be started: %s", reason)
            await session.commit()

    async def _let_out(self, row: TrainingRow, holder: UUID) -> bool:
        async with self._sessions() as session:
            if session.get_bind().dialect.name == "postgresql":
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _QUEUE_LOCK})
            running = select(func.count()).select_from(TrainingRow).where(TrainingRow.status == "running").scalar_subquery()
            first = (
                select(func.min(TrainingRow.id))
                .where(TrainingRow.status == "pending", TrainingRow.wish == "run")
                .scalar_subquery()
            )
            mine = (TrainingRow.holder == holder, TrainingRow.status == "pending", TrainingRow.wish == "run")
            # One that waits after a fault does not hold up those behind it.
            turn = TrainingRow.id == first if not self._faults else TrainingRow.id == TrainingRow.id
            begin = func.coalesce(TrainingRow.begin_at, datetime.now(UTC))
            out = (
                update(TrainingRow)
                .where(*mine, running < self._at_once, turn)
                .values(status="running", reason=None, begin_at=begin, place=self._place)
                .returning(TrainingRow.id)
            )
            found = (await session.execute(out, execution_options={"synchronize_session": False})).first()
            await session.commit()
        return found is not None

    async def _run(self, row: TrainingRow) -> None:
        """Write what the job reads, as often as it is asked for: it is the same each time; then start it."""
        order = TrainingOrder.model_validate(row.order)
        images = await asyncio.to_thread(read_listed, self._store, row.datasets)
        async with self._sessions() as session:
            digests = await digests_of(session, images)
        await asyncio.to_thread(
            write_training_manifest,
            self._store,
            row.uuid,
            images,
            digests,
            test_fraction=float(row.settings.get("test_fraction", 0.0)),
            source=row.name if row.type == "generator" else None,
            # What a comparison judges on is kept from the training however few images there are.
            **({} if order.comparison is None else {"least_for_a_test": 0}),
        )
        key = training_key(row.uuid, SPEC_FILE)
        await asyncio.to_thread(self._store.put, key, order.model_dump_json().encode(), content_type="application/json")
        await asyncio.to_thread(self._runner.start, row.uuid)

    async def _observe(self, row: TrainingRow, holder: UUID) -> None:
        """What is to be done with a training whose row says that it runs."""
        seen = await asyncio.to_thread(self._runner.observe, row.uuid)
        progress = await asyncio.to_thread(self._progress, row.uuid)
        told = None if progress is None else progress.model_dump(mode="json")
        if told != row.progress and told is not None:
            await self._write(row, holder, progress=told)
        match seen.state:
            case "running":
                if row.wish == "pause":
                    await asyncio.to_thread(self._runner.suspend, row.uuid)
                if row.reason != (reason := seen.reason and seen.reason[:1000]):
                    await self._write(row, holder, reason=reason)
            case "done":
                await self._register(row, holder)
            case "failed":
                await self._fail(row, holder, seen.reason or "It failed without a word.")
            case _ if row.wish == "pause":
                await self._write(row, holder, status="paused", reason=None, place=None)
                log.info("the training %s pauses", row.name)
            case _:
                await self._go_on(row, holder, seen, 0 if progress is None else progress.step)

    async def _go_on(self, row: TrainingRow, holder: UUID, seen: Observation, step: int) -> None:
        """It ended though nobody wished so: it was killed, or stopped by the system. It goes on from its last checkpoint."""
        attempts = 0 if step > row.last_step else row.attempts + (seen.state == "absent")
        if seen.state == "absent" and (said := await asyncio.to_thread(self._runner.last_words, row.uuid)):
            log.warning("the training %s was killed, or broke off without an outcome; it said last: %s", row.name, said)
        if attempts >= MOST_ATTEMPTS:
            reason = (
                f"The training was killed {attempts} times at step {step}. Is there too little memory? Then a smaller batch size "
                "helps."
            )
            await self._fail(row, holder, reason)
            return
        await self._write(row, holder, attempts=attempts, last_step=step)
        log.warning("the training %s was broken off at step %d and goes on", row.name, step)
        await self._run(row)

    async def _register(self, row: TrainingRow, holder: UUID) -> None:
        """Make a model of the result: its files, then its row, disabled, in one transaction with the training's end."""
        try:
            card = await asyncio.to_thread(install_result, self._store, row)
        except UnusableResult as error:
            await self._fail(row, holder, str(error))
            return
        if not await asyncio.to_thread(self._runner.stop, row.uuid):
            return  # its last process is just ending
        await asyncio.to_thread(tidy, self._store, row.uuid)
        metrics = {split: figures.model_dump(mode="json") for split, figures in card.metrics.items()}
        async with self._sessions() as session:
            try:
                session.add(index_row(card, status="disabled"))
                await session.flush()
            except IntegrityError:
                await session.rollback()
                name = f"{card.name} version {card.version}"
                await self._fail(
                    row, holder, f"There is a model {name} already, so this one was not added. Remove one of the two."
                )
                return
            await let_go(session, row.uuid)
            await self._write_in(
                session,
                row,
                holder,
                status="done",
                reason=None,
                metrics=metrics,
                end_at=datetime.now(UTC),
                wish="run",
                place=None,
            )
            await session.commit()
        log.info("the training %s is done: model %s version %d", row.name, card.name, card.version)

    async def _fail(self, row: TrainingRow, holder: UUID, reason: str) -> None:
        await self._write(row, holder, status="failed", reason=reason[:1000], end_at=datetime.now(UTC), wish="run")
        log.warning("the training %s failed: %s", row.name, reason)

    async def _remove(self, row: TrainingRow) -> None:
        if not await asyncio.to_thread(self._runner.stop, row.uuid):
            return  # the next round sees whether it has ended
        await asyncio.to_thread(self._remove_files, row.uuid)
        async with self._sessions() as session:
            await let_go(session, row.uuid)
            await session.execute(delete(TrainingRow).where(TrainingRow.id == row.id))
            await session.commit()
        log.info("the training %s was removed", row.name)

    async def _tidy(self) -> None:
        """End what runs here though its training was removed, or was begun anew elsewhere, while nobody looked after it."""
        for uuid in await asyncio.to_thread(self._runner.trainings):
            async with self._sessions() as session:
                row = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == uuid))
            if row is None or row.place not in (None, self._place):
                log.warning("the training %s is not of this machine any more, and is ended here", uuid)
                await asyncio.to_thread(self._runner.stop, uuid)
        elsewhere = (TrainingRow.status == "running", TrainingRow.place != self._place, _abandoned())
        async with self._sessions() as session:
            await session.execute(update(TrainingRow).where(*elsewhere).values(reason=_ABANDONED))
            await session.commit()

    def _remove_files(self, uuid: UUID) -> None:
        prefix = training_key(uuid, SPEC_FILE).removesuffix(SPEC_FILE)
        for info in self._store.list(prefix):
            self._store.delete(info.key)

    def _progress(self, uuid: UUID) -> TrainingProgress | None:
        try:
            return TrainingProgress.model_validate_json(self._store.get(training_key(uuid, PROGRESS_FILE)))
        except (KeyNotFound, ValueError):
            return None

    async def _later(self, row: TrainingRow, reason: str) -> None:
        pause = self._faults.failed(row.uuid)
        log.warning("the training %s waits for %g seconds: %s", row.name, pause, reason)
        async with self._sessions() as session:
            told = update(TrainingRow).where(TrainingRow.uuid == row.uuid, TrainingRow.status.in_(("pending", "running")))
            await session.execute(told.values(reason=f"It is tried again by itself: {reason}"[:1000]))
            await session.commit()

    async def _write(self, row: TrainingRow, holder: UUID, **values: object) -> None:
        async with self._sessions() as session:
            await self._write_in(session, row, holder, **values)
            await session.commit()

    async def _write_in(self, session: AsyncSession, row: TrainingRow, holder: UUID, **values: object) -> None:
        """Write where the row is still ours, in the state and with the wish that this step began with."""
        mine = (TrainingRow.holder == holder, TrainingRow.status == row.status, TrainingRow.wish == row.wish)
        statement = update(TrainingRow).where(*mine).values(**values).returning(TrainingRow.id)
        if (await session.execute(statement, execution_options={"synchronize_session": False})).first() is None:
            await session.rollback()
            raise _Lost
