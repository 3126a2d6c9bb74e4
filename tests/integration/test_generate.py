"""POST /backend/image/generate."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from support.problem_details import problem_of
from support.tiny_models import DETECTOR, GENERATOR, SIDE

URL = "/backend/image/generate"
MODELS = [str(GENERATOR)]


def pixels(client, image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(client.get(image["url"]).content)))


def test_new_faces_are_stored_with_what_made_them(client, faces):
    images = faces(3, seed=40, truncation=0.7)
    assert [image["how_made"]["seed"] for image in images] == [40, 41, 42]
    for image in images:
        assert image["image_type"] == "generated"
        assert (image["width"], image["height"]) == (SIDE, SIDE)
        assert (image["likes"], image["downloads"]) == (0, 0)
        assert image["class_label"] == "human_gen"
        assert image["how_made"] == {
            "model_uuid": str(GENERATOR), "model_name": "tiny-generator", "model_label": "Tiny generator",
            "model_version": 1, "seed": image["how_made"]["seed"], "truncation": 0.7,
            "steps": [], "style": None,
        }  # fmt: skip
        assert pixels(client, image).shape == (SIDE, SIDE, 3)


def test_same_seed_and_truncation_make_the_same_file(client, faces):
    [first], [again], [other], [drawn] = faces(seed=7), faces(seed=7), faces(seed=8), faces(seed=7, truncation=0.5)
    contents = [client.get(image["url"]).content for image in (first, again, other, drawn)]
    assert first["uuid"] != again["uuid"]
    assert contents[0] == contents[1]
    assert contents[2] != contents[0] != contents[3]


def test_face_of_a_batch_is_the_face_of_its_seed(client, faces):
    batch = faces(20, seed=100)
    for place in (0, 9, 19):
        [alone] = faces(seed=100 + place)
        assert client.get(alone["url"]).content == client.get(batch[place]["url"]).content


def test_faces_without_a_seed_differ(client, faces):
    seeds = [image["how_made"]["seed"] for image in faces(10)]
    assert len(set(seeds)) == 10
    assert all(0 <= seed < 2**53 for seed in seeds)
    [image] = faces(1)
    [again] = faces(1, seed=image["how_made"]["seed"])
    assert client.get(image["url"]).content == client.get(again["url"]).content


def test_model_named_twice_runs_once(client):
    answer = client.post(URL, json={"models": MODELS * 2, "count": 4, "seed": 1})
    assert [image["how_made"]["seed"] for image in answer.json()["images"]] == [1, 2, 3, 4]


def test_new_faces_are_listed_newest_first(client, faces):
    made = [image["uuid"] for image in faces(5)]
    found, cursor = [], None
    while not set(made) <= set(found):
        page = client.get(
            "/backend/image", params={"type": "generated", "limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        found += [image["uuid"] for image in page["images"]]
        cursor = page["next_cursor"]
    assert len(found) == len(set(found))
    assert [uuid for uuid in found if uuid in made] == made[::-1]


def test_many_clients_at_once_each_get_theirs(client):
    def make(seed: int) -> list[int]:
        answer = client.post(URL, json={"models": MODELS, "count": 3, "seed": seed})
        return [image["how_made"]["seed"] for image in answer.json()["images"]]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make, range(0, 200, 10))) == [[n, n + 1, n + 2] for n in range(0, 200, 10)]


@pytest.mark.parametrize("count", [0, -1, 101, 10**9, 10**30, 1.5, "many", [], {}])
def test_count_out_of_range_is_refused(client, count):
    problem_of(client.post(URL, json={"models": MODELS, "count": count}), 422, "invalid-request", "count")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**53),
        ("seed", "x"),
        ("truncation", 0),
        ("truncation", 1.01),
        ("truncation", "x"),
        ("models", []),
        ("models", [str(uuid4())] * 33),
        ("models", None),
        ("size", 10),
    ],
)
def test_field_out_of_range_is_refused(client, field, value):
    problem_of(client.post(URL, json={"models": MODELS, "count": 1, field: value}), 422, "invalid-request", field)


def test_number_that_is_none_is_refused(client):
    body = f'{{"models": ["{GENERATOR}"], "count": 1, "truncation": NaN}}'
    problem_of(client.post(URL, content=body, headers={"Content-Type": "application/json"}), 422, field="truncation")


def test_last_seed_is_accepted(faces):
    assert [image["how_made"]["seed"] for image in faces(1, seed=2**53 - 1)] == [2**53 - 1]


def test_unknown_generator_makes_nothing(client):
    before = client.get("/backend/image", params={"limit": 1}).json()["images"]
    problem_of(client.post(URL, json={"models": [*MODELS, str(uuid4())], "count": 2}), 404, "not-found", "models")
    problem_of(client.post(URL, json={"models": [str(DETECTOR)], "count": 2}), 404, "not-found", "models")
    assert client.get("/backend/image", params={"limit": 1}).json()["images"] == before
