"""What Jobs and pods mean for their training. What a real cluster makes of the Jobs is in tests/cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import TrainingOutcome
from visionlab_training.runners import Cluster, KubernetesRunner, Observation, RunnerUnavailable, kubernetes

TRAINING = uuid4()
NAME = f"trial-training-{TRAINING}"
KUEUE = {"kueue.x-k8s.io/queue-name": "gpus"}
RUNNING = {"phase": "Running"}


class SmallCluster(Cluster):
    """A namespace with what a test says is in it; it keeps the calls that change something."""

    def __init__(self) -> None:
        super().__init__("faces")
        self.jobs: list[dict] = []
        self.pods: list[dict] = []
        self.events: list[dict] = []
        self.changes: list[tuple] = []
        self.lists = 0

    def get(self, path, **query):
        return next((job for job in self.jobs if path.endswith(job["metadata"]["name"])), None)

    def items(self, path, **query):
        self.lists += 1
        return getattr(self, path.rpartition("/")[2])

    def delete(self, path, **options):
        self.changes.append(("DELETE", path.rpartition("/")[2], options))
        if "/jobs/" in path and options["propagationPolicy"] == "Background":
            self.jobs.clear()

    def call(self, method, path, *, query=None, body=None, content_type=""):
        if method == "GET":
            return {"metadata": {"uid": "00000000-0000-4000-8000-000000000001"}}
        if not query:
            self.changes.append((method, path.rpartition("/")[2], body))
        return {}


@pytest.fixture
def cluster():
    return SmallCluster()


@pytest.fixture
def store(tmp_path):
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
def runner(tmp_path, cluster, store):
    template = tmp_path / "job.yaml"
    template.write_text("spec: {template: {spec: {containers: [{name: training, image: training:1}]}}}")
    return KubernetesRunner(store, "s3://faces/x", cluster, prefix="trial", template=template)


def job(*conditions: str, suspend: bool = False, labels: dict | None = None, reason: str = "", **metadata) -> dict:
    told = [{"type": name, "status": "True", "reason": reason} for name in conditions]
    return {
        "metadata": {"name": NAME, "uid": "1", "labels": labels or {}, **metadata},
        "spec": {"suspend": suspend},
        "status": {"conditions": told},
    }


def pod(owner: str = "1", **status) -> dict:
    metadata = {
        "name": "pod",
        "labels": {"batch.kubernetes.io/job-name": NAME},
        "ownerReferences": [{"uid": owner, "controller": True}],
    }
    container = {"name": "training", "resources": {"limits": {"memory": "8Gi"}}}
    return {"metadata": metadata, "spec": {"containers": [container]}, "status": status}


def ended(reason: str, message: str = "") -> dict:
    return {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": reason, "message": message}}}]}


def waiting(reason: str, message: str) -> dict:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [{"image": "training:1", "state": state}]}


def tell(store, state: str, reason: str | None = None) -> None:
    outcome = TrainingOutcome(state=state, exit_code=1, reason=reason, ended_at=datetime.now(UTC))
    store.put(training_key(TRAINING, "outcome.json"), outcome.model_dump_json().encode())


UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}
    ],
}


@pytest.mark.parametrize(
    ("jobs", "pods", "outcome", "seen"),
    [
        ([], [], None, ("absent", None)),
        ([], [], "done", ("done", None)),
        ([job()], [], None, ("running", None)),
        ([job()], [pod(**RUNNING)], "paused", ("running", None)),
        ([job()], [pod(**UNSCHEDULABLE)], None, ("running", "waits for a node: 0/1 nodes are available: 1 Insufficient")),
        ([job()], [pod(**waiting("ImagePullBackOff", "not found"))], None, ("running", "The image training:1 cannot be had")),
        ([job()], [pod(**waiting("CreateContainerConfigError", 'secret "s3" not found'))], None, ("running", 'secret "s3"')),
        ([job()], [pod(**waiting("ContainerCreating", ""))], None, ("running", None)),
        ([job(suspend=True)], [pod(**RUNNING)], None, ("running", None)),
        ([job(suspend=True)], [], "paused", ("running", None)),
        ([job("Suspended", suspend=True)], [], "paused", ("paused", None)),
        ([job("Suspended", suspend=True)], [], None, ("paused", None)),
        ([job("Suspended", suspend=True)], [], "done", ("done", None)),
        ([job("Suspended", suspend=True, labels=KUEUE)], [], None, ("running", "waits in Kueue's queue gpus")),
        ([job(deletionTimestamp="now")], [], "paused", ("running", None)),
        ([job("Complete")], [pod(phase="Succeeded")], "done", ("done", None)),
        ([job("Failed")], [pod(**ended("Error"))], "failed", ("failed", "It said so.")),
        ([job("Failed")], [pod(**ended("Error"))], None, ("absent", None)),
        ([job("Failed")], [pod(**ended("OOMKilled"))], None, ("failed", "more memory than its limit of 8Gi")),
        ([job("Failed")], [pod(**ended("OOMKilled"))], "paused", ("failed", "smaller batch size")),
        ([job("Failed")], [pod("0", **ended("OOMKilled"))], None, ("absent", None)),
        ([job("Failed", reason="DeadlineExceeded")], [], "paused", ("failed", "activeDeadlineSeconds")),
    ],
)
def test_what_jobs_and_pods_mean(runner, cluster, store, jobs, pods, outcome, seen):
    cluster.jobs, cluster.pods = jobs, pods
    if outcome:
        tell(store, outcome, "It said so." if outcome == "failed" else None)
    observation = runner.observe(TRAINING)
    assert observation.state == seen[0]
    assert (observation.reason is None) == (seen[1] is None)
    assert (seen[1] or "") in (observation.reason or "")


def test_where_kubernetes_makes_no_pod_its_complaint_is_told(runner, cluster):
    cluster.jobs = [job()]
    cluster.events = [
        {"lastTimestamp": "2030-01-01T00:00:02Z", "reason": "FailedCreate", "message": "exceeded quota"},
        {"lastTimestamp": "2030-01-01T00:00:01Z", "reason": "FailedCreate", "message": "older"},
    ]
    assert runner.observe(TRAINING) == Observation("running", "Kubernetes makes no pod for it (FailedCreate: exceeded quota).")


def test_one_look_serves_all_that_run_and_none_that_does_not(runner, cluster, monkeypatch):
    monkeypatch.setattr(kubernetes, "SECONDS_A_LOOK_IS_GOOD_FOR", 60.0)
    cluster.jobs, cluster.pods = [job()], [pod(**RUNNING)]
    for _ in range(5):
        assert runner.observe(TRAINING).state == "running"
    assert cluster.lists == 2
    for number in range(3):
        assert runner.observe(uuid4()).state == "absent"
        assert cluster.lists == 4 + 2 * number, "that nothing works for it is looked at anew"


def test_a_new_training_gets_a_job_and_no_old_outcome(runner, cluster, store):
    tell(store, "failed")
    runner.start(TRAINING)
    [(method, kind, body)] = cluster.changes
    assert (method, kind, body["metadata"]["name"]) == ("POST", "jobs", NAME)
    assert not store.exists(training_key(TRAINING, "outcome.json"))
    words = body["spec"]["template"]["spec"]["containers"][0]["args"]
    assert words == [str(TRAINING), "--store", "s3://faces/x", "--work", "/work", "--nice", "0", "--echo"]


@pytest.mark.parametrize("there", [job(), job(suspend=True, labels=KUEUE)])
def test_a_job_that_works_or_waits_in_a_queue_is_left_alone(runner, cluster, there):
    cluster.jobs = [there]
    runner.start(TRAINING)
    assert cluster.changes == []


def test_a_suspended_job_goes_on_and_one_that_ended_makes_room(runner, cluster):
    cluster.jobs = [job(suspend=True)]
    runner.resume(TRAINING)
    assert cluster.changes == [("PATCH", NAME, {"spec": {"suspend": False}})]
    cluster.changes.clear()
    cluster.jobs = [job("Failed")]
    runner.start(TRAINING)
    assert [(method, kind) for method, kind, _ in cluster.changes] == [("DELETE", NAME), ("POST", "jobs")]


def test_a_pause_suspends_but_takes_a_job_out_of_a_queue(runner, cluster):
    cluster.jobs = [job()]
    runner.suspend(TRAINING)
    assert cluster.changes == [("PATCH", NAME, {"spec": {"suspend": True}})]
    cluster.changes.clear()
    cluster.jobs = [job(labels=KUEUE)]
    runner.suspend(TRAINING)
    assert cluster.changes == [("DELETE", NAME, {"propagationPolicy": "Foreground"})]
    cluster.changes.clear()
    for there in ([], [job("Complete")], [job("Suspended", suspend=True)], [job(labels=KUEUE, deletionTimestamp="now")]):
        cluster.jobs = there
        runner.suspend(TRAINING)
    assert cluster.changes == []


def test_an_end_is_one_when_job_and_pods_are_gone(runner, cluster):
    cluster.jobs, cluster.pods = [job()], [pod(**RUNNING)]
    assert not runner.stop(TRAINING)
    assert [(method, kind) for method, kind, _ in cluster.changes] == [("DELETE", NAME), ("DELETE", "pod")]
    cluster.jobs = []
    assert not runner.stop(TRAINING)
    cluster.pods = []
    assert runner.stop(TRAINING)


def test_jobs_go_with_their_owner_and_none_is_made_without_it(runner, cluster, store, tmp_path):
    owned = KubernetesRunner(store, "s3://faces/x", cluster, prefix="trial", template=tmp_path / "job.yaml", owner="chart")
    with pytest.raises(RunnerUnavailable, match="ConfigMap chart is not there"):
        owned.start(TRAINING)
    assert cluster.changes == []
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "chart", "uid": "7"}}
    cluster.get = lambda path, **_: owner if path.endswith("/configmaps/chart") else None
    owned.start(TRAINING)
    [(_, _, body)] = cluster.changes
    assert body["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "ConfigMap", "name": "chart", "uid": "7"}]


def test_places_and_trainings(runner, cluster, store, tmp_path):
    cluster.jobs = [job()]
    assert runner.trainings() == [TRAINING]
    assert runner.place() == "kubernetes:00000000-0000-4000-8000-000000000001/trial"
    long = KubernetesRunner(store, "s3://faces/x", cluster, prefix="a" * 63, template=tmp_path / "none")
    other = KubernetesRunner(store, "s3://faces/x", cluster, prefix="a" * 62, template=tmp_path / "none")
    assert len(long.place()) <= 64
    assert long.place() != other.place()


def test_what_a_pod_said_last_is_kept(runner, cluster):
    cluster.pods = [pod(**ended("Error", "Traceback: no such bucket"))]
    assert runner.last_words(TRAINING) == "Traceback: no such bucket"


def test_who_has_no_cluster_or_no_template_is_told(runner, store, tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}], users: [{name: a, user: {}}]}"
    )
    lost = KubernetesRunner(store, "s3://a", Cluster("a", kubeconfig=config), prefix="a", template=tmp_path / "none")
    assert "http://127.0.0.1:9 cannot be reached" in lost.why_unavailable()
    with pytest.raises(RunnerUnavailable, match="cannot be reached"):
        lost.observe(TRAINING)
    nowhere = Cluster("a", kubeconfig=tmp_path / "nothing")
    assert (
        "there is no kubeconfig"
        in KubernetesRunner(store, "s3://a", nowhere, prefix="a", template=tmp_path / "none").why_unavailable()
    )
    assert runner.why_unavailable() is None
    (tmp_path / "job.yaml").unlink()
    with pytest.raises(RunnerUnavailable, match="VISIONLAB_JOB_TEMPLATE"):
        runner.start(TRAINING)
