"""From photos to a model in service and back to photos, over HTTP only, through a kill of the server.

Not there yet: that VisionLab retrains by itself, and judges champion and challenger on the same images. Switching to a version
and back is in `test_models.py`; a training that makes the next version of a model is here.
"""

from __future__ import annotations

import json

from support.archives import face, zip_of
from support.image_files import png
from support.tiny_training import HELD_AT, HELD_COMMAND
from support.tus import begin, offset_of, send, unfinished_piece
from support.waiting import block_until

CLASSES = ("human", "human_gen", "anime", "anime_gen")


def test_from_photos_to_a_model_and_back(start_server, tiny_models):
    server = start_server(
        tiny_models,
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

    # Label a mistake; the next version learns from it.
    right = next(name for name in CLASSES if name != called)
    server.admin.post(
        "/backend/image/label", json={"image": image, "label": right, "predicted": called, "share": True}
    ).raise_for_status()
    again = {**request, "datasets": [dataset["uuid"]], "include_uploaded": True, "model": model["uuid"]}
    second = server.admin.post("/backend/training", json=again).json()
    assert (second["model_uuid"], second["model_version"]) == (model["uuid"], 2)
    assert [each["images"] for each in second["datasets"]] == [40, 1]
    assert server.admin.delete(f"/backend/training/{second['uuid']}").status_code == 204
    block_until(lambda: server.admin.delete(f"/backend/dataset/{dataset['uuid']}").status_code == 204)
    assert not any((server.folder / "trainings").glob("*"))


def find(server, name: str) -> list[dict]:
    return [each for each in server.admin.get("/backend/model/detector").json() if each["name"] == name]


def report(server, url: str) -> dict:
    return server.admin.get(f"{url}/report").json()
