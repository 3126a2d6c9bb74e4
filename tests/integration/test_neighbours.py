"""POST /backend/image/neighbours and /mix: faces like one, and of the styles of two."""

from __future__ import annotations

import io
import json
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update
from support.image_files import png
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import GENERATOR, MIXER, mixing_card, mixing_onnx, write_tiny_models, write_version
from support.waiting import block_until

from visionlab_api.database.tables import ImageRow, ModelRow
from visionlab_api.schemas import MAX_STEPS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("neighbours")
    write_tiny_models(folder / "models")
    onnx = mixing_onnx()
    write_version(folder / "models", mixing_card(onnx), onnx)
    server = Server(folder / "data", folder / "models").start()
    yield server
    server.close()


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=180) as client:
        yield client


@pytest.fixture
def ask(client):
    def ask(what: str, **fields) -> list[dict]:
        answer = client.post(f"/backend/image/{what}", json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["images"]

    return ask


@pytest.fixture
def face(ask):
    def face(model=GENERATOR, seed=1, **fields) -> dict:
        [image] = ask("generate", models=[str(model)], count=1, seed=seed, **fields)
        return image

    return face


def again(ask, image: dict) -> dict:
    """The same picture, from what the API says that it is made of."""
    made = image["how_made"]
    of = {key: made[key] for key in ("seed", "truncation", "steps", "style")}
    [same] = ask("generate", models=[made["model_uuid"]], count=1, **of)
    return same


def data(client, image: dict) -> bytes:
    return client.get(image["url"]).content


def pixels(client, image: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data(client, image)))).astype(float)


def test_neighbours_are_like_the_face_each_in_its_own_way(client, ask, face):
    own = face(truncation=0.7)
    near = ask("neighbours", image=own["uuid"], count=6, distance=0.2)
    far = ask("neighbours", image=own["uuid"], count=6, distance=1)
    assert len({data(client, image) for image in (own, *near, *far)}) == 13
    for image in near:
        assert image["how_made"] | {"steps": []} == own["how_made"]
        [step] = image["how_made"]["steps"]
        assert step["distance"] == 0.2
        assert data(client, again(ask, image)) == data(client, image)
        [listed] = [each for each in client.get("/backend/image").json()["images"] if each["uuid"] == image["uuid"]]
        assert listed == image

    def unlikeness(images) -> float:
        return np.mean([np.abs(pixels(client, image) - pixels(client, own)).mean() for image in images])

    assert 0 < unlikeness(near) < 0.5 * unlikeness(far)


def test_seed_says_which_neighbours(client, ask, face):
    own = face()
    first = ask("neighbours", image=own["uuid"], count=2, seed=40)
    assert [image["how_made"]["steps"] for image in first] == [[{"seed": 40, "distance": 0.3}], [{"seed": 41, "distance": 0.3}]]
    second = ask("neighbours", image=own["uuid"], count=2, seed=40)
    assert [data(client, image) for image in first] == [data(client, image) for image in second]


def test_without_a_count_it_is_the_batch_of_the_settings(client, ask, face):
    assert len(ask("neighbours", image=face()["uuid"])) == client.get("/backend/settings").json()["images_per_batch"]


def test_walk_goes_on_from_a_neighbour_and_has_an_end(client, ask, face):
    image = face()
    for count in range(1, MAX_STEPS + 1):
        [image] = ask("neighbours", image=image["uuid"], count=1, distance=0.1)
        assert len(image["how_made"]["steps"]) == count
    assert data(client, again(ask, image)) == data(client, image)
    answer = client.post("/backend/image/neighbours", json={"image": image["uuid"], "count": 1})
    assert "choose another" in problem_of(answer, 422, "invalid-request", "image")["detail"]


def test_face_has_the_shape_of_one_and_the_style_of_another(client, ask, face):
    shape, style = face(MIXER, 1), face(MIXER, 2)
    [mixed] = ask("mix", image=shape["uuid"], style=style["uuid"])
    assert mixed["how_made"] == shape["how_made"] | {"style": {"seed": 2, "steps": [], "crossover": 0.5}}
    assert data(client, again(ask, mixed)) == data(client, mixed)
    assert data(client, mixed) not in (data(client, shape), data(client, style))
    [other] = ask("mix", image=shape["uuid"], style=style["uuid"], crossover=0)
    assert data(client, other) == data(client, style), "all layers have the style of the second"


def test_what_is_mixed_may_be_mixed_and_varied(client, ask, face):
    one, two, three = (face(MIXER, seed) for seed in (1, 2, 3))
    [neighbour] = ask("neighbours", image=two["uuid"], count=1, seed=9)
    [mixed] = ask("mix", image=one["uuid"], style=neighbour["uuid"])
    step = {"seed": 9, "distance": 0.3}
    assert mixed["how_made"]["style"] == {"seed": 2, "steps": [step], "crossover": 0.5}
    [varied] = ask("neighbours", image=mixed["uuid"], count=1, seed=9)
    assert varied["how_made"] == mixed["how_made"] | {"steps": [step]}
    [restyled] = ask("mix", image=three["uuid"], style=varied["uuid"], crossover=0.25)
    assert restyled["how_made"]["style"] == {"seed": 2, "steps": [step], "crossover": 0.25}
    for image in (mixed, varied, restyled):
        assert data(client, again(ask, image)) == data(client, image)


def test_pages_know_which_generators_mix(client):
    told = {model["uuid"]: model["mixes_styles"] for model in client.get("/backend/model/generator").json()}
    assert told == {str(GENERATOR): False, str(MIXER): True}


def test_only_styles_of_one_generator_that_has_some_are_mixed(client, face):
    plain, styled = face(), face(MIXER)
    for image, style, field in ((plain, plain, "image"), (styled, plain, "style"), (plain, styled, "style")):
        answer = client.post("/backend/image/mix", json={"image": image["uuid"], "style": style["uuid"]})
        problem_of(answer, 422, "invalid-request", field)
    style = {"seed": 2}
    answer = client.post("/backend/image/generate", json={"models": [str(MIXER), str(GENERATOR)], "count": 1, "style": style})
    assert "cannot mix styles" in problem_of(answer, 422, "invalid-request", "style")["detail"]


def test_only_faces_made_here_are_varied(client, face):
    photo = client.post("/backend/image", files={"file": ("a.png", png())}).json()
    for url, body, field in (
        ("neighbours", {"image": photo["uuid"]}, "image"),
        ("mix", {"image": photo["uuid"], "style": photo["uuid"]}, "image"),
    ):
        problem = problem_of(client.post(f"/backend/image/{url}", json=body), 422, "invalid-request", field)
        assert "uploaded" in problem["detail"]


def test_photo_of_somebody_else_is_not_there(server, client):
    photo = client.post("/backend/image", files={"file": ("a.png", png())}).json()
    with httpx.Client(base_url=server.url, timeout=180) as stranger:
        problem_of(stranger.post("/backend/image/neighbours", json={"image": photo["uuid"]}), 404, "not-found", "image")


@pytest.mark.parametrize(
    ("url", "field", "value"),
    [
        ("neighbours", "image", "x"),
        ("neighbours", "count", 0),
        ("neighbours", "count", 101),
        ("neighbours", "distance", 0),
        ("neighbours", "distance", 1.01),
        ("neighbours", "distance", "0.3"),
        ("neighbours", "seed", 2**53),
        ("neighbours", "size", 1),
        ("mix", "style", None),
        ("mix", "crossover", 1),
        ("mix", "crossover", -0.1),
        ("generate", "steps", [{"seed": 1, "distance": 0.1}] * (MAX_STEPS + 1)),
        ("generate", "steps", [{"seed": -1, "distance": 0.1}]),
        ("generate", "steps", [{"seed": 1}]),
        ("generate", "style", {"seed": 1, "crossover": 2}),
        ("generate", "style", {"seed": 1, "colour": 2}),
        ("generate", "style", [1]),
    ],
)
def test_field_out_of_range_is_refused(client, face, url, field, value):
    image = face(MIXER)["uuid"]
    whole = {
        "neighbours": {"image": image},
        "mix": {"image": image, "style": image},
        "generate": {"models": [str(MIXER)], "count": 1},
    }[url]
    problem = problem_of(client.post(f"/backend/image/{url}", json=whole | {field: value}), 422, "invalid-request")
    assert problem["field"].startswith(field)


def test_number_that_is_none_is_refused(client, face):
    body = json.dumps({"image": face()["uuid"], "distance": float("nan")})
    answer = client.post("/backend/image/neighbours", content=body, headers={"Content-Type": "application/json"})
    problem_of(answer, 422, field="distance")


def test_unknown_image_makes_nothing(client, face):
    problem_of(client.post("/backend/image/neighbours", json={"image": str(uuid4())}), 404, "not-found", "image")
    body = {"image": face(MIXER)["uuid"], "style": str(uuid4())}
    problem_of(client.post("/backend/image/mix", json=body), 404, "not-found")


def test_face_of_another_version_has_no_neighbours_now(server, client, face):
    image = face()
    with server.database() as database:
        database.execute(update(ImageRow).where(ImageRow.uuid == UUID(image["uuid"])).values(model_version=2))
    problem = problem_of(client.post("/backend/image/neighbours", json={"image": image["uuid"]}), 409, "model-changed", "image")
    assert "version 2 made this image" in problem["detail"]


def test_face_of_a_disabled_generator_has_no_neighbours_now(server, client, face):
    image = face()

    def set_status(status: str) -> None:
        with server.database() as database:
            database.execute(update(ModelRow).where(ModelRow.uuid == GENERATOR).values(status=status))
        block_until(lambda: state() == {"disabled": "disabled", "enabled": "ready"}[status])

    def state() -> str:
        models = client.get("/backend/model/generator").json()
        return next(model["state"] for model in models if model["uuid"] == str(GENERATOR))

    set_status("disabled")
    problem_of(client.post("/backend/image/neighbours", json={"image": image["uuid"]}), 409, "model-disabled", "image")
    set_status("enabled")
