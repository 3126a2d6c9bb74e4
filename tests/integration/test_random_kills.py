"""The API, the controller, PostgreSQL and trainings are killed at random moments while clients work; then all that was
acknowledged is there.

`make chaos ROUNDS=20 SEED=1` runs it for long. A seed gives the same faults and the same work; what falls together is chance.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from support.archives import face, zip_of
from support.controller import Controller
from support.databases import KINDS, database_url
from support.image_files import noise_png
from support.ledger import Caller, Image, Ledger, Unanswered
from support.postgres import Postgres
from support.processes import session
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import GENERATOR, SECOND_DETECTOR
from support.tiny_training import COMMAND
from support.tus import PIECE, TUS, metadata, upload_file
from support.waiting import block_until

from visionlab_api.database.account_tables import AuditRow
from visionlab_api.database.tables import DatasetRow, DatasetUseRow, ImageRow, LabelRow, ModelRow, TrainingRow, UploadRow
from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import model_key
from visionlab_training.runners.identity import noted_process

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("CHAOS_ROUNDS") or 1)
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
FAULTS_A_ROUND = 4
SECONDS_TO_SETTLE = 240
MOST_KILLS_OF_A_TRAINING = 3
"""One that is killed a fourth time without having come further is given up, rightly."""
CLASSES = ("human", "human_gen", "anime", "anime_gen")
PHOTOS = {f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(10)}
STEPS = 40
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "apart"), [*((kind, False) for kind in KINDS), ("postgresql", True)], ids=[*KINDS, "postgresql and a controller"]
)
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(kind, apart, tmp_path, tiny_models, free_port):
    print(f"CHAOS_SEED={SEED}")
    postgres = Postgres().start() if kind == "postgresql" else None
    training = {"VISIONLAB_TRAIN_COMMAND": COMMAND, "VISIONLAB_EXTRA_ARCHITECTURES": "Tiny", "VISIONLAB_TRAINING_NICE": "0"}
    server = Server(
        tmp_path / "data",
        tiny_models,
        postgres.url("chaos") if postgres else database_url(tmp_path / "data", kind),
        VISIONLAB_PORT=str(free_port()),
        VISIONLAB_UI_FOLDER=str(tmp_path / "none"),
        VISIONLAB_CONTROL_LOOPS="off" if apart else "on",
        **training,
    ).start()
    controller = Controller.of(server, **training).start() if apart else None
    try:
        Chaos(server, postgres, controller, random.Random(f"{SEED} {kind}")).run(ROUNDS)
    finally:
        if controller:
            controller.close()
        server.close()
        if postgres:
            postgres.close()


class Chaos:
    """A server, its clients, and what happens to it."""

    def __init__(self, server: Server, postgres: Postgres | None, controller: Controller | None, chance: random.Random) -> None:
        self.server, self.postgres, self.controller, self.chance = server, postgres, controller, chance
        self.ledger = Ledger()
        self.visitor = {"visionlab_visitor": str(uuid4())}
        self.store = FolderObjectStore(server.folder / "store")
        self.kills: dict[str, int] = {}

    def run(self, rounds: int) -> None:
        upload = upload_file(self.server.admin, "faces.zip", zip_of(PHOTOS))
        body = {"name": "photos", "type": "detector", "uploads": [upload]}
        self.photos = self.server.admin.post("/backend/dataset", json=body).json()["uuid"]
        self.ledger.datasets[self.photos] = len(PHOTOS)
        block_until(lambda: self.server.admin.get(f"/backend/dataset/{self.photos}/report").json()["state"] == "ready")
        for number in range(rounds):
            stop = threading.Event()
            work = (self.visit, self.visit, self.collect, self.train, self.operate)
            with ThreadPoolExecutor(len(work)) as pool:
                clients = [pool.submit(each, random.Random(self.chance.random()), stop) for each in work]
                try:
                    for _ in range(FAULTS_A_ROUND):
                        stop.wait(self.chance.uniform(0.3, 1.5))
                        self.fault()
                    stop.wait(1.0)
                finally:
                    stop.set()
                for client in clients:
                    client.result()
            self.settle()
            self.check()
            print(f"round {number + 1}: {dict(self.ledger.answers)}, {len(self.ledger.images)} images")

    # What happens.

    def fault(self) -> None:
        faults = [self.kill_api, self.kill_training]
        if self.postgres:
            faults += [self.kill_database, self.kill_both]
        if self.controller:
            faults += 2 * [self.kill_controller]
        self.chance.choice(faults)()

    def kill_api(self) -> None:
        self.server.kill()
        self.server.start()

    def kill_controller(self) -> None:
        self.controller.kill()
        time.sleep(self.chance.uniform(0, 1))
        self.controller.start()

    def kill_database(self) -> None:
        self.postgres.kill()
        time.sleep(self.chance.uniform(0, 1.5))
        self.postgres.start()

    def kill_both(self) -> None:
        self.postgres.kill()
        self.server.kill()
        again = threading.Thread(target=self.server.start)
        again.start()
        time.sleep(self.chance.uniform(0, 1))
        self.postgres.start()
        again.join()

    def kill_training(self) -> None:
        """One of its processes, or all."""
        for folder in sorted((self.server.folder / "trainings").glob("*-*-*")):
            noted = noted_process(folder)
            if noted is None or self.kills.get(folder.name, 0) >= MOST_KILLS_OF_A_TRAINING:
                continue
            processes = sorted(session(noted[0]))
            some = processes if self.chance.random() < 0.3 else [self.chance.choice(processes or [0])]
            self.kills[folder.name] = self.kills.get(folder.name, 0) + 1
            for process in filter(None, some):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    # What clients do.

    def visit(self, chance: random.Random, stop: threading.Event) -> None:
        """Upload, label, share, generate, like, delete."""
        visitor = Caller(self.server.url, self.ledger, stop, cookies=self.visitor)
        while not stop.is_set():
            with suppress(Unanswered):
                data = noise_png(chance.randrange(16, 80), seed=chance.randrange(10**9))
                uuid = visitor.call("POST", "/backend/image", files={"file": ("a.png", data)}).json()["uuid"]
                image = self.ledger.images[uuid] = Image(data=data)
                if chance.random() < 0.7:
                    self.label(visitor, uuid, image, chance)
                made = visitor.call("POST", "/backend/image/generate", json={"models": [str(GENERATOR)], "count": 3}).json()
                for each in made["images"]:
                    self.ledger.images[each["uuid"]] = Image(seed=each["how_made"]["seed"])
                for each in made["images"][:2]:
                    self.like(visitor, each["uuid"])
                if chance.random() < 0.3:
                    image.gone = None
                    visitor.call("DELETE", f"/backend/image/{uuid}")
                    image.gone = True

    def label(self, visitor: Caller, uuid: str, image: Image, chance: random.Random) -> None:
        body = {"image": uuid, "label": chance.choice(CLASSES)}
        if chance.random() < 0.5:
            body["share"] = True
            image.shared.add(True)
        image.labels.append(visitor.call("POST", "/backend/image/label", json=body).json()["uuid"])
        if "share" in body:
            image.shared = {True}

    def like(self, visitor: Caller, uuid: str) -> None:
        image = self.ledger.images[uuid]
        image.tried_likes += 1
        visitor.call("POST", "/backend/image/stats", json={"images": [uuid], "action": "like"})
        image.likes += 1

    def collect(self, chance: random.Random, stop: threading.Event) -> None:
        """Send files in pieces, go on where the server is after each break, make data sets of some, remove some of those."""
        admin = Caller(self.server.url, self.ledger, stop, headers=ADMIN)
        while not stop.is_set():
            photos = {f"human/{n}.jpg": face(chance.randrange(10**6)) for n in range(chance.randrange(1, 6))}
            data = zip_of(photos)
            with suppress(Unanswered):
                head = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": metadata("faces.zip")}
                address = admin.call("POST", "/backend/file/upload", headers=head).headers["location"]
                self.ledger.uploads[address] = (data, 0)
                self.send(admin, address, data, chance, stop)
                if self.ledger.uploads[address][1] < len(data) or chance.random() < 0.3:
                    continue
                del self.ledger.uploads[address]
                body = {"name": f"set-{uuid4()}", "type": "detector", "uploads": [address.rsplit("/", 1)[-1]]}
                dataset = admin.call("POST", "/backend/dataset", json=body).json()["uuid"]
                self.ledger.datasets[dataset] = len(photos)
                if chance.random() < 0.3:
                    del self.ledger.datasets[dataset]
                    admin.call("DELETE", f"/backend/dataset/{dataset}")

    def send(self, admin: Caller, address: str, data: bytes, chance: random.Random, stop: threading.Event) -> None:
        offset = 0
        while offset < len(data) and not stop.is_set():
            piece = data[offset : offset + chance.randrange(500, 5000)]
            try:
                # 409, 423: the server still has, or is just receiving, the piece before.
                answer = admin.call("PATCH", address, 409, 423, headers={**PIECE, "Upload-Offset": str(offset)}, content=piece)
                answered = answer.is_success
            except Unanswered:
                answered = False
            if answered:
                offset += len(piece)
                assert int(answer.headers["upload-offset"]) == offset
                self.ledger.uploads[address] = (data, offset)
                continue
            there = int(admin.insist("HEAD", address, headers=TUS).headers["upload-offset"])
            assert there >= offset, "what was acknowledged is not there"
            offset = there
            stop.wait(0.1)

    def train(self, chance: random.Random, stop: threading.Event) -> None:
        """Queue two trainings, of which one is removed; pause and resume."""
        admin = Caller(self.server.url, self.ledger, stop, headers=ADMIN)
        usual = {"type": "detector", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 5}
        mine: list[str] = []
        while len(mine) < 2 and not stop.is_set():
            with suppress(Unanswered):
                body = {**usual, "name": f"model-{uuid4()}", "datasets": [self.photos]}
                mine.append(admin.call("POST", "/backend/training", json=body).json()["uuid"])
                self.ledger.trainings[mine[-1]] = "wanted"
        while not stop.is_set():
            stop.wait(chance.uniform(0.2, 1.5))
            training = f"/backend/training/{chance.choice(mine)}"
            with suppress(Unanswered):
                # 404, 409: it was removed, or it has ended.
                admin.call("PATCH", f"{training}/status/{chance.choice(('paused', 'running'))}", 404, 409)
                if chance.random() < 0.2 and self.ledger.trainings[mine[1]] == "wanted":
                    self.ledger.trainings[mine[1]] = "unclear"
                    admin.call("DELETE", f"/backend/training/{mine[1]}")
                    self.ledger.trainings[mine[1]] = "removed"
        for training in mine[1:]:
            if self.ledger.trainings[training] != "removed":
                admin.insist("DELETE", f"/backend/training/{training}", 404)
                self.ledger.trainings[training] = "removed"
        for training in mine[:1]:
            admin.insist("PATCH", f"/backend/training/{training}/status/running", 409)

    def operate(self, chance: random.Random, stop: threading.Event) -> None:
        """Enable and disable a model."""
        admin = Caller(self.server.url, self.ledger, stop, headers=ADMIN)
        while not stop.is_set():
            status = chance.choice(("enabled", "disabled"))
            self.ledger.model_status.add(status)
            with suppress(Unanswered):
                admin.call("PATCH", f"/backend/model/{SECOND_DETECTOR}/status/{status}")
                self.ledger.model_status = {status}
            stop.wait(0.2)

    # What must hold.

    def settle(self) -> None:
        """Let it come to rest, through a last start, which clears away what others left."""
        self.kill_api()
        if self.controller:
            self.kill_controller()
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        while unrest := self.unrest():
            assert time.monotonic() < deadline, f"it does not come to rest: {unrest}\n" + "\n".join(self.server.log[-30:])
            time.sleep(0.2)

    def unrest(self) -> str | None:
        if not self.server.client.get("/backend/status").json()["ready"]:
            return "not ready"
        with self.server.database() as database:
            for row in database.execute(select(DatasetRow.name, DatasetRow.state).where(DatasetRow.origin == "uploaded")):
                if row.state in ("pending", "reading", "deleting"):
                    return f"data set {row}"
            for row in database.execute(select(TrainingRow.uuid, TrainingRow.status, TrainingRow.wish, TrainingRow.reason)):
                if row.wish == "removed" or row.status in ("pending", "running") or (row.status, row.wish) == ("paused", "run"):
                    return f"training {row}"
            if database.scalar(select(func.count()).where(ImageRow.deleted_at.is_not(None))):
                return "deleted images"
        [model] = [
            each for each in self.server.client.get("/backend/status").json()["models"] if each["name"] == "other-detector"
        ]
        return f"model {model}" if model["state"] not in ("ready", "disabled") else None

    def check(self) -> None:
        with self.server.database() as database:
            self.check_images(database)
            self.check_uploads_and_datasets(database)
            self.check_trainings_and_models(database)
            assert self.ledger.acts <= set(database.scalars(select(AuditRow.request_id)))
            if not self.postgres:
                assert database.scalar(text("PRAGMA integrity_check")) == "ok"
        logs = self.server.log + (self.controller.log if self.controller else [])
        unforeseen = [line for line in logs if "unforeseen error" in line or "Traceback" in line]
        assert not unforeseen, unforeseen[-1]

    def check_images(self, database) -> None:
        rows = {str(row.uuid): row for row in database.execute(select(ImageRow.__table__))}
        labels = {str(uuid) for uuid in database.scalars(select(LabelRow.uuid))}
        for uuid, row in rows.items():
            data = self.store.get(row.store_key)
            assert hashlib.sha256(data).hexdigest() == row.sha256, f"the bytes of {uuid} are not its own"
        for uuid, image in self.ledger.images.items():
            if image.gone or (image.gone is None and uuid not in rows):
                assert uuid not in rows
                assert not labels & set(image.labels)
                continue
            row = rows[uuid]
            assert row.seed == image.seed
            assert image.data is None or self.store.get(row.store_key) == image.data
            assert image.likes <= row.likes <= image.tried_likes
            assert bool(row.shared) in image.shared
            assert set(image.labels) <= labels

    def check_uploads_and_datasets(self, database) -> None:
        rows = {str(row.uuid): row for row in database.execute(select(UploadRow.__table__))}
        for address, (data, acknowledged) in self.ledger.uploads.items():
            answer = self.server.admin.head(address, headers=TUS)
            assert acknowledged <= int(answer.headers["upload-offset"])
            row = rows[address.rsplit("/", 1)[-1]]
            folder = self.server.folder / "store"
            held = folder / "uploads" / str(row.uuid) if row.status == "done" else folder / ".growing" / str(row.uuid)
            if row.received:
                assert held.read_bytes()[: row.received] == data[: row.received]
        datasets = {str(row.uuid): row for row in database.execute(select(DatasetRow.__table__))}
        for uuid, images in self.ledger.datasets.items():
            assert (datasets[uuid].state, datasets[uuid].images, datasets[uuid].files) == ("ready", images, images)
        for info in self.store.list("datasets/"):
            assert info.key.split("/")[1] in datasets, f"{info.key} belongs to no data set"
        assert {row.claimed_by for row in rows.values()} <= {None}, "an upload is held by what is done with it"

    def check_trainings_and_models(self, database) -> None:
        rows = {str(row.uuid): row for row in database.execute(select(TrainingRow.__table__))}
        for uuid, fate in self.ledger.trainings.items():
            if fate == "removed":
                assert uuid not in rows
                assert not list(self.store.list(f"trainings/{uuid}/"))
                continue
            row = rows[uuid]
            assert row.status == "done", row.reason
            assert (row.progress["step"], row.progress["steps"]) == (STEPS, STEPS)
            model = select(ModelRow.status).where(ModelRow.uuid == row.model_uuid, ModelRow.version == row.model_version)
            assert list(database.scalars(model)) == ["disabled"]
        assert not list((self.server.folder / "trainings").glob("*-*-*")), "something still works for a training"
        assert not database.scalar(select(func.count()).select_from(DatasetUseRow)), "a data set is held by what has ended"
        for uuid, version, card in database.execute(select(ModelRow.uuid, ModelRow.version, ModelRow.card)):
            for name, file in card["files"].items():
                assert hashlib.sha256(self.store.get(model_key(uuid, version, name))).hexdigest() == file["sha256"]
        status = database.scalar(select(ModelRow.status).where(ModelRow.uuid == SECOND_DETECTOR))
        assert status in self.ledger.model_status
        self.ledger.model_status = {status}
