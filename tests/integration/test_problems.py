"""Every error is a problem that says what to do, and changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from support.problem_details import problem_of
from support.waiting import block_until

MIB = 2**20


@pytest.mark.parametrize(
    "path", ["/backend", "/backend/", "/backend/nothing", "/backend/model", "/backend/settings/x", "/backend/image/"]
)
def test_unknown_route_is_a_problem(client, path):
    problem_of(client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/backend/status"),
        ("PUT", "/backend/settings"),
        ("PATCH", "/backend/image/label"),
        ("DELETE", "/backend/image/stats"),
        ("POST", "/backend/model/detector"),
        ("PUT", "/backend/image"),
        ("POST", "/backend/image/0192f3a4-5b6c-7d8e-9f00-112233445566.png"),
    ],
)
def test_wrong_method_is_a_problem(client, method, path):
    problem = problem_of(client.request(method, path), 405, "method-not-allowed")
    assert method in problem["detail"]


JSON_ROUTES = [
    "/backend/settings",
    "/backend/image/generate",
    "/backend/image/label",
    "/backend/image/stats",
    "/backend/image/archive",
    "/backend/image/fetch",
]


@pytest.mark.parametrize("path", [*JSON_ROUTES, "/backend/image/classify"])
@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b'{"a": }', b'"', b"\xff\xfe\x00", b"[" * 50_000])
def test_malformed_json_is_a_problem(admin, path, body):
    answer = admin.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    problem_of(answer, answer.status_code)


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null"])
def test_json_of_another_kind_is_a_problem(admin, path, body):
    problem_of(admin.post(path, content=body, headers={"Content-Type": "application/json"}), 422, "invalid-request")


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"])
def test_wrong_content_type_is_a_problem(admin, path, content_type):
    problem = problem_of(admin.post(path, content=b"{}", headers={"Content-Type": content_type}), 415, "unsupported-media-type")
    assert "application/json" in problem["detail"]


@pytest.mark.parametrize("path", JSON_ROUTES)
def test_missing_body_is_a_problem(admin, path):
    problem_of(admin.post(path), 422, "invalid-request")


def test_problem_carries_the_id_of_the_request(client, server):
    answer = client.get("/backend/nothing", headers={"X-Request-ID": "my-request.1"})
    assert problem_of(answer, 404)["instance"] == "my-request.1"
    made = problem_of(client.get("/backend/nothing"), 404)["instance"]
    assert UUID(made)
    # The log is read by a thread of the test's own.
    block_until(lambda: any(f'"{made}"' in line for line in server.log), "the request in the log")
    [line] = [line for line in server.log if f'"{made}"' in line]
    assert "GET /backend/nothing 404" in line


def memory(server) -> int:
    """Resident bytes of the server."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def streamed(server, size: int, watched: list[int]):
    """A form with one endless file, in chunks; the server's memory after each."""
    yield b'--abc\r\nContent-Disposition: form-data; name="file"; filename="large.png"\r\n\r\n'
    for _ in range(size // MIB):
        yield bytes(MIB)
        watched.append(memory(server))
    yield b"\r\n--abc--\r\n"


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in chunks without a length"])
@pytest.mark.parametrize("path", ["/backend/image", "/backend/image/classify"])
def test_upload_of_200_mb_is_refused_in_constant_memory(client, server, path, announced):
    # Both the refusal of the declared length and that of a body that grows: the client can send all and read the answer.
    headers = {"Content-Type": "multipart/form-data; boundary=abc"}
    body = list(streamed(server, 0, []))
    if announced:
        headers["Content-Length"] = str(sum(map(len, body)) + 200 * MIB)
    before, watched = memory(server), []
    answer = client.post(path, content=streamed(server, 200 * MIB, watched), headers=headers)
    problem = problem_of(answer, 413, "request-too-large")
    assert "128 MiB" in problem["detail"]
    assert len(watched) == 200
    assert max(watched) - before < 40 * MIB
    assert client.get("/backend/status").status_code == 200


@pytest.mark.parametrize("path", [*JSON_ROUTES, "/backend/image/classify"])
def test_json_of_megabytes_is_refused(admin, path):
    def chunks():
        for _ in range(40):
            yield b" " * 100_000

    problem_of(admin.post(path, content=chunks(), headers={"Content-Type": "application/json"}), 413, "request-too-large")
    problem_of(admin.post(path, json={"images": ["x" * 2 * MIB]}), 413, "request-too-large")
