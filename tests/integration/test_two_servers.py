"""Two servers on one database and one store, each with a machine's work folder of its own: as replicas are."""

from __future__ import annotations

import pytest
from support.archives import face, zip_of
from support.databases import KINDS, database_url
from support.tiny_training import HELD_AT, HELD_COMMAND
from support.tus import upload_file
from support.waiting import block_until

pytestmark = pytest.mark.slow

CLASSES = ("human", "human_gen", "anime", "anime_gen")
NAMES = ("one", "two")


@pytest.fixture(params=KINDS)
def servers(start_server, tiny_models, tmp_path, request):
    url = database_url(tmp_path / "shared", request.param)
    options = {
        "VISIONLAB_STORE_URL": (tmp_path / "store").as_uri(),
        "VISIONLAB_TRAIN_COMMAND": HELD_COMMAND,
        "VISIONLAB_EXTRA_ARCHITECTURES": "Tiny",
        "VISIONLAB_TRAINING_NICE": "0",
        "VISIONLAB_TRAININGS_AT_ONCE": "2",
    }
    (tmp_path / "shared").mkdir()
    return [start_server(tiny_models, tmp_path / name, database=url, **options) for name in NAMES]


def test_a_training_is_one_servers_who_alone_says_how_it_fares(servers):
    first, second = servers
    archive = zip_of({f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(10)})
    uploads = [upload_file(first.admin, "faces.zip", archive)]
    dataset = first.admin.post("/backend/dataset", json={"name": "faces", "type": "detector", "uploads": uploads}).json()
    block_until(lambda: report(second, "dataset", dataset["uuid"])["state"] == "ready")

    request = {"type": "detector", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 5}
    trainings = [
        server.admin.post("/backend/training", json={**request, "name": name, "datasets": [dataset["uuid"]]}).json()["uuid"]
        for server, name in zip(servers, NAMES, strict=True)
    ]
    for training in trainings:
        block_until(lambda training=training: step(first, training) == HELD_AT)
        folders = [server for server in servers if (server.folder / "trainings" / training).exists()]
        assert len(folders) == 1, "both servers have started it"

    # Whichever it is: killed, its trainings go on, and the other neither begins them again nor fails them.
    holder = next(server for server in servers if (server.folder / "trainings" / trainings[0]).exists())
    other = second if holder is first else first
    holder.kill()
    other.admin.patch(f"/backend/training/{trainings[0]}/status/paused")
    for _ in range(3):
        other.admin.post("/backend/training/process")
        assert report(other, "training", trainings[0])["status"] == "running"
        assert not (other.folder / "trainings" / trainings[0]).exists()
    holder.start()
    block_until(lambda: report(other, "training", trainings[0])["status"] == "paused")

    # Paused, it is nobody's: it ends well, wherever it goes on.
    for training in trainings:
        other.admin.patch(f"/backend/training/{training}/status/paused")
        block_until(lambda training=training: report(other, "training", training)["status"] == "paused")
        other.admin.patch(f"/backend/training/{training}/status/running")
    for training in trainings:
        block_until(lambda training=training: report(first, "training", training)["status"] == "done")
        assert report(second, "training", training)["progress"]["step"] == 40


def report(server, what: str, uuid: str) -> dict:
    return server.admin.get(f"/backend/{what}/{uuid}/report").json()


def step(server, training: str) -> int | None:
    return (report(server, "training", training)["progress"] or {}).get("step")
