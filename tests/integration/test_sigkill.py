"""SIGKILL at any moment: what was acknowledged is there afterwards, whole, and what is listed is there too."""

from __future__ import annotations

import hashlib
import io
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, text
from support.databases import KINDS, database_url
from support.image_files import noise_png
from support.tiny_models import GENERATOR, SIDE

from visionlab_api.database.tables import LabelRow

pytestmark = pytest.mark.slow

ROUNDS = 2
CLIENTS = 4
ONE_VISITOR = {"visionlab_visitor": str(uuid4())}


@dataclass
class Acknowledged:
    """What the server said it had kept."""

    uploads: dict[str, bytes] = field(default_factory=dict)
    faces: dict[str, int] = field(default_factory=dict)
    likes: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def count(self) -> int:
        return len(self.uploads) + len(self.faces) + len(self.labels) + sum(self.likes.values())

    def note(self, **what) -> None:
        with self.changed:
            self.uploads.update(what.get("uploads", {}))
            self.faces.update(what.get("faces", {}))
            for uuid in what.get("likes", []):
                self.likes[uuid] = self.likes.get(uuid, 0) + 1
            self.labels.extend(what.get("labels", []))
            self.changed.notify_all()


def work(url: str, seed: int, acknowledged: Acknowledged) -> None:
    """Upload, label, generate and like until the server is gone."""
    chance = random.Random(seed)
    with httpx.Client(base_url=url, timeout=60, cookies=ONE_VISITOR) as client:
        while True:
            try:
                data = noise_png(chance.randrange(16, 120), seed=chance.randrange(10**9))
                image = client.post("/backend/image", files={"file": ("a.png", data)}).json()["uuid"]
                acknowledged.note(uploads={image: data})
                label = client.post("/backend/image/label", json={"image": image, "label": "human"}).json()["uuid"]
                acknowledged.note(labels=[label])
                body = {"models": [str(GENERATOR)], "count": chance.randrange(1, 8)}
                made = client.post("/backend/image/generate", json=body).json()["images"]
                acknowledged.note(faces={face["uuid"]: face["how_made"]["seed"] for face in made})
                client.post("/backend/image/stats", json={"images": [made[0]["uuid"]], "action": "like"}).raise_for_status()
                acknowledged.note(likes=[made[0]["uuid"]])
            except httpx.TransportError:
                return


def everything_listed(client: httpx.Client) -> dict[str, dict]:
    found, cursor = {}, None
    while True:
        page = client.get("/backend/image", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        found |= {image["uuid"]: image for image in page["images"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_nothing_acknowledged_is_lost(start_server, tiny_models):
    server = start_server(tiny_models)
    server.admin.post("/backend/settings", json={"images_per_batch": 13}).raise_for_status()
    acknowledged = Acknowledged()
    chance = random.Random()
    for _ in range(ROUNDS):
        goal = acknowledged.count + chance.randrange(20, 60)
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(work, server.url, chance.randrange(10**9), acknowledged) for _ in range(CLIENTS)]
            with acknowledged.changed:
                assert acknowledged.changed.wait_for(lambda goal=goal: acknowledged.count >= goal, timeout=60)
            threading.Event().wait(chance.uniform(0, 0.05))  # not only just after an answer: any moment
            server.kill()
            for client in clients:
                client.result()
        server.start()
        check(server, acknowledged)


@pytest.mark.parametrize("kind", KINDS)
def test_no_acknowledged_like_is_lost(start_server, tiny_models, tmp_path, kind):
    server = start_server(tiny_models, database=database_url(tmp_path / "data", kind))
    made = server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 1}).json()["images"]
    face = made[0]["uuid"]
    acknowledged = Acknowledged()

    def like() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client, suppress(httpx.TransportError):
            while True:
                client.post("/backend/image/stats", json={"images": [face], "action": "like"}).raise_for_status()
                acknowledged.note(likes=[face])

    with ThreadPoolExecutor(2 * CLIENTS) as pool:
        clients = [pool.submit(like) for _ in range(2 * CLIENTS)]
        with acknowledged.changed:
            assert acknowledged.changed.wait_for(lambda: acknowledged.count >= 200, timeout=60)
        server.kill()
        for client in clients:
            client.result()
    server.start()
    [counts] = server.client.post("/backend/image/stats", json={"images": [face], "action": "download"}).json()
    assert acknowledged.count <= counts["likes"] <= acknowledged.count + 2 * CLIENTS
    [stats] = server.client.get("/backend/image/stats").json()
    assert (stats["images"], stats["likes"], stats["downloads"]) == (1, counts["likes"], 1)


def check(server, acknowledged: Acknowledged) -> None:
    assert server.client.get("/backend/settings").json() == {"images_per_batch": 13}
    server.client.cookies.update(ONE_VISITOR)
    listed = everything_listed(server.client)
    assert acknowledged.uploads.keys() | acknowledged.faces.keys() <= listed.keys()
    for uuid, image in listed.items():
        answer = server.client.get(image["url"])
        assert answer.status_code == 200, "a listed image is missing"
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert np.asarray(picture).shape == (image["height"], image["width"], 3)
        if uuid in acknowledged.uploads:
            assert answer.content == acknowledged.uploads[uuid]
        if uuid in acknowledged.faces:
            assert image["how_made"]["seed"] == acknowledged.faces[uuid]
            assert image["width"] == SIDE
        # A like whose answer was cut off may have been counted: one for each client at most.
        assert acknowledged.likes.get(uuid, 0) <= image["likes"] <= acknowledged.likes.get(uuid, 0) + 1
    with server.database() as database:
        kept = set(database.scalars(select(LabelRow.uuid)))
        if database.dialect.name == "sqlite":
            assert database.scalar(text("PRAGMA integrity_check")) == "ok"
    assert {UUID(label) for label in acknowledged.labels} <= kept
