"""GET and POST /backend/settings. What they change all share, so they use the server kept for that."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from support.problem_details import problem_of
from support.tiny_models import GENERATOR

URL = "/backend/settings"


@pytest.fixture
def server(hospital):
    return hospital


async def test_first_changes_at_once_all_succeed(start_server, tiny_models):
    # On a server of its own: only the first change of a setting makes its row.
    server = start_server(tiny_models)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=server.admin.headers) as client:
        assert (await client.get(URL)).json() == {"images_per_batch": 10}
        answers = await asyncio.gather(*(client.post(URL, json={"images_per_batch": n}) for n in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20


@pytest.mark.parametrize("value", [0, 1, 20])
def test_setting_is_kept_and_used(admin, client, value):
    assert admin.post(URL, json={"images_per_batch": value}).json() == {"images_per_batch": value}
    assert client.get(URL).json() == {"images_per_batch": value}
    made = client.post("/backend/image/generate", json={"models": [str(GENERATOR)]})
    assert made.status_code == 201
    assert len(made.json()["images"]) == value


def test_setting_left_out_stays(admin):
    admin.post(URL, json={"images_per_batch": 7})
    assert admin.post(URL, json={}).json() == {"images_per_batch": 7}
    assert admin.post(URL, json={"images_per_batch": None}).json() == {"images_per_batch": 7}


@pytest.mark.parametrize(
    "change", [{"images_per_batch": -1}, {"images_per_batch": 21}, {"images_per_batch": "many"}, {"colour": "red"}]
)
def test_value_out_of_range_is_refused_and_changes_nothing(admin, client, change):
    admin.post(URL, json={"images_per_batch": 5})
    problem_of(admin.post(URL, json=change), 422, "invalid-request", next(iter(change)))
    assert client.get(URL).json() == {"images_per_batch": 5}
