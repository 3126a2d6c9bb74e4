"""What happens around every request: an id, a count, a log line, a bound on the body, and headers that protect the page."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visionlab_api.problems import ProblemError, answer, unforeseen
from visionlab_api.schemas import NDJSON, TUS_MEDIA_TYPE, TUS_VERSION
from visionlab_core.telemetry import Metrics, accept_request_id, request_id

log = logging.getLogger("visionlab_api.access")

_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MAX_DRAINED = 512 * 2**20
# nginx's word for it in logs and metrics; nobody is there to receive it.
_CLIENT_CLOSED_REQUEST = 499
MAX_JSON_BYTES = 2**20
"""A form's files go to disk as they come; any other body is held in memory, so it must be small, or be a single image."""

MAX_TENSOR_BYTES = 64 * 2**20
"""Of a request of the Open Inference Protocol: some 400 images in binary, or 100 as JSON. It is held in memory."""

STALLED_SECONDS = 60.0
"""Longest pause within a body."""

STREAMED_PATH = "/backend/image/classify"
UPLOAD_PATH = "/backend/file/upload"


class BodyTooLarge(Exception):
    """The body of a request grew past the limit while it was read."""


class BodyStalled(Exception):
    """Nothing more came of a body for too long: the client, or the network between, is gone."""


class RequestContext:
    """Pure ASGI: no task and no queue per request, as it stands on the path of every image."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, max_bytes: int, max_image_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._max_bytes = max_bytes
        self._max_image_bytes = max_image_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        started = time.perf_counter()
        status = 500
        read = 0
        responded = too_large = stalled = complete = False

        identity = accept_request_id(headers.get("x-request-id"))
        method = scope["method"] if scope["method"] in _METHODS else "other"
        limit = self._limit(scope["path"], headers)

        async def receive_bounded() -> Message:
            nonlocal read, too_large, stalled, complete
            if complete:  # what is waited for now is that the client goes
                return await receive()
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    message = await receive()
            except TimeoutError:
                stalled = True
                raise BodyStalled from None
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > limit:
                too_large = True
                raise BodyTooLarge
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status, responded
            if message["type"] == "http.response.start":
                status, responded = message["status"], True
                out = list(message["headers"])
                there = {name.lower() for name, _ in out}
                out.append((b"x-request-id", identity.encode()))
                out += [header for header in _SECURITY_HEADERS if header[0] not in there]
                if scope["path"].startswith(UPLOAD_PATH):  # tus wants it in every answer, problems too
                    out.append((b"tus-resumable", TUS_VERSION.encode()))
                message = {**message, "headers": out}
            await send(message)

        async def send_of_app(message: Message) -> None:
            # What a parser makes of a body that was cut off is not the answer.
            if responded or not (too_large or stalled):
                await send_with_headers(message)

        token = request_id.set(identity)
        try:
            try:
                if int(headers.get("content-length") or 0) > limit:
                    too_large = True
                else:
                    await self._app(scope, receive_bounded, send_of_app)
            except ClientDisconnect:
                status = _CLIENT_CLOSED_REQUEST
            except Exception:
                if responded:
                    raise
                if not (too_large or stalled):
                    log.exception("unforeseen error")
                    await answer(unforeseen())(scope, receive, send_with_headers)
            if stalled and not responded:
                await answer(_stalled())(scope, receive, send_with_headers)
            if too_large and not responded:
                await _drain(receive)
                await answer(_too_large(limit))(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = route_template(scope)
            self._metrics.count_request(method, route, status, seconds)
            if log.isEnabledFor(logging.INFO):
                extra = {"route": route, "milliseconds": round(seconds * 1e3, 2)}
                log.info("%s %s %d", method, scope["path"], status, extra=extra)
            request_id.reset(token)

    def _limit(self, path: str, headers: Headers) -> float:
        content_type = headers.get("content-type", "").lower()
        if content_type.startswith("multipart/form-data"):
            # Where answers are streamed, a part is held at a time, and each has its own bound.
            streamed = path == STREAMED_PATH and NDJSON in headers.get("accept", "")
            return math.inf if streamed else self._max_bytes
        if path.startswith(UPLOAD_PATH) and content_type.startswith(TUS_MEDIA_TYPE):
            return math.inf  # goes to the store as it comes, up to the length that was announced
        if path.startswith("/v2/"):
            return min(self._max_bytes, MAX_TENSOR_BYTES)
        return min(self._max_bytes, self._max_image_bytes if content_type.startswith("image/") else MAX_JSON_BYTES)


def _too_large(limit: float) -> ProblemError:
    detail = f"The request is larger than {limit / 2**20:.3g} MiB. Send less at once."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request-too-large", "Request too large", detail)


def route_template(scope: Scope) -> str:
    """The path of the route that a request was led to, with its parameters' names: what metrics are labelled by."""
    # FastAPI keeps the whole one, with prefixes, apart.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(route, "path", "unmatched"))


def _stalled() -> ProblemError:
    detail = f"Nothing more of the request's body came for {STALLED_SECONDS:g} seconds. Send it again."
    close = {"Connection": "close"}
    return ProblemError(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "Request timeout", detail, headers=close)


async def _drain(receive: Receive) -> None:
    # A client that still sends would not read the answer, only see its connection reset.
    drained = 0
    while drained < _MAX_DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
