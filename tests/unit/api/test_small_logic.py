"""What the routes and services work out without a server."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing

import numpy as np
import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from support.lanes import ONE_LANE

from visionlab_api.problems import ProblemError, answer, as_problem
from visionlab_api.routes.images import _matches, _range
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.generating import _shares, seeds_from
from visionlab_api.services.images import plain_filename
from visionlab_api.services.verdict import verdict
from visionlab_core.face_class import FaceClass
from visionlab_core.object_store import KeyNotFound, StoreFull, StoreUnavailable
from visionlab_inference.backend import BackendBusy, ModelFailed, ModelNotServed
from visionlab_inference.detection import Vote
from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-99", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=99-99", (99, 1)),
        ("bytes=50-", (50, 50)),
        ("bytes=-1", (99, 1)),
        ("bytes=-1000", (0, 100)),
        ("bytes=10-1000", (10, 90)),
        ("bytes=-", None),
        ("bytes=9-8", None),
        ("bytes=0-1,3-4", None),
        ("bytes= 0-1", None),
        ("items=0-1", None),
        ("bytes=1e1-", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_range_of_100_bytes(header, expected):
    assert _range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=100-200", "bytes=999999999999999999-"])
def test_range_outside_of_100_bytes(header):
    with pytest.raises(ProblemError) as refusal:
        _range(header, 100)
    assert refusal.value.status == 416
    assert refusal.value.headers == {"Content-Range": "bytes */100"}


@pytest.mark.parametrize(
    ("header", "matches"),
    [(None, False), ("", False), ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ("a", False), ('"b"', False)],
)
def test_known_tags(header, matches):
    assert _matches(header, '"a"') is matches


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        ([0.97, 0.01, 0.01, 0.01], "This looks like a real photo of a person. I am very sure (98 %)."),
        ([0.1, 0.87, 0.02, 0.01], "This looks like a generated photo of a person. I am fairly sure (88 %)."),
        ([0.1, 0.1, 0.6, 0.2], "This looks like a cartoon face that an artist drew. I am not very sure (70 %)."),
        ([0.3, 0.15, 0.15, 0.4], "This looks like a generated cartoon face. I could easily be wrong (55 %)."),
        ([1.0, 0.0, 0.0, 0.0], "This looks like a real photo of a person. I am very sure (99 %)."),
    ],
)
def test_verdict_in_words(probabilities, sentence):
    assert verdict(Vote(np.array(probabilities, np.float32))).sentence == sentence


def test_verdict_in_numbers():
    found = verdict(Vote(np.array([0.1, 0.2, 0.3, 0.4], np.float32)))
    assert found.called == FaceClass.ANIME_GEN
    assert found.generated
    assert found.confidence == pytest.approx(0.6)
    assert list(found.probabilities) == list(FaceClass)
    assert list(found.probabilities.values()) == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("count", "models", "shares"),
    [(10, 1, [10]), (10, 3, [4, 3, 3]), (2, 3, [1, 1, 0]), (9, 3, [3, 3, 3]), (0, 2, [0, 0])],
)
def test_faces_are_shared_out_evenly_over_the_models(count, models, shares):
    assert _shares(count, models) == shares


def test_given_seed_counts_up_and_stays_in_range():
    assert seeds_from(5, 3) == [5, 6, 7]
    assert seeds_from(2**53 - 1, 2) == [2**53 - 1, 0]
    drawn = seeds_from(None, 1000)
    assert len(set(drawn)) == 1000
    assert all(0 <= seed < 2**53 for seed in drawn)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (None, None),
        ("", None),
        ("a.png", "a.png"),
        ("../../a.png", "a.png"),
        ("C:\\photos\\a.png", "a.png"),
        ("a\0b\n\ud800\x1b[31m.png", "ab[31m.png"),
        ("\n", None),
        ("é" * 300, "é" * 255),
    ],
)
def test_plain_file_names(name, plain):
    assert plain_filename(name) == plain


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotAnImage("x"), 415, "not-an-image"),
        (ImageTooLarge("x"), 413, "image-too-large"),
        (BrokenImage("x"), 422, "unusable-image"),
        (ImageTooSmall("x"), 422, "unusable-image"),
        (BackendBusy("x", 2.5), 503, "busy"),
        (ModelNotServed("x"), 503, "model-not-ready"),
        (ModelFailed("x"), 502, "model-failed"),
        (StoreFull("x"), 507, "store-full"),
        (StoreUnavailable("x"), 503, "store-unavailable"),
        (KeyNotFound("x"), 404, "not-found"),
        (OperationalError("x", {}, Exception()), 503, "database-unavailable"),
        (PoolTimeout(), 503, "database-unavailable"),
    ],
)
def test_foreseen_errors_are_problems(error, status, kind):
    problem = as_problem(error)
    assert (problem.status, problem.kind) == (status, kind)
    response = answer(problem)
    assert response.media_type == "application/problem+json"
    if status == 503:
        assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), IntegrityError("x", {}, Exception()), AssertionError()])
def test_faults_of_ours_are_not_passed_off_as_the_databases(error):
    assert as_problem(error) is None


def test_retry_after_is_rounded_up():
    assert answer(as_problem(BackendBusy("x", 2.1))).headers["retry-after"] == "3"


async def test_decoder_refuses_when_too_much_waits_and_recovers():
    decoder = Decoder(ONE_LANE, 2)
    gate = threading.Event()
    waiting = [asyncio.create_task(decoder.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(BackendBusy):
        await decoder.run(lambda: 1)
    gate.set()
    await asyncio.gather(*waiting)
    assert await decoder.run(lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        await decoder.run(lambda: 1 // 0)
    assert await decoder.run(lambda: 2) == 2


def test_a_database_without_room_is_told_from_one_that_is_away():
    with closing(sqlite3.connect(":memory:")) as small:
        small.execute("PRAGMA max_page_count=1")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.execute("CREATE TABLE a (b)")
    for error, status in (
        (full.value, 507),
        (psycopg.errors.DiskFull(), 507),
        (psycopg.errors.AdminShutdown(), 503),
        (sqlite3.OperationalError("database is locked"), 503),
    ):
        problem = as_problem(OperationalError("INSERT", {}, error))
        assert problem is not None
        assert problem.status == status
        assert problem.retry_after
