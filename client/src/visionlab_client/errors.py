"""All that can go wrong, as one hierarchy. Each message is a sentence that says what to do.

VisionLabError
├── InvalidURL           the address is none
├── UnreadableImage      a file that is gone, a folder, too large, ...
├── Unreachable          no connection, or it was cut
│   └── TimedOut
├── UnexpectedAnswer     what answers is not VisionLab: a proxy's page, a redirect
└── RefusedByServer      a problem (RFC 9457) that VisionLab names
    ├── InvalidRequest   an argument is out of range
    ├── UnusableImage    not an image, damaged, too large or too small
    ├── NotFound         no such image or model
    ├── Conflict         the model is disabled, the image is not an uploaded one
    ├── NotAllowed       who asks may not
    ├── Busy             too much to do, or not ready: ask again later
    └── ServerFault      an error of the server
"""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
from pydantic import ValidationError

from visionlab_client.answers import Problem

_PROBLEM_TYPE = "application/problem+json"


class VisionLabError(Exception):
    """Something went wrong; the message says what, and what to do."""


class InvalidURL(VisionLabError, ValueError):
    """The server's address cannot be one."""


class UnreadableImage(VisionLabError):
    """An image cannot be read here, so it was not sent."""


class Unreachable(VisionLabError):
    """There is no connection to the server, or it was cut before the answer came."""


class TimedOut(Unreachable):
    """The server did not answer in time."""


class UnexpectedAnswer(VisionLabError):
    """The answer is not VisionLab's: the address is another server's, or something stands in between.

    Attributes:
        status: the HTTP status.
        retry_after: seconds after which the server wants to be asked again, where it says so.
    """

    def __init__(self, message: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class RefusedByServer(VisionLabError):
    """VisionLab answered with a problem (RFC 9457).

    Attributes:
        status: the HTTP status.
        kind: the last part of `type`, such as "not-an-image".
        type, title, detail, field: as the server says them; `field` is the input at fault.
        retry_after: seconds after which the server wants to be asked again.
        request_id: names the request in the server's log.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.status = problem.status
        self.kind = problem.type.rsplit("/", 1)[-1]
        self.type = problem.type
        self.title = problem.title
        self.detail = problem.detail
        self.field = problem.field
        self.request_id = problem.instance
        self.retry_after = retry_after


class InvalidRequest(RefusedByServer):
    """An argument is missing or out of range: see `field`."""


class UnusableImage(RefusedByServer):
    """The image is none, is damaged, too large or too small."""


class NotFound(RefusedByServer):
    """There is no such image or model."""


class Conflict(RefusedByServer):
    """Possible in principle, not as things are: the model is disabled, the image is not an uploaded one."""


class NotAllowed(RefusedByServer):
    """The server wants to know who asks, or does not allow it."""


class Busy(RefusedByServer):
    """The server has too much to do, or a part of it is not ready: ask again after `retry_after` seconds."""


class ServerFault(RefusedByServer):
    """An error of the server; its log has more under `request_id`."""


def error_of(response: httpx.Response) -> RefusedByServer | UnexpectedAnswer:
    """The error behind an answer whose status is not 2xx; its body has been read."""
    retry_after = _retry_after(response.headers.get("retry-after"))
    if response.headers.get("content-type", "").partition(";")[0].strip() == _PROBLEM_TYPE:
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            return unexpected(response)
        return _class_of(problem)(problem, retry_after)
    return unexpected(response)


def unexpected(response: httpx.Response) -> UnexpectedAnswer:
    """The error for an answer that VisionLab does not give."""
    status = response.status_code
    url = response.request.url
    if response.has_redirect_location:
        to = url.join(response.headers["location"])
        message = f"{url} sends on to {to}. Give the address that it leads to, without /backend, as the server's URL."
    else:
        what = response.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
        perhaps = "Is this client older than the server?" if what == "application/json" else "Does a proxy stand in between?"
        message = (
            f"{url} answered {_status_words(status)} with {what}, which is not VisionLab's answer. Is the URL right? {perhaps}"
        )
    return UnexpectedAnswer(message, status, _retry_after(response.headers.get("retry-after")))


def connection_error(error: httpx.RequestError) -> Unreachable | UnexpectedAnswer:
    """The error behind one of httpx's."""
    where = f"{error.request.url.scheme}://{error.request.url.netloc.decode('ascii')}"
    why = str(error).rstrip(".") or type(error).__name__
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            if "CERTIFICATE" in why:
                return Unreachable(
                    f"{where} is not trusted: {why}. Where the certificate is signed by a company's own authority, name its file "
                    "in the environment variable SSL_CERT_FILE."
                )
            slow = " in time" if isinstance(error, httpx.ConnectTimeout) else ""
            return Unreachable(
                f"No server answers at {where}{slow} ({why}). Is VisionLab running there (`make up` starts it), "
                "and are host and port of the URL right?"
            )
        case httpx.TimeoutException():
            return TimedOut(
                f"{where} took the request and did not answer in time ({why}). It may have too much to do: try later, with a "
                "longer timeout, or with less at once."
            )
        case httpx.TransportError():
            return Unreachable(f"{where} cut the connection before it answered ({why}). It was perhaps restarted: try again.")
    return UnexpectedAnswer(f"The answer of {where} cannot be read ({why}).", status=0)


def _class_of(problem: Problem) -> type[RefusedByServer]:
    match problem.status:
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE | HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
            return UnusableImage
        case HTTPStatus.UNPROCESSABLE_ENTITY if problem.type.endswith("/unusable-image"):
            return UnusableImage
        case HTTPStatus.NOT_FOUND:
            return NotFound
        case HTTPStatus.CONFLICT:
            return Conflict
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return NotAllowed
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return Busy
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ServerFault
    return InvalidRequest


def _retry_after(header: str | None) -> float | None:
    """Seconds from now (RFC 9110, section 10.2.3: a number of seconds or a date); None where it says nothing."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _status_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
