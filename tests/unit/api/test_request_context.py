"""What holds around every request, whatever the application inside does."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from starlette.requests import Request
from support.problem_details import problem_of

from visionlab_api import middleware
from visionlab_api.middleware import MAX_JSON_BYTES, RequestContext
from visionlab_core.telemetry import Metrics


def client(app, metrics: Metrics | None = None, max_bytes: int = 10 * MAX_JSON_BYTES) -> httpx.AsyncClient:
    context = RequestContext(app, metrics=metrics or Metrics(), max_bytes=max_bytes, max_image_bytes=2 * MAX_JSON_BYTES)
    return httpx.AsyncClient(transport=httpx.ASGITransport(context, raise_app_exceptions=False), base_url="http://test")


async def says_how_much(scope, receive, send) -> None:
    read, more = 0, True
    while more:
        message = await receive()
        read, more = read + len(message["body"]), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(read).encode()})


async def swallows_everything(scope, receive, send) -> None:
    """As form parsers do: any trouble with the body is a 400."""
    try:
        await says_how_much(scope, receive, send)
    except Exception:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b"bad body"})


async def fails(scope, receive, send) -> None:
    raise ZeroDivisionError("a secret of ours")


async def test_unforeseen_error_is_a_problem_with_the_id_of_its_log_line(caplog):
    metrics = Metrics()
    async with client(fails, metrics) as http:
        with caplog.at_level(logging.ERROR):
            answer = await http.get("/x", headers={"X-Request-ID": "abc-1"})
    problem = problem_of(answer, 500, "internal")
    assert problem["instance"] == "abc-1"
    assert "secret" not in answer.text
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)
    assert 'status="500"' in metrics.render().decode()


async def test_harmless_request_id_is_kept_and_others_are_replaced():
    async with client(says_how_much) as http:
        assert (await http.get("/", headers={"X-Request-ID": "a.B-9_"})).headers["x-request-id"] == "a.B-9_"
        for bad in ("", "x" * 65, "a b", "a\tb", "<script>"):
            assert (await http.get("/", headers={"X-Request-ID": bad})).headers["x-request-id"] not in ("", bad)


async def pieces(count: int):
    for _ in range(count):
        yield bytes(MAX_JSON_BYTES // 4)


@pytest.mark.parametrize("app", [says_how_much, swallows_everything])
@pytest.mark.parametrize(
    ("content_type", "limit"),
    [("application/json", 4), ("text/plain", 4), ("image/png", 8), ("multipart/form-data; boundary=a", 40)],
)
async def test_body_past_the_limit_is_refused_whatever_the_parser_makes_of_it(app, content_type, limit):
    async with client(app) as http:
        fits = await http.post("/", content=pieces(limit), headers={"Content-Type": content_type})
        assert fits.text == str(limit * MAX_JSON_BYTES // 4)
        problem_of(
            await http.post("/", content=pieces(limit + 1), headers={"Content-Type": content_type}), 413, "request-too-large"
        )


async def test_declared_length_past_the_limit_is_refused_before_the_application_is_asked():
    async with client(fails) as http:
        answer = await http.post("/", content=bytes(MAX_JSON_BYTES + 1), headers={"Content-Type": "application/json"})
    problem_of(answer, 413, "request-too-large")


async def test_client_that_goes_away_is_no_fault(caplog):
    async def reads(scope, receive, send) -> None:
        await Request(scope, receive).body()

    async def gone():
        return {"type": "http.disconnect"}

    async def send(message) -> None:
        raise AssertionError("nobody is there to read it")

    metrics = Metrics()
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    with caplog.at_level(logging.WARNING):
        await RequestContext(reads, metrics=metrics, max_bytes=1024, max_image_bytes=1024)(scope, gone, send)
    assert not caplog.records
    assert 'status="499"' in metrics.render().decode()


async def test_unknown_paths_and_methods_do_not_swell_the_metrics():
    metrics = Metrics()
    async with client(says_how_much, metrics) as http:
        await asyncio.gather(*(http.request(f"BREW{n}", f"/{n}") for n in range(20)))
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("visionlab_http_requests_total{")]
    assert lines == ['visionlab_http_requests_total{method="other",route="unmatched",status="200"} 20.0']


@pytest.mark.parametrize("app", [says_how_much, swallows_everything])
async def test_body_that_stalls_is_a_problem_and_the_connection_ends(app, monkeypatch):
    monkeypatch.setattr(middleware, "STALLED_SECONDS", 0.01)

    stalled = asyncio.Event()
    sent: list[dict] = []
    messages = [{"type": "http.request", "body": b"the beginning", "more_body": True}]

    async def receive():
        return messages.pop() if messages else await stalled.wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": [(b"content-type", b"image/png")]}
    await RequestContext(app, metrics=Metrics(), max_bytes=1000, max_image_bytes=1000)(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"request-timeout" in sent[1]["body"]
