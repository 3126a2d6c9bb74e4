"""Challenges: made, listed, decided. What happens between is the loop's (`reconcile.challenges`)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import ChallengeRow, DatasetRow, ImageRow, LabelRow, ModelRow, TrainingRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.datasets import content_digest
from visionlab_api.services.models import change_status
from visionlab_api.services.settings import read_challenge_settings
from visionlab_api.services.training_images import (
    digests_of,
    judged_images,
    read_learnt,
    read_listed,
    write_judged_manifest,
)
from visionlab_api.services.trainings import Prepared, create_training
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import JUDGED_FILE, OrderedComparison

OPEN = ("queued", "training", "judging", "proposed")
MadeBy = Literal["demand", "schedule"]
_PRESETS = ("original", "robust")


async def create_challenge(
    session: AsyncSession,
    store: ObjectStore,
    request: schemas.ChallengeRequest,
    extra_architectures: Sequence[str],
    made_by: MadeBy = "demand",
) -> ChallengeRow:
    """Queue the training of a new version, with the images on which it and the one in service are judged. All of it, or nothing.

    Raises:
        ProblemError: 404 there is no such detector; 409 it is not in service, a challenge of it goes on, or there are too few new
            labels or images to judge on; else as `create_training`.
        StoreFull, StoreUnavailable: a manifest cannot be written.
    """
    settings = await read_challenge_settings(session)
    changed = settings.model_dump() | request.rule.model_dump(exclude_none=True)
    rule = schemas.ChallengeRule.model_validate({name: changed[name] for name in schemas.ChallengeRule.model_fields})
    champion = await champion_of(session, request.model)
    await _require_no_other(session, champion)
    trained = await training_of(session, champion.uuid, champion.version)
    labels = await new_labels(session, learnt_at(champion, trained))
    if labels < rule.min_labels:
        raise _conflict(
            "labels-missing",
            f"People labelled {labels} images for learning since {champion.label} (version {champion.version}) was trained, and "
            f"{rule.min_labels} are asked for (min_labels).",
        )
    wanted = _training_request(champion, trained, request, await _datasets(session, trained, request), rule)
    made: list[ChallengeRow] = []

    async def prepare(prepared: Prepared) -> OrderedComparison:
        made.append(await _prepared(session, store, prepared, champion, rule, labels, wanted.test_fraction, made_by))
        return OrderedComparison(champion=champion.uuid, version=champion.version)

    try:
        await create_training(session, store, wanted, extra_architectures, prepare)
    except BaseException:
        if made and made[0].training is not None:
            await asyncio.to_thread(store.delete, training_key(made[0].training, JUDGED_FILE))
        raise
    return made[0]


async def champion_of(session: AsyncSession, model: UUID) -> ModelRow:
    """The version of a detector that is in service; of several the newest.

    Raises:
        ProblemError: 404 there is no such model, 409 it is a generator, or none of its versions is in service.
    """
    rows = list(await session.scalars(select(ModelRow).where(ModelRow.uuid == model).order_by(ModelRow.version.desc())))
    if not rows:
        raise not_found("model", model, "model")
    if rows[0].type != "detector":
        detail = (
            f"{rows[0].label} is a generator. Only detectors are challenged: people label what is real, not what is beautiful."
        )
        raise _conflict("not-a-detector", detail, field="model")
    for row in rows:
        if row.status == "enabled":
            return row
    raise _conflict("model-disabled", f"No version of {rows[0].label} is in service. Enable one first.", field="model")


async def training_of(session: AsyncSession, model: UUID, version: int) -> TrainingRow | None:
    """The training that made a version here, where it was not removed."""
    query = select(TrainingRow).where(TrainingRow.model_uuid == model, TrainingRow.model_version == version)
    return await session.scalar(query.where(TrainingRow.status == "done", TrainingRow.wish != "removed"))


def learnt_at(champion: ModelRow, trained: TrainingRow | None) -> datetime:
    """Since when a version has learnt nothing: its images were frozen then."""
    return champion.created_at if trained is None else trained.created_at


async def new_labels(session: AsyncSession, since: datetime) -> int:
    """How many images that may be learnt from were labelled after a moment."""
    query = (
        select(func.count(LabelRow.image_id.distinct()))
        .join(ImageRow, ImageRow.id == LabelRow.image_id)
        .where(
            LabelRow.created_at > since,
            ImageRow.image_type == "uploaded",
            ImageRow.shared.is_(True),
            ImageRow.deleted_at.is_(None),
        )
    )
    return int(await session.scalar(query) or 0)


async def find_challenge(session: AsyncSession, uuid: UUID) -> ChallengeRow:
    """A challenge.

    Raises:
        ProblemError: 404 there is none.
    """
    row = await session.scalar(select(ChallengeRow).where(ChallengeRow.uuid == uuid))
    if row is None:
        raise not_found("challenge", uuid)
    return row


async def cancel(session: AsyncSession, uuid: UUID) -> ChallengeRow:
    """End a challenge that goes on; its training is removed.

    Raises:
        ProblemError: 404 there is none, 409 it is decided.
    """
    row = await find_challenge(session, uuid)
    await _change(session, row, ("queued", "training", "judging"), "cancelled", "cancelled")
    removed = update(TrainingRow).where(TrainingRow.uuid == row.training, TrainingRow.status != "done").values(wish="removed")
    await session.execute(removed, execution_options={"synchronize_session": False})
    await session.commit()
    await session.refresh(row)
    return row


async def reject(session: AsyncSession, uuid: UUID) -> ChallengeRow:
    """Leave the version in service where it is; the new one stays among the models, disabled.

    Raises:
        ProblemError: 404 there is none, 409 it is not proposed.
    """
    row = await find_challenge(session, uuid)
    await _change(session, row, ("proposed",), "rejected", "rejected")
    await session.commit()
    await session.refresh(row)
    return row


async def accept(session: AsyncSession, store: ObjectStore, uuid: UUID) -> ChallengeRow:
    """Put the new version into service in place of the old one, which stays, disabled.

    Raises:
        ProblemError: 404 there is none, or a version is gone; 409 it is not proposed, or another version is in service by now.
    """
    row = await find_challenge(session, uuid)
    await switch(session, store, row, ("proposed",), "switched", "accepted")
    return row


async def roll_back(session: AsyncSession, store: ObjectStore, uuid: UUID) -> ChallengeRow:
    """Put the old version back into service in place of the one that had won.

    Raises:
        ProblemError: 404 there is none, or a version is gone; 409 it was not switched, or another version is in service by now.
    """
    row = await find_challenge(session, uuid)
    await switch(session, store, row, ("switched",), "rolled_back", "rolled back")
    return row


async def switch(
    session: AsyncSession,
    store: ObjectStore,
    row: ChallengeRow,
    before: Sequence[str],
    after: Literal["switched", "rolled_back"],
    verb: str,
    **values: object,
) -> None:
    """Change which of the two versions serves, and the challenge's state from one of `before`, in one transaction.

    Raises:
        ProblemError: 404 a version is gone; 409 the state is another, the version that is to go is not in service, or the file of
            the one that is to come is not in the store.
    """
    old, new = row.champion_version, row.challenger_version
    if after == "rolled_back":
        old, new = (new or 0), old
    try:
        await _change(session, row, before, after, verb, **values)
        leaving = select(ModelRow.status).where(ModelRow.uuid == row.model_uuid, ModelRow.version == old)
        if await session.scalar(leaving) != "enabled":
            detail = f"Version {old} of {row.model_name} is not in service any more, so there is nothing to switch from."
            raise _conflict("champion-changed", detail)
        await change_status(session, store, row.model_uuid, "enabled", version=new, replace=True)
    except BaseException:
        await session.rollback()
        raise
    await session.refresh(row)


def to_schema(row: ChallengeRow) -> schemas.Challenge:
    """A row as the API shows it."""
    return schemas.Challenge(
        uuid=row.uuid,
        model=row.model_uuid,
        model_name=row.model_name,
        champion_version=row.champion_version,
        challenger_version=row.challenger_version,
        training=row.training,
        state=row.state,
        reason=row.reason,
        made_by=row.made_by,
        rule=schemas.ChallengeRule.model_validate(row.rule),
        new_labels=row.new_labels,
        judged=row.judged,
        comparison=row.comparison,
        verdict=row.verdict,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


async def _prepared(
    session: AsyncSession,
    store: ObjectStore,
    prepared: Prepared,
    champion: ModelRow,
    rule: schemas.ChallengeRule,
    labels: int,
    test_fraction: float,
    made_by: MadeBy,
) -> ChallengeRow:
    """The images to judge on, in the store, and the challenge's row."""
    frozen = [{"uuid": str(each.uuid), "digest": each.digest} for each in prepared.datasets]
    images = await asyncio.to_thread(read_listed, store, frozen)
    digests = await digests_of(session, images)
    learnt, known = await _learnt(session, store, [*_versions(champion), *_bases(prepared.bases)])
    judged = judged_images(images, digests, learnt, test_fraction=test_fraction)
    if len(judged) < rule.min_judged:
        raise _conflict(
            "images-missing",
            f"There are {len(judged)} images that neither version learns from, and {rule.min_judged} are asked for to judge on "
            "(min_judged). More labels help, or a larger share that is held out (held_out).",
        )
    row = ChallengeRow(
        model_uuid=champion.uuid,
        model_name=champion.name,
        champion_version=champion.version,
        challenger_version=prepared.model_version,
        training=prepared.training,
        made_by=made_by,
        rule=rule.model_dump(mode="json"),
        new_labels=labels,
        judged=schemas.JudgedImages(
            images=len(judged),
            digest=content_digest((FaceClass(image.face_class), sha256) for sha256, image in judged.items()),
            classes=Counter(FaceClass(image.face_class) for image in judged.values()),
            learnt_known=known,
        ).model_dump(mode="json"),
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise _goes_on(champion.label) from error
    await asyncio.to_thread(write_judged_manifest, store, prepared.training, judged)
    return row


async def _learnt(session: AsyncSession, store: ObjectStore, versions: Iterable[tuple[UUID, int]]) -> tuple[set[str], bool]:
    """The contents of the images from which versions have learnt, and whether it is known of all of them."""
    found: set[str] = set()
    known = True
    for model, version in versions:
        trained = await training_of(session, model, version)
        images = None if trained is None else await asyncio.to_thread(read_learnt, store, trained.uuid)
        known = known and images is not None
        found.update((await digests_of(session, images or [])).values())
    return found, known


def _versions(champion: ModelRow) -> list[tuple[UUID, int]]:
    return [(champion.uuid, champion.version), *_bases([ModelCard.model_validate(champion.card)], of_it=True)]


def _bases(cards: Iterable[ModelCard], *, of_it: bool = False) -> list[tuple[UUID, int]]:
    """The versions that these cards describe; `of_it`: those on which they stand."""
    if not of_it:
        return [(card.uuid, card.version) for card in cards]
    return [pair for card in cards for pair in zip(card.base_models, card.base_versions, strict=False)]


async def _datasets(session: AsyncSession, trained: TrainingRow | None, request: schemas.ChallengeRequest) -> list[UUID]:
    if request.datasets is not None:
        return request.datasets
    usable = select(DatasetRow.uuid).where(
        DatasetRow.type == "detector",
        DatasetRow.origin == "uploaded",
        DatasetRow.state == "ready",
        DatasetRow.status == "enabled",
    )
    if trained is not None:
        usable = usable.where(DatasetRow.uuid.in_([UUID(each["uuid"]) for each in trained.datasets]))
    return list(await session.scalars(usable.order_by(DatasetRow.id)))


def _training_request(
    champion: ModelRow,
    trained: TrainingRow | None,
    request: schemas.ChallengeRequest,
    datasets: list[UUID],
    rule: schemas.ChallengeRule,
) -> schemas.TrainingRequest:
    """What is asked of the training: as the champion's own was, where that is known."""
    usual: dict[str, Any] = dict(trained.settings) if trained is not None else _from_card(ModelCard.model_validate(champion.card))
    change = request.training.model_dump(exclude_none=True)
    if "architecture" in change:
        change |= {"ensemble": None, "base_models": []}
    fraction = max(rule.held_out, float(usual.get("test_fraction", 0.0)))
    fixed = {
        "type": "detector",
        "name": champion.name,
        "label": champion.label,
        "model": champion.uuid,
        "datasets": datasets,
        "include_uploaded": True,
        "test_fraction": fraction,
    }
    try:
        return schemas.TrainingRequest.model_validate(usual | change | fixed)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else None
        detail = f"{field}: {first['msg']}. Name it in `training`."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field) from error


def _from_card(card: ModelCard) -> dict[str, Any]:
    """How a version was trained that was not trained here, as far as its card tells."""
    spec = card.provenance.spec
    found: dict[str, Any] = {"licence": card.licence[:200], "seed": card.provenance.seed}
    if card.ensemble:
        found |= {"ensemble": "voting" if card.architecture == "Voting" else "stacking", "base_models": list(card.base_models)}
    else:
        found["architecture"] = card.architecture
    if spec.get("preset") in _PRESETS:
        found["preset"] = spec["preset"]
    if isinstance(spec.get("resolution"), int):
        found["resolution"] = spec["resolution"]
    return found


async def _require_no_other(session: AsyncSession, champion: ModelRow) -> None:
    query = select(ChallengeRow.id).where(ChallengeRow.model_uuid == champion.uuid, ChallengeRow.state.in_(OPEN)).limit(1)
    if await session.scalar(query) is not None:
        raise _goes_on(champion.label)


async def _change(
    session: AsyncSession, row: ChallengeRow, before: Sequence[str], after: str, verb: str, **values: object
) -> None:
    """Write a new state, where the old one is still one of these. Not committed."""
    changed = (
        update(ChallengeRow)
        .where(ChallengeRow.id == row.id, ChallengeRow.state.in_(before))
        .values(state=after, ended_at=datetime.now(UTC), **{"reason": None, **values})
        .returning(ChallengeRow.id)
    )
    if (await session.execute(changed, execution_options={"synchronize_session": False})).first() is None:
        await session.rollback()
        await session.refresh(row)
        detail = f"The challenge of {row.model_name} is {row.state.replace('_', ' ')}, so it cannot be {verb}."
        raise _conflict("challenge-state", detail)


def _goes_on(label: str) -> ProblemError:
    return _conflict("challenge-open", f"A challenge of {label} goes on already, or waits to be accepted or rejected.", "model")


def _conflict(kind: str, detail: str, field: str | None = None) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, kind, kind.replace("-", " ").capitalize(), detail, field=field)
