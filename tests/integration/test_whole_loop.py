"""From photos to a model in service, from its mistakes to the next version and back, over HTTP only, through kills."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.archives import face, zip_of
from support.databases import KINDS, database_url
from support.image_files import encoded, png
from support.tiny_training import HELD_AT, HELD_COMMAND
from support.tus import begin, offset_of, send, unfinished_piece
from support.waiting import block_until

CLASSES = ("human", "human_gen", "anime", "anime_gen")
COLOURS = {"human": (200, 40, 40), "human_gen": (40, 200, 40), "anime": (40, 40, 200), "anime_gen": (200, 200, 40)}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "postgresql" else ()) for kind in KINDS])
def test_from_photos_to_a_model_and_back(start_server, tiny_models, tmp_path, kind):
    server = start_server(
        tiny_models,
        database=database_url(tmp_path / "data", kind),
        VISIONLAB_TRAIN_COMMAND=HELD_COMMAND,
        VISIONLAB_EXTRA_ARCHITECTURES="Tiny",
        VISIONLAB_TRAINING_NICE="0",
    )

    # Upload a zip of faces in pieces; the connection breaks in the second.
    archive = zip_of({f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(10)})
    address = begin(server.admin, len(archive))
    assert send(server.admin, address, 0, archive[:5000]).status_code == 204
    with unfinished_piece(server, address, 5000, archive[5000:9000], len(archive) - 5000):
        pass
    block_until(lambda: offset_of(server.admin, address) > 5000)
    offset = offset_of(server.admin, address)
    block_until(lambda: send(server.admin, address, offset, archive[offset:]).status_code == 204)

    # Make a data set of it.
    body = {"name": "faces", "type": "detector", "uploads": [address.rsplit("/", 1)[-1]]}
    dataset = server.admin.post("/backend/dataset", json=body).json()
    block_until(lambda: server.admin.get(f"/backend/dataset/{dataset['uuid']}/report").json()["state"] == "ready")

    # Train on it, and pause.
    request = {"type": "detector", "name": "mine", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 5}
    training = server.admin.post("/backend/training", json={**request, "datasets": [dataset["uuid"]]}).json()
    url = f"/backend/training/{training['uuid']}"
    block_until(lambda: (report(server, url)["progress"] or {}).get("step") == HELD_AT)
    server.admin.patch(f"{url}/status/paused")
    block_until(lambda: report(server, url)["status"] == "paused")

    # Kill the server, start it, resume, and watch it finish.
    server.kill()
    server.start()
    assert report(server, url)["status"] == "paused"
    server.admin.patch(f"{url}/status/running")
    with server.admin.stream("GET", f"{url}/events") as answer:
        *_, last = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: "))
    assert last["status"] == "done", last["reason"]
    assert (last["progress"]["step"], last["progress"]["steps"], last["progress"]["epoch"]) == (40, 40, 5)
    loss = next(curve for curve in last["curves"] if curve["name"] == "loss")
    assert [step for step, _ in loss["points"]] == [8, 10, 16, 20, 21, 24, 30, 32, 40], "it went on where it was paused"
    assert sum(map(sum, last["metrics"]["val"]["confusion"])) == 8
    page = server.admin.get(last["files"]["report.html"])
    assert page.headers["content-type"].startswith("text/html")
    assert "sandbox" in page.headers["content-security-policy"]
    assert server.admin.get(last["files"]["confusion.png"]).content.startswith(b"\x89PNG")
    assert not (server.folder / "trainings" / training["uuid"]).exists()

    # The model is there, disabled; enable it and classify with it.
    block_until(lambda: find(server, "mine"))
    [model] = find(server, "mine")
    assert (model["uuid"], model["status"], model["version"]) == (training["model_uuid"], "disabled", 1)
    assert server.admin.get(model["report"]).status_code == 200
    server.admin.patch(f"/backend/model/{model['uuid']}/status/enabled").raise_for_status()
    image = server.admin.post("/backend/image", files={"file": ("a.png", png())}).json()["uuid"]
    asked = {"images": [image], "models": [model["uuid"]]}
    block_until(lambda: server.admin.post("/backend/image/classify", json=asked).status_code == 200)
    called = server.admin.post("/backend/image/classify", json=asked).json()["results"][0]["verdict"]["called"]

    # Label a mistake, and photos more. Each is of the colour of its class: easy to learn, once one has seen such.
    right = next(name for name in CLASSES if name != called)
    label(server, image, right, called)
    for number in range(64):
        name = CLASSES[number % 4]
        label(server, upload(server, coloured(COLOURS[name], number)), name)

    # Retrain with the labels, and compare: both versions on the same images, from which neither has learnt.
    rule = {"min_labels": 65, "min_judged": 10, "held_out": 0.5, "min_gain": -0.99, "max_p_value": 1, "max_class_loss": 1}
    body = {"model": model["uuid"], "rule": rule, "training": {"max_epochs": 1}}
    answer = server.admin.post("/backend/challenge", json=body)
    assert answer.status_code == 201, answer.text
    challenge = f"/backend/challenge/{answer.json()['uuid']}"
    block_until(lambda: server.admin.get(challenge).json()["state"] == "training")
    server.kill()
    server.start()
    second = f"/backend/training/{server.admin.get(challenge).json()['training']}"
    block_until(lambda: server.admin.get(challenge).json()["state"] not in ("queued", "training", "judging"))
    compared = server.admin.get(challenge).json()
    assert compared["state"] == "proposed", compared["reason"]
    figures = compared["comparison"]
    assert figures["images"] == compared["judged"]["images"] >= 10
    for side in ("champion", "challenger"):
        assert sum(map(sum, figures[side]["confusion"])) == figures["images"]
    assert compared["judged"]["learnt_known"]
    assert [each["images"] for each in report(server, second)["datasets"]] == [40, 65]

    # Switch: the new version answers. Roll back: the old one does.
    assert answering(server, model["uuid"]) == 1
    server.admin.post(f"{challenge}/accept").raise_for_status()
    block_until(lambda: answering(server, model["uuid"]) == 2)
    server.admin.post(f"{challenge}/rollback").raise_for_status()
    block_until(lambda: answering(server, model["uuid"]) == 1)
    assert [(each["version"], each["status"]) for each in find(server, "mine")] == [(1, "enabled"), (2, "disabled")]
    assert server.admin.delete(f"/backend/dataset/{dataset['uuid']}").status_code == 204
    assert not any((server.folder / "trainings").glob("*-*-*"))


def upload(server, data: bytes) -> str:
    return server.admin.post("/backend/image", files={"file": ("a.png", data)}).json()["uuid"]


def label(server, image: str, name: str, called: str | None = None) -> None:
    body = {"image": image, "label": name, "predicted": called, "share": True}
    server.admin.post("/backend/image/label", json=body).raise_for_status()


def coloured(colour: tuple[int, int, int], seed: int) -> bytes:
    grain = np.random.default_rng(seed).integers(-20, 21, (64, 64, 3))
    return encoded((np.array(colour) + grain).clip(0, 255).astype(np.uint8), "PNG")


def answering(server, model: str) -> int:
    """The version that answers for a model."""
    asked = {"images": [upload(server, png())], "models": [model]}
    block_until(lambda: server.admin.post("/backend/image/classify", json=asked).status_code == 200)
    [answer] = server.admin.post("/backend/image/classify", json=asked).json()["results"][0]["models"]
    return answer["model_version"]


def find(server, name: str) -> list[dict]:
    return [each for each in server.admin.get("/backend/model/detector").json() if each["name"] == name]


def report(server, url: str) -> dict:
    return server.admin.get(f"{url}/report").json()
