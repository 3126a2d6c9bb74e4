"""Very many models: they are told of in parts, and those who only want the enabled ones are not held up by the others."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import DETECTOR, detector_card
from support.waiting import block_until

from visionlab_api.database.tables import ModelRow
from visionlab_client import AsyncVisionLab, VisionLab

MANY = 450


@pytest.fixture(scope="module")
def crowded(tmp_path_factory, tiny_models):
    server = Server(tmp_path_factory.mktemp("crowded"), tiny_models, VISIONLAB_UI_FOLDER="none").start()
    with server.database() as database:
        database.execute(insert(ModelRow), [row(f"m-{number * 7 % MANY:03d}") for number in range(MANY)])
    block_until(lambda: server.client.get("/backend/status").json()["counts"]["disabled"] == MANY, "what the table says")
    yield server
    server.close()


def row(name: str) -> dict:
    card = detector_card(b"", uuid4(), name)
    return {
        "uuid": card.uuid, "type": "detector", "name": name, "version": 1, "label": name, "status": "disabled",
        "ensemble": False, "base_models": [], "card": card.model_dump(mode="json"),
    }  # fmt: skip


def names(server, **query) -> list[str]:
    """Of all parts."""
    return [name for part in parts_of(server, **query) for name in part]


def parts_of(server, **query) -> list[list[str]]:
    """The names in each part."""
    parts, url = [], f"{server.url}/backend/model/detector"
    answer = server.client.get(url, params=query)
    while True:
        assert answer.status_code == 200, answer.text
        parts.append([model["name"] for model in answer.json()])
        if "next" not in answer.links:
            return parts
        answer = server.client.get(answer.url.join(answer.links["next"]["url"]))


def test_all_models_come_in_parts_each_once(crowded):
    parts = parts_of(crowded)
    assert [len(part) for part in parts] == [100, 100, 100, 100, 52]
    oldest = names(crowded)
    assert len(set(oldest)) == MANY + 2
    assert names(crowded, sort="newest", limit=200) == oldest[::-1]
    assert names(crowded, sort="name", limit=77) == sorted(oldest)
    assert names(crowded, sort="-name", limit=200) == sorted(oldest)[::-1]


def test_filters_hold_in_every_part(crowded):
    assert names(crowded, status="enabled") == ["tiny-detector", "other-detector"]
    parts = parts_of(crowded, status="disabled", name="M-1", limit=30, sort="name")
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    assert [name for part in parts for name in part] == [f"m-1{number:02d}" for number in range(100)]


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": 201}, {"sort": "likes"}, {"name": "a b"}])
def test_what_is_no_part_is_refused(crowded, query):
    problem_of(crowded.client.get("/backend/model/detector", params=query), 422, "invalid-request", next(iter(query)))


async def test_python_client_gives_all_parts(crowded):
    with VisionLab(crowded.url) as lab:
        assert len(lab.models("detector")) == MANY + 2
        assert [model.name for model in lab.models("detector", status="enabled")] == ["tiny-detector", "other-detector"]
    async with AsyncVisionLab(crowded.url) as lab:
        assert len(await lab.models("detector")) == MANY + 2


def test_status_shows_those_in_service_and_counts_all(crowded):
    status = crowded.client.get("/backend/status").json()
    assert len(status["models"]) == 200
    assert [model["state"] for model in status["models"][:4]] == ["ready", "ready", "ready", "disabled"]
    assert status["counts"] == {"ready": 3, "loading": 0, "failed": 0, "disabled": MANY}


def test_model_that_comes_in_the_place_of_one_that_went_is_seen(crowded):
    # SQLite gives the row of the newest model, once that is gone, to the next.
    with crowded.database() as database:
        newest = database.scalar(select(ModelRow.uuid).order_by(ModelRow.id.desc()).limit(1))
    crowded.admin.delete(f"/backend/model/{newest}").raise_for_status()
    with crowded.database() as database:
        database.execute(insert(ModelRow), [row("instead")])
    crowded.admin.patch(f"/backend/model/{DETECTOR}/status/enabled").raise_for_status()
    [name] = [
        each["name"] for each in crowded.client.get("/backend/model/detector", params={"sort": "newest", "limit": 1}).json()
    ]
    assert name == "instead"
    with crowded.database() as database:  # as it was, for the other tests
        database.execute(delete(ModelRow).where(ModelRow.name == "instead"))
        card = row("m-" + f"{(MANY - 1) * 7 % MANY:03d}")
        database.execute(insert(ModelRow), [card])


def test_keys_come_in_parts(crowded):
    made = [crowded.admin.post("/backend/key", json={"name": f"k{n}", "scopes": ["inference"]}).json()["uuid"] for n in range(5)]
    first = crowded.admin.get("/backend/key", params={"limit": 3})
    rest = crowded.admin.get(first.url.join(first.links["next"]["url"]))
    assert [key["uuid"] for key in first.json() + rest.json()] == made[::-1]
    assert "next" not in rest.links
