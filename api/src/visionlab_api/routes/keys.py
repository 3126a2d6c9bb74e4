"""API keys of programs."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select, update

from visionlab_api import schemas
from visionlab_api.accounts.gate import note
from visionlab_api.accounts.principal import scopes_of
from visionlab_api.accounts.secret import SHOWN, digest, new_secret
from visionlab_api.database.account_tables import ApiKeyRow
from visionlab_api.database.pages import read_page
from visionlab_api.dependencies import SessionDep, StateDep
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.routes.datasets import Cursor, Limit
from visionlab_api.routes.documented import NEXT_PART, problems
from visionlab_api.routes.parts import lead_on

router = APIRouter(tags=["accounts"])


@router.get("/key", summary="API keys", responses=NEXT_PART)
async def list_keys(
    session: SessionDep, request: Request, response: Response, cursor: Cursor = None, limit: Limit = 200
) -> list[schemas.Key]:
    """Newest first, also those that expired or were revoked. Of more than `limit`, `Link` leads to the next."""
    keys = select(ApiKeyRow).where(ApiKeyRow.kind == "key")
    rows, after = await read_page(session, keys, ApiKeyRow.id, ApiKeyRow.id, descending=True, cursor=cursor, limit=limit)
    lead_on(request, response, after)
    return [schemas.Key(**_fields(row)) for row in rows]


@router.post("/key", status_code=HTTPStatus.CREATED, summary="Make an API key", responses=problems(S422="A scope is unknown."))
async def make_key(new: schemas.NewKey, request: Request, session: SessionDep) -> schemas.MadeKey:
    """`key` is the secret. It is shown this once: only its digest is kept."""
    if new.expires_at is not None and new.expires_at <= datetime.now(UTC):
        detail = "expires_at is in the past. Leave it out for a key that counts until it is revoked."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field="expires_at")
    secret = new_secret()
    row = ApiKeyRow(
        kind="key",
        name=new.name,
        prefix=secret[:SHOWN],
        digest=digest(secret),
        scopes=sorted(set(new.scopes)),
        expires_at=new.expires_at,
    )
    session.add(row)
    await session.commit()
    note(request, key=str(row.uuid), name=row.name, scopes=row.scopes)
    return schemas.MadeKey(**_fields(row), key=secret)


@router.delete(
    "/key/{uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke an API key",
    responses=problems(S404="There is no such key, or it is revoked already."),
)
async def revoke_key(uuid: UUID, session: SessionDep, state: StateDep) -> None:
    """It counts no more: here at once, on other replicas within ten seconds. Whoever signed in with it is signed out."""
    counts = (ApiKeyRow.uuid == uuid, ApiKeyRow.kind == "key", ApiKeyRow.revoked_at.is_(None))
    done = await session.scalar(
        update(ApiKeyRow).where(*counts).values(revoked_at=datetime.now(UTC)).returning(ApiKeyRow.id),
        execution_options={"synchronize_session": False},
    )
    if done is None:
        raise not_found("key", uuid, "uuid")
    await session.commit()
    state.accounts.forget()


def _fields(row: ApiKeyRow) -> dict[str, object]:
    return {
        "uuid": row.uuid,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": sorted(scopes_of(row.scopes)),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }
