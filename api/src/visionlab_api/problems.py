"""Errors as RFC 9457 problem details: a type, a sentence that a person can act on, and the field at fault."""

from __future__ import annotations

import errno
import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from visionlab_api.accounts.rules import methods_of
from visionlab_api.schemas import Problem
from visionlab_core.object_store import KeyNotFound, StoreFull, StoreUnavailable
from visionlab_core.telemetry import request_id
from visionlab_inference.backend import BackendBusy, BackendUnavailable, ModelFailed, ModelNotServed
from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ProblemError(Exception):
    """Raise it anywhere below a route to answer with a problem."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        field: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        self.headers = dict(headers or {})

    def problem(self) -> Problem:
        """The body of the answer."""
        return Problem(
            type=f"/problems/{self.kind}",
            title=self.title,
            status=int(self.status),
            detail=self.detail,
            instance=request_id.get(),
            field=self.field,
        )


def not_found(what: str, which: object, field: str | None = None) -> ProblemError:
    """404: there is no such thing."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", "Not found", f"There is no {what} {str(which)[:80]!r}.", field=field)


def not_yours(field: str | None = None) -> ProblemError:
    """403: only who uploaded an image may do this with it."""
    detail = "Only who uploaded an image can do this with it, from the browser or with the key that it was uploaded with."
    return ProblemError(HTTPStatus.FORBIDDEN, "not-yours", "Not yours", detail, field=field)


def wrong_content_type(*wanted: str) -> ProblemError:
    """415: the body is of another kind than the route reads."""
    detail = f"Send the body as {' or '.join(wanted)}, and name it in the Content-Type header."
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)


def as_problem(error: Exception) -> ProblemError | None:
    """The problem behind an error of the rooms below; None where it is not foreseen."""
    match error:
        case ProblemError():
            return error
        case NotAnImage():
            return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-an-image", "Not an image", str(error), field="image")
        case ImageTooLarge():
            return ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "image-too-large", "Image too large", str(error), field="image"
            )
        case BrokenImage() | ImageTooSmall():
            return ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "unusable-image", "Image cannot be used", str(error), field="image"
            )
        case BackendBusy():
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too busy", str(error), retry_after=error.retry_after)
        case BackendUnavailable():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "serving-unavailable",
                "Serving unavailable",
                str(error),
                retry_after=error.retry_after,
            )
        case ModelNotServed():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "model-not-ready", "Model not ready", str(error), field="models", retry_after=5
            )
        case ModelFailed():
            return ProblemError(HTTPStatus.BAD_GATEWAY, "model-failed", "Model failed", str(error), field="models")
        case StoreFull():
            return ProblemError(
                HTTPStatus.INSUFFICIENT_STORAGE,
                "store-full",
                "Store full",
                "There is no room left in the store.",
                retry_after=60,
            )
        case StoreUnavailable():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Store unavailable",
                "Files cannot be stored or read now.",
                retry_after=5,
            )
        case KeyNotFound():
            return ProblemError(HTTPStatus.NOT_FOUND, "not-found", "Not found", "The file is no longer in the store.")
        case OperationalError() if _is_full(error):
            return ProblemError(
                HTTPStatus.INSUFFICIENT_STORAGE,
                "database-full",
                "Database full",
                "There is no room left in the database.",
                retry_after=60,
            )
        case OperationalError() | InterfaceError() | PoolTimeout():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "database-unavailable",
                "Database unavailable",
                "The database does not answer.",
                retry_after=5,
            )
    return None


def _is_full(error: OperationalError) -> bool:
    # Of PostgreSQL (SQLSTATE, class 53), of SQLite.
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return code in ("53100", "SQLITE_FULL")


def answer(problem: ProblemError) -> JSONResponse:
    """A problem as an HTTP answer."""
    retry = {} if problem.retry_after is None else {"Retry-After": str(math.ceil(problem.retry_after))}
    return JSONResponse(problem.problem().model_dump(), int(problem.status), {**problem.headers, **retry}, MEDIA_TYPE)


def unforeseen() -> ProblemError:
    """500: a fault of ours."""
    detail = "Something went wrong here. The log has the details under this instance."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)


def answer_to(request: Request, error: Exception) -> JSONResponse | None:
    """The answer to a request that ended with an error; None where the error is not foreseen."""
    match error:
        case RequestValidationError():
            return answer(_invalid(request, error))
        case HTTPException():
            return answer(_http(request, error))
    problem = as_problem(error)
    if problem is None:
        return None
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s: %s", problem.kind, error)
    return answer(problem)


def install(app: FastAPI) -> None:
    """Answer every foreseen error with a problem; `RequestContext` answers the others."""

    async def foreseen(request: Request, error: Exception) -> JSONResponse:
        response = answer_to(request, error)
        assert response is not None
        return response

    for kind in (
        ProblemError, NotAnImage, ImageTooLarge, BrokenImage, ImageTooSmall, BackendBusy, BackendUnavailable, ModelNotServed,
        ModelFailed, StoreFull, StoreUnavailable, KeyNotFound, OperationalError, InterfaceError, PoolTimeout,
        RequestValidationError, HTTPException,
    ):  # fmt: skip
        app.add_exception_handler(kind, foreseen)


def _invalid(request: Request, error: RequestValidationError) -> ProblemError:
    first = error.errors()[0]
    if first["loc"] == ("body",) and first["type"] != "missing" and "json" not in request.headers.get("content-type", ""):
        return wrong_content_type("application/json")
    return _validation_problem(error.errors())


def _http(request: Request, error: HTTPException) -> ProblemError:
    if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_ROOM:
        # Parts of a form wait in a file; the framework takes this for a fault of the form.
        log.error("what is received cannot be kept: %s", error.__cause__)
        detail = "There is no room left for what is being received."
        return ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, "disk-full", "Disk full", detail, retry_after=60)
    status = HTTPStatus(error.status_code)
    if isinstance(error.__cause__, (RecursionError, ValueError)):
        # What the framework could not parse, and does not tell from other faults: neither text, nor numbers of any use.
        detail = "The body is not valid JSON: it is not UTF-8, nested too deep, or has a number with thousands of digits."
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail)
    kind = status.phrase.lower().replace(" ", "-")
    detail = f"{str(error.detail).rstrip('.')}."
    if detail == f"{status.phrase}.":  # the framework's own word, which helps nobody
        detail = {
            HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path[:80]!r}.",
            HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible at {request.url.path[:80]!r}.",
        }.get(status, detail)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (methods := methods_of(request.url.path)):
        headers["Allow"] = ", ".join(methods)  # the router names those of one route alone
    return ProblemError(status, kind, status.phrase, detail, headers=headers)


def _validation_problem(errors: Any) -> ProblemError:
    first = errors[0]
    if first["type"] == "json_invalid":
        detail = f"The body is not valid JSON: {first['ctx']['error']}."
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail)
    if first["type"] == "missing" and first["loc"] == ("body",):
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", "A body is missing.")
    place = first["loc"][1:] if first["loc"][:1] in (("body",), ("query",), ("path",)) else first["loc"]
    field = ".".join(str(part) for part in place) or None
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    detail = f"{field or 'The request'}: {first['msg']}{more}."
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)
