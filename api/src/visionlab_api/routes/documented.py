"""How OpenAPI tells of problems."""

from __future__ import annotations

from typing import Any

from visionlab_api.problems import MEDIA_TYPE

_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_USUAL_KINDS = {
    400: "address-not-public",
    401: "unknown-key",
    404: "not-found",
    409: "model-disabled",
    410: "upload-expired",
    412: "tus-version",
    413: "image-too-large",
    415: "not-an-image",
    416: "range",
    422: "invalid-request",
    423: "upload-locked",
    460: "checksum-mismatch",
    502: "model-failed",
    503: "busy",
    504: "web-too-slow",
    507: "store-full",
}

Responses = dict[int | str, dict[str, Any]]


def problems(**by_status: str) -> Responses:
    """Document problems: `problems(S404="There is no such image.", S409_not_uploaded="Only uploaded images ...")`."""
    responses: Responses = {}
    for key, description in by_status.items():
        number, _, name = key.removeprefix("S").partition("_")
        status = int(number)
        kind = name.replace("_", "-") or _USUAL_KINDS[status]
        example = {
            "type": f"/problems/{kind}",
            "title": kind.replace("-", " ").capitalize(),
            "status": status,
            "detail": description,
            "instance": "b1946ac92492d234",
            "field": None,
        }
        responses[status] = {"description": description, "content": {MEDIA_TYPE: {"schema": _SCHEMA, "example": example}}}
    return responses


ANY_PROBLEM: Responses = {"default": {"description": "Any other problem.", "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}}

NEXT_PART: Responses = {
    200: {
        "headers": {
            "Link": {
                "description": '`<...>; rel="next"`: the address of the next part of the list (RFC 8288); not there at its end',
                "schema": {"type": "string"},
            }
        }
    }
}
"""Of lists that were there before they had parts: their bodies stay plain arrays, and what leads on is in a header."""

REPORT_CONTENT: dict[str, Any] = {
    "text/html": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "object"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
    "image/png": {},
    "image/jpeg": {},
}
"""Of routes that serve reports of models, with their cards, curves and pictures."""
