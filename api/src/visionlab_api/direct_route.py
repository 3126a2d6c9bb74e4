"""A route without what a framework does around it, for what programs call by the million."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visionlab_api.problems import answer_to
from visionlab_core.telemetry import name_request


class DirectRoute:
    """Answers POST requests to one path by itself, and leaves all others to the application.

    Routing, dependency injection, exit stacks and two layers of error handlers cost as much as all that the facade itself does
    for an image. The application has the same route too: its OpenAPI document tells of it.
    """

    def __init__(self, app: ASGIApp, *, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self.path = path  # by which metrics are labelled
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        name_request("POST", self.path)
        request = Request(scope, receive, send)
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            response = await self._endpoint(request)
            await response(scope, receive, send_and_note)
        except Exception as error:
            answer = None if begun else answer_to(request, error)
            if answer is None:
                raise
            await answer(scope, receive, send)
