"""The admin token: made at the first start, shown once, kept as a digest."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.accounts.principal import Scope
from visionlab_api.accounts.secret import SHOWN, digest, new_secret
from visionlab_api.database.account_tables import ApiKeyRow


async def first_admin_token(sessions: async_sessionmaker[AsyncSession]) -> str | None:
    """Make the token where there never was one, and give it; None where there is one."""
    async with sessions() as session:
        if await session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.kind == "admin_token").limit(1)) is not None:
            return None
        secret = _add(session)
        try:
            await session.commit()
        except IntegrityError:  # another replica was quicker
            return None
    return secret


async def new_admin_token(sessions: async_sessionmaker[AsyncSession]) -> str:
    """Make a token that takes the place of the one before; who signed in with that is signed out."""
    in_force = (ApiKeyRow.kind == "admin_token", ApiKeyRow.revoked_at.is_(None))
    async with sessions() as session:
        await session.execute(update(ApiKeyRow).where(*in_force).values(revoked_at=datetime.now(UTC)))
        secret = _add(session)
        await session.commit()
    return secret


def _add(session: AsyncSession) -> str:
    secret = new_secret()
    session.add(
        ApiKeyRow(
            kind="admin_token", name="admin token", prefix=secret[:SHOWN], digest=digest(secret), scopes=[Scope.ADMIN.value]
        )
    )
    return secret
