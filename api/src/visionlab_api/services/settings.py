"""System-wide settings: a row for each that differs from its default."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import SettingRow

_CHALLENGE = "challenge_"


async def read_settings(session: AsyncSession) -> schemas.Settings:
    """The settings that everyone may see, as they are now. The connection is given back."""
    known = schemas.Settings.model_fields
    values = await _values(session)
    return schemas.Settings.model_validate({key: value for key, value in values.items() if key in known})


async def read_challenge_settings(session: AsyncSession) -> schemas.ChallengeSettings:
    """The settings of challenges, as they are now. The connection is given back."""
    known = schemas.ChallengeSettings.model_fields
    values = await _values(session)
    mine = {key.removeprefix(_CHALLENGE): value for key, value in values.items() if key.startswith(_CHALLENGE)}
    return schemas.ChallengeSettings.model_validate({key: value for key, value in mine.items() if key in known})


async def write_settings(session: AsyncSession, wanted: Mapping[str, object]) -> None:
    """Write settings, each by itself."""
    for key, value in wanted.items():
        try:
            await _write(session, key, value)
        except IntegrityError:
            # Another request changed this setting for the first time at the same moment; now the row is there.
            await session.rollback()
            await _write(session, key, value)


async def write_challenge_settings(session: AsyncSession, wanted: Mapping[str, object]) -> None:
    """The same for settings of challenges."""
    await write_settings(session, {_CHALLENGE + key: value for key, value in wanted.items()})


async def _values(session: AsyncSession) -> dict[str, object]:
    rows = (await session.scalars(select(SettingRow))).all()
    await session.commit()
    return {row.key: row.value for row in rows}


async def _write(session: AsyncSession, key: str, value: object) -> None:
    row = await session.scalar(select(SettingRow).where(SettingRow.key == key))
    if row is None:
        session.add(SettingRow(key=key, value=value))
    else:
        row.value = value
    await session.commit()
