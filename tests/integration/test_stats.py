"""GET and POST /backend/image/stats."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest
from support.problem_details import problem_of
from support.tiny_models import GENERATOR

URL = "/backend/image/stats"


def count(client, images, action):
    return client.post(URL, json={"images": images, "action": action})


def popularity(client) -> dict:
    [stats] = [each for each in client.get(URL).json() if each["model_uuid"] == str(GENERATOR)]
    return stats


def test_likes_and_downloads_are_counted_for_image_and_model(client, faces):
    before = popularity(client)
    first, second = (face["uuid"] for face in faces(2))
    assert count(client, [first], "like").json() == [{"uuid": first, "likes": 1, "downloads": 0}]
    answer = count(client, [second, first], "download").json()
    assert answer == [{"uuid": second, "likes": 0, "downloads": 1}, {"uuid": first, "likes": 1, "downloads": 1}]
    after = popularity(client)
    assert {name: after[name] - before[name] for name in ("images", "likes", "downloads")} == {
        "images": 2,
        "likes": 1,
        "downloads": 2,
    }
    assert (after["model_name"], after["model_label"], after["model_version"]) == ("tiny-generator", "Tiny generator", 1)


def test_like_can_be_taken_back_and_never_falls_below_zero(client, faces):
    [face] = (face["uuid"] for face in faces())
    likes = [count(client, [face], action).json()[0]["likes"] for action in ("like", "unlike", "unlike", "like")]
    assert likes == [1, 0, 0, 1]


def test_image_named_twice_is_counted_once(client, faces):
    [face] = (face["uuid"] for face in faces())
    assert count(client, [face, face], "like").json() == [{"uuid": face, "likes": 1, "downloads": 0}]


def test_unknown_image_counts_nothing(client, faces):
    [face] = (face["uuid"] for face in faces())
    problem_of(count(client, [face, str(uuid4())], "like"), 404, "not-found", "images")
    assert count(client, [face], "download").json()[0]["likes"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"images": []}, "images"),
        ({"images": ["x"]}, "images.0"),
        ({"action": "hate"}, "action"),
        ({"images": [str(uuid4())] * 1001}, "images"),
    ],
)
def test_what_cannot_be_counted_is_refused(client, change, field):
    problem_of(client.post(URL, json={"images": [str(uuid4())], "action": "like"} | change), 422, "invalid-request", field)


async def test_no_like_is_lost_when_hundreds_come_at_once(server, faces):
    [face] = (face["uuid"] for face in faces())
    body = {"images": [face], "action": "like"}
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=50)) as client:
        answers = await asyncio.gather(*(client.post(URL, json=body) for _ in range(500)))
        assert [answer.status_code for answer in answers] == [200] * 500
        assert sorted(answer.json()[0]["likes"] for answer in answers) == list(range(1, 501))


async def test_likes_and_unlikes_at_once_come_out_even(server, faces):
    [face] = (face["uuid"] for face in faces())
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        await asyncio.gather(*(client.post(URL, json={"images": [face], "action": "like"}) for _ in range(50)))
        actions = ["like", "unlike"] * 50
        await asyncio.gather(*(client.post(URL, json={"images": [face], "action": action}) for action in actions))
        final = await client.post(URL, json={"images": [face], "action": "download"})
    assert final.json() == [{"uuid": face, "likes": 50, "downloads": 1}]
