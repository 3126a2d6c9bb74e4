"""Trainings. All of it is for admins."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import defer

from visionlab_api import schemas
from visionlab_api.database.pages import read_page
from visionlab_api.database.tables import TrainingRow
from visionlab_api.dependencies import SessionDep, StateDep
from visionlab_api.problems import not_found
from visionlab_api.routes.datasets import Cursor, Limit, Sort
from visionlab_api.routes.documented import REPORT_CONTENT, problems
from visionlab_api.services import trainings
from visionlab_api.state import State
from visionlab_core.model_card import ModelKind
from visionlab_core.object_store import KeyNotFound
from visionlab_core.training_spec import GENERATORS
from visionlab_core.training_spec.architectures import LEAST_SIDES

router = APIRouter(tags=["trainings"])

NONE_AT_ONCE = "VISIONLAB_TRAININGS_AT_ONCE is 0: no training is started here."
_NOT_FOUND = problems(S404="There is no such training.")
_SECONDS_BETWEEN_EVENTS = 0.5


@router.post(
    "/training",
    status_code=HTTPStatus.CREATED,
    summary="Queue a training",
    responses=problems(
        S404="There is no such data set, base model or model.",
        S409_images_missing="The data sets cannot be used, or hold too little; the name is taken; a model cannot be a base.",
        S422="A setting is out of range or does not fit the others; there is no such architecture.",
    ),
)
async def add_training(request: schemas.TrainingRequest, session: SessionDep, state: StateDep) -> schemas.Training:
    """Everything is checked before it is queued. Its data sets are frozen: whatever is added to them later, it learns from these.

    The finished model is exported, judged and added to the models, disabled. When trainings cannot be run here, it waits with the
    `reason`.
    """
    row = await trainings.create_training(session, state.store, request, state.configuration.extra_architectures)
    return trainings.to_schema(row, await trainings.queue_positions(session, row))


@router.post("/training/process", summary="Go through the queue now")
async def process_queue(session: SessionDep, state: StateDep) -> schemas.QueueState:
    """The queue is gone through by itself; this is for those that wait after a fault that has been mended."""
    reason = await state.trainings.process()
    of = await trainings.counts(session)
    at_once = state.configuration.trainings_at_once
    if reason is None and at_once == 0:
        reason = NONE_AT_ONCE
    return schemas.QueueState(pending=of.get("pending", 0), running=of.get("running", 0), at_once=at_once, reason=reason)


@router.get("/training/options", summary="What can be trained here")
async def get_training_options(state: StateDep) -> schemas.TrainingOptions:
    """The architectures, and why no training can be started now, if so."""
    configuration = state.configuration
    reason = await state.trainings.why_unavailable()
    if reason is None and configuration.trainings_at_once == 0:
        reason = NONE_AT_ONCE
    sides = {**{name: 32 for name in configuration.extra_architectures}, **LEAST_SIDES}
    return schemas.TrainingOptions(
        detectors=[schemas.ArchitectureOption(name=name, least_side=sides[name]) for name in sorted(sides)],
        generators=[schemas.ArchitectureOption(name=name, least_side=side) for name, side in GENERATORS.items()],
        at_once=configuration.trainings_at_once,
        reason=reason,
    )


@router.get("/training/{type}", summary="Trainings of models of a type")
async def list_trainings(
    type: ModelKind,
    session: SessionDep,
    state: StateDep,
    status: Annotated[schemas.TrainingStatus | None, Query(description="only those with this status")] = None,
    name: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="only those whose name has this in it")
    ] = None,
    sort: Annotated[Sort, Query(description="`-name`: Z first")] = "newest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.TrainingPage:
    """Pending, running, paused, done and failed ones, with how far they are."""
    query = select(TrainingRow).where(TrainingRow.type == type, TrainingRow.wish != "removed")
    query = query.options(defer(TrainingRow.order), defer(TrainingRow.metrics))
    if status is not None:
        query = query.where(TrainingRow.status == status)
    if name:
        query = query.where(TrainingRow.name.icontains(name, autoescape=True))
    by_name = sort in ("name", "-name")
    rows, after = await read_page(
        session,
        query,
        TrainingRow.name if by_name else TrainingRow.id,
        TrainingRow.id,
        descending=sort in ("newest", "-name"),
        cursor=cursor,
        limit=limit,
    )
    positions = await trainings.queue_positions(session, *rows)
    judged = await state.training_metrics.of(session, rows)
    return schemas.TrainingPage(
        trainings=[trainings.to_schema(row, positions, judged.get(row.uuid, {})) for row in rows], next_cursor=after
    )


@router.get("/training/{uuid}/report", summary="How a training fares", responses=_NOT_FOUND)
async def get_training(uuid: UUID, session: SessionDep, state: StateDep) -> schemas.TrainingDetail:
    """Its progress, the course of its figures, and once it is done how the model was judged."""
    row = await trainings.find_training(session, uuid)
    positions = await trainings.queue_positions(session, row)
    await session.commit()
    return await _detail(row, positions, state)


@router.get(
    "/training/{uuid}/events",
    summary="How a training fares, as it changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **_NOT_FOUND},
)
async def follow_training(uuid: UUID, request: Request, state: StateDep) -> StreamingResponse:
    """Server-sent events, each the training with its curves as JSON, until it is done, failed or removed."""
    async with state.sessions() as session:
        await trainings.find_training(session, uuid)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(uuid, request, state), headers=headers, media_type="text/event-stream")


@router.get(
    "/training/{uuid}/file/{name}",
    summary="Serve the report of a finished training, or one of its pictures",
    response_class=Response,
    responses={
        200: {"content": REPORT_CONTENT},
        **problems(S404="There is no such training or file, or it is not done."),
    },
)
async def get_training_file(uuid: UUID, name: str, state: StateDep, session: SessionDep) -> Response:
    """`report.html` holds all that was measured; it asks for nothing from anywhere."""
    key = trainings.result_key(await trainings.find_training(session, uuid), name)
    await session.commit()
    data = await asyncio.to_thread(state.store.get, key)
    media_type = "application/x-ndjson" if name.endswith(".jsonl") else mimetypes.guess_type(name)[0]
    # The report is of a job, which an operator may have replaced: it is shown, and nothing in it is run.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
    return Response(
        data, media_type=media_type, headers={"Content-Security-Policy": policy, "Cache-Control": "private, no-cache"}
    )


@router.get(
    "/training/{uuid}/sample/{step}",
    summary="Serve the faces that a generator in training made at a step",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **problems(S404="There is no such training, or no sample of this step.")},
)
async def get_training_sample(
    uuid: UUID, step: Annotated[int, Path(ge=0, lt=2**31)], state: StateDep, session: SessionDep
) -> Response:
    """A grid of 8 by 8, as JPEG."""
    await trainings.find_training(session, uuid)
    await session.commit()
    try:
        data = await asyncio.to_thread(state.store.get, trainings.sample_key(uuid, step))
    except KeyNotFound:
        raise not_found("sample", step, "step") from None
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-cache"}
    return Response(data, media_type="image/jpeg", headers=headers)


@router.get(
    "/training/{uuid}/log",
    summary="What a training wrote last",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **_NOT_FOUND},
)
async def get_training_log(
    uuid: UUID,
    state: StateDep,
    session: SessionDep,
    tail: Annotated[int, Query(ge=1, le=10_000, description="lines, from the end")] = 200,
) -> PlainTextResponse:
    """Of its present try, or its last one; some seconds old while it runs. Empty before it was first started."""
    await trainings.find_training(session, uuid)
    await session.commit()
    said = await trainings.log_of(state.store, uuid, tail)
    return PlainTextResponse(said, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


@router.patch(
    "/training/{uuid}/status/{status}",
    summary="Pause or resume a training",
    responses=problems(S404="There is no such training.", S409_training_ended="A training that has ended cannot be paused."),
)
async def set_training_status(
    uuid: UUID, status: Literal["paused", "running"], session: SessionDep, state: StateDep
) -> schemas.Training:
    """A running one first writes a checkpoint; until then it is `running` and `wanted` is `pause`.

    Resumed, it takes its old place in the queue, and ends with the weights of one that was never paused.
    """
    row = await trainings.change_wish(session, uuid, "pause" if status == "paused" else "run")
    state.trainings.wake()
    return trainings.to_schema(row, await trainings.queue_positions(session, row))


@router.post(
    "/training/{uuid}/retry",
    summary="Try a failed training again",
    responses=problems(S404="There is no such training.", S409_training_not_failed="It has not failed."),
)
async def retry_training(uuid: UUID, session: SessionDep, state: StateDep) -> schemas.Training:
    """It goes on from its last checkpoint, with the same settings and the same images."""
    row = await trainings.retry(session, uuid)
    state.trainings.wake()
    return trainings.to_schema(row, await trainings.queue_positions(session, row))


@router.delete(
    "/training/{uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Remove a training",
    responses=_NOT_FOUND,
)
async def delete_training(uuid: UUID, session: SessionDep, state: StateDep) -> Response:
    """One that runs is ended; nothing half-done is left of it. The model of one that is done stays."""
    await trainings.remove_training(session, uuid)
    state.trainings.wake()
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _detail(row: TrainingRow, positions: dict[int, int], state: State) -> schemas.TrainingDetail:
    curves = await trainings.curves_of(state.store, row.uuid)
    samples = await trainings.samples_of(state.store, row.uuid) if row.type == "generator" else []
    return schemas.TrainingDetail(**dict(trainings.to_schema(row, positions)), curves=curves, samples=samples)


async def _events(uuid: UUID, request: Request, state: State) -> AsyncIterator[bytes]:
    last = None
    while not await request.is_disconnected():
        async with state.sessions() as session:
            row = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == uuid, TrainingRow.wish != "removed"))
            positions = {} if row is None else await trainings.queue_positions(session, row)
        if row is None:
            return
        shown = trainings.to_schema(row, positions)
        if shown != last:
            last = shown
            yield f"event: training\ndata: {(await _detail(row, positions, state)).model_dump_json()}\n\n".encode()
        if shown.status in ("done", "failed"):
            return
        await asyncio.sleep(_SECONDS_BETWEEN_EVENTS)
