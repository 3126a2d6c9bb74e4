"""Every request passes here, before its body is read and before it is routed: who asks, and may they?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.principal import ANONYMOUS, Principal
from visionlab_api.accounts.refusals import no_rule, not_allowed, sign_in_needed
from visionlab_api.accounts.rules import Rule, find_rule
from visionlab_api.accounts.same_origin import require_same_origin
from visionlab_api.middleware import route_template
from visionlab_api.problems import ProblemError, answer, as_problem

_KEY: Final = "visionlab.admission"


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and by which entry of the table."""

    principal: Principal
    path: str
    rule: Rule


class Gate:
    """Enforces the table of authorization. Pure ASGI: it stands on the path of every image."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        found = find_rule(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if found is None:
            # No route, or files of the page; a route that the table does not know refuses by itself: `require_admission`.
            await self._app(scope, receive, send)
            return
        path, rule = found
        try:
            principal = await _admit(scope, rule)
        except Exception as error:
            problem = as_problem(error)
            if problem is None:
                raise
            await refusal(problem, scope["path"])(scope, receive, send)
            return
        scope[_KEY] = Admission(principal, path, rule)
        await self._app(scope, receive, send)


async def _admit(scope: Scope, rule: Rule) -> Principal:
    accounts: Accounts = scope["app"].state.visionlab.accounts
    principal, by_itself = await accounts.identify(scope["headers"])
    admit(principal, rule)
    if by_itself and rule.scope is not None:
        require_same_origin(scope["method"], dict(scope["headers"]))
    return principal


def admit(principal: Principal, rule: Rule) -> None:
    """Let a principal do what needs a rule.

    Raises:
        ProblemError: 401 or 403.
    """
    if rule.scope is None or principal.may(rule.scope):
        return
    raise sign_in_needed() if principal.kind == "anonymous" else not_allowed(principal, rule.scope)


def refusal(problem: ProblemError, path: str) -> JSONResponse:
    """The answer to who was not let in; in the words of the Open Inference Protocol where it was asked in them."""
    if not path.startswith("/v2"):
        return answer(problem)
    return JSONResponse({"error": str(problem)}, int(problem.status), problem.headers)


async def require_admission(request: Request) -> None:
    """A dependency of every route: what the gate let in was meant for this route.

    Raises:
        ProblemError: 403, the table has no entry for the route.
    """
    admission: Admission | None = request.scope.get(_KEY)
    if admission is None or admission.path != route_template(request.scope):
        raise no_rule(request.method, request.url.path)


def principal_of(request: Request) -> Principal:
    """Who asks."""
    admission: Admission | None = request.scope.get(_KEY)
    return ANONYMOUS if admission is None else admission.principal
