"""Trainings over HTTP: what is refused and why, the queue, and what becomes of trainings that are paused, removed or killed."""

from __future__ import annotations

import json
import sys
from uuid import uuid4

import pytest
from support.archives import face, zip_of
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import DETECTOR, GENERATOR
from support.tus import upload_file
from support.waiting import block_until

URL = "/backend/training"
CLASSES = ("human", "human_gen", "anime", "anime_gen")


@pytest.fixture(scope="module")
def studio(tmp_path_factory, tiny_models):
    """A server whose trainings do what the file `script` says; one runs at a time."""
    folder = tmp_path_factory.mktemp("studio")
    script = folder / "train.sh"
    server = Server(
        folder / "data",
        tiny_models,
        VISIONLAB_TRAIN_COMMAND=f"sh {script}",
        VISIONLAB_EXTRA_ARCHITECTURES="Tiny",
        VISIONLAB_TRAINING_NICE="0",
    ).start()
    server.script = script
    yield server
    server.close()


WAITING = """echo '{"step": 7, "steps": 70, "loss": 0.5, "time": 1}' > $3/progress.json
echo '{"step": 7, "loss": 0.5}' > $3/metrics.jsonl
trap 'exit 75' TERM
while :; do sleep 0.05; done
"""


def listed(server, **params) -> list[dict]:
    return server.admin.get(f"{URL}/detector", params={"limit": 200, **params}).json()["trainings"]


def make_dataset(client, classes=CLASSES, each: int = 6, kind: str = "detector", **options) -> str:
    files = {f"{name}/{seed}.jpg": face(100 * place + seed) for place, name in enumerate(classes) for seed in range(each)}
    upload = upload_file(client, "faces.zip", zip_of(files))
    body = {"name": f"set-{uuid4()}", "type": kind, "uploads": [upload], **options}
    dataset = client.post("/backend/dataset", json=body).json()
    block_until(lambda: client.get(f"/backend/dataset/{dataset['uuid']}/report").json()["state"] == "ready")
    return dataset["uuid"]


@pytest.fixture(scope="module")
def dataset(studio) -> str:
    return make_dataset(studio.admin)


def body(dataset: str, **options) -> dict:
    usual = {"type": "detector", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "max_epochs": 2}
    return {"name": f"model-{uuid4().hex[:8]}", "datasets": [dataset], **usual, **options}


def add(studio, dataset: str, **options) -> dict:
    answer = studio.admin.post(URL, json=body(dataset, **options))
    assert answer.status_code == 201, answer.text
    return answer.json()


def report(studio, training: dict) -> dict:
    answer = studio.admin.get(f"{URL}/{training['uuid']}/report")
    assert answer.status_code == 200, answer.text
    return answer.json()


def comes_to(studio, training: dict, status: str) -> dict:
    block_until(lambda: report(studio, training)["status"] == status)
    return report(studio, training)


@pytest.mark.parametrize(
    ("change", "status", "kind", "field", "says"),
    [
        ({"architecture": "mobilenetv2"}, 422, "invalid-request", "architecture", "the nearest is MobileNetV2"),
        ({"architecture": None}, 422, "invalid-request", "architecture", "missing"),
        ({"architecture": "Xception", "resolution": 64}, 422, "invalid-request", "resolution", "71 pixels"),
        ({"batch_size": 1}, 422, "invalid-request", "batch_size", None),
        ({"batch_size": 4, "gpus": 3}, 422, "invalid-request", "batch_size", "no multiple of 3"),
        ({"gpus": -1}, 422, "invalid-request", "gpus", None),
        ({"optimizer": "sgd"}, 422, "invalid-request", "optimizer", None),
        ({"face_class": "human"}, 422, "invalid-request", "face_class", "leave face_class out"),
        ({"base_models": [str(DETECTOR)]}, 422, "invalid-request", "base_models", "Only an ensemble"),
        ({"ensemble": "stacking", "base_models": []}, 422, "invalid-request", "architecture", "one of the two"),
        (
            {"ensemble": "stacking", "architecture": None, "base_models": [str(DETECTOR)]},
            422, "invalid-request", "base_models", "two or more",
        ),
        (
            {"ensemble": "voting", "architecture": None, "base_models": [str(DETECTOR), str(GENERATOR)]},
            409, "not-a-base", "base_models", "without weights",
        ),
        (
            {"ensemble": "voting", "architecture": None, "base_models": [str(GENERATOR), str(DETECTOR)]},
            404, "not-found", "base_models", None,
        ),
        ({"datasets": []}, 422, "invalid-request", "datasets", "nothing to learn from"),
        ({"datasets": [str(uuid4())]}, 404, "not-found", "datasets", None),
        ({"name": "tiny-detector"}, 409, "name-taken", "name", "already"),
        ({"name": "Big Name"}, 422, "invalid-request", "name", None),
        ({"model": str(uuid4())}, 404, "not-found", "model", None),
        ({"type": "generator", "architecture": "DCGAN"}, 422, "invalid-request", "face_class", "human or anime"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_with_the_reason(studio, dataset, change, status, kind, field, says):
    problem = problem_of(studio.admin.post(URL, json=body(dataset) | change), status, kind, field)
    assert says is None or says in problem["detail"]
    assert not any(training["name"] == change.get("name") for training in listed(studio))


def test_datasets_have_to_hold_what_is_to_be_learnt(studio):
    humans = make_dataset(studio.admin, ("human",))
    problem = problem_of(studio.admin.post(URL, json=body(humans)), 409, "images-missing", "datasets")
    assert "human_gen, anime, anime_gen" in problem["detail"]
    few = make_dataset(studio.admin, ("human", "anime"), each=3)
    assert "human 3, anime 3" in problem_of(studio.admin.post(URL, json=body(few)), 409, "images-missing")["detail"]
    generators = make_dataset(studio.admin, kind="generator")
    problem_of(studio.admin.post(URL, json=body(generators)), 409, "dataset-not-usable", "datasets")
    studio.admin.patch(f"/backend/dataset/{few}/status/disabled")
    problem_of(studio.admin.post(URL, json=body(few)), 409, "dataset-not-usable", "datasets")
    # Nothing that was refused holds a data set.
    for each in (humans, few, generators):
        assert studio.admin.delete(f"/backend/dataset/{each}").status_code == 204


def test_the_queue_goes_on_in_order_one_at_a_time(studio, dataset):
    studio.script.write_text(WAITING)
    first, second, third = (add(studio, dataset) for _ in range(3))
    assert (first["status"], first["queue_position"]) == ("pending", 1)
    comes_to(studio, first, "running")
    assert [report(studio, each)["queue_position"] for each in (first, second, third)] == [None, 1, 2]
    assert studio.admin.post(f"{URL}/process").json() == {"pending": 2, "running": 1, "at_once": 1, "reason": None}
    block_until(lambda: (report(studio, first)["progress"] or {}).get("step") == 7)
    running = report(studio, first)
    assert (running["progress"]["phase"], running["progress"]["steps"], running["progress"]["epochs"]) == ("training", 70, 2)
    assert running["progress"]["metrics"] == {"loss": 0.5}
    assert running["curves"] == [{"name": "loss", "points": [[7, 0.5]]}]
    assert running["datasets"][0]["images"] == 24
    # A pause frees the place, for the next in the queue.
    waiting = studio.admin.patch(f"{URL}/{first['uuid']}/status/paused").json()
    assert waiting["wanted"] == "pause"
    comes_to(studio, first, "paused")
    comes_to(studio, second, "running")
    studio.admin.patch(f"{URL}/{third['uuid']}/status/paused")
    comes_to(studio, third, "paused")
    resumed = studio.admin.patch(f"{URL}/{first['uuid']}/status/running").json()
    assert resumed["wanted"] == "run"
    block_until(lambda: report(studio, first)["queue_position"] == 1)
    problem_of(studio.admin.delete(f"/backend/dataset/{dataset}"), 409, "dataset-in-use")
    for training in (second, first, third):
        assert studio.admin.delete(f"{URL}/{training['uuid']}").status_code == 204
        problem_of(studio.admin.get(f"{URL}/{training['uuid']}/report"), 404, "not-found")
    block_until(lambda: not any((studio.folder / "store" / "trainings").glob("*")))
    assert not any((studio.folder / "trainings").glob("*-*-*"))


def test_a_failed_training_says_why_and_can_be_tried_again(studio, dataset):
    studio.script.write_text("echo 'visionlab: The loss became nan. Lower the learning rate.' >&2; exit 1")
    training = add(studio, dataset)
    failed = comes_to(studio, training, "failed")
    assert failed["reason"] == "The loss became nan. Lower the learning rate."
    assert failed["end_at"] > failed["begin_at"]
    for status in ("paused", "running"):
        problem_of(studio.admin.patch(f"{URL}/{training['uuid']}/status/{status}"), 409, "training-ended")
    problem_of(studio.admin.get(f"{URL}/{training['uuid']}/file/report.html"), 404, "not-found")
    with studio.admin.stream("GET", f"{URL}/{training['uuid']}/events") as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]
    assert events == [failed]
    studio.script.write_text(WAITING)
    again = studio.admin.post(f"{URL}/{training['uuid']}/retry").json()
    assert (again["status"], again["reason"]) == ("pending", None)
    comes_to(studio, training, "running")
    problem_of(studio.admin.post(f"{URL}/{training['uuid']}/retry"), 409, "training-not-failed")
    studio.admin.delete(f"{URL}/{training['uuid']}")


def test_what_a_training_says_can_be_read(studio, dataset):
    studio.script.write_text(
        "for line in 1 2 3; do echo line $line; done; printf '1%%\\r2%%\\r\\nvisionlab: no such thing\\n' >&2; exit 2"
    )
    training = add(studio, dataset, gpus=2)
    assert training["settings"]["gpus"] == 2
    comes_to(studio, training, "failed")
    log = f"{URL}/{training['uuid']}/log"
    answer = studio.admin.get(log)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "line 1\nline 2\nline 3\n2%\nvisionlab: no such thing\n"
    assert studio.admin.get(log, params={"tail": 1}).text == "visionlab: no such thing\n"
    problem_of(studio.admin.get(log, params={"tail": 0}), 422, "invalid-request", "tail")
    problem_of(studio.admin.get(f"{URL}/{uuid4()}/log"), 404, "not-found")
    studio.admin.delete(f"{URL}/{training['uuid']}")


def test_a_name_is_promised_once(studio, dataset):
    studio.script.write_text(WAITING)
    training = add(studio, dataset)
    problem_of(studio.admin.post(URL, json=body(dataset, name=training["name"])), 409, "name-taken", "name")
    studio.admin.delete(f"{URL}/{training['uuid']}")
    block_until(lambda: studio.admin.post(URL, json=body(dataset, name=training["name"])).status_code == 201)
    for each in listed(studio, name=training["name"]):
        studio.admin.delete(f"{URL}/{each['uuid']}")


def test_a_training_outlives_the_server_and_is_found_again(studio, dataset):
    studio.script.write_text(WAITING)
    training = add(studio, dataset)
    comes_to(studio, training, "running")
    process = studio.folder / "trainings" / training["uuid"] / "process.json"
    block_until(process.exists)
    before = process.read_text()
    studio.kill()
    studio.start()
    comes_to(studio, training, "running")
    studio.admin.patch(f"{URL}/{training['uuid']}/status/paused")
    comes_to(studio, training, "paused")
    assert process.read_text() == before, "it was not started a second time"
    studio.admin.delete(f"{URL}/{training['uuid']}")


def test_a_training_that_is_killed_again_and_again_is_given_up(studio, dataset):
    studio.script.write_text("kill -9 $PPID; sleep 60")
    training = add(studio, dataset)
    failed = comes_to(studio, training, "failed")
    assert "was killed 4 times at step 0" in failed["reason"]
    studio.admin.delete(f"{URL}/{training['uuid']}")


def test_the_list_is_filtered_sorted_and_read_in_parts(studio, dataset):
    studio.script.write_text("echo 'visionlab: no.' >&2; exit 2")
    mark = uuid4().hex[:8]
    names = [f"{mark}-{letter}" for letter in "bca"]
    made = [add(studio, dataset, name=name) for name in names]
    for training in made:
        comes_to(studio, training, "failed")

    def found(**params) -> list[str]:
        names, cursor = [], None
        while True:
            page = studio.admin.get(
                f"{URL}/detector", params={"limit": 2, "name": mark, **params, **({"cursor": cursor} if cursor else {})}
            ).json()
            names += [training["name"][-1] for training in page["trainings"]]
            if (cursor := page["next_cursor"]) is None:
                return names

    assert found() == ["a", "c", "b"]
    assert found(sort="oldest") == ["b", "c", "a"]
    assert found(sort="name") == ["a", "b", "c"]
    assert found(sort="-name", status="failed") == ["c", "b", "a"]
    assert found(status="done") == []
    assert studio.admin.get(f"{URL}/generator").json()["trainings"] == []
    problem_of(studio.admin.get(f"{URL}/robot"), 422, "invalid-request", "type")
    for training in made:
        studio.admin.delete(f"{URL}/{training['uuid']}")


def test_without_what_trains_a_training_waits_and_says_so(start_server, tiny_models):
    server = start_server(
        tiny_models, VISIONLAB_TRAIN_COMMAND=f"/nowhere/train {sys.executable}", VISIONLAB_EXTRA_ARCHITECTURES="Tiny"
    )
    training = add(server, make_dataset(server.admin))
    block_until(lambda: report(server, training)["reason"])
    waiting = report(server, training)
    assert (waiting["status"], "VISIONLAB_TRAIN_COMMAND" in waiting["reason"]) == ("pending", True)
    assert server.admin.post(f"{URL}/process").json()["reason"] == waiting["reason"]


def test_what_a_generator_draws_is_shown_while_it_learns(studio):
    dataset = make_dataset(studio.admin, ("anime",), each=12, kind="generator")
    studio.script.write_text(
        f"mkdir -p $3/samples; for step in 000050 000025; do printf $step > $3/samples/$step.jpg; done\n{WAITING}"
    )
    training = add(studio, dataset, type="generator", architecture="DCGAN", resolution=128, face_class="anime")
    block_until(lambda: len(report(studio, training)["samples"]) == 2)
    samples = report(studio, training)["samples"]
    assert [each["step"] for each in samples] == [25, 50]
    shown = studio.admin.get(samples[1]["url"])
    assert (shown.content, shown.headers["content-type"]) == (b"000050", "image/jpeg")
    assert problem_of(studio.admin.get(f"{URL}/{training['uuid']}/sample/26"), 404)["field"] == "step"
    assert studio.client.get(samples[1]["url"]).status_code == 401
    studio.admin.delete(f"{URL}/{training['uuid']}")


def test_what_can_be_trained_is_told(studio):
    options = studio.admin.get(f"{URL}/options").json()
    sides = {each["name"]: each["least_side"] for each in options["detectors"]}
    assert (sides["Xception"], sides["Tiny"]) == (71, 32)
    assert {each["name"] for each in options["generators"]} == {"DCGAN", "StyleGAN2"}
    assert (options["at_once"], options["reason"]) == (1, None)
