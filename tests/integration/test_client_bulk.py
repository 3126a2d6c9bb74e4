"""Thousands of images through the Python client: none is lost, none disturbs another, memory does not grow with their number."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from support.image_files import jpeg, png
from support.other_server import Answer, other_server
from support.server import Server
from support.tiny_models import DETECTOR, NOT_A_NUMBER

from visionlab_client import (
    AsyncVisionLab,
    NotFound,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
    UnreadableImage,
    UnusableImage,
    VisionLab,
)


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    return [jpeg(32, 32, seed) for seed in range(20)]


@pytest.fixture(scope="module")
def right(server, pictures) -> list[dict]:
    """The probabilities of each picture."""
    with VisionLab(server.url) as lab:
        return [lab.classify(data, models=[DETECTOR]).verdict.probabilities for data in pictures]


def test_each_image_has_its_own_answer_in_order(server, pictures, right, tmp_path):
    paths = []
    for number in range(200):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(pictures[number % len(pictures)])
        paths.append(path)
    with VisionLab(server.url) as lab:
        outcomes = list(lab.classify_many(iter(paths), models=[DETECTOR]))
    assert [outcome.image for outcome in outcomes] == paths
    assert [outcome.index for outcome in outcomes] == list(range(200))
    for outcome in outcomes:
        assert outcome.error is None
        assert outcome.answer.verdict.probabilities == pytest.approx(right[outcome.index % len(pictures)], abs=1e-5)


async def test_unordered_from_an_asynchronous_iterable(server, pictures, right):
    async def images():
        for data in pictures:
            yield data
            await asyncio.sleep(0)

    async with AsyncVisionLab(server.url) as lab:
        outcomes = [each async for each in lab.classify_many(images(), models=[DETECTOR], ordered=False, concurrency=5)]
    assert sorted(outcome.index for outcome in outcomes) == list(range(len(pictures)))
    for outcome in outcomes:
        assert outcome.image == pictures[outcome.index]
        assert outcome.answer.verdict.probabilities == pytest.approx(right[outcome.index], abs=1e-5)


def test_images_that_cannot_be_used_do_not_disturb_the_others(server, tmp_path):
    good, gone, folder, empty, damaged = (
        tmp_path / name for name in ("good.png", "gone.png", "folder", "empty.png", "damaged.png")
    )
    good.write_bytes(png())
    folder.mkdir()
    empty.touch()
    damaged.write_bytes(png()[:-30])
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/f\xffce.png")
    Path(strange).write_bytes(png())
    images = [good, gone, strange, folder, empty, good, damaged, b"no image", png()]
    with VisionLab(server.url) as lab:
        outcomes = list(lab.classify_many(images))
    kinds = [type(outcome.error) for outcome in outcomes]
    nothing = type(None)
    assert kinds == [
        nothing, UnreadableImage, nothing, UnreadableImage, UnusableImage, nothing, UnusableImage, UnusableImage, nothing,
    ]  # fmt: skip
    assert all((outcome.answer is None) == (outcome.error is not None) for outcome in outcomes)


def test_model_that_fails_on_an_image_is_the_images_error(hospital):
    with VisionLab(hospital.url) as lab:
        outcomes = list(lab.classify_many([png(), png()], models=[NOT_A_NUMBER]))
    assert [type(outcome.error) for outcome in outcomes] == [ServerFault, ServerFault]


def test_no_images(server):
    with VisionLab(server.url) as lab:
        assert list(lab.classify_many([])) == []
        assert list(lab.classify_many(iter(()), ordered=False)) == []


@pytest.mark.parametrize("ordered", [True, False])
def test_images_are_taken_when_their_turn_comes(server, ordered):
    taken = itertools.count()
    data = png()
    with VisionLab(server.url) as lab:
        outcomes = lab.classify_many((data for _ in taken), concurrency=3, ordered=ordered)
        for _ in range(10):
            next(outcomes)
        # Ten are given out; so many may be on their way or wait to be given out.
        assert next(taken) <= 10 + 3 * 4 + 1
        outcomes.close()
    assert threading.active_count() < 10


def test_iterable_that_fails_is_the_callers_error(server):
    def images():
        yield png()
        raise RuntimeError("the caller's own")

    with VisionLab(server.url) as lab:
        outcomes = lab.classify_many(images())
        assert next(outcomes).answer is not None
        with pytest.raises(RuntimeError, match="the caller's own"):
            next(outcomes)


def test_slow_iterable_does_not_hold_back_answers(server):
    """As `find | visionlab classify -`: the next path may come much later."""
    more = threading.Event()

    def images():
        yield png()
        assert more.wait(60)
        yield png()

    with VisionLab(server.url) as lab:
        outcomes = lab.classify_many(images())
        assert next(outcomes).index == 0
        more.set()
        assert [outcome.index for outcome in outcomes] == [1]


def test_stopped_run_does_not_wait_for_an_iterable_that_gives_nothing(server):
    never = threading.Event()

    def images():
        yield png()
        never.wait(60)

    try:
        with VisionLab(server.url) as lab, pytest.raises(NotFound):
            next(lab.classify_many(images(), models=[uuid4()]))
        assert not never.is_set()
    finally:
        never.set()


def test_unknown_model_stops_the_run(server):
    with VisionLab(server.url) as lab, pytest.raises(NotFound):
        list(lab.classify_many(itertools.repeat(png()), models=[uuid4()]))


def test_other_server_stops_the_run():
    with (
        other_server(Answer(200, b"<html>", {"Content-Type": "text/html"})) as other,
        VisionLab(other.url, patience=0) as lab,
        pytest.raises(UnexpectedAnswer),
    ):
        list(lab.classify_many(itertools.repeat(png())))


@pytest.mark.slow
@pytest.mark.parametrize("ordered", [True, False])
def test_server_is_killed_and_comes_back_and_no_image_is_lost(start_server, tiny_models, free_port, pictures, right, ordered):
    server = start_server(tiny_models, VISIONLAB_PORT=str(free_port()))
    count = 300
    outcomes = []
    with VisionLab(server.url) as lab:
        for outcome in lab.classify_many(
            (pictures[n % 20] for n in range(count)), models=[DETECTOR], concurrency=8, ordered=ordered
        ):
            outcomes.append(outcome)
            if len(outcomes) == 100:
                # The images on their way go on meanwhile, and find nobody.
                server.kill()
                server.start()
    assert sorted(outcome.index for outcome in outcomes) == list(range(count))
    assert not ordered or [outcome.index for outcome in outcomes] == list(range(count))
    for outcome in outcomes:
        assert outcome.error is None
        assert outcome.answer.verdict.probabilities == pytest.approx(right[outcome.index % 20], abs=1e-5)


def test_server_that_stays_away_ends_the_run_after_the_answers_that_there_are(start_server, tiny_models):
    server = start_server(tiny_models)
    outcomes = []

    def classify_for_ever(lab: VisionLab) -> None:
        for outcome in lab.classify_many(itertools.repeat(png()), concurrency=4):
            outcomes.append(outcome)
            if len(outcomes) == 20:
                server.kill()

    with VisionLab(server.url, patience=0.3) as lab, pytest.raises(Unreachable):
        classify_for_ever(lab)
    assert len(outcomes) >= 20
    assert all(outcome.answer is not None for outcome in outcomes)


def test_image_that_a_server_does_not_survive_is_the_images_error(server):
    status = Answer(200, server.client.get("/backend/status").content, {"Content-Type": "application/json"})
    with other_server(Answer(cut=True), status) as other, VisionLab(other.url, patience=0) as lab:
        [outcome] = lab.classify_many([png()])
    assert isinstance(outcome.error, Unreachable)


def test_busy_server_answers_all_in_the_end(tmp_path, tiny_models, pictures):
    server = Server(tmp_path / "data", tiny_models, VISIONLAB_MAX_QUEUE="2", VISIONLAB_THREADS="1").start()
    try:
        with VisionLab(server.url) as lab:
            outcomes = list(lab.classify_many(pictures * 4, concurrency=32))
        metrics = server.client.get("/metrics").text
    finally:
        server.close()
    assert [outcome.error for outcome in outcomes] == [None] * 80
    assert 'status="503"' in metrics, "the server was never too busy, so nothing was tried"
