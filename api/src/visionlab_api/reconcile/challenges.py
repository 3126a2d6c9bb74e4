"""Follows challenges from their training to the proposal, or the switch; makes those that are due by the schedule.

Level-triggered and idempotent: each round compares a challenge's row with its training's, so a process that is killed at any
moment leaves nothing that the next cannot go on from. A row is written under the lease that this loop holds on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api import schemas
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.accounts.principal import SCHEDULE
from visionlab_api.database.leader import Leader
from visionlab_api.database.leases import held, is_free, take
from visionlab_api.database.tables import ChallengeRow, ModelRow, TrainingRow
from visionlab_api.problems import ProblemError
from visionlab_api.reconcile.back_off import BackOff
from visionlab_api.reconcile.loop import Loop
from visionlab_api.services import challenges
from visionlab_api.services.challenge_verdict import verdict_of
from visionlab_api.services.settings import read_challenge_settings
from visionlab_core.object_store import KeyNotFound, ObjectStore, StoreError
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import COMPARISON_FILE, Comparison

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 1.0
_UNDECIDED = ChallengeRow.state.in_(challenges.OPEN)


class _Lost(Exception):
    """The challenge is another worker's now, or was decided: the next round looks again."""


class ChallengeLoop(Loop):
    """Follows the challenges table, and the clock.

    Args:
        sessions: to the database.
        store: the object store.
        audit: where it is written down what this loop does without being asked.
        leader: of the database; the schedule is its.
        extra_architectures: that the trainer knows beside ours.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        store: ObjectStore,
        audit: AuditLog,
        leader: Leader,
        extra_architectures: Sequence[str] = (),
    ) -> None:
        super().__init__("round of the challenges", SECONDS_BETWEEN_ROUNDS, self.round)
        self._sessions = sessions
        self._store = store
        self._audit = audit
        self._leader = leader
        self._extra_architectures = extra_architectures
        self._faults = BackOff(first=1.0)

    async def round(self) -> None:
        """Bring every challenge on, and make those that are due where this process leads.

        Raises:
            SQLAlchemyError, StoreError: database or store do not answer.
        """
        async with self._sessions() as session:
            due = select(ChallengeRow.uuid).where(_UNDECIDED, is_free(ChallengeRow))
            uuids = list(await session.scalars(due.order_by(ChallengeRow.id)))
        for uuid in uuids:
            if not self._faults.waits(uuid):
                await self._bring(uuid)
        if self._leader.leads:
            await self.schedule()

    async def schedule(self) -> int:
        """Make the challenges that are due by the settings; gives how many.

        Raises:
            SQLAlchemyError, StoreError: database or store do not answer.
        """
        async with self._sessions() as session:
            settings = await read_challenge_settings(session)
        if not settings.every_days:
            return 0
        made = 0
        for champion in await self._champions(settings):
            if await self._is_due(champion, settings):
                made += await self._challenge(champion)
        return made

    async def _champions(self, settings: schemas.ChallengeSettings) -> list[ModelRow]:
        """The newest enabled version of each detector that the schedule is for."""
        query = select(ModelRow).where(ModelRow.type == "detector", ModelRow.status == "enabled").order_by(ModelRow.version)
        if settings.models:
            query = query.where(ModelRow.uuid.in_(settings.models))
        else:
            here = select(TrainingRow.id).where(TrainingRow.model_uuid == ModelRow.uuid, TrainingRow.status == "done")
            query = query.where(here.exists())
        async with self._sessions() as session:
            return list({row.uuid: row for row in await session.scalars(query)}.values())

    async def _is_due(self, champion: ModelRow, settings: schemas.ChallengeSettings) -> bool:
        """Whether the interval is over, and enough was labelled since the last challenge that came to an end."""
        of_it = select(ChallengeRow).where(ChallengeRow.model_uuid == champion.uuid).order_by(ChallengeRow.id.desc()).limit(1)
        async with self._sessions() as session:
            last = await session.scalar(of_it)
            judged = await session.scalar(of_it.where(ChallengeRow.state.not_in(("failed", "cancelled"))))
            learnt = challenges.learnt_at(champion, await challenges.training_of(session, champion.uuid, champion.version))
            if last is not None and last.state in challenges.OPEN:
                return False
            began = learnt if last is None else max(learnt, last.created_at)
            if datetime.now(UTC) - began < timedelta(days=settings.every_days):
                return False
            since = learnt if judged is None else max(learnt, judged.created_at)
            return await challenges.new_labels(session, since) >= settings.min_labels

    async def _challenge(self, champion: ModelRow) -> bool:
        entry = await self._audit.begin(
            SCHEDULE, "POST /backend/challenge", "/backend/challenge", detail={"model": str(champion.uuid)}
        )
        request = schemas.ChallengeRequest(model=champion.uuid)
        try:
            async with self._sessions() as session:
                row = await challenges.create_challenge(session, self._store, request, self._extra_architectures, "schedule")
        except ProblemError as problem:
            if problem.kind != "challenge-open":  # else another process was quicker
                await self._note_refusal(champion, str(problem))
            await self._audit.end(entry, int(problem.status), {"model": str(champion.uuid), "reason": str(problem)})
            return False
        await self._audit.end(entry, HTTPStatus.CREATED, {"model": str(champion.uuid), "challenge": str(row.uuid)})
        log.info("%s version %d is challenged: the schedule says so", champion.name, champion.version)
        return True

    async def _note_refusal(self, champion: ModelRow, reason: str) -> None:
        """So that it is seen, and tried again after the interval."""
        async with self._sessions() as session:
            settings = await read_challenge_settings(session)
            row = ChallengeRow(
                model_uuid=champion.uuid,
                model_name=champion.name,
                champion_version=champion.version,
                state="failed",
                reason=reason[:1000],
                made_by="schedule",
                rule=schemas.ChallengeRule.model_validate(settings.model_dump()).model_dump(mode="json"),
                new_labels=0,
                ended_at=datetime.now(UTC),
            )
            session.add(row)
            await session.commit()
        log.warning("%s version %d cannot be challenged: %s", champion.name, champion.version, reason)

    async def _bring(self, uuid: UUID) -> None:
        async with self._sessions() as session:
            holder = await take(session, ChallengeRow, ChallengeRow.uuid == uuid, _UNDECIDED)
            row = await session.scalar(select(ChallengeRow).where(ChallengeRow.uuid == uuid))
        if holder is None or row is None:
            return
        try:
            async with held(self._sessions, ChallengeRow, holder):
                await self._step(row, holder)
        except _Lost:
            return
        except StoreError as error:
            await self._later(row, str(error))
        except SQLAlchemyError:
            raise
        except Exception:  # one challenge must not hold up the others
            log.exception("the challenge of %s cannot be brought on", row.model_name)
            await self._later(row, "Something went wrong here; the log has the details.")
        else:
            self._faults.worked(uuid)

    async def _step(self, row: ChallengeRow, holder: UUID) -> None:
        if row.state not in challenges.OPEN:  # someone decided since it was taken
            return
        if row.state == "proposed":
            await self._watch(row, holder)
            return
        async with self._sessions() as session:
            training = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == row.training))
        if training is None or training.wish == "removed":
            await self._end(row, holder, "failed", "The training of the new version was removed.")
            return
        match training.status:
            case "done":
                await self._decide(row, holder)
            case "failed":
                await self._fail_with_training(row, holder, training)
            case "paused":
                await self._tell(row, holder, "training", "The training of the new version is paused.")
            case "pending":
                await self._tell(row, holder, "queued", training.reason)
            case _:
                judging = (training.progress or {}).get("phase") == "judging"
                await self._tell(row, holder, "judging" if judging else "training", training.reason)

    async def _watch(self, row: ChallengeRow, holder: UUID) -> None:
        """A proposal makes sense only while there is something to choose between."""
        if gone := await self._gone(row):
            await self._end(row, holder, "failed", f"Version {gone} was removed before it was decided.")
        elif other := await self._in_its_place(row):
            await self._end(row, holder, "failed", f"Version {other} has taken the champion's place before it was decided.")

    async def _decide(self, row: ChallengeRow, holder: UUID) -> None:
        if gone := await self._gone(row):
            await self._end(row, holder, "failed", f"Version {gone} was removed before the two were compared.")
            return
        assert row.training is not None
        try:
            data = await asyncio.to_thread(self._store.get, training_key(row.training, COMPARISON_FILE))
            comparison = Comparison.model_validate_json(data)
        except (KeyNotFound, ValueError):
            reason = "The training left no comparison: the command that trains has to know --champion and --judged."
            await self._end(row, holder, "failed", reason)
            return
        verdict = verdict_of(schemas.ChallengeRule.model_validate(row.rule), comparison)
        figures: dict[str, object] = {
            "comparison": comparison.model_dump(mode="json"),
            "verdict": [each.model_dump(mode="json") for each in verdict],
        }
        if missed := [each.says for each in verdict if not each.passed]:
            await self._end(row, holder, "kept", "The version in service stays. " + " ".join(missed), **figures)
            return
        async with self._sessions() as session:
            by_itself = (await read_challenge_settings(session)).switch_by_itself
        not_switched = await self._switch(row, figures) if by_itself else None
        if by_itself and not_switched is None:
            return
        await self._write(row, holder, state="proposed", reason=not_switched, **figures)
        log.info("version %s of %s is better, and proposed", row.challenger_version, row.model_name)

    async def _switch(self, row: ChallengeRow, figures: dict[str, object]) -> str | None:
        """Put the new version into service; gives why not."""
        target = f"/backend/challenge/{row.uuid}/accept"
        detail = {"model": str(row.model_uuid), "from": row.champion_version, "to": row.challenger_version}
        entry = await self._audit.begin(SCHEDULE, "POST /backend/challenge/{uuid}/accept", target, detail=detail)
        try:
            async with self._sessions() as session:
                mine = await challenges.find_challenge(session, row.uuid)
                await challenges.switch(session, self._store, mine, (row.state,), "switched", "accepted", **figures)
        except ProblemError as problem:
            await self._audit.end(entry, int(problem.status), {**detail, "reason": str(problem)})
            return f"It was not switched by itself: {problem}"[:1000]
        await self._audit.end(entry, HTTPStatus.OK, detail)
        log.info(
            "version %s of %s has taken the place of version %s", row.challenger_version, row.model_name, row.champion_version
        )
        return None

    async def _gone(self, row: ChallengeRow) -> int | None:
        """A version of the two that is no longer there."""
        async with self._sessions() as session:
            there = set(await session.scalars(select(ModelRow.version).where(ModelRow.uuid == row.model_uuid)))
        return next((each for each in (row.champion_version, row.challenger_version) if each not in there), None)

    async def _in_its_place(self, row: ChallengeRow) -> int | None:
        """A version that serves while the champion does not: what was compared is not what is to be chosen between any more."""
        query = select(ModelRow.version).where(ModelRow.uuid == row.model_uuid, ModelRow.status == "enabled")
        async with self._sessions() as session:
            serving = set(await session.scalars(query))
        return max(serving) if serving and row.champion_version not in serving else None

    async def _fail_with_training(self, row: ChallengeRow, holder: UUID, training: TrainingRow) -> None:
        # The failed training goes: it would keep its version from the next one.
        async with self._sessions() as session:
            failed = (TrainingRow.uuid == training.uuid, TrainingRow.status == "failed")
            gone = update(TrainingRow).where(*failed).values(wish="removed").returning(TrainingRow.id)
            if (await session.execute(gone, execution_options={"synchronize_session": False})).first() is None:
                await session.rollback()  # it is tried again
                raise _Lost
            reason = f"The training of the new version failed: {training.reason}"[:1000]
            await self._write_in(session, row, holder, state="failed", reason=reason, ended_at=datetime.now(UTC))
            await session.commit()
        log.warning("the challenge of %s failed: %s", row.model_name, training.reason)

    async def _end(self, row: ChallengeRow, holder: UUID, state: str, reason: str, **values: object) -> None:
        await self._write(row, holder, state=state, reason=reason[:1000], ended_at=datetime.now(UTC), **values)
        log.info("the challenge of %s ends (%s): %s", row.model_name, state, reason)

    async def _tell(self, row: ChallengeRow, holder: UUID, state: str, reason: str | None) -> None:
        if (row.state, row.reason) != (state, reason):
            await self._write(row, holder, state=state, reason=reason)

    async def _later(self, row: ChallengeRow, reason: str) -> None:
        pause = self._faults.failed(row.uuid)
        log.warning("the challenge of %s waits for %g seconds: %s", row.model_name, pause, reason)
        async with self._sessions() as session:
            told = update(ChallengeRow).where(ChallengeRow.uuid == row.uuid, ChallengeRow.state.in_(challenges.OPEN))
            await session.execute(told.values(reason=f"It is tried again by itself: {reason}"[:1000]))
            await session.commit()

    async def _write(self, row: ChallengeRow, holder: UUID, **values: object) -> None:
        async with self._sessions() as session:
            await self._write_in(session, row, holder, **values)
            await session.commit()

    async def _write_in(self, session: AsyncSession, row: ChallengeRow, holder: UUID, **values: object) -> None:
        """Write where the row is still ours, in the state that this step began with."""
        mine = (ChallengeRow.holder == holder, ChallengeRow.state == row.state)
        statement = update(ChallengeRow).where(*mine).values(**values).returning(ChallengeRow.id)
        if (await session.execute(statement, execution_options={"synchronize_session": False})).first() is None:
            await session.rollback()
            raise _Lost
