"""Champion and challenger over HTTP: retrained with labels, judged on the same images, proposed, switched, handed back."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.archives import zip_of
from support.brightness_detector import brightness_detector, grey
from support.instant_training import COMMAND
from support.problem_details import problem_of
from support.server import Server
from support.tiny_models import GENERATOR, detector_card, write_tiny_models, write_version
from support.tus import upload_file
from support.waiting import block_until

from visionlab_core.face_class import FACE_CLASSES

URL = "/backend/challenge"
CHAMPIONS = [UUID(int=number, version=4) for number in range(1, 9)]
RULE = {"min_labels": 8, "min_judged": 20, "held_out": 0.5}


class Arena:
    """A server whose trainings are done at once, champions that are wrong throughout, and a data set that shows it."""

    def __init__(self, folder: Path) -> None:
        write_tiny_models(folder / "models")
        onnx = brightness_detector(right=False)
        for number, uuid in enumerate(CHAMPIONS):
            write_version(folder / "models", detector_card(onnx, uuid, f"champion-{number}"), onnx)
        self._script = folder / "train.json"
        self.trains(right=True)
        self.server = Server(
            folder / "data",
            folder / "models",
            VISIONLAB_TRAIN_COMMAND=f"{COMMAND} {self._script}",
            VISIONLAB_EXTRA_ARCHITECTURES="Linear",
            VISIONLAB_TRAINING_NICE="0",
        ).start()
        files = {
            f"{each}/{seed}.jpg": grey(each, 1000 * place + seed) for place, each in enumerate(FACE_CLASSES) for seed in range(16)
        }
        body = {"name": "greys", "type": "detector", "uploads": [upload_file(self.admin, "greys.zip", zip_of(files))]}
        self.dataset = self.admin.post("/backend/dataset", json=body).json()["uuid"]
        block_until(lambda: self.admin.get(f"/backend/dataset/{self.dataset}/report").json()["state"] == "ready")
        self.label(10)

    @property
    def admin(self):
        return self.server.admin

    def trains(self, **script: object) -> None:
        partial = self._script.with_suffix(".partial")
        partial.write_text(json.dumps(script))
        partial.replace(self._script)

    def label(self, count: int) -> None:
        for number in range(count):
            face_class = FACE_CLASSES[number % 4]
            files = {"file": ("a.jpg", grey(face_class, uuid4().int % 2**32))}
            image = self.admin.post("/backend/image", files=files).json()["uuid"]
            body = {"image": image, "label": face_class, "share": True}
            self.admin.post("/backend/image/label", json=body).raise_for_status()

    def challenge(self, champion: UUID, **rule: object) -> dict:
        answer = self.admin.post(URL, json={"model": str(champion), "rule": {**RULE, **rule}})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, challenge: dict) -> dict:
        return self.admin.get(f"{URL}/{challenge['uuid']}").json()

    def comes_to(self, challenge: dict, state: str) -> dict:
        block_until(lambda: self.get(challenge)["state"] not in ("queued", "training", "judging"))
        found = self.get(challenge)
        assert found["state"] == state, found["reason"]
        return found

    def act(self, challenge: dict, verb: str):
        return self.admin.post(f"{URL}/{challenge['uuid']}/{verb}")

    def in_service(self, model: UUID) -> list[int]:
        models = self.admin.get("/backend/model/detector", params={"status": "enabled"}).json()
        return [each["version"] for each in models if each["uuid"] == str(model)]

    def audited(self, action: str) -> dict:
        entries = self.admin.get("/backend/audit", params={"limit": 200}).json()["entries"]
        return next(each for each in entries if each["action"] == action)

    def answering_version(self, model: UUID) -> int:
        image = self.admin.post("/backend/image", files={"file": ("a.jpg", grey(FACE_CLASSES[0], 7))}).json()["uuid"]
        asked = {"images": [image], "models": [str(model)]}
        block_until(lambda: self.admin.post("/backend/image/classify", json=asked).status_code == 200)
        return (
            2
            if self.admin.post("/backend/image/classify", json=asked).json()["results"][0]["verdict"]["called"] == "human"
            else 1
        )


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    arena = Arena(tmp_path_factory.mktemp("arena"))
    yield arena
    arena.server.close()


def test_a_better_version_is_proposed_accepted_and_rolled_back(arena):
    model = CHAMPIONS[0]
    made = arena.challenge(model)
    assert (made["champion_version"], made["challenger_version"]) == (1, 2)
    assert made["new_labels"] >= 10
    assert 20 <= made["judged"]["images"] < 60
    assert not made["judged"]["learnt_known"]
    found = arena.comes_to(made, "proposed")
    comparison = found["comparison"]
    assert comparison["images"] == made["judged"]["images"] == sum(map(sum, comparison["champion"]["confusion"]))
    assert comparison["champion"]["data_digest"] == comparison["challenger"]["data_digest"]
    assert (comparison["champion_balanced_accuracy"], comparison["challenger_balanced_accuracy"]) == (0, 1)
    assert comparison["agreement"]["only_challenger"] == comparison["images"]
    assert comparison["p_value"] < 1e-5
    assert all(check["passed"] for check in found["verdict"])
    assert len(found["verdict"]) == 4
    assert arena.in_service(model) == [1]
    problem_of(arena.act(found, "rollback"), 409, "challenge-state")
    problem_of(arena.admin.post(URL, json={"model": str(model), "rule": RULE}), 409, "challenge-open", "model")
    assert arena.act(found, "accept").json()["state"] == "switched"
    assert arena.in_service(model) == [2]
    block_until(lambda: arena.answering_version(model) == 2)
    assert arena.audited("POST /backend/challenge/{uuid}/accept")["detail"] == {"model": str(model), "from": 1, "to": 2}
    problem_of(arena.act(found, "accept"), 409, "challenge-state")
    assert arena.act(found, "rollback").json()["state"] == "rolled_back"
    assert arena.in_service(model) == [1]
    block_until(lambda: arena.answering_version(model) == 1)
    assert [each["uuid"] for each in arena.admin.get(URL, params={"model": str(model)}).json()["challenges"]] == [made["uuid"]]


def test_no_image_that_is_judged_was_learnt(arena):
    made = arena.challenge(CHAMPIONS[1])
    found = arena.comes_to(made, "proposed")
    folder = arena.server.folder / "store" / "trainings" / found["training"]
    judged = {line.split(",")[0] for line in (folder / "judged.csv").read_text().splitlines()[1:]}
    learnt = {line.split(",")[0] for line in (folder / "manifest.csv").read_text().splitlines()[1:] if not line.endswith(",test")}
    assert len(judged) == found["judged"]["images"]
    assert learnt
    assert not judged & learnt
    # The next champion was trained here: what it is judged on next is new to it, too.
    arena.act(found, "accept").raise_for_status()
    arena.label(8)
    again = arena.challenge(CHAMPIONS[1])
    assert again["judged"]["learnt_known"]
    assert again["new_labels"] == 8
    assert again["judged"]["images"] >= made["judged"]["images"]
    kept = arena.comes_to(again, "kept")
    assert "p = 1, and 0.05 or less" in kept["reason"]
    assert kept["comparison"]["gain"] == {"value": 0, "low": 0, "high": 0, "confidence": 0.95}
    assert arena.in_service(CHAMPIONS[1]) == [2]


def test_a_version_that_is_no_better_is_not_proposed(arena):
    arena.trains(right=False)
    found = arena.comes_to(arena.challenge(CHAMPIONS[2]), "kept")
    assert [check["name"] for check in found["verdict"] if not check["passed"]] == ["min_gain", "max_p_value"]
    arena.trains(right=True)
    assert arena.in_service(CHAMPIONS[2]) == [1]


@pytest.mark.parametrize(
    ("model", "rule", "status", "kind"),
    [
        (CHAMPIONS[3], {"min_labels": 1000}, 409, "labels-missing"),
        (CHAMPIONS[3], {"min_judged": 1000}, 409, "images-missing"),
        (GENERATOR, {}, 409, "not-a-detector"),
        (uuid4(), {}, 404, "not-found"),
        (CHAMPIONS[3], {"held_out": 0.9}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_challenged_is_refused_and_leaves_nothing(arena, model, rule, status, kind):
    problem_of(arena.admin.post(URL, json={"model": str(model), "rule": {**RULE, **rule}}), status, kind)
    assert arena.admin.get(URL, params={"model": str(model)}).json()["challenges"] == []


def test_it_goes_on_after_a_kill_and_can_be_cancelled(arena):
    arena.trains(right=True, waits=True)
    made, other = arena.challenge(CHAMPIONS[3]), arena.challenge(CHAMPIONS[4])
    block_until(lambda: arena.get(made)["state"] == "training")
    assert arena.get(other)["state"] == "queued"
    assert arena.act(other, "cancel").json()["state"] == "cancelled"
    problem_of(arena.act(other, "reject"), 409, "challenge-state")
    arena.server.kill()
    arena.trains(right=True)
    arena.server.start()
    found = arena.comes_to(made, "proposed")
    # The champion is taken away before anybody decides.
    arena.admin.patch(f"/backend/model/{CHAMPIONS[3]}/status/disabled?version=1").raise_for_status()
    problem_of(arena.act(found, "accept"), 409, "champion-changed")
    arena.admin.delete(f"/backend/model/{CHAMPIONS[3]}?version=1").raise_for_status()
    block_until(lambda: arena.get(made)["state"] == "failed")
    assert "Version 1 was removed" in arena.get(made)["reason"]


def test_a_training_that_fails_ends_it_with_the_reason_and_another_can_begin(arena):
    arena.trains(fails="The loss became nan.")
    found = arena.comes_to(arena.challenge(CHAMPIONS[5]), "failed")
    assert "The loss became nan." in found["reason"]
    arena.trains(right=True)
    second = arena.comes_to(arena.challenge(CHAMPIONS[5]), "proposed")
    assert arena.act(second, "reject").json()["state"] == "rejected"
    assert arena.in_service(CHAMPIONS[5]) == [1]


def test_a_proposal_is_void_once_somebody_switched_otherwise(arena):
    made = arena.comes_to(arena.challenge(CHAMPIONS[7]), "proposed")
    arena.admin.patch(f"/backend/model/{CHAMPIONS[7]}/status/enabled?version=2&replace=true").raise_for_status()
    block_until(lambda: arena.get(made)["state"] == "failed")
    assert "Version 2 has taken the champion's place" in arena.get(made)["reason"]


def test_by_schedule_it_is_made_with_enough_labels_and_switched_by_itself(arena):
    model = CHAMPIONS[6]
    settings = {**RULE, "every_days": 1e-7, "models": [str(model)], "switch_by_itself": True}
    answer = arena.admin.post(f"{URL}/settings", json=settings)
    assert answer.json() == {**arena.admin.get(f"{URL}/settings").json(), **settings}
    block_until(lambda: arena.in_service(model) == [2])
    arena.admin.post(f"{URL}/settings", json={"every_days": 0, "switch_by_itself": False}).raise_for_status()
    [made] = arena.admin.get(URL, params={"model": str(model)}).json()["challenges"]
    assert (made["made_by"], made["state"]) == ("schedule", "switched")
    entry = arena.audited("POST /backend/challenge/{uuid}/accept")
    assert (entry["actor_kind"], entry["status"], entry["target"]) == ("system", 200, f"{URL}/{made['uuid']}/accept")
    assert arena.audited("POST /backend/challenge")["status"] == 201
    assert arena.act(made, "rollback").json()["state"] == "rolled_back"
    assert arena.in_service(model) == [1]
