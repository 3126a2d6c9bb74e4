"""What schemathesis cannot read from the OpenAPI document: ids of things that are there, real images, and how our errors look.

Loaded by `schemathesis` as its hooks; see `fuzzing.runner`.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import schemathesis
from hypothesis import strategies as st
from support.image_files import jpeg, png

USES_OF_A_LOOK = 50
PROBLEM_FIELDS = {"type", "title", "status", "detail", "instance", "field"}
PIECES = "application/offset+octet-stream"


class Known:
    """Ids of things on the server. They are looked up anew now and then: the fuzzer removes what it finds."""

    def __init__(self) -> None:
        self._client = httpx.Client(
            base_url=os.environ["FUZZED_SERVER"], headers={"Authorization": f"Bearer {os.environ['FUZZED_TOKEN']}"}, timeout=60
        )
        self._uses = 0
        self._ids: dict[str, list[str]] = {}

    def one_of(self, kind: str, drawn: str) -> str:
        """An id of this kind in place of the drawn one, the same for the same; half of the drawn ones stay."""
        if self._uses % USES_OF_A_LOOK == 0:
            self._look()
        self._uses += 1
        number, ids = zlib.crc32(drawn.encode(errors="replace")), self._ids.get(kind)
        return ids[number // 2 % len(ids)] if ids and number % 2 else drawn

    def _look(self) -> None:
        self._ids = {
            "image": self._all("image?limit=20", "images"),
            "dataset": self._all("dataset/detector", "datasets"),
            "model": [each["uuid"] for kind in ("detector", "generator") for each in self._get(f"model/{kind}")],
            "training": self._all("training/detector", "trainings"),
        }

    def _all(self, path: str, name: str) -> list[str]:
        return [each["uuid"] for each in self._get(path)[name]]

    def _get(self, path: str) -> Any:
        answer = self._client.get(f"/backend/{path}")
        answer.raise_for_status()
        return answer.json()


KNOWN = Known()
_KIND_OF_FIELD = {
    "images": "image",
    "image": "image",
    "models": "model",
    "model": "model",
    "base_models": "model",
    "datasets": "dataset",
}


def _is_uuid(value: object) -> bool:
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Paths of things that are there."""
    if not path_parameters:
        return path_parameters
    kind = context.operation.path.split("/")[2]
    if _is_uuid(path_parameters.get("uuid")):
        path_parameters["uuid"] = KNOWN.one_of(kind, path_parameters["uuid"])
    if isinstance(path_parameters.get("path"), str):
        path_parameters["path"] = KNOWN.one_of("image", path_parameters["path"])
    return path_parameters


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Bodies that name things that are there. What was made wrong on purpose stays wrong: only proper ids are changed."""
    if isinstance(body, dict):
        for field, kind in _KIND_OF_FIELD.items():
            value = body.get(field)
            if _is_uuid(value):
                body[field] = KNOWN.one_of(kind, value)
            elif isinstance(value, list) and all(map(_is_uuid, value)):
                body[field] = [KNOWN.one_of(kind, each) for each in value]
    return body


_FILES = st.one_of(st.sampled_from([png(), jpeg(), png(1, 1), png()[:100], jpeg()[:300]]), st.binary(max_size=200))
for media_type in ("image/png", "image/jpeg"):
    schemathesis.openapi.media_type(media_type, _FILES)
schemathesis.openapi.media_type(PIECES, st.binary(max_size=2000))


@schemathesis.serializer(PIECES)
def piece(context: Any, value: Any) -> bytes:
    """A piece of an upload is what it is."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(context: Any, response: Any) -> list[Any]:
    """The objects of a streamed answer."""
    return [json.loads(line) for line in response.content.splitlines()]


def _events(text: str) -> Iterator[str]:
    return (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))


def _expect(held: bool, said: Callable[[], str]) -> None:
    if not held:
        raise AssertionError(said())


@schemathesis.check
def errors_are_problems(context: Any, response: Any, case: Any) -> None:
    """Every error has all fields of a problem, with a sentence and the id of its request, which the header names too."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    [media_type] = response.headers["content-type"]
    _expect(media_type == "application/problem+json", lambda: f"an error as {media_type}")
    problem = json.loads(response.content)
    _expect(set(problem) == PROBLEM_FIELDS, lambda: f"fields of the problem: {sorted(problem)}")
    _expect(problem["status"] == response.status_code, lambda: f"status {problem['status']} in the problem")
    _expect(problem["type"].startswith("/problems/"), lambda: problem["type"])
    _expect(problem["detail"].endswith("."), lambda: f"no sentence: {problem['detail']!r}")
    _expect([problem["instance"]] == response.headers["x-request-id"], lambda: "the problem's instance is not the request's id")
    if response.status_code == 503:
        _expect("retry-after" in response.headers, lambda: "a 503 without Retry-After")


@schemathesis.check
def events_are_json(context: Any, response: Any, case: Any) -> None:
    """What a stream of events carries is JSON."""
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        for event in _events(response.content.decode()):
            json.loads(event)
