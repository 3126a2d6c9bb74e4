"""Every request passes here, before its body is read and before it is routed: who asks, and may they?"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visionlab_api.accounts.principal import ANONYMOUS, Principal
from visionlab_api.accounts.rate_limits import caller_of, network_of
from visionlab_api.accounts.refusals import no_rule, not_allowed, sign_in_needed
from visionlab_api.accounts.rules import Rule, find_rule
from visionlab_api.accounts.same_origin import require_same_origin
from visionlab_api.middleware import route_template
from visionlab_api.problems import ProblemError, answer, as_problem
from visionlab_api.state import State

_KEY: Final = "visionlab.admission"
_NOTE: Final = "visionlab.note"


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and by which entry of the table. `caller` is who is counted; None: no limits of rate."""

    principal: Principal
    path: str
    rule: Rule
    caller: str | None


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
        if "\0" in scope["path"]:
            await refusal(_nul(), scope["path"])(scope, receive, send)
            return
        state: State = scope["app"].state.visionlab
        try:
            principal = await _admit(scope, path, rule, state)
            caller = caller_of(principal, _address(scope))
            if rule.limited:
                state.limits.charge_request(caller)
        except Exception as error:
            problem = as_problem(error)
            if problem is None:
                raise
            await refusal(problem, scope["path"])(scope, receive, send)
            return
        scope[_KEY] = Admission(principal, path, rule, caller)
        if rule.audited:
            await self._audited(scope, receive, send, state)
            return
        if rule.limited and caller is not None and state.limits.requests is not None:
            send = _with_headers(send, state.limits.requests.headers(caller))
        await self._app(scope, receive, send)

    async def _audited(self, scope: Scope, receive: Receive, send: Send, state: State) -> None:
        admission: Admission = scope[_KEY]
        try:
            row = await state.audit.begin(admission.principal, f"{scope['method']} {admission.path}", scope["path"])
        except SQLAlchemyError as error:
            problem = as_problem(error)
            if problem is None:
                raise
            await refusal(problem, scope["path"])(scope, receive, send)
            return
        ended = False

        async def end(status: int) -> None:
            nonlocal ended
            if not ended:
                ended = True
                await state.audit.end(row, status, scope.get(_NOTE, {}))

        async def end_and_send(message: Message) -> None:
            # Before the answer: who has it finds the act in the log.
            if message["type"] == "http.response.start":
                await end(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, end_and_send)
        finally:
            await end(HTTPStatus.INTERNAL_SERVER_ERROR)


async def _admit(scope: Scope, found_path: str, rule: Rule, state: State) -> Principal:
    try:
        principal, by_itself = await state.accounts.identify(scope["headers"])
    except ProblemError:  # each try asks the database
        state.limits.charge_sign_in(_address(scope))
        raise
    try:
        admit(principal, rule)
        if by_itself and rule.scope is not None:
            require_same_origin(scope["method"], dict(scope["headers"]))
    except ProblemError as refused:
        # Tries of those who are known are told; strangers could fill the log with theirs.
        if rule.audited and principal.kind != "anonymous":
            action = f"{scope['method']} {found_path}"
            await state.audit.begin(principal, action, scope["path"], status=int(refused.status))
        raise
    return principal


def _nul() -> ProblemError:
    # Nothing has such a name, and PostgreSQL cannot even be asked for it, nor keep it in the audit log.
    detail = "The path has a NUL character in it (%00). Nothing here is named so."
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", "Not found", detail)


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
    response = answer(problem)
    response.body = response.render({"error": str(problem)})
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Type"] = "application/json"
    return response


async def require_admission(request: Request) -> None:
    """A dependency of every route: what the gate let in was meant for this route.

    Raises:
        ProblemError: 403, the table has no entry for the route.
    """
    admission: Admission | None = request.scope.get(_KEY)
    if admission is None or admission.path != route_template(request.scope):
        raise no_rule(request.method, request.url.path)


def charge_images(request: Request, count: int) -> None:
    """Count images of a request against its caller's limit.

    Raises:
        ProblemError: 429, there were too many.
    """
    caller = caller_in(request)
    if caller is not None:
        state: State = request.app.state.visionlab
        state.limits.charge_images(caller, count)


def caller_in(request: Request) -> str | None:
    """Who is counted for a request; None: no limits of rate."""
    admission: Admission | None = request.scope.get(_KEY)
    return None if admission is None else admission.caller


def note(request: Request, **detail: Any) -> None:
    """Keep what an act was about in the audit log. No secrets: it is shown to every admin."""
    request.scope[_NOTE] = {**request.scope.get(_NOTE, {}), **detail}


def address_of(request: Request) -> str:
    """The address, or network, that a request came from."""
    return _address(request.scope)


def principal_of(request: Request) -> Principal:
    """Who asks."""
    admission: Admission | None = request.scope.get(_KEY)
    return ANONYMOUS if admission is None else admission.principal


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return network_of(client[0]) if client else "unknown"


def _with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return send_with_headers
