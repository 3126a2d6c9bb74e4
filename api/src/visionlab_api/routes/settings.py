"""System-wide settings."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.accounts.gate import note
from visionlab_api.database.tables import SettingRow
from visionlab_api.dependencies import SessionDep
from visionlab_api.routes.documented import problems

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
    for key, value in wanted.items():
        try:
            await _write(session, key, value)
        except IntegrityError:
            # Another request changed this setting for the first time at the same moment; now the row is there.
            await session.rollback()
            await _write(session, key, value)
    return await read_settings(session)


async def read_settings(session: AsyncSession) -> schemas.Settings:
    """The settings as they are now. The connection is given back."""
    rows = (await session.scalars(select(SettingRow))).all()
    await session.commit()
    known = schemas.Settings.model_fields
    return schemas.Settings.model_validate({row.key: row.value for row in rows if row.key in known})


async def _write(session: AsyncSession, key: str, value: object) -> None:
    row = await session.scalar(select(SettingRow).where(SettingRow.key == key))
    if row is None:
        session.add(SettingRow(key=key, value=value))
    else:
        row.value = value
    await session.commit()
