"""An installation of the chart, used as people use it, while it is changed, broken and scaled under load.

One installation for all, in the order of its life; each test leaves it whole.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from support.archives import face, zip_of
from support.drawn_faces import portrait
from support.image_files import encoded, png
from support.installation import Installation, Writer, comes, is_ready, measured
from support.server import Server
from support.tus import upload_file

from visionlab_core.store_layout import model_key

pytestmark = pytest.mark.timeout(1500)

CLASSES = ("human", "human_gen", "anime", "anime_gen")
MODELS = Path(__file__).parents[2] / "models"
IN_SERVICE = "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e07"
"""The detector that a fresh installation enables."""
SECOND = "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e01"
NEVER_SERVED = "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e05"
"""One of which no release has a copy yet."""
HUMAN = "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e02"
READY = ("ready", None)
NAMESPACE = "vl-installed"
PROMETHEUS = "http://prometheus.monitoring:9090"
SETTINGS = {
    "api.replicas": 2,
    # So that every request comes to Triton.
    "api.env.VISIONLAB_CACHED_ANSWERS": "0",
    "training.resources.requests.cpu": "50m",
    "training.gpu.nodeSelector.nvidia\\.com/gpu\\.present": "true",
}


def words(**more: object) -> list[str]:
    """Settings as helm takes them."""
    return [word for name, value in {**SETTINGS, **more}.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]


@pytest.fixture(scope="module")
def lab() -> Iterator[Installation]:
    lab = Installation(NAMESPACE)
    lab.begin()
    began = time.monotonic()
    lab.install("--wait", "--timeout", "10m", *words())
    measured("seconds until helm says that all pods are ready", time.monotonic() - began)
    lab.connect()
    comes(lambda: all(state == "ready" for state, _ in lab.states().values() if state != "disabled"), "models that answer")
    measured("seconds until models answer", time.monotonic() - began)
    yield lab
    lab.end()


def classify(client, data: bytes, *models: str) -> dict[str, dict[str, float]]:
    """What each model says of an image."""
    asked = {"files": {"images": ("face.png", data)}, "data": {"models": list(models)} if models else {}}
    [result] = client.post("/backend/image/classify", **asked).raise_for_status().json()["results"]
    assert result["problem"] is None, result["problem"]
    return {each["model_uuid"]: each["probabilities"] for each in result["models"]}


def settles(lab: Installation, *components: str) -> None:
    """Wait until all pods of these are ready, and there is one at least."""
    for component in components:
        comes(lambda each=component: (pods := lab.pods(each)) and all(map(is_ready, pods)), f"{component} ready")


def test_it_answers_as_a_laptop_does(lab, tmp_path):
    laptop = Server(tmp_path / "data", MODELS).start()
    try:
        for seed in range(3):
            data = encoded(portrait(seed, 300), "JPEG")
            here, there = classify(laptop.client, data, IN_SERVICE), classify(lab.client, data, IN_SERVICE)
            for name, probability in here[IN_SERVICE].items():
                assert there[IN_SERVICE][name] == pytest.approx(probability, abs=1e-4)
        asked = {"models": [HUMAN], "count": 2, "seed": 7}
        for mine, theirs in zip(*(pictures(each.client, asked) for each in (laptop, lab)), strict=True):
            assert np.abs(mine.astype(int) - theirs.astype(int)).max() <= 1
    finally:
        laptop.close()


def pictures(client, asked: dict) -> list[np.ndarray]:
    answer = client.post("/backend/image/generate", json=asked).raise_for_status().json()
    return [np.asarray(Image.open(io.BytesIO(client.get(image["url"]).content))) for image in answer["images"]]


def test_helm_test_says_that_it_works(lab):
    assert "A face was made, and called" in lab.helm("test", "--logs", "--timeout", "5m")


def test_an_image_is_stored_and_labelled(lab):
    image = lab.client.post("/backend/image", files={"file": ("a.png", png(seed=5))}).raise_for_status().json()
    labelled = {"image": image["uuid"], "label": "anime", "predicted": "human", "share": True}
    lab.client.post("/backend/image/label", json=labelled).raise_for_status()
    assert lab.client.get(image["url"]).status_code == 200


def test_only_the_controller_may_make_jobs(lab):
    def may(account: str, verb: str, kind: str) -> bool:
        who = f"--as=system:serviceaccount:{NAMESPACE}:{account}"
        return lab.kubectl("auth", "can-i", verb, kind, who, check=False).strip().startswith("yes")

    accounts = [account["metadata"]["name"] for account in lab.items("serviceaccounts")]
    assert "visionlab-api" in accounts
    allowed = {account: {f"{verb} {kind}" for verb, kind in ASKED if may(account, verb, kind)} for account in accounts}
    assert allowed.pop("visionlab-controller") == {"create jobs", "create inferenceservices.serving.kserve.io"}
    assert not any(allowed.values()), allowed


ASKED = [
    ("create", "jobs"),
    ("create", "inferenceservices.serving.kserve.io"),
    ("create", "pods"),
    ("get", "secrets"),
    ("create", "pods/exec"),
]


def test_a_model_is_enabled_and_disabled_again_while_requests_flow(lab):
    former = lab.releases("detectors")
    with lab.load(20, [IN_SERVICE]) as load:
        began = time.monotonic()
        lab.switch(SECOND, "enabled")
        comes(lambda: lab.states()[SECOND] == READY, "the second model")
        measured("seconds until an enabled model answers, at 20 requests a second", time.monotonic() - began)
        assert set(classify(lab.client, png(seed=3))) == {IN_SERVICE, SECOND}
        time.sleep(5)
    measured("requests meanwhile", sum(load.answers.values()))
    measured("errors meanwhile", sum(load.failures.values()))
    measured("milliseconds of the slowest 1 % meanwhile, at least", 1000 * load.quantile(0.99))
    assert load.failures == {}
    with lab.load(10, [IN_SERVICE]) as load:
        began = time.monotonic()
        lab.switch(SECOND, "disabled")
        comes(lambda: lab.releases("detectors") == former and lab.ready("detectors") == 1, "the former release")
        assert set(classify(lab.client, png(seed=3))) == {IN_SERVICE}
    measured("seconds of a roll-back, at 10 requests a second", time.monotonic() - began)
    assert load.failures == {}


def test_a_damaged_model_is_refused_and_the_others_go_on(lab):
    store = lab.store()
    key = model_key(UUID(NEVER_SERVED), 1, "model.onnx")
    whole = store.get(key)
    store.put(key, whole[: len(whole) // 2])
    try:
        with lab.load(10, [IN_SERVICE]) as load:
            lab.switch(NEVER_SERVED, "enabled")
            found = comes(lambda: (found := lab.states()[NEVER_SERVED])[0] == "failed" and found, "the refusal")
            assert set(classify(lab.client, png(seed=4))) == {IN_SERVICE}
        assert load.failures == {}
        measured("a damaged model's reason", found[1])
    finally:
        lab.switch(NEVER_SERVED, "disabled")
        store.put(key, whole)


def test_a_training_is_a_job_that_is_paused_killed_and_becomes_a_model(lab):
    archive = zip_of({f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(16)})
    body = {"name": "drawn", "type": "detector", "uploads": [upload_file(lab.admin, "faces.zip", archive)]}
    dataset = lab.admin.post("/backend/dataset", json=body).raise_for_status().json()
    comes(lambda: lab.admin.get(f"/backend/dataset/{dataset['uuid']}/report").json()["state"] == "ready", "the data set")
    request = {"type": "detector", "name": "trained-here", "architecture": "MobileNetV2", "resolution": 32, "batch_size": 4}
    began = time.monotonic()
    training = lab.admin.post("/backend/training", json={**request, "max_epochs": 12, "datasets": [dataset["uuid"]]})
    assert training.status_code == 201, training.text
    uuid = training.json()["uuid"]

    def report() -> dict:
        found = lab.admin.get(f"/backend/training/{uuid}/report").raise_for_status().json()
        assert found["status"] != "failed", found["reason"]
        return found

    def step() -> int:
        return (report()["progress"] or {}).get("step") or 0

    def pods() -> list[dict]:
        return lab.items("pods", "-l", f"batch.kubernetes.io/job-name=visionlab-training-{uuid}")

    comes(lambda: step() >= 20, "twenty steps", 400)
    measured("seconds from the order to the twentieth step", time.monotonic() - began)
    lab.admin.patch(f"/backend/training/{uuid}/status/paused").raise_for_status()
    comes(lambda: report()["status"] == "paused", "the pause")
    comes(lambda: not pods(), "the end of its pod")
    paused_at = step()
    lab.admin.patch(f"/backend/training/{uuid}/status/running").raise_for_status()
    comes(lambda: step() > paused_at, "a step after the pause", 400)

    [pod] = [each for each in pods() if each["status"]["phase"] == "Running"]
    lab.kill(pod)
    done = comes(lambda: (found := report())["status"] == "done" and found, "the end", 600)
    measured("seconds of the training, with a pause and a kill", time.monotonic() - began)
    assert done["progress"]["step"] == done["progress"]["steps"]
    model = comes(lambda: [each for each in models(lab) if each["name"] == "trained-here"], "the model")[0]
    assert model["status"] == "disabled"
    lab.switch(model["uuid"], "enabled")
    comes(lambda: lab.states()[model["uuid"]] == READY, "the trained model")
    assert set(classify(lab.client, png(seed=6), model["uuid"])) == {model["uuid"]}
    lab.switch(model["uuid"], "disabled")
    comes(lambda: not [job for job in lab.items("jobs") if uuid in job["metadata"]["name"]], "the end of its Job")


def models(lab: Installation) -> list[dict]:
    return lab.admin.get("/backend/model/detector").raise_for_status().json()


def test_a_training_that_asks_for_a_gpu_gets_a_node_that_has_one(lab):
    datasets = lab.admin.get("/backend/dataset/detector").raise_for_status().json()["datasets"]
    dataset = next(each for each in datasets if each["name"] == "drawn")
    request = {"type": "detector", "name": "on-gpu", "architecture": "MobileNetV2", "resolution": 32, "gpus": 1}
    training = lab.admin.post("/backend/training", json={**request, "datasets": [dataset["uuid"]]}).raise_for_status().json()
    selector = f"batch.kubernetes.io/job-name=visionlab-training-{training['uuid']}"
    [pod] = comes(lambda: [pod for pod in lab.items("pods", "-l", selector) if pod["spec"].get("nodeName")], "a node for its pod")
    assert pod["spec"]["nodeSelector"]["nvidia.com/gpu.present"] == "true"
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    lab.admin.delete(f"/backend/training/{training['uuid']}").raise_for_status()
    comes(lambda: not lab.items("pods", "-l", selector), "its end")


@pytest.mark.parametrize("victim", ["api", "controller", "detectors", "trial-postgresql", "trial-s3"])
def test_a_pod_is_killed_under_load_and_nothing_acknowledged_is_lost(lab, victim):
    settles(lab, "api", "controller", "detectors", "trial-postgresql", "trial-s3")
    [liked] = lab.admin.post("/backend/image/generate", json={"models": [HUMAN], "count": 1}).raise_for_status().json()["images"]
    writer = Writer(lab, liked["uuid"])
    with writer.writing(), lab.load(10, [IN_SERVICE]) as load:
        time.sleep(3)
        pod = lab.pods(victim)[0]
        lab.kill(pod)
        began = time.monotonic()
        uid = pod["metadata"]["uid"]
        comes(lambda: all(each["metadata"]["uid"] != uid and is_ready(each) for each in lab.pods(victim) or [pod]), "another pod")
        back = time.monotonic() - began
        # A server is found again by its name, a database by the next try of a connection.
        time.sleep(10)
    measured(f"{victim} killed: seconds until its pod is ready", back)
    told = f"{sum(load.answers.values())}, {sum(load.failures.values())}, {load.outage:.1f}"
    measured(f"{victim} killed: classifications, failures, seconds of outage", told)
    measured(f"{victim} killed: writes acknowledged, refused", f"{len(writer.uploads) + writer.likes}, {writer.refused}")
    assert load.outage < back + 10, load.failures
    for uuid, data in writer.uploads.items():
        kept = writer.client.get(f"/backend/image/{uuid}.png")
        assert kept.status_code == 200, uuid
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept.content))), np.asarray(Image.open(io.BytesIO(data))))
    [counts] = lab.admin.post("/backend/image/stats", json={"images": [liked["uuid"]], "action": "download"}).json()
    assert writer.likes <= counts["likes"] <= writer.likes_asked
    comes(lambda: lab.states()[IN_SERVICE] == READY, "a model that answers")


def test_an_upgrade_under_load_loses_no_request(lab):
    with lab.load(10, [IN_SERVICE]) as load:
        began = time.monotonic()
        lab.install("--wait", "--timeout", "10m", *words(**{"api.gracefulStopSeconds": 15, "serving.threads": 2}))
        settles(lab, "api", "controller", "detectors")
        measured("seconds of an upgrade that replaces all pods, at 10 requests a second", time.monotonic() - began)
        time.sleep(5)
    measured("requests during the upgrade, and errors", f"{sum(load.answers.values())}, {sum(load.failures.values())}")
    assert load.failures == {}
    for pod, memory in sorted(lab.memory().items()):
        measured(f"MiB of {pod.rsplit('-', 2)[0] if 'trial' not in pod else pod}", memory)


def test_a_model_gets_a_pool_of_its_own_and_comes_back_and_the_others_lose_no_request(lab):
    lab.switch(SECOND, "enabled")
    comes(lambda: lab.states()[SECOND] == READY, "the second model")
    apart = {"serving.apart": {"large": {"models": [SECOND]}}}
    with lab.load(10, [IN_SERVICE]) as load:
        for where, settings in (("large", words(**apart)), ("detectors", words())):
            began = time.monotonic()
            lab.install("--wait", "--timeout", "10m", *settings)
            settles(lab, "api", "controller", "detectors", *({where} - {"detectors"}))
            comes(lambda at=where: lab.served(at, SECOND) and lab.states()[SECOND] == READY, f"the second model in {where}")
            assert set(classify(lab.client, png(seed=6), IN_SERVICE, SECOND)) == {IN_SERVICE, SECOND}
            measured(
                f"seconds until a model is served by the pool {where} instead, the upgrade included", time.monotonic() - began
            )
        comes(lambda: not lab.pods("large"), "the end of the pool that nobody needs any more")
    assert load.failures == {}
    lab.switch(SECOND, "disabled")


def test_facade_and_pool_grow_with_load_and_shrink_after_it(lab):
    pool = "serving.pools.detectors"
    grown = {
        "api.autoscaling.enabled": True,
        "api.autoscaling.minReplicas": 1,
        "api.autoscaling.maxReplicas": 2,
        "api.autoscaling.scaleDownSeconds": 15,
        # Of this it takes a fifth when nobody asks anything.
        "api.resources.requests.cpu": "200m",
        f"{pool}.autoscaling": "keda",
        f"{pool}.maxReplicas": 2,
        f"{pool}.scaleDownSeconds": 15,
        "serving.keda.prometheus": PROMETHEUS,
        "serving.keda.queueRatio": "0.3",
    }
    lab.install("--wait", "--timeout", "10m", *words(**grown))
    settles(lab, "api", "detectors")
    comes(lambda: lab.ready("api") == 1 == lab.ready("detectors"), "the least of replicas")
    began = time.monotonic()
    bursts = [lab.load(25, [IN_SERVICE]) for _ in range(3)]
    with bursts[0], bursts[1], bursts[2]:
        comes(lambda: lab.ready("api") == 2, "a second facade", 400)
        measured("seconds until the facade has grown by its HPA", time.monotonic() - began)
        comes(lambda: lab.ready("detectors") == 2, "a second Triton", 400)
        measured("seconds until the pool has grown by KEDA", time.monotonic() - began)
    began = time.monotonic()
    comes(lambda: lab.ready("api") == 1 == lab.ready("detectors"), "the least of replicas", 600)
    measured("seconds until both have shrunk", time.monotonic() - began)
    assert set(classify(lab.client, png(seed=8))) == {IN_SERVICE}


def test_an_uninstall_keeps_the_data_and_a_new_install_finds_it(lab):
    kept = lab.admin.post("/backend/image", files={"file": ("kept.png", png(seed=9))}).raise_for_status().json()
    session = lab.admin.cookies
    claims = {claim["metadata"]["name"] for claim in lab.items("pvc")}
    lab.helm("uninstall", "--wait")
    comes(lambda: not lab.items("inferenceservices.serving.kserve.io"), "the end of what the controller made")
    comes(lambda: not [pod for pod in lab.items("pods") if pod["status"]["phase"] == "Running"], "the end of all pods")
    assert {claim["metadata"]["name"] for claim in lab.items("pvc")} == claims
    lab.install("--wait", "--timeout", "10m", *words())
    lab.connect()
    lab.admin.cookies = session
    comes(lambda: lab.states().get(IN_SERVICE) == READY, "the models")
    assert lab.admin.get(kept["url"]).status_code == 200
    assert "trained-here" in {model["name"] for model in models(lab)}
