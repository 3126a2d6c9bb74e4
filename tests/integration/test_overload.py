"""More work than the server can hold: some is refused and told when to come back, the rest is right, and it recovers."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from support.image_files import noise_png, png
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import GENERATOR


@pytest.fixture(scope="module")
def small_server(tmp_path_factory, tiny_models):
    server = Server(
        tmp_path_factory.mktemp("overload"), tiny_models, VISIONLAB_MAX_QUEUE="4", VISIONLAB_THREADS="1",
        VISIONLAB_MAX_IMAGE_BYTES="4000000", VISIONLAB_MAX_REQUEST_BYTES="5000000", VISIONLAB_CACHED_ANSWERS="0",
    ).start()  # fmt: skip
    yield server
    server.close()


async def at_once(server, count: int, ask) -> tuple[list[httpx.Response], list[httpx.Response]]:
    """Answers and refusals of `count` requests."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=count)) as client:
        answers = await asyncio.gather(*(ask(client) for _ in range(count)))
    refused = [answer for answer in answers if answer.status_code == 503]
    return [answer for answer in answers if answer.status_code != 503], refused


async def test_too_many_images_at_once(small_server):
    data = noise_png(1000)
    files = {"images": ("a.png", data)}
    right = small_server.client.post("/backend/image/classify", files=files).json()["results"][0]["verdict"]["probabilities"]

    answered, refused = await at_once(small_server, 40, lambda client: client.post("/backend/image/classify", files=files))
    assert answered
    assert refused
    for answer in answered:
        assert answer.status_code == 200
        assert answer.json()["results"][0]["verdict"]["probabilities"] == pytest.approx(right, abs=1e-5)
    for answer in refused:
        problem_of(answer, 503, "busy")

    again = small_server.client.post("/backend/image/classify", files=files)
    assert again.status_code == 200


async def test_too_many_faces_at_once_and_only_those_made_are_kept(small_server):
    body = {"models": [str(GENERATOR)], "count": 3}
    answered, refused = await at_once(small_server, 40, lambda client: client.post("/backend/image/generate", json=body))
    assert answered
    for answer in refused:
        problem_of(answer, 503, "busy")
    assert {answer.status_code for answer in answered} == {201}
    made = {image["uuid"] for answer in answered for image in answer.json()["images"]}
    listed = small_server.client.get("/backend/image", params={"type": "generated", "limit": 200}).json()["images"]
    assert {image["uuid"] for image in listed} == made
    assert len(made) == 3 * len(answered)
    assert small_server.client.post("/backend/image/generate", json=body).status_code == 201


def test_request_for_more_images_than_the_queue_holds_is_answered_at_the_pace_of_the_models(small_server):
    files = [("images", (f"{n}.png", png(seed=n))) for n in range(30)]
    results = small_server.client.post("/backend/image/classify", files=files).json()["results"]
    assert [result["filename"] for result in results] == [f"{n}.png" for n in range(30)]
    assert all(result["verdict"] for result in results)


def test_limits_are_those_of_the_configuration(small_server):
    answer = small_server.client.post("/backend/image", files={"file": ("a.png", noise_png(1200))})
    problem_of(answer, 413, "image-too-large")
    answer = small_server.client.post("/backend/image", files={"file": ("a.png", bytes(6_000_000))})
    problem_of(answer, 413, "request-too-large")
