"""Models served by Triton servers that KServe runs on a real cluster: brought up, changed, broken and repaired under load."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from support.controller import Controller
from support.image_files import png
from support.kserve_cluster import (
    FOLDER,
    NAMESPACE,
    PREFIX,
    S3,
    Gateway,
    comes,
    events,
    is_whole,
    items,
    kubectl,
    pods,
    service,
    set_up,
    tear_down,
)
from support.load import Load
from support.postgres import shared_postgres
from support.server import Server
from support.tiny_models import (
    DAMAGED,
    DETECTOR,
    GENERATOR,
    SECOND_DETECTOR,
    detector_card,
    write_tiny_models,
    write_version,
)

from visionlab_core.object_store import S3Settings, open_store
from visionlab_inference.releases import read_pool, read_release

pytestmark = pytest.mark.timeout(900)

POOL = "detectors"
READY = ("ready", None)


class Lab:
    """A facade, the controllers beside it, and the cluster."""

    def __init__(self, folder, models) -> None:
        self.gateway = Gateway(folder)
        self.database = shared_postgres().url("kserve")
        self.environment = {
            **S3,
            "VISIONLAB_SERVING": "kserve",
            "VISIONLAB_CONTROL_LOOPS": "off",
            "VISIONLAB_KUBERNETES_NAME": PREFIX,
            "VISIONLAB_KUBERNETES_NAMESPACE": NAMESPACE,
            # So that every request comes to Triton.
            "VISIONLAB_CACHED_ANSWERS": "0",
        }
        self.facade = Server(folder / "facade", models, self.database, **self.environment).start()
        self._controller_environment = {
            **self.environment,
            "VISIONLAB_KSERVE_TEMPLATE": str(FOLDER / "kserve_template.yaml"),
            "VISIONLAB_KSERVE_ROLLOUT_SECONDS": "120",
            "VISIONLAB_DATA_FOLDER": str(folder / "controller"),
            "VISIONLAB_DATABASE_URL": self.database.render_as_string(hide_password=False),
            "VISIONLAB_LOG_FORMAT": "json",
            "KUBECONFIG": str(self.gateway.kubeconfig),
        }
        self.controllers: list[Controller] = []
        settings = S3Settings(endpoint=S3["VISIONLAB_S3_ENDPOINT"], access_key="minioadmin", secret_key="minioadmin")
        self.store = open_store(S3["VISIONLAB_STORE_URL"], settings)

    def controller(self) -> Controller:
        started = Controller(self._controller_environment).start()
        self.controllers.append(started)
        return started

    def close(self) -> None:
        for each in self.controllers:
            each.close()
        self.facade.close()

    def switch(self, uuid, status: str) -> None:
        answer = self.facade.admin.patch(f"/backend/model/{uuid}/status/{status}")
        assert answer.status_code == 200, answer.text

    def states(self) -> dict[str, tuple[str, str | None]]:
        """How the models fare, as everybody sees it."""
        models = self.facade.client.get("/backend/status").json()["models"]
        return {model["uuid"]: (model["state"], model["reason"]) for model in models}

    def state(self, uuid) -> tuple[str, str | None]:
        return self.states()[str(uuid)]

    def comes_to(self, *uuids) -> None:
        comes(lambda: all(self.state(uuid) == READY for uuid in uuids), f"{uuids} ready", 240)

    def classify(self, server=None, seed: int = 0) -> dict[str, dict[str, float]]:
        """What each model says of a picture."""
        client = (server or self.facade).client
        answer = client.post("/backend/image/classify", files=[("images", ("face.png", png(seed=seed)))])
        assert answer.status_code == 200, answer.text
        return {model["model_uuid"]: model["probabilities"] for model in answer.json()["results"][0]["models"]}

    def load(self) -> Load:
        """Classifications for as long as the block lasts."""
        return Load(httpx.Client(base_url=self.facade.url, timeout=60))

    def settles(self, names: set[str]) -> None:
        """Wait until the detectors serve exactly these, and nothing is under way."""

        def settled() -> bool:
            state = read_pool(self.store, POOL)
            if state.current is None or state.current != state.wanted:
                return False
            served = set(read_release(self.store, POOL, state.current).models)
            return served == names and len(pods(POOL)) == 1 and is_whole(POOL)

        comes(settled, f"only {names}")
        self.comes_to(DETECTOR)

    def release(self) -> str:
        return service(POOL)["metadata"]["annotations"]["visionlab/release"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_tiny_models(folder)
    write_version(folder, detector_card(b"not a model", DAMAGED, "damaged"), b"not a model")
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory, models):
    """One detector and one generator in service."""
    set_up()
    lab = Lab(tmp_path_factory.mktemp("lab"), models)
    try:
        lab.switch(SECOND_DETECTOR, "disabled")
        lab.switch(DAMAGED, "disabled")
        lab.controller()
        lab.comes_to(DETECTOR, GENERATOR)
        yield lab
    finally:
        lab.close()
        tear_down()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, models):
    """The same models in the facade's own process."""
    server = Server(tmp_path_factory.mktemp("embedded"), models).start()
    server.admin.patch(f"/backend/model/{DAMAGED}/status/disabled")
    yield server
    server.close()


@pytest.fixture
def alone(lab):
    """One detector in service before and after."""
    lab.switch(SECOND_DETECTOR, "disabled")
    lab.switch(DAMAGED, "disabled")
    lab.settles({"tiny-detector"})
    return lab


def test_pools_come_up_and_answer_as_the_embedded_backend_does(lab, embedded):
    ours, theirs = lab.classify(), lab.classify(embedded)
    assert set(ours) == {str(DETECTOR)}
    for face_class, probability in ours[str(DETECTOR)].items():
        assert probability == pytest.approx(theirs[str(DETECTOR)][face_class], abs=1e-6)
    pictures = []
    for server in (lab.facade, embedded):
        made = server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 1, "seed": 7}).json()
        pictures.append(server.client.get(made["images"][0]["url"]).content)
    assert pictures[0] == pictures[1]
    assert service(POOL)["metadata"]["labels"]["app.kubernetes.io/instance"] == PREFIX
    assert any(lab.release() in message for message in events("RolloutArrived"))


def test_a_model_is_enabled_and_disabled_under_load_and_no_request_is_lost(alone):
    lab = alone
    before = lab.release()
    began = time.monotonic()
    with lab.load() as load:
        lab.switch(SECOND_DETECTOR, "enabled")
        lab.comes_to(SECOND_DETECTOR)
        print(f"a second model was ready after {time.monotonic() - began:.1f} s")
        assert set(lab.classify()) == {str(DETECTOR), str(SECOND_DETECTOR)}
        both = lab.release()
        lab.switch(SECOND_DETECTOR, "disabled")
        # Back to the release before: nothing is put together anew.
        comes(lambda: lab.release() == before, "the release before")
        comes(lambda: len(pods(POOL)) == 1, "one server")
        comes(lambda: any(before in message for message in events("RolloutArrived")), "the event")
        time_of_it = sum(load.answers.values())
        comes(lambda: sum(load.answers.values()) > time_of_it + 40, "more answers")
    assert both != before
    assert load.failures == {}
    print(f"{sum(load.answers.values())} requests, none failed")


def test_a_damaged_model_is_refused_by_its_reason_and_the_old_release_goes_on(alone):
    lab = alone
    before = lab.release()
    with lab.load() as load:
        lab.switch(DAMAGED, "enabled")
        state, reason = comes(lambda: (lambda it: it if it[0] == "failed" else None)(lab.state(DAMAGED)), "the refusal", 240)
        assert "Triton cannot load it" in reason
        [listed] = [model for model in lab.facade.client.get("/backend/model/detector").json() if model["uuid"] == str(DAMAGED)]
        assert (listed["state"], listed["reason"]) == (state, reason)
        assert lab.state(DETECTOR) == READY
        comes(lambda: lab.release() == before, "the release before")
    assert load.failures == {}
    assert any("Triton cannot load damaged" in message for message in events("RolloutFailed"))
    # It holds up no other.
    lab.switch(SECOND_DETECTOR, "enabled")
    lab.comes_to(SECOND_DETECTOR)
    assert lab.state(DAMAGED)[0] == "failed"


def test_what_somebody_removes_or_changes_is_put_right(alone):
    lab = alone
    uid, release = service(POOL)["metadata"]["uid"], lab.release()
    kubectl("patch", "isvc", f"{PREFIX}-{POOL}", "--type=merge", "-p", json.dumps({"spec": {"predictor": {"maxReplicas": 3}}}))
    comes(lambda: service(POOL)["spec"]["predictor"]["maxReplicas"] == 1, "the repair")
    kubectl("delete", "isvc", f"{PREFIX}-{POOL}", "--wait=false")
    comes(
        lambda: [each for each in items("isvc") if each["metadata"]["uid"] != uid and each["metadata"]["name"].endswith(POOL)],
        "a new InferenceService",
    )
    assert lab.release() == release
    # What belonged to the one before goes with it, so there is no server for a while.
    lab.settles({"tiny-detector"})
    comes(lambda: answers(lab), "an answer")
    assert events("Repaired")


def answers(lab) -> bool:
    answer = lab.facade.client.post("/backend/image/classify", files=[("images", ("face.png", png()))])
    return answer.status_code == 200 and answer.json()["results"][0]["problem"] is None


def test_a_server_of_two_is_killed_under_load_and_no_request_is_lost(alone):
    lab = alone
    kubectl("scale", "deployment", f"{PREFIX}-{POOL}-predictor", "--replicas=2")
    metric = f'visionlab_pool_servers{{pool="{POOL}"}}'
    comes(lambda: f"{metric} 2.0" in lab.facade.client.get("/metrics").text, "the second server in the facade")
    with lab.load() as load:
        comes(lambda: sum(load.answers.values()) > 40, "answers")
        victim = pods(POOL)[0]["metadata"]["name"]
        kubectl("delete", "pod", victim, "--grace-period=0", "--force")
        comes(lambda: victim not in [pod["metadata"]["name"] for pod in pods(POOL)], "its end")
        goal = sum(load.answers.values()) + 100
        comes(lambda: sum(load.answers.values()) > goal, "more answers")
    assert load.failures == {}
    kubectl("scale", "deployment", f"{PREFIX}-{POOL}-predictor", "--replicas=1")
    comes(lambda: len(pods(POOL)) == 1, "one server")


def test_only_one_controller_leads_and_another_takes_over_in_the_middle_of_a_rollout(alone):
    lab = alone
    [first] = [each for each in lab.controllers if each.leads]
    second = lab.controller()
    comes(lambda: second.get("/healthz").status_code == 200, "the second controller")
    assert not second.leads
    with lab.load() as load:
        before = lab.release()
        lab.switch(SECOND_DETECTOR, "enabled")
        comes(lambda: lab.release() != before, "the start of the roll-out")
        first.kill()
        comes(lambda: second.leads, "another leader")
        lab.comes_to(SECOND_DETECTOR)
    assert load.failures == {}


def test_an_api_server_out_of_reach_stops_no_answer_and_what_was_wished_comes_afterwards(alone):
    lab = alone
    release = lab.release()
    with lab.load() as load:
        with lab.gateway.closed():
            lab.switch(SECOND_DETECTOR, "enabled")
            comes(lambda: "Kubernetes API" in (lab.state(SECOND_DETECTOR)[1] or ""), "the reason")
            assert lab.state(SECOND_DETECTOR)[0] == "loading"
            assert lab.release() == release
        lab.comes_to(SECOND_DETECTOR)
    assert load.failures == {}


def test_a_pool_without_models_is_taken_down_and_comes_back(alone):
    lab = alone
    lab.switch(DETECTOR, "disabled")
    comes(lambda: f"{PREFIX}-{POOL}" not in [each["metadata"]["name"] for each in items("isvc")], "its end")
    comes(lambda: not pods(POOL), "the end of its servers")
    lab.switch(DETECTOR, "enabled")
    lab.comes_to(DETECTOR)
    comes(lambda: answers(lab), "an answer")


def test_a_controller_stops_when_it_is_told_to(alone):
    [leader] = [each for each in alone.controllers if each.leads]
    assert leader.stop() == 0
    assert len(pods(POOL)) == 1
    # The facade may still know the last server of the test before, which is stopping.
    comes(lambda: answers(alone), "an answer", 20)
    alone.controller()
