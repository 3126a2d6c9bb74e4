"""Generators and a stack of detectors, made by what trains, over HTTP only: ordered, trained, put into service, used."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.archives import face, zip_of
from support.image_files import png
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import write_tiny_models
from support.tiny_training import NARROW_COMMAND
from support.tus import upload_file
from support.waiting import block_until

pytestmark = pytest.mark.slow

MODELS = Path(__file__).parents[2] / "models"
CLASSES = ("human", "human_gen", "anime", "anime_gen")
BASES = ("mobilenetv2", "efficientnetlite0")
"""Shipped detectors that came with their weights."""
HEAD = (4 * len(BASES) + 1) * 12 + (12 + 1) * 4
"""Parameters of the two dense layers on top."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One with the two shipped detectors, whose GANs are narrow."""
    folder = tmp_path_factory.mktemp("real-trainings")
    write_tiny_models(folder / "models")
    for path in MODELS.glob("*/*/card.json"):
        if json.loads(path.read_text())["name"] in BASES:
            shutil.copytree(path.parent, folder / "models" / path.parent.relative_to(MODELS))
    server = Server(
        folder / "data",
        folder / "models",
        VISIONLAB_UI_FOLDER=str(folder / "none"),
        VISIONLAB_TRAIN_COMMAND=NARROW_COMMAND,
        VISIONLAB_TRAINING_NICE="0",
    ).start()
    yield server
    server.close()


def make_dataset(server, kind: str, classes: tuple[str, ...], each: int) -> str:
    files = {f"{name}/{seed}.jpg": face(100 * place + seed) for place, name in enumerate(classes) for seed in range(each)}
    body = {"name": f"faces-of-{kind}", "type": kind, "uploads": [upload_file(server.admin, "faces.zip", zip_of(files))]}
    dataset = server.admin.post("/backend/dataset", json=body).json()["uuid"]
    block_until(lambda: server.admin.get(f"/backend/dataset/{dataset}/report").json()["state"] == "ready")
    return dataset


@pytest.fixture(scope="module")
def faces(server) -> str:
    """A data set for generators: as few faces as may be learnt from."""
    return make_dataset(server, "generator", ("human",), 12)


def trained(server, **request) -> tuple[dict, dict]:
    """Order a training and follow it to its end; gives it, and the model that came of it."""
    answer = server.admin.post("/backend/training", json=request)
    assert answer.status_code == 201, answer.text
    url = f"/backend/training/{answer.json()['uuid']}"
    # However long it says nothing: a test has its own time.
    with server.admin.stream("GET", f"{url}/events", timeout=None) as events:
        *_, last = (json.loads(line.removeprefix("data: ")) for line in events.iter_lines() if line.startswith("data: "))
    assert last["status"] == "done", f"{last['reason']}\n{server.admin.get(f'{url}/log').text}"

    def found() -> list[dict]:
        listed = server.admin.get(f"/backend/model/{request['type']}").json()
        return [each for each in listed if each["name"] == request["name"]]

    block_until(found)
    [model] = found()
    assert (model["uuid"], model["version"], model["status"]) == (last["model_uuid"], 1, "disabled")
    for report in (model["report"], last["files"]["report.html"]):
        page = server.admin.get(report)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert request["name"] in page.text
    return last, model


def enable(server, model: dict) -> None:
    """Put it into service, and wait until it answers."""
    assert server.admin.patch(f"/backend/model/{model['uuid']}/status/enabled").status_code == 200

    def state() -> str:
        listed = server.admin.get(f"/backend/model/{model['type']}").json()
        return next(each["state"] for each in listed if each["uuid"] == model["uuid"])

    block_until(lambda: state() == "ready")


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("architecture", "side"), [("DCGAN", 128), ("StyleGAN2", 32)])
def test_a_generator_is_trained_enabled_and_makes_faces(server, faces, architecture, side):
    name = f"my-{architecture.lower()}"
    order = {"architecture": architecture, "face_class": "human", "resolution": side, "batch_size": 4, "max_epochs": 1}
    training, model = trained(server, type="generator", name=name, label="My faces", datasets=[faces], **order)
    steps = training["progress"]["step"], training["progress"]["steps"]
    assert steps == (3, 3), "twelve images, four at a time"
    assert all(np.isfinite(value) for value in training["progress"]["metrics"].values())
    assert [each["step"] for each in training["samples"]] == [3]
    for grid in (training["samples"][0]["url"], training["files"]["samples.jpg"], model["samples"]):
        assert pixels(server.admin.get(grid).content).shape == (8 * side, 8 * side, 3)
    assert (model["architecture"], model["face_class"], model["label"]) == (architecture, "human_gen", "My faces")

    wanted = {"models": [model["uuid"]], "count": 3, "seed": 7}
    problem_of(server.client.post("/backend/image/generate", json=wanted), 409, "model-disabled")
    enable(server, model)
    made = server.client.post("/backend/image/generate", json=wanted)
    assert made.status_code == 201, made.text
    pictures = [server.client.get(each["url"]).content for each in made.json()["images"]]
    assert [pixels(each).shape for each in pictures] == 3 * [(side, side, 3)]
    assert len(set(pictures)) == 3, "each seed makes a face of its own"
    assert made.json()["images"][0]["how_made"] | {"model_version": 1, "seed": 7} == made.json()["images"][0]["how_made"]
    again = server.client.post("/backend/image/generate", json={**wanted, "count": 1}).json()["images"][0]
    assert server.client.get(again["url"]).content == pictures[0]


@pytest.mark.timeout(1800)
def test_a_stack_of_shipped_detectors_is_trained_enabled_and_classifies(server):
    shipped = {each["name"]: each for each in server.admin.get("/backend/model/detector").json() if each["name"] in BASES}
    bases = [shipped[name]["uuid"] for name in BASES]
    learnt = make_dataset(server, "detector", CLASSES, 5)
    order = {"ensemble": "stacking", "base_models": bases, "batch_size": 8, "max_epochs": 1}
    training, model = trained(server, type="detector", name="my-stack", datasets=[learnt], **order)
    assert sum(map(sum, training["metrics"]["val"]["confusion"])) == 4, "of five images of each class one is for the validation"
    assert (model["architecture"], model["ensemble"], model["base_models"]) == ("Stacking", True, bases)
    assert model["parameters"] == sum(shipped[name]["parameters"] for name in BASES) + HEAD

    enable(server, model)
    image = server.client.post("/backend/image", files={"file": ("a.png", png())}).json()["uuid"]
    asked = {"images": [image], "models": [model["uuid"]]}
    [result] = server.client.post("/backend/image/classify", json=asked).json()["results"]
    [answer] = result["models"]
    assert (answer["model_name"], answer["model_version"]) == ("my-stack", 1)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert result["verdict"]["called"] == max(answer["probabilities"], key=answer["probabilities"].get)
    problem = problem_of(server.admin.delete(f"/backend/model/{bases[0]}"), 409, "model-in-use")
    assert "my-stack" in problem["detail"]
