"""System-wide settings."""

from __future__ import annotations

from fastapi import APIRouter, Request

from visionlab_api import schemas
from visionlab_api.accounts.gate import note
from visionlab_api.dependencies import SessionDep
from visionlab_api.routes.documented import problems
from visionlab_api.services.settings import read_settings, write_settings

router = APIRouter(tags=["system"])


@router.get("/settings", summary="System-wide settings")
async def get_settings(session: SessionDep) -> schemas.Settings:
    """Every setting, those never changed with their defaults."""
    return await read_settings(session)


@router.post("/settings", summary="Change settings", responses=problems(S422="A value is out of range."))
async def change_settings(change: schemas.SettingsChange, request: Request, session: SessionDep) -> schemas.Settings:
    """Settings that are left out stay as they are."""
    wanted = change.model_dump(exclude_none=True)
    note(request, **wanted)
    await write_settings(session, wanted)
    return await read_settings(session)
