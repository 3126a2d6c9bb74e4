"""Trainings: queued, listed, paused, resumed, tried again, removed. What they then do is the loop's (`reconcile.trainings`)."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import DatasetRow, ModelRow, TrainingRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.datasets import FrozenDataset, hold_dataset, live_counts
from visionlab_api.services.model_uploads import next_version
from visionlab_api.services.training_metrics import MetricsOf
from visionlab_api.services.training_orders import base_cards, check_form, check_images, make_order, require_there
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import LOG_FILE, METRICS_FILE, RESULT, SAMPLES, OrderedComparison, TrainingProgress

FILES = ("report.html", "confusion.png", "sources.png", "samples.jpg", METRICS_FILE, "card.json")
"""What a finished training shows; the model itself is among the models."""
MOST_POINTS = 200
_NOT_CURVES = frozenset({"step", "steps", "time", "steps_per_second", "seconds_left"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training that is about to be queued: its data sets are held, nothing is committed."""

    training: UUID
    model_version: int
    datasets: list[FrozenDataset]
    bases: list[ModelCard]


Preparation = Callable[[Prepared], Awaitable[OrderedComparison | None]]
"""Adds what belongs to a training in the same transaction, and says what its model is compared with; or refuses it."""


async def create_training(
    session: AsyncSession,
    store: ObjectStore,
    request: schemas.TrainingRequest,
    extra_architectures: Sequence[str],
    prepare: Preparation | None = None,
) -> TrainingRow:
    """Queue a training; its data sets are frozen and held from now on. `prepare` is called before that is committed.

    Raises:
        ProblemError: 404, 409 or 422: see `services.training_orders` and `services.datasets.hold_dataset`; 409 the name is taken.
        StoreFull, StoreUnavailable: a manifest cannot be written.
    """
    check_form(request, extra_architectures)
    training = uuid4()
    model, name = await _model(session, request)
    request = request.model_copy(update={"name": name})
    bases = await base_cards(session, request.base_models, extra_architectures)
    try:
        wanted = list(dict.fromkeys([*request.datasets, *await _virtual(session, request)]))
        if not wanted:
            detail = "There is nothing to learn from: name data sets, or include images that people labelled or generators made."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field="datasets")
        held = [await _held(session, store, uuid, training, request) for uuid in wanted]
        check_images(request, held)
        order = make_order(request, training, model, held, bases)
        if prepare is not None:
            comparison = await prepare(Prepared(training, model[1], held, bases))
            order = order.model_copy(update={"comparison": comparison})
        row = TrainingRow(
            uuid=training,
            type=request.type,
            name=request.name,
            label=request.label or request.name,
            model_uuid=model[0],
            model_version=model[1],
            architecture=request.architecture or ("Stacking" if request.ensemble == "stacking" else "Voting"),
            ensemble=request.ensemble is not None,
            base_models=[str(card.uuid) for card in bases],
            settings=request.model_dump(mode="json"),
            datasets=[
                {"uuid": str(each.uuid), "name": each.name, "digest": each.digest, "images": sum(each.classes.values())}
                for each in held
            ],
            order=order.model_dump(mode="json"),
        )
        session.add(row)
        await session.flush()
        await require_there(session, bases, request)
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise _name_taken(request.name) from error
    except BaseException:
        await session.rollback()
        raise
    return row


async def find_training(session: AsyncSession, uuid: UUID) -> TrainingRow:
    """A training.

    Raises:
        ProblemError: 404 there is none.
    """
    row = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == uuid, TrainingRow.wish != "removed"))
    if row is None:
        raise not_found("training", uuid)
    return row


async def change_wish(session: AsyncSession, uuid: UUID, wish: Literal["run", "pause"]) -> TrainingRow:
    """Note that a training is to pause, or to go on.

    Raises:
        ProblemError: 404 there is none, 409 it has ended.
    """
    row = await find_training(session, uuid)
    going = (TrainingRow.uuid == uuid, TrainingRow.status.in_(("pending", "running", "paused")), TrainingRow.wish != "removed")
    changed = update(TrainingRow).where(*going).values(wish=wish).returning(TrainingRow.id)
    found = (await session.execute(changed, execution_options={"synchronize_session": False})).first()
    if found is None:
        await session.rollback()
        row = await find_training(session, uuid)
        ended = "is done" if row.status == "done" else f"has failed ({row.reason})"
        then = " It can be tried again." if row.status == "failed" else ""
        verb = "paused" if wish == "pause" else "resumed"
        detail = f"The training {row.name!r} {ended}, so it cannot be {verb}.{then}"
        raise ProblemError(HTTPStatus.CONFLICT, "training-ended", "Training ended", detail)
    await session.refresh(row)
    await session.commit()
    return row


async def retry(session: AsyncSession, uuid: UUID) -> TrainingRow:
    """Queue a failed training again; it goes on from its last checkpoint.

    Raises:
        ProblemError: 404 there is none, 409 it has not failed.
    """
    row = await find_training(session, uuid)
    failed = (TrainingRow.uuid == uuid, TrainingRow.status == "failed", TrainingRow.wish != "removed")
    again = update(TrainingRow).where(*failed).values(status="pending", wish="run", reason=None, attempts=0, end_at=None)
    found = (await session.execute(again.returning(TrainingRow.id), execution_options={"synchronize_session": False})).first()
    if found is None:
        await session.rollback()
        row = await find_training(session, uuid)
        detail = f"The training {row.name!r} is {row.status}; only one that failed can be tried again."
        raise ProblemError(HTTPStatus.CONFLICT, "training-not-failed", "Training has not failed", detail)
    await session.refresh(row)
    await session.commit()
    return row


async def remove_training(session: AsyncSession, uuid: UUID) -> None:
    """Take a training out of the queue and the list; one that runs is ended. A model that came of it stays.

    Raises:
        ProblemError: 404 there is none.
    """
    there = (TrainingRow.uuid == uuid, TrainingRow.wish != "removed")
    removed = update(TrainingRow).where(*there).values(wish="removed").returning(TrainingRow.id)
    found = (await session.execute(removed, execution_options={"synchronize_session": False})).first()
    await session.commit()
    if found is None:
        raise not_found("training", uuid)


async def queue_positions(session: AsyncSession, *rows: TrainingRow) -> dict[int, int]:
    """The place of each pending training in the queue, from 1, by row; of none where none of these rows waits."""
    if not any(row.status == "pending" for row in rows):
        return {}
    waiting = select(TrainingRow.id).where(TrainingRow.status == "pending", TrainingRow.wish == "run").order_by(TrainingRow.id)
    return {identity: place for place, identity in enumerate(await session.scalars(waiting), start=1)}


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many trainings there are of each status."""
    query = select(TrainingRow.status, func.count()).where(TrainingRow.wish != "removed").group_by(TrainingRow.status)
    return {status: count for status, count in await session.execute(query)}


async def curves_of(store: ObjectStore, uuid: UUID) -> list[schemas.Curve]:
    """The course of a training's figures so far, thinned out evenly; its end is always there."""
    try:
        text = await asyncio.to_thread(store.get, training_key(uuid, METRICS_FILE))
    except KeyNotFound:
        return []
    points: dict[str, dict[int, float]] = defaultdict(dict)
    for line in text.splitlines():
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the last line of a file that was just being written
        for name, value in record.items():
            if name not in _NOT_CURVES and isinstance(value, int | float):
                points[name][int(record.get("step", 0))] = float(value)
    return [schemas.Curve(name=name, points=_thinned(sorted(of.items()))) for name, of in points.items()]


async def samples_of(store: ObjectStore, uuid: UUID) -> list[schemas.Sample]:
    """Grids of faces that a generator has left so far."""
    prefix = training_key(uuid, SAMPLES.rstrip("/")) + "/"
    names = await asyncio.to_thread(lambda: [info.key.removeprefix(prefix) for info in store.list(prefix)])
    steps = sorted(int(name.removesuffix(".jpg")) for name in names)
    return [schemas.Sample(step=step, url=f"/backend/training/{uuid}/sample/{step}") for step in steps]


def sample_key(uuid: UUID, step: int) -> str:
    """The key of the grid of a step."""
    return training_key(uuid, f"{SAMPLES}{step:06d}.jpg")


async def log_of(store: ObjectStore, uuid: UUID, lines: int) -> str:
    """The last lines that a training wrote; bars that were drawn over and over are shown as they were last."""
    try:
        said = (await asyncio.to_thread(store.get, training_key(uuid, LOG_FILE))).decode(errors="replace")
    except KeyNotFound:
        return ""
    last = [line.rstrip("\r").rpartition("\r")[2] for line in said.split("\n")]
    return "\n".join(last[-lines - 1 :] if said.endswith("\n") else last[-lines:])


def to_schema(row: TrainingRow, positions: dict[int, int], judged: MetricsOf | None = None) -> schemas.Training:
    """A row as the API shows it; `positions` are those of `queue_positions`, `judged` the row's metrics where it is without."""
    files = {name: f"/backend/training/{row.uuid}/file/{name}" for name in FILES} if row.status == "done" else {}
    if row.type == "generator":
        files = {name: url for name, url in files.items() if name not in ("confusion.png", "sources.png")}
    else:
        files.pop("samples.jpg", None)
    return schemas.Training(
        uuid=row.uuid,
        type=row.type,
        name=row.name,
        label=row.label,
        status=row.status,
        wanted="pause" if row.wish == "pause" else "run",
        reason=row.reason,
        model_uuid=row.model_uuid,
        model_version=row.model_version,
        architecture=row.architecture,
        ensemble=row.ensemble,
        base_models=[UUID(base) for base in row.base_models],
        settings=schemas.TrainingSettings.model_validate(row.settings),
        datasets=[schemas.TrainingDataset.model_validate(each) for each in row.datasets],
        progress=TrainingProgress.model_validate(row.progress) if row.progress else None,
        metrics=row.metrics if judged is None else judged,
        queue_position=positions.get(row.id) if row.status == "pending" else None,
        files=files,
        created_at=row.created_at,
        begin_at=row.begin_at,
        end_at=row.end_at,
    )


def result_key(row: TrainingRow, name: str) -> str:
    """The key of one of FILES.

    Raises:
        ProblemError: 404 there is no such file, or not yet.
    """
    if name not in FILES or row.status != "done":
        raise not_found("file", name)
    return training_key(row.uuid, name if name == METRICS_FILE else RESULT + name)


async def _model(session: AsyncSession, request: schemas.TrainingRequest) -> tuple[tuple[UUID, int], str]:
    """Uuid and version of the model to be, and its name."""
    if request.model is None:
        taken = select(ModelRow.id).where(ModelRow.name == request.name).limit(1)
        if await session.scalar(taken) is not None:
            raise _name_taken(request.name)
        return (uuid4(), 1), request.name
    rows = list(await session.scalars(select(ModelRow).where(ModelRow.uuid == request.model, ModelRow.type == request.type)))
    if not rows:
        raise not_found(request.type, request.model, "model")
    return (request.model, await next_version(session, request.model)), rows[0].name


async def _virtual(session: AsyncSession, request: schemas.TrainingRequest) -> list[UUID]:
    """The virtual data sets that are to be included and hold anything."""
    origins = [
        origin for origin, wanted in (("labelled", request.include_uploaded), ("generated", request.include_generated)) if wanted
    ]
    query = select(DatasetRow).where(DatasetRow.type == request.type, DatasetRow.origin.in_(origins)).order_by(DatasetRow.id)
    rows = list(await session.scalars(query)) if origins else []
    live = await live_counts(session, rows)
    return [row.uuid for row in rows if live[row.origin].total()]


async def _held(
    session: AsyncSession, store: ObjectStore, uuid: UUID, training: UUID, request: schemas.TrainingRequest
) -> FrozenDataset:
    row = await session.scalar(select(DatasetRow).where(DatasetRow.uuid == uuid, DatasetRow.state != "deleting"))
    if row is None:
        raise not_found("data set", uuid, "datasets")
    if row.type != request.type:
        detail = f"The data set {row.name!r} is one for {row.type}s, and this is the training of a {request.type}."
        raise ProblemError(HTTPStatus.CONFLICT, "dataset-not-usable", "Data set cannot be used", detail, field="datasets")
    return await hold_dataset(session, store, uuid, training)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= MOST_POINTS:
        return points
    places = {round(place * (len(points) - 1) / (MOST_POINTS - 1)) for place in range(MOST_POINTS)}
    return [point for place, point in enumerate(points) if place in places]


def _name_taken(name: str) -> ProblemError:
    detail = f"There is a model named {name!r} already, or a training that is to make one. Choose another name."
    return ProblemError(HTTPStatus.CONFLICT, "name-taken", "Name taken", detail, field="name")
