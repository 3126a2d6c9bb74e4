"""Backup and restore as an operator does them: with the commands, beside a server that works, into an empty place."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from support.archives import face, zip_of
from support.databases import database_url
from support.image_files import noise_png, png
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR
from support.tus import TUS, begin, offset_of, send, upload_file
from support.waiting import block_until

from visionlab_api.database.tables import ImageRow

COMMAND = Path(sys.executable).parent / "visionlab-api"
CLASSES = ("human", "human_gen", "anime", "anime_gen")
WAITING = """echo '{"step": 7, "steps": 70, "loss": 0.5, "time": 1}' > $3/progress.json
trap 'exit 75' TERM
while :; do sleep 0.05; done
"""


def url_of(folder: Path) -> str:
    return database_url(folder).render_as_string(hide_password=False)


def words(command: str, file: Path | str, folder: Path) -> list[str]:
    # As `env` it becomes the command itself, so that it can be killed.
    return ["env", f"VISIONLAB_DATABASE_URL={url_of(folder)}", str(COMMAND), command, str(file), "--data-folder", str(folder)]


def run(command: str, file: Path | str, folder: Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(command, file, folder), capture_output=True, text=True, timeout=100, check=False, **options)


def with_files_up_to(size: int) -> dict[str, object]:
    """A disk that is full at so many bytes of a file."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def training_environment(tmp_path_factory) -> dict[str, str]:
    script = tmp_path_factory.mktemp("script") / "train.sh"
    script.write_text(WAITING)
    return {"VISIONLAB_TRAIN_COMMAND": f"sh {script}", "VISIONLAB_EXTRA_ARCHITECTURES": "Tiny", "VISIONLAB_TRAINING_NICE": "0"}


@pytest.fixture(scope="module")
def origin(tmp_path_factory, tiny_models, training_environment):
    """A server with something of everything, and a training that runs; it runs on."""
    server = Server(tmp_path_factory.mktemp("origin") / "data", tiny_models, **training_environment).start()
    admin = server.admin
    faces = admin.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 5}).json()["images"]
    admin.post("/backend/image/stats", json={"images": [faces[0]["uuid"]], "action": "like"}).raise_for_status()
    photo = admin.post("/backend/image", files={"file": ("ü.png", png())}).json()["uuid"]
    admin.post("/backend/image/label", json={"image": photo, "label": "human", "share": True}).raise_for_status()
    admin.post("/backend/settings", json={"images_per_batch": 13}).raise_for_status()
    admin.patch(f"/backend/model/{SECOND_DETECTOR}/status/disabled").raise_for_status()
    files = {f"{name}/{seed}.jpg": face(10 * place + seed) for place, name in enumerate(CLASSES) for seed in range(5)}
    body = {"name": "faces", "type": "detector", "uploads": [upload_file(admin, "faces.zip", zip_of(files))]}
    server.dataset = admin.post("/backend/dataset", json=body).json()["uuid"]
    block_until(lambda: admin.get(f"/backend/dataset/{server.dataset}/report").json()["state"] == "ready")
    usual = {"type": "detector", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 2}
    server.training = admin.post("/backend/training", json={**usual, "name": "mine", "datasets": [server.dataset]}).json()["uuid"]
    block_until(lambda: (training_of(server) or {}).get("progress"))
    server.upload = begin(admin, 100)
    assert send(admin, server.upload, 0, b"x" * 60).status_code == 204
    yield server
    server.close()


@pytest.fixture(scope="module")
def backup(origin, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("backups") / "today.tar.zst"
    made = run("backup", path, origin.folder)
    assert made.returncode == 0, made.stderr
    return path


def all_images(server) -> list[dict]:
    found, cursor = [], ""
    while cursor is not None:
        page = server.admin.get("/backend/image", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        found += page["images"]
        cursor = page["next_cursor"]
    return found


def training_of(server) -> dict:
    return server.admin.get(f"/backend/training/{server.training}/report").json()


def told(server) -> dict:
    """What a server tells of all that it has."""
    get = server.admin.get
    images = get("/backend/image", params={"limit": 200}).json()["images"]
    without_time = {"holder", "state", "reason"}
    return {
        "images": images,
        "bytes": {image["uuid"]: hashlib.sha256(get(image["url"]).content).hexdigest() for image in images},
        "models": [
            {key: value for key, value in model.items() if key not in without_time}
            for kind in ("detector", "generator")
            for model in get(f"/backend/model/{kind}").json()
        ],
        "datasets": get("/backend/dataset/detector").json(),
        "trainings": [each["name"] for each in get("/backend/training/detector").json()["trainings"]],
        "settings": get("/backend/settings").json(),
        "stats": get("/backend/image/stats").json(),
    }


def test_a_server_on_what_was_restored_answers_as_the_first_one(
    origin, backup, tmp_path, tiny_models, training_environment, start_server
):
    verified = run("verify-backup", backup, tmp_path)
    assert verified.stdout.startswith("Sound: "), verified.stderr
    restored = run("restore", backup, tmp_path / "data")
    assert restored.returncode == 0, restored.stderr
    server = start_server(tiny_models, tmp_path / "data", **training_environment)
    assert told(server) == told(origin)
    photo = next(image["uuid"] for image in told(server)["images"] if image["image_type"] == "uploaded")
    asked = {"images": [photo], "models": [str(DETECTOR)]}
    answers = [each.admin.post("/backend/image/classify", json=asked).json()["results"] for each in (server, origin)]
    assert answers[0][0]["verdict"] == answers[1][0]["verdict"]

    # New rows are numbered behind those that were there; and the training goes on by itself.
    new = server.admin.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 1}).json()["images"][0]["uuid"]
    assert server.admin.get("/backend/image").json()["images"][0]["uuid"] == new
    server.training, server.upload = origin.training, origin.upload
    block_until(lambda: training_of(server)["progress"]["step"] == 7 and training_of(server)["status"] == "running")
    block_until(lambda: (server.folder / "trainings" / server.training / "run" / "progress.json").exists())
    assert server.admin.delete(f"/backend/training/{server.training}").status_code == 204

    # Of an upload that was under way, the bytes come again.
    assert offset_of(server.admin, server.upload) == 0
    assert send(server.admin, server.upload, 0, b"y" * 100).status_code == 204
    assert server.admin.head(server.upload, headers=TUS).headers["upload-offset"] == "100"


def test_a_backup_beside_a_client_that_works_is_whole(origin, tmp_path, tiny_models, start_server):
    done = threading.Event()

    def work(seed: int) -> None:
        with httpx.Client(base_url=origin.url, timeout=60, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as client:
            while not done.is_set():
                seed += 1
                photo = client.post("/backend/image", files={"file": ("a.png", noise_png(40, seed=seed))}).json()["uuid"]
                body = {"image": photo, "label": "human", "share": True}
                client.post("/backend/image/label", json=body).raise_for_status()
                client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 3}).raise_for_status()
                if seed % 2:
                    client.request("DELETE", f"/backend/image/{photo}").raise_for_status()

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(work, 1000 * number) for number in range(2)]
        try:
            with subprocess.Popen(words("backup", "-", origin.folder), stdout=subprocess.PIPE) as making:
                restored = run("restore", "-", tmp_path / "data", stdin=making.stdout)
        finally:
            done.set()
        for worker in workers:
            worker.result()
    assert (making.returncode, restored.returncode) == (0, 0), restored.stderr
    server = start_server(tiny_models, tmp_path / "data", VISIONLAB_TRAININGS_AT_ONCE="0")
    images = all_images(server)
    for image in images:
        answer = server.admin.get(image["url"])
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    # Those that nobody shared yet are in no list.
    with server.database() as database:
        uuids = {str(uuid) for uuid in database.scalars(select(ImageRow.uuid).where(ImageRow.deleted_at.is_(None)))}
    assert {image["uuid"] for image in images} <= uuids
    # What was deleted while its bytes were copied goes in the first round of the server.
    block_until(lambda: uuids == {path.stem for path in (server.folder / "store" / "images").rglob("*.png")})


def test_where_the_disk_is_full_nothing_is_left(origin, backup, tmp_path):
    (tmp_path / "backups").mkdir()
    made = run("backup", tmp_path / "backups" / "a.tar.zst", origin.folder, **with_files_up_to(150_000))
    assert made.returncode == 1
    assert "cannot be written" in made.stderr
    assert "Traceback" not in made.stderr
    assert not left(tmp_path / "backups")

    restored = run("restore", backup, tmp_path / "data", **with_files_up_to(250_000))
    assert restored.returncode == 1
    assert "make room" in restored.stderr
    assert "Traceback" not in restored.stderr
    assert not left(tmp_path / "data")


def test_a_restore_that_is_killed_is_done_again(origin, backup, tmp_path, tiny_models):
    data, folder = backup.read_bytes(), tmp_path / "data"
    with subprocess.Popen(words("restore", "-", folder), stdin=subprocess.PIPE) as restoring:
        restoring.stdin.write(data[: len(data) // 2])
        restoring.stdin.flush()
        block_until(lambda: list((folder / "store").glob("images/*/*")))
        restoring.kill()
        restoring.wait()
        restoring.stdin.close()
    environment = {
        **os.environ,
        "VISIONLAB_DATA_FOLDER": str(folder),
        "VISIONLAB_PORT": "0",
        "VISIONLAB_DATABASE_URL": url_of(folder),
    }
    refused = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "a restore was broken off here" in refused.stderr
    assert not list(folder.glob("visionlab.db*"))
    again = run("restore", backup, folder)
    assert again.returncode == 0, again.stderr
    assert {path.name for path in (folder / "store").rglob("*") if path.is_file()}.isdisjoint({"unfinished"})
    refused = run("restore", backup, folder)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
