"""The real server on an S3: from an image to a model in service; and what it says where S3 cannot be used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from support.archives import face, zip_of
from support.image_files import png
from support.server import Server
from support.tiny_models import DETECTOR, GENERATOR
from support.tiny_training import COMMAND
from support.tus import begin, offset_of, send
from support.waiting import block_until

CLASSES = ("human", "human_gen", "anime", "anime_gen")
SECRET = "a-secret-that-is-nowhere-to-be-seen"


@pytest.fixture
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "VISIONLAB_STORE_URL": "s3://faces/lab",
        "VISIONLAB_S3_ENDPOINT": f"http://{host}:{port}",
        "VISIONLAB_S3_ACCESS_KEY": "someone",
        "VISIONLAB_S3_SECRET_KEY": SECRET,
    }
    server.stop()


@pytest.mark.slow
def test_from_an_image_to_a_model_in_service(s3, start_server, tiny_models):
    server: Server = start_server(
        tiny_models,
        **s3,
        VISIONLAB_S3_CREATE_BUCKET="true",
        VISIONLAB_TRAIN_COMMAND=COMMAND,
        VISIONLAB_EXTRA_ARCHITECTURES="Tiny",
        VISIONLAB_TRAINING_NICE="0",
    )
    admin = server.admin
    [made] = admin.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 1}).json()["images"]
    assert admin.get(made["url"]).content.startswith(b"\x89PNG")
    photo = admin.post("/backend/image", files={"file": ("a.png", png())}).json()["uuid"]
    asked = {"images": [photo], "models": [str(DETECTOR)]}
    assert admin.post("/backend/image/classify", json=asked).status_code == 200

    archive = zip_of({f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(6)})
    address = begin(admin, len(archive))
    for start, end in ((0, 5000), (5000, len(archive))):
        assert offset_of(admin, address) == start
        assert send(admin, address, start, archive[start:end]).status_code == 204
    body = {"name": "faces", "type": "detector", "uploads": [address.rsplit("/", 1)[-1]]}
    dataset = admin.post("/backend/dataset", json=body).json()["uuid"]
    block_until(lambda: admin.get(f"/backend/dataset/{dataset}/report").json()["state"] == "ready")

    request = {"type": "detector", "name": "mine", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 1}
    training = admin.post("/backend/training", json={**request, "datasets": [dataset]}).json()
    with admin.stream("GET", f"/backend/training/{training['uuid']}/events") as answer:
        *_, last = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: "))
    assert last["status"] == "done", last["reason"]
    model = training["model_uuid"]
    block_until(lambda: admin.patch(f"/backend/model/{model}/status/enabled").status_code == 200)
    asked = {"images": [photo], "models": [model]}
    block_until(lambda: admin.post("/backend/image/classify", json=asked).status_code == 200)
    assert not (server.folder / "store").exists()
    status = admin.get("/backend/status").json()
    assert (status["ready"], status["store"], status["store_problem"]) == (True, "ready", None)
    assert not any(SECRET in line for line in server.log)


def test_a_store_that_goes_away_is_told_in_the_status(s3, start_server, tiny_models, tmp_path):
    server = start_server(tiny_models)
    store = server.folder / "store"
    store.rename(tmp_path / "elsewhere")
    store.write_text("no folder")
    block_until(lambda: server.admin.get("/backend/status").json()["store"] == "unavailable")
    status = server.admin.get("/backend/status").json()
    assert status["ready"] is False
    assert str(store) in status["store_problem"]
    told_to_all = server.client.get("/backend/status").json()
    assert (told_to_all["store"], told_to_all["store_problem"]) == ("unavailable", None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"VISIONLAB_STORE_URL": "s3://nowhere/lab"}, "the bucket 'nowhere' at http://[0-9.:]+ does not exist: make it"),
        ({"VISIONLAB_S3_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached: check the endpoint and the network"),
    ],
)
def test_an_s3_that_cannot_be_used_is_said_at_the_start(s3, tmp_path, change, says):
    environment = {**os.environ, **s3, **change, "VISIONLAB_DATA_FOLDER": str(tmp_path), "VISIONLAB_PORT": "0"}
    command = Path(sys.executable).parent / "visionlab-api"
    refused = subprocess.run([command], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith("visionlab-api: the store cannot be used: ")
    assert re.search(says, last), last
    assert SECRET not in refused.stderr
