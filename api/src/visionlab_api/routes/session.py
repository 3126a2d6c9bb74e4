"""Signing a browser in and out."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from visionlab_api import schemas
from visionlab_api.accounts.accounts import LONGEST_SESSION, SESSION_COOKIE
from visionlab_api.accounts.principal import Principal
from visionlab_api.accounts.same_origin import require_same_origin
from visionlab_api.dependencies import PrincipalDep, StateDep
from visionlab_api.routes.documented import problems
from visionlab_api.state import State

router = APIRouter(tags=["accounts"])


@router.get("/session", summary="Who am I?")
async def get_session(principal: PrincipalDep, state: StateDep) -> schemas.Session:
    """Who asks, by the session's cookie or the API key of the request."""
    return to_schema(principal, state)


@router.post(
    "/session",
    status_code=HTTPStatus.CREATED,
    summary="Sign in with the admin token or an API key",
    responses=problems(S401="The token is unknown, expired or revoked.", S403_other_site="A page of another site asks."),
)
async def sign_in(body: schemas.SignIn, request: Request, response: Response, state: StateDep) -> schemas.Session:
    """The answer sets a cookie that scripts cannot read.

    It counts until the browser was idle for VISIONLAB_SESSION_HOURS, for a week at most, and no longer than the key.
    """
    require_same_origin(request.method, dict(request.scope["headers"]))
    principal = await state.accounts.by_key(body.token)
    set_session_cookie(response, request, await state.accounts.open_session(key=body.token))
    return to_schema(principal, state)


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT, summary="Sign out")
async def sign_out(request: Request, response: Response, state: StateDep) -> None:
    """The session counts no more, wherever its cookie was copied to."""
    require_same_origin(request.method, dict(request.scope["headers"]))
    secret = request.cookies.get(SESSION_COOKIE)
    if secret is not None:
        await state.accounts.close_session(secret)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")


def to_schema(principal: Principal, state: State) -> schemas.Session:
    """A principal as the API shows it."""
    return schemas.Session(
        kind=principal.kind, name=principal.name, scopes=sorted(principal.scopes), accounts=not state.accounts.off
    )


def set_session_cookie(response: Response, request: Request, secret: str) -> None:
    """Sign this browser in."""
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=int(LONGEST_SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
