"""The database is gone for a while, hangs, is locked or full: 503 or 507 soon, and all goes on by itself when it is back."""

from __future__ import annotations

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import httpx
import pytest
from support.archives import face, zip_of
from support.databases import database_url
from support.image_files import png
from support.postgres import Postgres
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import DETECTOR, GENERATOR
from support.tus import upload_file
from support.waiting import block_until

pytestmark = pytest.mark.slow

SOON = 60.0
"""Seconds; a database that is only slow gets some of them."""
FACES = zip_of({f"human/{seed}.jpg": face(seed) for seed in range(3)})


@pytest.fixture(scope="module")
def postgres():
    postgres = Postgres().start()
    yield postgres
    postgres.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_models, postgres):
    server = Server(tmp_path_factory.mktemp("gone"), tiny_models, postgres.url("gone")).start()
    yield server
    server.close()


def generate(server) -> httpx.Response:
    return server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 2})


NEED_IT = (
    generate,
    lambda server: server.client.get("/backend/image"),
    lambda server: server.client.post("/backend/image", files={"file": ("a.png", png())}),
    lambda server: server.client.get("/backend/settings"),
    lambda server: server.admin.get("/backend/training/detector"),
    lambda server: server.admin.post("/backend/settings", json={"images_per_batch": 7}),
    lambda server: server.client.post("/backend/session", json={"token": f"vl_{uuid4()}"}),
)


def works(server) -> None:
    """All that needs no database."""
    posted = {"files": {"images": ("a.png", png())}, "data": {"models": str(DETECTOR)}}
    assert server.client.post("/backend/image/classify", **posted).status_code == 200
    assert server.client.get("/metrics").status_code == 200
    assert server.client.get("/v2/health/live").status_code == 200
    assert server.client.get("/backend/model/detector").status_code == 200
    assert server.client.get("/backend/status").json()["ready"] is False


def seconds_unread(server) -> float:
    return float(re.search(r"^visionlab_models_unread_seconds (\S+)$", server.client.get("/metrics").text, re.MULTILINE)[1])


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_what_needs_it_is_503_soon_and_the_rest_goes_on(server, postgres, how):
    made = {image["uuid"] for image in generate(server).json()["images"]}
    upload = upload_file(server.admin, "faces.zip", FACES)
    dataset = server.admin.post("/backend/dataset", json={"name": how, "type": "detector", "uploads": [upload]}).json()

    postgres.kill() if how == "killed" else postgres.freeze()
    try:
        with ThreadPoolExecutor(4 * len(NEED_IT)) as pool:  # more than there are connections
            began = time.monotonic()
            asked = [pool.submit(ask, server) for ask in 4 * NEED_IT]
            works(server)
            for answer in asked:
                problem = problem_of(answer.result(), 503, "database-unavailable")
                assert problem["detail"]
                assert int(answer.result().headers["retry-after"]) > 0
        assert time.monotonic() - began < SOON
        block_until(lambda: seconds_unread(server) > 5)
    finally:
        postgres.start() if how == "killed" else postgres.thaw()

    block_until(lambda: server.client.get("/backend/status").json()["ready"])
    block_until(lambda: seconds_unread(server) < 5)
    block_until(lambda: server.admin.get(f"/backend/dataset/{dataset['uuid']}/report").json()["state"] == "ready")
    assert made <= {image["uuid"] for image in server.client.get("/backend/image").json()["images"]}
    for ask in NEED_IT:
        assert ask(server).status_code in (200, 201, 401)
    assert not [line for line in server.log if '"ERROR"' in line and "audit" not in line]


def test_a_server_that_is_asked_to_stop_meanwhile_does(start_server, tiny_models, tmp_path, postgres):
    server = start_server(tiny_models, tmp_path / "stopped", database=postgres.url("stopped"))
    postgres.freeze()
    try:
        assert server.stop() == 0
    finally:
        postgres.thaw()


def test_a_sqlite_file_that_another_program_keeps_locked_is_503(start_server, tiny_models, tmp_path):
    server = start_server(tiny_models, database=database_url(tmp_path / "data", "sqlite"))
    made = generate(server).json()["images"][0]
    with closing(sqlite3.connect(server.database_url.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor() as pool:
            asked = [pool.submit(generate, server) for _ in range(3)]
            asked.append(pool.submit(server.admin.post, "/backend/settings", json={"images_per_batch": 7}))
            for answer in asked:
                problem_of(answer.result(), 503, "database-unavailable")
        assert server.client.get(made["url"]).status_code == 200, "whoever only reads need not wait"
        other.execute("ROLLBACK")
    block_until(lambda: generate(server).status_code == 201)
    assert server.client.get("/backend/settings").json()["images_per_batch"] != 7
