"""Models over HTTP: added from uploads, enabled, switched, removed."""

from __future__ import annotations

from uuid import uuid4

import pytest
from support.image_files import png
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_card, detector_onnx, generator_onnx, write_version
from support.tus import TUS, UPLOADS, upload_file
from support.waiting import block_until

URL = "/backend/model"


@pytest.fixture(scope="module")
def client(tmp_path_factory, tiny_models):
    """Of a server of its own: models come and go on it."""
    server = Server(tmp_path_factory.mktemp("models-server"), tiny_models).start()
    yield server.admin
    server.close()


def add(client, data: bytes, filename: str = "model.onnx", **options):
    upload = upload_file(client, filename, data)
    body = {"upload": upload, "type": "detector", "name": f"model-{uuid4().hex[:8]}", **options}
    return upload, client.post(URL, json=body)


def added(client, data: bytes, **options) -> dict:
    _, answer = add(client, data, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def versions(client, uuid: str) -> dict[int, str]:
    return {each["version"]: each["status"] for each in client.get(f"{URL}/detector").json() if each["uuid"] == uuid}


def serves(client, model: dict) -> dict:
    """The model's own answer about an image, once it serves."""

    def ask():
        headers = {"Content-Type": "image/png"}
        return client.post("/backend/image/classify", content=png(), headers=headers, params={"models": model["uuid"]})

    block_until(lambda: ask().status_code == 200)
    return ask().json()["results"][0]["models"][0]


def test_an_uploaded_model_is_tried_added_disabled_and_serves_once_enabled(client):
    upload, answer = add(client, detector_onnx(7), label="From elsewhere", licence="MIT", architecture="Linear")
    model = answer.json()
    assert answer.status_code == 201, answer.text
    assert (model["status"], model["state"], model["version"], model["label"]) == ("disabled", "disabled", 1, "From elsewhere")
    assert (model["parameters"], model["licence"], model["report"], model["samples"], model["metrics"]) == (
        16,
        "MIT",
        None,
        None,
        {},
    )
    assert client.head(f"{UPLOADS}/{upload}", headers=TUS).status_code in (404, 410)
    card = client.get(f"{URL}/{model['uuid']}/version/1/file/card.json").json()
    assert (card["provenance"]["started_from"], card["provenance"]["spec"]["uploaded"]) == ("uploaded", "model.onnx")
    problem_of(client.get(f"{URL}/{model['uuid']}/version/1/file/model.onnx"), 404, "not-found")
    assert client.patch(f"{URL}/{model['uuid']}/status/enabled").json()["status"] == "enabled"
    assert serves(client, model)["model_version"] == 1
    problem_of(client.delete(f"{URL}/{model['uuid']}"), 409, "model-enabled")
    client.patch(f"{URL}/{model['uuid']}/status/disabled")
    assert client.delete(f"{URL}/{model['uuid']}").status_code == 204
    problem_of(client.delete(f"{URL}/{model['uuid']}"), 404, "not-found")
    problem_of(client.patch(f"{URL}/{model['uuid']}/status/enabled"), 404, "not-found")


def test_a_new_version_takes_over_and_hands_back(client):
    model = added(client, detector_onnx(8))
    client.patch(f"{URL}/{model['uuid']}/status/enabled")
    assert serves(client, model)["model_version"] == 1
    second = added(client, detector_onnx(9), model=model["uuid"], name="ignored")
    assert (second["name"], second["version"]) == (model["name"], 2)
    assert versions(client, model["uuid"]) == {1: "enabled", 2: "disabled"}
    client.patch(f"{URL}/{model['uuid']}/status/enabled", params={"replace": True})
    assert versions(client, model["uuid"]) == {1: "disabled", 2: "enabled"}
    block_until(lambda: serves(client, model)["model_version"] == 2)
    client.patch(f"{URL}/{model['uuid']}/status/enabled", params={"version": 1, "replace": True})
    assert versions(client, model["uuid"]) == {1: "enabled", 2: "disabled"}
    block_until(lambda: serves(client, model)["model_version"] == 1)
    problem_of(client.patch(f"{URL}/{model['uuid']}/status/enabled", params={"version": 3}), 404, "not-found", "version")
    assert client.delete(f"{URL}/{model['uuid']}", params={"version": 2}).status_code == 204
    third = added(client, detector_onnx(9), model=model["uuid"], name="ignored")
    assert third["version"] == 3, "a version's number is never given again"
    client.patch(f"{URL}/{model['uuid']}/status/disabled", params={"version": 1})
    assert client.delete(f"{URL}/{model['uuid']}").status_code == 204


def test_classes_in_another_order_are_answered_in_ours(client):
    usual, turned = added(client, detector_onnx(5)), None
    order = ["anime_gen", "anime", "human_gen", "human"]
    turned = added(client, detector_onnx(5), classes=order)
    answers = []
    for model in (usual, turned):
        client.patch(f"{URL}/{model['uuid']}/status/enabled")
        answers.append(serves(client, model)["probabilities"])
        client.patch(f"{URL}/{model['uuid']}/status/disabled")
    ours = ["human", "human_gen", "anime", "anime_gen"]
    assert [answers[1][name] for name in order] == pytest.approx([answers[0][name] for name in ours])


@pytest.mark.parametrize(
    ("data", "filename", "options", "status", "kind", "field", "says"),
    [
        (b"\x80\x04 a pickle", "model.onnx", {}, 422, "unusable-model", "upload", "no ONNX file"),
        (detector_onnx(bias=float("nan")), "model.onnx", {}, 422, "unusable-model", "upload", "no numbers"),
        (generator_onnx(), "model.onnx", {}, 422, "unusable-model", "upload", "'image'"),
        (b"weights", "model.h5", {}, 422, "invalid-request", "architecture", "missing"),
        (b"x", "model.onnx", {"name": "tiny-detector"}, 409, "name-taken", "name", "already"),
        (b"x", "model.onnx", {"model": str(uuid4())}, 404, "not-found", "model", None),
        (b"x", "model.onnx", {"type": "generator"}, 422, "invalid-request", "face_class", "human_gen"),
        (b"x", "model.onnx", {"classes": ["human"] * 4}, 422, "invalid-request", "classes", "each of the four"),
        (b"x", "model.onnx", {"name": "Big Name"}, 422, "invalid-request", "name", None),
    ],
)
def test_what_cannot_be_a_model_is_refused_and_its_upload_stays(client, data, filename, options, status, kind, field, says):
    upload, answer = add(client, data, filename, **options)
    problem = problem_of(answer, status, kind, field)
    assert says is None or says in problem["detail"]
    assert client.head(f"{UPLOADS}/{upload}", headers=TUS).status_code == 200
    problem_of(client.post(URL, json={"upload": str(uuid4()), "type": "detector", "name": "x"}), 404, "not-found", "upload")


def test_a_model_that_is_stood_on_or_shipped_is_removed_for_good_or_not_at_all(start_server, tmp_path):
    folder = tmp_path / "models"
    for seed, uuid, name in ((1, DETECTOR, "tiny"), (2, SECOND_DETECTOR, "other")):
        onnx = detector_onnx(seed)
        write_version(folder, detector_card(onnx, uuid, name), onnx)
    onnx, ensemble = detector_onnx(3), uuid4()
    card = detector_card(onnx, ensemble, "stack")
    write_version(folder, card.model_copy(update={"ensemble": True, "base_models": (DETECTOR,), "base_versions": (1,)}), onnx)
    server = start_server(folder)
    for uuid in (DETECTOR, ensemble):
        server.admin.patch(f"{URL}/{uuid}/status/disabled")
    problem = problem_of(server.admin.delete(f"{URL}/{DETECTOR}"), 409, "model-in-use")
    assert "Stack (version 1) stands on Tiny" in problem["detail"]
    assert server.admin.delete(f"{URL}/{ensemble}").status_code == 204
    assert server.admin.delete(f"{URL}/{DETECTOR}").status_code == 204
    server.stop()
    server.start()
    assert [model["name"] for model in server.admin.get(f"{URL}/detector").json()] == ["other"]
