"""The whole product with `VISIONLAB_SERVING=triton`, and models that come and go under HTTP load on every way of serving."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from support.image_files import png
from support.problem_details import problem_of
from support.processes import session
from support.serving import KINDS
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR, detector_card, detector_onnx, write_version
from support.waiting import block_until

from visionlab_inference.triton import TritonUnsupported, find_installation

pytestmark = pytest.mark.slow

CLIENTS = 4


@pytest.fixture(scope="module", autouse=True)
def _installed():
    try:
        find_installation()
    except TritonUnsupported as reason:
        pytest.skip(str(reason))


def triton_servers(server) -> list[int]:
    """The Triton servers of a facade: each is the child of a guard, which is a child of the facade and leads a session."""
    tasks = Path(f"/proc/{server.process.pid}/task")
    guards = {int(child) for children in tasks.glob("*/children") for child in children.read_text().split()}
    return [
        process for guard in guards for process, command in session(guard).items() if command.split()[0].endswith("/tritonserver")
    ]


def states(server) -> dict[str, str]:
    return {model["name"]: model["state"] for model in server.client.get("/backend/status").json()["models"]}


def classify(client, model=None, seed=0):
    data = {} if model is None else {"models": str(model)}
    return client.post("/backend/image/classify", files={"images": ("a.png", png(seed=seed))}, data=data)


def test_facade_on_triton_answers_as_the_embedded_one_and_leaves_nothing(start_server, tiny_models, server):
    triton = start_server(tiny_models, VISIONLAB_SERVING="triton")
    status = triton.client.get("/backend/status").json()
    assert (status["serving"], status["ready"]) == ("triton", True)
    assert set(states(triton).values()) == {"ready"}
    embedded = server.client.get("/backend/status").json()
    assert embedded["serving"] == "embedded"
    # An image that nobody else asks about: an answer that was kept may come from a batch, and differ in the last bit.
    answers = [classify(each.client, seed=2026_11_24).json()["results"][0] for each in (triton, server)]
    assert answers[0] == answers[1]
    body = {"models": [str(GENERATOR)], "count": 3, "seed": 7}
    faces = [each.client.post("/backend/image/generate", json=body).json()["images"] for each in (triton, server)]
    for here, there in zip(*faces, strict=True):
        assert triton.client.get(here["url"]).content == server.client.get(there["url"]).content
    servers = triton_servers(triton)
    assert len(servers) == 2
    assert triton.stop() == 0
    for process in servers:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_triton_killed_under_load_is_answered_or_told_when_to_come_back(start_server, tiny_models):
    server = start_server(tiny_models, VISIONLAB_SERVING="triton")
    stop, answers = threading.Event(), Counter()

    def client() -> None:
        with httpx.Client(base_url=server.url, timeout=20) as client:
            while not stop.is_set():
                answer = classify(client, DETECTOR)
                if answer.status_code != 200:
                    problem_of(answer, 503, answer.json()["type"].removeprefix("/problems/"), answer.json()["field"])
                    assert int(answer.headers["Retry-After"]) >= 1
                answers[answer.status_code] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        for _ in range(2):
            goal = answers[200] + 50
            block_until(lambda goal=goal: answers[200] >= goal or any(each.done() for each in clients))
            for process in triton_servers(server):
                os.kill(process, signal.SIGKILL)
            block_until(lambda: states(server)["tiny-detector"] != "ready")
            block_until(lambda: set(states(server).values()) == {"ready"})
        goal = answers[200] + 50
        block_until(lambda: answers[200] >= goal or any(each.done() for each in clients))
        stop.set()
        for each in clients:
            each.result()
    assert answers[503], "it was away for a while"
    assert server.client.get("/backend/status").json()["ready"] is True


def test_facade_that_is_killed_leaves_no_triton(start_server, tiny_models):
    server = start_server(tiny_models, VISIONLAB_SERVING="triton")
    servers = triton_servers(server)
    server.kill()

    def gone(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    block_until(lambda: all(gone(process) for process in servers))
    again = start_server(tiny_models, VISIONLAB_SERVING="triton")
    assert set(states(again).values()) == {"ready"}


@pytest.mark.parametrize("kind", KINDS)
def test_models_enabled_disabled_and_rolled_back_under_load_lose_no_request(kind, start_server, tmp_path):
    models = tmp_path / "models"
    for uuid, name, version, seed in (
        (DETECTOR, "stays", 1, 1), (SECOND_DETECTOR, "comes", 1, 2), (SECOND_DETECTOR, "comes", 2, 3),
    ):  # fmt: skip
        onnx = detector_onnx(seed)
        write_version(models, detector_card(onnx, uuid, name, version), onnx)
    server = start_server(models, VISIONLAB_SERVING=kind)
    stop, voters = threading.Event(), Counter()

    def client() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not stop.is_set():
                answer = classify(client)
                assert answer.status_code == 200, answer.text
                named = tuple(sorted((m["model_name"], m["model_version"]) for m in answer.json()["results"][0]["models"]))
                voters[named] += 1

    def await_voters(*names) -> None:
        goal = voters[names] + 20
        block_until(lambda: voters[names] >= goal or any(each.done() for each in clients))

    def set_version(version: int | None) -> None:
        with server.database() as database:
            which = "CASE WHEN version = :version THEN 'enabled' ELSE 'disabled' END"
            database.execute(text(f"UPDATE models SET status = {which} WHERE name = 'comes'"), {"version": version or 0})

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        await_voters(("comes", 2), ("stays", 1))
        for version in (None, 2, 1, 2):
            set_version(version)
            await_voters(*([("comes", version)] if version else []), ("stays", 1))
        stop.set()
        for each in clients:
            each.result()
