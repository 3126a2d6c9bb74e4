"""What routes ask for, as annotated types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.accounts.gate import principal_of
from visionlab_api.accounts.principal import Principal, Scope
from visionlab_api.services.viewer import Viewer
from visionlab_api.state import State

VISITOR_COOKIE = "visionlab_visitor"
_ONE_YEAR = 365 * 24 * 3600


# Plain functions would each be run on a thread, which costs more than they do.
async def _state(request: Request) -> State:
    state: State = request.app.state.visionlab
    return state


StateDep = Annotated[State, Depends(_state)]


async def _session(state: StateDep) -> AsyncIterator[AsyncSession]:
    async with state.sessions() as session:
        yield session


# Closed before the answer is sent: a client that reads a file slowly must not hold a connection to the database.
SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]


async def _principal(request: Request) -> Principal:
    return principal_of(request)


PrincipalDep = Annotated[Principal, Depends(_principal)]
"""Who asks."""


async def _visitor(request: Request, response: Response) -> UUID:
    return visitor_of(request, response)


VisitorDep = Annotated[UUID, Depends(_visitor)]
"""Whose a trace is that this request leaves: the person's or program's; else the visitor's, a random id in a cookie of this
browser, made at the first act that leaves a trace."""


async def _viewer(request: Request) -> Viewer:
    return viewer_of(request)


ViewerDep = Annotated[Viewer, Depends(_viewer)]
"""Which images are there for who asks."""


def viewer_of(request: Request) -> Viewer:
    """The viewer, for a route that is asked directly. It leaves no trace, so there is no new cookie."""
    principal = principal_of(request)
    return Viewer(principal.visitor or _visitor_of_cookie(request), principal.may(Scope.DATASETS))


def _visitor_of_cookie(request: Request) -> UUID | None:
    try:
        return UUID(request.cookies.get(VISITOR_COOKIE, ""))
    except ValueError:
        return None


def visitor_of(request: Request, response: Response) -> UUID:
    """The visitor, for a route that only sometimes leaves a trace; a new one gets the cookie with the response."""
    known = principal_of(request).visitor or _visitor_of_cookie(request)
    if known is not None:
        return known
    visitor = uuid4()
    response.set_cookie(
        VISITOR_COOKIE, str(visitor), max_age=_ONE_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return visitor
