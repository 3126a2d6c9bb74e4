"""Status, models and metrics; and models that are damaged or disabled, on a server of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import update
from support.image_files import png
from support.problem_details import problem_of
from support.tiny_models import DAMAGED, DETECTOR, GENERATOR, NOT_A_NUMBER, SECOND_DETECTOR, WITHOUT_FILE
from support.waiting import block_until

from visionlab_api.database.tables import ModelRow


def test_status_of_a_healthy_server(client):
    status = client.get("/backend/status").json()
    assert status["ready"] is True
    assert status["serving"] == "embedded"
    assert status["version"]
    assert abs((datetime.now(UTC) - datetime.fromisoformat(status["time"])).total_seconds()) < 60
    assert {model["name"]: model["state"] for model in status["models"]} == {
        "tiny-detector": "ready", "other-detector": "ready", "tiny-generator": "ready",
    }  # fmt: skip
    assert status["counts"] == {"ready": 3, "loading": 0, "failed": 0, "disabled": 0}


def test_models_of_a_type_with_what_their_cards_say(client):
    detectors = client.get("/backend/model/detector").json()
    assert {model["uuid"] for model in detectors} == {str(DETECTOR), str(SECOND_DETECTOR)}
    [generator] = client.get("/backend/model/generator").json()
    assert (generator["uuid"], generator["type"], generator["status"], generator["state"]) == (
        str(GENERATOR), "generator", "enabled", "ready",
    )  # fmt: skip
    assert generator["face_class"] == "human_gen"
    assert generator["licence"] == "Apache-2.0"
    assert len(client.get("/backend/model/detector", params={"status": "enabled"}).json()) == 2
    assert client.get("/backend/model/detector", params={"status": "disabled"}).json() == []
    problem_of(client.get("/backend/model/cat"), 422, "invalid-request", "type")
    problem_of(client.get("/backend/model/detector", params={"status": "x"}), 422, "invalid-request", "status")


def test_generator_in_service_has_its_row_of_popularity(client):
    assert [each["model_uuid"] for each in client.get("/backend/image/stats").json()] == [str(GENERATOR)]


def test_metrics_tell_how_the_models_fare(hospital):
    told = hospital.client.get("/metrics").text
    for state, count in hospital.client.get("/backend/status").json()["counts"].items():
        if state != "disabled":
            assert f'visionlab_models{{state="{state}"}} {float(count)}\n' in told
    assert "visionlab_store_unusable 0.0\n" in told


def test_metrics_count_requests_by_route(client, upload):
    client.get(upload()["url"])
    client.post("/backend/image/classify", content=png(seed=77), headers={"Content-Type": "image/png"}).raise_for_status()
    counted = r'visionlab_http_requests_total\{method="GET",route="/backend/image/\{path:path\}",status="200"\} [1-9]'
    # A request is counted once it is over, which may be a moment after its answer has arrived.
    block_until(lambda: re.search(counted, client.get("/metrics").text), counted)
    assert re.search(r"visionlab_decode_seconds_count [1-9]", client.get("/metrics").text)


def classify(server, model):
    return server.client.post("/backend/image/classify", files={"images": ("a.png", png())}, data={"models": str(model)})


def states(server) -> dict[str, str]:
    return {model["name"]: model["state"] for model in server.client.get("/backend/status").json()["models"]}


def test_damaged_models_are_shown_as_failed_with_the_reason_and_the_others_serve(hospital):
    models = {model["name"]: model for model in hospital.client.get("/backend/model/detector").json()}
    assert {name: model["state"] for name, model in models.items()} == {
        "tiny-detector": "ready", "other-detector": "ready", "not-a-number": "ready",
        "damaged": "failed", "without-file": "failed",
    }  # fmt: skip
    assert "sha256" in models["damaged"]["reason"]
    assert "model.onnx" in models["without-file"]["reason"]
    assert models["tiny-detector"]["reason"] is None
    assert hospital.client.get("/backend/status").json()["ready"] is True
    assert classify(hospital, DETECTOR).status_code == 200


def test_asking_a_failed_model_is_a_problem_that_says_why(hospital):
    problem = problem_of(classify(hospital, DAMAGED), 503, "model-not-ready", "models")
    assert "sha256" in problem["detail"]
    problem_of(classify(hospital, WITHOUT_FILE), 503, "model-not-ready", "models")


def test_model_whose_answers_are_no_numbers_is_a_problem(hospital):
    problem = problem_of(classify(hospital, NOT_A_NUMBER), 502, "model-failed", "models")
    assert "not-a-number" in problem["detail"]
    assert classify(hospital, DETECTOR).status_code == 200


def test_disabled_model_is_refused_until_it_is_enabled_again(hospital):
    def set_status(status: str) -> None:
        with hospital.database() as database:
            changed = update(ModelRow).where(ModelRow.name == "other-detector").values(status=status)
            assert database.execute(changed).rowcount == 1
        state = {"enabled": "ready", "disabled": "disabled"}[status]
        block_until(lambda: states(hospital)["other-detector"] == state, f"{state} in the serving loop")

    set_status("disabled")
    problem = problem_of(classify(hospital, SECOND_DETECTOR), 409, "model-disabled", "models")
    assert "enable it" in problem["detail"]
    disabled = hospital.client.get("/backend/model/detector", params={"status": "disabled"}).json()
    assert [model["name"] for model in disabled] == ["other-detector"]
    assert classify(hospital, DETECTOR).status_code == 200
    set_status("enabled")
    assert classify(hospital, SECOND_DETECTOR).status_code == 200
