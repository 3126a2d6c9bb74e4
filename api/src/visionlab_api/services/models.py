"""Wishes about models: which of them serve, which are to go."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import String, cast, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.tables import ModelRow, RemovedModelRow, TrainingRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import model_key


async def change_status(
    session: AsyncSession, store: ObjectStore, uuid: UUID, status: str, *, version: int | None, replace: bool
) -> ModelRow:
    """Note the wish whether a version of a model serves.

    Args:
        session: to the database.
        store: where its file has to be.
        uuid: of the model.
        status: "enabled" or "disabled".
        version: of it; None: the newest.
        replace: where it is enabled, all its other versions are disabled in the same moment.

    Raises:
        ProblemError: 404 there is none, 409 its file is not there.
    """
    rows = await _versions(session, uuid)
    row = next((each for each in rows if version in (None, each.version)), None)
    if row is None:
        raise not_found("version of this model", version, "version")
    if status == "enabled":
        if not await asyncio.to_thread(store.exists, model_key(row.uuid, row.version, "model.onnx")):
            detail = f"The file of {row.label} (version {row.version}) is not in the store. Add the model anew."
            raise ProblemError(HTTPStatus.CONFLICT, "model-incomplete", "Model incomplete", detail)
        if replace:
            # In this order, so that no two requests wait for each other.
            await session.execute(select(ModelRow.id).where(ModelRow.uuid == uuid).order_by(ModelRow.id).with_for_update())
            others = update(ModelRow).where(ModelRow.uuid == uuid, ModelRow.version != row.version)
            await session.execute(others.values(status="disabled"))
    mine = update(ModelRow).where(ModelRow.id == row.id).values(status=status).returning(ModelRow.id)
    if (await session.execute(mine, execution_options={"synchronize_session": False})).first() is None:
        await session.rollback()  # it was removed at the same moment
        raise not_found("version of this model", version, "version")
    await session.commit()
    return row


async def remove(session: AsyncSession, uuid: UUID, version: int | None) -> None:
    """Take a model away, or one version of it. Its files follow (`reconcile.models`); releases have copies of their own.

    Raises:
        ProblemError: 404 there is none, 409 it is in service, or an ensemble or a training needs it.
    """
    rows = [each for each in await _versions(session, uuid) if version in (None, each.version)]
    if not rows:
        raise not_found("version of this model", version, "version")
    label = rows[0].label
    chosen = (ModelRow.uuid == uuid, ModelRow.version.in_([row.version for row in rows]))
    # First the write, which makes whoever enables it meanwhile wait; then the questions.
    gone = await session.execute(delete(ModelRow).where(*chosen, ModelRow.status == "disabled").returning(ModelRow.id))
    problem = None
    if len(gone.all()) < len(rows):
        problem = _in_use(f"{label} is in service. Disable it first.", "model-enabled")
    elif ensemble := await _ensemble_on(session, uuid, {row.version for row in rows}, whole=version is None):
        problem = _in_use(f"The ensemble {ensemble.label} (version {ensemble.version}) stands on {label}. Remove that first.")
    elif training := await _training_with(session, uuid):
        problem = _in_use(f"The training {training.name!r} uses {label}, or makes its next version. Wait, or remove that first.")
    if problem is not None:
        await session.rollback()
        raise problem
    session.add_all(RemovedModelRow(uuid=row.uuid, version=row.version) for row in rows)
    await session.commit()


async def _versions(session: AsyncSession, uuid: UUID) -> list[ModelRow]:
    """All versions, the newest first."""
    rows = list(await session.scalars(select(ModelRow).where(ModelRow.uuid == uuid).order_by(ModelRow.version.desc())))
    if not rows:
        raise not_found("model", uuid)
    return rows


async def _ensemble_on(session: AsyncSession, uuid: UUID, versions: set[int], *, whole: bool) -> ModelRow | None:
    named = cast(ModelRow.base_models, String).contains(str(uuid))
    for row in await session.scalars(select(ModelRow).where(ModelRow.ensemble, named)):
        bases = [UUID(base) for base in row.base_models]
        known = row.card.get("base_versions") or [None] * len(bases)
        if any(base == uuid and (whole or at is None or at in versions) for base, at in zip(bases, known, strict=True)):
            return row
    return None


async def _training_with(session: AsyncSession, uuid: UUID) -> TrainingRow | None:
    going_on = (TrainingRow.status != "done", TrainingRow.wish != "removed")
    uses = or_(TrainingRow.model_uuid == uuid, cast(TrainingRow.base_models, String).contains(str(uuid)))
    return (await session.scalars(select(TrainingRow).where(*going_on, uses).limit(1))).first()


def _in_use(detail: str, kind: str = "model-in-use") -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, kind, kind.replace("-", " ").capitalize(), detail)
