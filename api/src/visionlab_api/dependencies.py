"""What routes ask for, as annotated types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.accounts.gate import principal_of
from visionlab_api.accounts.principal import Principal
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


def visitor_of(request: Request, response: Response) -> UUID:
    """The visitor, for a route that only sometimes leaves a trace; a new one gets the cookie with the response."""
    known = principal_of(request).visitor
    if known is not None:
        return known
    try:
        return UUID(request.cookies.get(VISITOR_COOKIE, ""))
    except ValueError:
        visitor = uuid4()
    response.set_cookie(
        VISITOR_COOKIE, str(visitor), max_age=_ONE_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return visitor
