"""Challenges: is a version retrained with what people labelled better than the one in service? All of it is for admins."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import select

from visionlab_api import schemas
from visionlab_api.accounts.gate import note
from visionlab_api.database.pages import read_page
from visionlab_api.database.tables import ChallengeRow
from visionlab_api.dependencies import SessionDep, StateDep
from visionlab_api.routes.datasets import Cursor, Limit
from visionlab_api.routes.documented import problems
from visionlab_api.services import challenges
from visionlab_api.services.settings import read_challenge_settings, write_challenge_settings

router = APIRouter(tags=["challenges"])

_NOT_FOUND = "There is no such challenge."


@router.post(
    "/challenge",
    status_code=HTTPStatus.CREATED,
    summary="Retrain a detector in service, and compare",
    responses=problems(
        S404="There is no such model or data set.",
        S409_labels_missing="It is not in service, is a generator or is challenged already; there are too few new labels, or "
        "too few images to judge on or to learn from.",
        S422="A value is out of range, or the training cannot be done like this.",
    ),
)
async def add_challenge(
    body: schemas.ChallengeRequest, request: Request, session: SessionDep, state: StateDep
) -> schemas.Challenge:
    """A training of the next version is queued, with the images that people labelled.

    The finished version and the one in service are judged on the same images, from which neither has learnt; they are frozen now.

    Where the new one is better by the rule, it is `proposed`: `accept` switches to it. Else the one in service is `kept`.
    """
    row = await challenges.create_challenge(session, state.store, body, state.configuration.extra_architectures)
    note(request, challenge=str(row.uuid), model=str(row.model_uuid), champion=row.champion_version)
    state.trainings.wake()
    return challenges.to_schema(row)


@router.get("/challenge", summary="Challenges, newest first")
async def list_challenges(
    session: SessionDep,
    model: Annotated[UUID | None, Query(description="only those of this model")] = None,
    state: Annotated[schemas.ChallengeState | None, Query(description="only those in this state")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.ChallengePage:
    """Those that go on and those that were decided, with all figures."""
    query = select(ChallengeRow)
    if model is not None:
        query = query.where(ChallengeRow.model_uuid == model)
    if state is not None:
        query = query.where(ChallengeRow.state == state)
    rows, after = await read_page(session, query, ChallengeRow.id, ChallengeRow.id, descending=True, cursor=cursor, limit=limit)
    return schemas.ChallengePage(challenges=[challenges.to_schema(row) for row in rows], next_cursor=after)


@router.get("/challenge/settings", summary="The rule of challenges, and their schedule")
async def get_challenge_settings(session: SessionDep) -> schemas.ChallengeSettings:
    """Every setting, those never changed with their defaults."""
    return await read_challenge_settings(session)


@router.post(
    "/challenge/settings",
    summary="Change the rule of challenges, or their schedule",
    responses=problems(S422="A value is out of range."),
)
async def change_challenge_settings(
    change: schemas.ChallengeSettingsChange, request: Request, session: SessionDep, state: StateDep
) -> schemas.ChallengeSettings:
    """Settings that are left out stay as they are; challenges that go on keep their rule.

    `switch_by_itself` counts at the moment when a version turns out to be better.
    """
    wanted = change.model_dump(mode="json", exclude_none=True)
    note(request, **wanted)
    await write_challenge_settings(session, wanted)
    state.challenges.wake()
    return await read_challenge_settings(session)


@router.get("/challenge/{uuid}", summary="How a challenge fares", responses=problems(S404=_NOT_FOUND))
async def get_challenge(uuid: UUID, session: SessionDep) -> schemas.Challenge:
    """Its state, both versions' figures, and how the new one did by each part of the rule. Its training tells of the progress."""
    return challenges.to_schema(await challenges.find_challenge(session, uuid))


@router.post(
    "/challenge/{uuid}/accept",
    summary="Switch to the version that is proposed",
    responses=problems(
        S404="There is no such challenge, or the version was removed.",
        S409_challenge_state="It is not proposed, or another version is in service by now.",
    ),
)
async def accept_challenge(uuid: UUID, request: Request, session: SessionDep, state: StateDep) -> schemas.Challenge:
    """All other versions of the model are disabled in the same moment; they stay, for a rollback."""
    row = await challenges.accept(session, state.store, uuid)
    note(request, model=str(row.model_uuid), **{"from": row.champion_version, "to": row.challenger_version})
    await state.serving.look()
    return challenges.to_schema(row)


@router.post(
    "/challenge/{uuid}/reject",
    summary="Leave the version in service where it is",
    responses=problems(S404=_NOT_FOUND, S409_challenge_state="It is not proposed."),
)
async def reject_challenge(uuid: UUID, session: SessionDep) -> schemas.Challenge:
    """The new version stays among the models, disabled."""
    return challenges.to_schema(await challenges.reject(session, uuid))


@router.post(
    "/challenge/{uuid}/rollback",
    summary="Switch back to the version that was in service before",
    responses=problems(
        S404="There is no such challenge, or the version was removed.",
        S409_challenge_state="It was not switched, or another version is in service by now.",
    ),
)
async def roll_back_challenge(uuid: UUID, request: Request, session: SessionDep, state: StateDep) -> schemas.Challenge:
    """The old version serves again in place of the one that had won, which stays, disabled."""
    row = await challenges.roll_back(session, state.store, uuid)
    note(request, model=str(row.model_uuid), **{"from": row.challenger_version, "to": row.champion_version})
    await state.serving.look()
    return challenges.to_schema(row)


@router.post(
    "/challenge/{uuid}/cancel",
    summary="End a challenge that goes on",
    responses=problems(S404=_NOT_FOUND, S409_challenge_state="It is decided, or proposed: that can be rejected."),
)
async def cancel_challenge(uuid: UUID, session: SessionDep, state: StateDep) -> schemas.Challenge:
    """Its training is ended and removed; nothing half-done is left of it."""
    row = await challenges.cancel(session, uuid)
    state.trainings.wake()
    return challenges.to_schema(row)
