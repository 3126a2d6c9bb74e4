"""The audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from visionlab_api import schemas
from visionlab_api.database.account_tables import AuditRow
from visionlab_api.dependencies import SessionDep
from visionlab_api.inputs import PlainText, Timestamp
from visionlab_api.routes.documented import problems

router = APIRouter(tags=["accounts"])


@router.get("/audit", summary="What admins did, newest first", responses=problems(S422="A filter is not understood."))
async def get_audit(
    session: SessionDep,
    actor: Annotated[PlainText | None, Query(max_length=255, description="only of this actor, by `actor_id`")] = None,
    action: Annotated[
        PlainText | None, Query(max_length=128, description="only this action, such as `POST /backend/settings`")
    ] = None,
    since: Annotated[Timestamp | None, Query(description="only from this moment on")] = None,
    until: Annotated[Timestamp | None, Query(description="only before this moment")] = None,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next_cursor` of the part before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.AuditPage:
    """Every act of an admin, and tries that were refused, with who, what, when, and how it went. Secrets are not in it."""
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit + 1)
    if actor is not None:
        query = query.where(AuditRow.actor_id == actor)
    if action is not None:
        query = query.where(AuditRow.action == action)
    if since is not None:
        query = query.where(AuditRow.at >= since)
    if until is not None:
        query = query.where(AuditRow.at < until)
    if cursor is not None:
        query = query.where(AuditRow.id < int(cursor))
    rows = list(await session.scalars(query))
    more = len(rows) > limit
    return schemas.AuditPage(entries=[_entry(row) for row in rows[:limit]], next_cursor=str(rows[limit - 1].id) if more else None)


def _entry(row: AuditRow) -> schemas.AuditEntry:
    return schemas.AuditEntry(
        at=row.at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        target=row.target,
        status=row.status,
        detail=row.detail,
        request_id=row.request_id,
    )
