"""Signing a browser in and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from visionlab_api import schemas
from visionlab_api.accounts.accounts import LONGEST_SESSION, SESSION_COOKIE
from visionlab_api.accounts.gate import address_of
from visionlab_api.accounts.principal import Principal
from visionlab_api.accounts.same_origin import require_same_origin
from visionlab_api.dependencies import PrincipalDep, StateDep, VisitorDep
from visionlab_api.problems import not_found
from visionlab_api.routes.documented import problems
from visionlab_api.state import State

if TYPE_CHECKING:
    from visionlab_api.accounts.oidc import OpenIdProvider

router = APIRouter(tags=["accounts"])

CALLBACK_PATH = "/backend/session/callback"
SIGN_IN_COOKIE = "visionlab_sign_in"
SIGN_IN_SECONDS = 600


@router.get("/session", summary="Who am I?")
async def get_session(principal: PrincipalDep, state: StateDep, _: VisitorDep) -> schemas.Session:
    """Who asks, by the session's cookie or the API key of the request.

    Sets the visitor's cookie where there is none. A browser that uploads several images at once asks this first: else each answer
    would bring a cookie of its own, and only the last one's image would be its visitor's.
    """
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
    state.limits.charge_sign_in(address_of(request))
    principal = await state.accounts.by_key(body.token)
    await state.audit.begin(principal, "POST /backend/session", "/backend/session", status=HTTPStatus.CREATED)
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


@router.get(
    "/session/oidc",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    summary="Sign in with the OpenID Connect provider",
    responses=problems(S404="There is no provider.", S502_provider_failed="The provider does not answer."),
)
async def begin_oidc(request: Request, state: StateDep) -> RedirectResponse:
    """For browsers: leads to the provider's page, and from there back to the home page, signed in."""
    oidc = _provider(state)
    begun = await oidc.begin(_callback(request, state))
    response = RedirectResponse(begun.url, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    # Lax: it has to come along when the provider's page leads back here.
    response.set_cookie(
        SIGN_IN_COOKIE,
        begun.cookie,
        max_age=SIGN_IN_SECONDS,
        path=CALLBACK_PATH,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.get(
    "/session/callback",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    summary="Where the OpenID Connect provider leads back to",
    responses=problems(
        S403_sign_in_refused="The sign-in was not begun in this browser, or the provider refused.",
        S404="There is no provider.",
        S502_provider_failed="The provider does not answer.",
    ),
)
async def finish_oidc(request: Request, state: StateDep) -> RedirectResponse:
    """Checks state, nonce and ID token, and signs the browser in."""
    oidc = _provider(state)
    state.limits.charge_sign_in(address_of(request))
    cookie = request.cookies.get(SIGN_IN_COOKIE, "")
    principal = await oidc.finish(request.query_params, cookie, _callback(request, state))
    if principal.scopes:
        await state.audit.begin(principal, "GET /backend/session/callback", CALLBACK_PATH, status=HTTPStatus.SEE_OTHER)
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    response.delete_cookie(SIGN_IN_COOKIE, path=CALLBACK_PATH)
    set_session_cookie(response, request, await state.accounts.open_session(person=principal))
    return response


def to_schema(principal: Principal, state: State) -> schemas.Session:
    """A principal as the API shows it."""
    return schemas.Session(
        kind=principal.kind,
        name=principal.name,
        scopes=sorted(principal.scopes),
        accounts=not state.accounts.off,
        provider=None if state.oidc is None else state.configuration.oidc_name,
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


def _provider(state: State) -> OpenIdProvider:
    if state.oidc is None:
        raise not_found("way to sign in", "oidc")
    return state.oidc


def _callback(request: Request, state: State) -> str:
    return (state.configuration.public_url or str(request.base_url)).rstrip("/") + CALLBACK_PATH
