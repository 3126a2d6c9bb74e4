"""When a call is sent again, without waiting for it: the rules are a generator that says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from visionlab_client import Busy, InvalidRequest, NotFound, ServerFault, TimedOut, UnexpectedAnswer, Unreachable, UnusableImage
from visionlab_client.calls import Call
from visionlab_client.exchange import Patience, Wait, exchange

REQUEST = httpx.Request("POST", "http://server/backend/thing")
READ = Call("GET", "/backend/thing", lambda response: response.json())
CHANGE = Call("POST", "/backend/thing", lambda response: response.json(), repeatable=False)
KNOWN = 1000.0


def answer(status: int = 200, body: object = "yes", **headers: str) -> httpx.Response:
    kind = "application/json" if status < 400 else "application/problem+json"
    return httpx.Response(
        status,
        content=json.dumps(body).encode(),
        headers={"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}},
        request=REQUEST,
    )


def problem(status: int, kind: str = "any", **headers: str) -> httpx.Response:
    body = {"type": f"/problems/{kind}", "title": "T", "status": status, "detail": "D.", "instance": "r1", "field": "f"}
    return answer(status, body, **headers)


def page(status: int) -> httpx.Response:
    return httpx.Response(status, content=b"<html>", headers={"content-type": "text/html"}, request=REQUEST)


def lost(kind: type[httpx.RequestError]) -> httpx.RequestError:
    return kind("lost", request=REQUEST)


def waits(call: Call, *replies: httpx.Response | httpx.RequestError, seconds: float = KNOWN) -> list[float]:
    """The waits between these replies, the last of which must be taken for an answer."""
    steps = exchange(call, Patience(seconds, answered=True))
    waited = []
    assert next(steps) is call
    for reply in replies:
        try:
            step = steps.send(reply)
        except StopIteration:
            return waited
        assert isinstance(step, Wait)
        waited.append(step.seconds)
        assert next(steps) is call
    raise AssertionError("no answer was taken")


def raised(call: Call, reply: httpx.Response | httpx.RequestError, seconds: float = KNOWN) -> Exception:
    """The error that ends an exchange at its first reply."""
    steps = exchange(call, Patience(seconds, answered=True))
    next(steps)
    with pytest.raises(Exception, match=r"\w") as error:
        steps.send(reply)
    return error.value


@pytest.mark.parametrize("call", [READ, CHANGE])
@pytest.mark.parametrize(
    "refusal", [problem(503, "busy"), problem(429), page(503), lost(httpx.ConnectError), lost(httpx.ConnectTimeout)]
)
def test_what_the_server_did_not_take_is_sent_again(call, refusal):
    assert len(waits(call, refusal, refusal, answer())) == 2


TAKEN = [
    lost(httpx.ReadError),
    lost(httpx.RemoteProtocolError),
    lost(httpx.WriteError),
    lost(httpx.ReadTimeout),
    page(502),
    page(504),
]


@pytest.mark.parametrize("reply", TAKEN)
def test_what_the_server_perhaps_took_is_sent_again_only_if_it_may_be_repeated(reply):
    assert len(waits(READ, reply, answer())) == 1
    assert isinstance(raised(CHANGE, reply), Unreachable | UnexpectedAnswer)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (problem(404), NotFound),
        (problem(422, "invalid-request"), InvalidRequest),
        (problem(422, "unusable-image"), UnusableImage),
        (problem(415, "not-an-image"), UnusableImage),
        (problem(413, "image-too-large"), UnusableImage),
        (problem(500), ServerFault),
        (problem(502, "model-failed"), ServerFault),
        (page(200), UnexpectedAnswer),
        (page(404), UnexpectedAnswer),
    ],
)
def test_what_would_not_change_is_not_sent_again(reply, kind):
    assert type(raised(READ, reply)) is kind


def test_problem_is_told_in_full():
    error = raised(READ, problem(503, "no-model", retry_after="7"), seconds=0)
    assert isinstance(error, Busy)
    assert (error.status, error.kind, error.type, error.title) == (503, "no-model", "/problems/no-model", "T")
    assert (error.detail, str(error), error.field, error.request_id, error.retry_after) == ("D.", "D.", "f", "r1", 7)


def test_waits_grow_and_differ():
    all_waits = [waits(READ, *[lost(httpx.ConnectError)] * 9, answer()) for _ in range(20)]
    for each in all_waits:
        assert all(0.125 * 2**number <= wait <= 0.25 * 2**number for number, wait in enumerate(each[:6]))
        assert all(5 <= wait <= 10 for wait in each[6:])
    assert len({tuple(each) for each in all_waits}) == 20


def test_server_that_names_a_time_is_not_asked_before():
    [wait] = waits(READ, problem(503, "busy", retry_after="30"), answer())
    assert 30 < wait <= 30.25
    at = datetime.now(UTC) + timedelta(seconds=100)
    [wait] = waits(READ, problem(429, retry_after=format_datetime(at, usegmt=True)), answer())
    assert 98 < wait <= 100.25
    [wait] = waits(READ, problem(503, "busy", retry_after="soon"), answer())
    assert wait <= 0.25


def test_patience_ends():
    assert isinstance(raised(READ, lost(httpx.ConnectError), seconds=0), Unreachable)
    assert isinstance(raised(READ, problem(503, "busy", retry_after="61"), seconds=60), Busy)
    assert isinstance(raised(READ, lost(httpx.ReadTimeout), seconds=0), TimedOut)


def test_server_that_never_answered_gets_little_patience():
    patience = Patience(60)
    steps = exchange(READ, patience)
    next(steps)
    with pytest.raises(Busy):
        steps.send(problem(503, "busy", retry_after="61"))
    assert Patience(60).now == 5
    assert patience.now == 60, "it has answered now"


def test_patience_of_one_call_alone():
    patience = Patience(60)
    steps = exchange(READ, patience, 0)
    next(steps)
    with pytest.raises(Busy):
        steps.send(problem(503, "busy"))
    assert patience.now == 60, "what is learnt of the server is kept"
