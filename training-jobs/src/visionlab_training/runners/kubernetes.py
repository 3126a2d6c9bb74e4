"""Trainings as Kubernetes Jobs, which outlive whoever made them; all that they need and leave is in the object store.

A Job that is suspended ends its pod with SIGTERM, and so does a node that is drained: the job in the pod writes a checkpoint,
sends it to the store and exits with 75. The next pod goes on from there, on whatever node. A pod that dies without a word makes
its Job fail; it is `absent` then, and the control loop decides whether it is worth another try.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from uuid import UUID

from visionlab_core.kubernetes.api import MERGE_PATCH
from visionlab_core.kubernetes.objects import Json, config_map_path
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import OUTCOME_FILE, TrainingOutcome
from visionlab_training.job.inputs import MissingInput, read_order
from visionlab_training.runners.cluster import Cluster, Refused
from visionlab_training.runners.contract import Observation, RunnerUnavailable
from visionlab_training.runners.job_manifest import QUEUE_LABEL, WORK, job_manifest, job_name, labels_of, read_template
from visionlab_training.runners.pod_states import is_active, killed_for_memory, last_words, why_it_waits

_JOBS = "/apis/batch/v1/namespaces/{namespace}/jobs"
_PODS = "/api/v1/namespaces/{namespace}/pods"
_EVENTS = "/api/v1/namespaces/{namespace}/events"
_NAMESPACE = "/api/v1/namespaces/{namespace}"
_JOB_OF_POD = "batch.kubernetes.io/job-name"
_BAD_REQUEST, _CONFLICT = 400, 409
_TRIAL = UUID(int=0)
_LONGEST_PREFIX = 16

SECONDS_A_LOOK_IS_GOOD_FOR = 1.0
SECONDS_A_TRIAL_IS_GOOD_FOR = 15.0
SECONDS_A_FAULT_IS_GOOD_FOR = 2.0
_SECONDS_TO_VANISH = 20.0


@dataclass(frozen=True, slots=True)
class _Look:
    """Jobs by name, and pods by the name of their Job, at a time (monotonic)."""

    at: float
    jobs: dict[str, Json]
    pods: dict[str, list[Json]]


class KubernetesRunner:
    """See `TrainingRunner`.

    Args:
        store: where orders and results are.
        store_url: its address, as the Jobs' pods reach it.
        cluster: where the Jobs are made.
        prefix: what names of this installation begin with, 63 characters at the most; another's Jobs are left alone.
        template: file with a partial Job, see `read_template`. It is read anew each time.
        command: what trains, as a shell would read it; None: the `visionlab-train` of the image.
        environment: variables for the Jobs: how the store is reached. Secrets come from the template.
        owner: a ConfigMap with which the Jobs go, and without which none is made; None: they stay.
    """

    def __init__(
        self,
        store: ObjectStore,
        store_url: str,
        cluster: Cluster,
        *,
        prefix: str,
        template: Path,
        command: str | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        owner: str | None = None,
    ) -> None:
        self._store = store
        self._store_url = store_url
        self._cluster = cluster
        self._prefix = prefix
        self._template = template
        self._command = command
        self._environment = environment
        self._owner_name = owner
        self._selector = ",".join(f"{name}={value}" for name, value in labels_of(prefix).items())
        self._place = ""
        self._last: _Look | None = None
        self._tried = (float("-inf"), "")
        self._lock = Lock()

    def place(self) -> str:
        """See `TrainingRunner`: the namespace, by what tells it from one of that name in another cluster."""
        if not self._place:
            uid = self._cluster.call("GET", _NAMESPACE)["metadata"]["uid"]
            prefix = self._prefix
            if len(prefix) > _LONGEST_PREFIX:
                prefix = hashlib.sha256(prefix.encode()).hexdigest()[:_LONGEST_PREFIX]
            self._place = f"kubernetes:{uid}/{prefix}"
        return self._place

    def trainings(self) -> list[UUID]:
        """See `TrainingRunner`."""
        found = []
        for name in self._look(0).jobs:
            with suppress(ValueError):
                found.append(UUID(name[-36:]))
        return found

    def why_unavailable(self) -> str | None:
        """See `TrainingRunner`: whether the API server would take a Job, by a trial that changes nothing."""
        at, why = self._tried
        if time.monotonic() > at + (SECONDS_A_FAULT_IS_GOOD_FOR if why else SECONDS_A_TRIAL_IS_GOOD_FOR):
            try:
                self._try()
                why = ""
            except RunnerUnavailable as error:
                why = str(error)
            self._tried = (time.monotonic(), why)
        return why or None

    def start(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        manifest = self._manifest(training)
        name = job_name(self._prefix, training)
        job = self._without_deleted(name)
        if job is not None and _ending(job) is None:
            if _is_suspended(job) and _queue(job) is None:
                self._forget_outcome(training)
                self._patch(name, {"spec": {"suspend": False}})
            return
        if job is not None:
            self._delete(name, propagationPolicy="Background", preconditions={"uid": job["metadata"]["uid"]})
        self._forget_outcome(training)
        try:
            self._changing(lambda: self._cluster.call("POST", _JOBS, body=manifest))
        except Refused as error:
            # Another server may have been faster; what was deleted above may take a moment.
            other = self._cluster.get(f"{_JOBS}/{name}") if error.status == _CONFLICT else None
            if other is None or _ending(other) is not None:
                raise

    def suspend(self, training: UUID) -> None:
        """See `TrainingRunner`. Where Kueue has a say in suspension, the Job is deleted and made anew when it goes on."""
        name = job_name(self._prefix, training)
        job = self._cluster.get(f"{_JOBS}/{name}")
        if job is None or _is_deleted(job) or _ending(job) is not None:
            return
        if _queue(job) is not None:
            self._delete(name, propagationPolicy="Foreground")
        elif not _is_suspended(job):
            self._patch(name, {"spec": {"suspend": True}})

    def resume(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        self.start(training)

    def stop(self, training: UUID) -> bool:
        """See `TrainingRunner`."""
        name = job_name(self._prefix, training)
        job = self._cluster.get(f"{_JOBS}/{name}")
        if job is not None and not _is_deleted(job):
            self._delete(name, propagationPolicy="Foreground")
        pods = self._cluster.items(_PODS, labelSelector=f"{self._selector},{_JOB_OF_POD}={name}")
        for pod in pods:
            # Its checkpoint is of no use any more. Not zero: the pod would be forgotten while it still runs.
            self._cluster.delete(f"{_PODS}/{pod['metadata']['name']}", gracePeriodSeconds=1)
        return job is None and not pods

    def observe(self, training: UUID) -> Observation:
        """See `TrainingRunner`."""
        seen = self._state(training, self._look(SECONDS_A_LOOK_IS_GOOD_FOR))
        # That it runs may be a second old. That it does not has consequences.
        return seen if seen.state == "running" else self._state(training, self._look(0))

    def last_words(self, training: UUID) -> str:
        """See `TrainingRunner`."""
        return "\n".join(last_words(pod) for pod in self._look(0).pods.get(job_name(self._prefix, training), []))

    def _state(self, training: UUID, look: _Look) -> Observation:
        name = job_name(self._prefix, training)
        job = look.jobs.get(name)
        if job is None:
            return self._outcome(training) or Observation("absent")
        pods = [pod for pod in look.pods.get(name, []) if _owner(pod) == job["metadata"]["uid"]]
        active = [pod for pod in pods if is_active(pod)]
        if _is_deleted(job):
            return Observation("running")
        if (ending := _ending(job)) is not None:
            return self._ended(training, ending, pods)
        if active:
            return Observation("running", why_it_waits(active[0]))
        if not _is_suspended(job):
            return Observation("running", None if pods else self._why_no_pod(job))
        if (queue := _queue(job)) is not None:
            return Observation("running", f"It waits in Kueue's queue {queue}.")
        if not _has(job, "Suspended"):
            return Observation("running")  # the Job controller has yet to end its pod
        outcome = self._outcome(training)
        return outcome if outcome is not None and outcome.state != "paused" else Observation("paused")

    def _ended(self, training: UUID, ending: Json, pods: list[Json]) -> Observation:
        outcome = self._outcome(training)
        if outcome is not None and outcome.state != "paused":
            return outcome
        if ending.get("reason") == "DeadlineExceeded":
            why = "The training took longer than activeDeadlineSeconds in the template of trainings' Jobs allows."
            return Observation("failed", why)
        for pod in pods:
            if (why_killed := killed_for_memory(pod)) is not None:
                return Observation("failed", why_killed)
        return outcome or Observation("absent")

    def _outcome(self, training: UUID) -> Observation | None:
        try:
            outcome = TrainingOutcome.model_validate_json(self._store.get(training_key(training, OUTCOME_FILE)))
        except (KeyNotFound, ValueError):
            return None
        return Observation(outcome.state, outcome.reason)

    def _why_no_pod(self, job: Json) -> str | None:
        """What the Job controller complains of: a quota, the namespace's pod security."""
        try:
            events = self._cluster.items(_EVENTS, fieldSelector=f"involvedObject.uid={job['metadata']['uid']},type=Warning")
        except Refused:
            return None  # events are a help that one can do without
        told = max(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""), default=None)
        return None if told is None else f"Kubernetes makes no pod for it ({told.get('reason')}: {told.get('message')})."

    def _look(self, age: float) -> _Look:
        """How the cluster looks, or looked at most `age` seconds ago: one look serves all trainings."""
        with self._lock:
            if self._last is not None and time.monotonic() <= self._last.at + age:
                return self._last
        at = time.monotonic()
        # Jobs first: where one has ended, its pods then tell how.
        jobs = {job["metadata"]["name"]: job for job in self._cluster.items(_JOBS, labelSelector=self._selector)}
        pods: dict[str, list[Json]] = {}
        for pod in self._cluster.items(_PODS, labelSelector=self._selector):
            pods.setdefault(pod["metadata"]["labels"].get(_JOB_OF_POD, ""), []).append(pod)
        look = _Look(at, jobs, pods)
        with self._lock:
            self._last = look
        return look

    def _try(self) -> None:
        self.place()
        self._look(0)
        try:
            self._cluster.call("POST", _JOBS, query={"dryRun": "All"}, body=self._manifest(_TRIAL, gpus=0))
        except Refused as error:
            # Some webhooks cannot do trials; then the first real one tells.
            if error.status != _BAD_REQUEST or "dry run" not in str(error):
                raise

    def _manifest(self, training: UUID, gpus: int | None = None) -> Json:
        words = [str(training), "--store", self._store_url, "--work", WORK, "--nice", "0", "--echo"]
        words += [] if self._command is None else ["--command", self._command]
        return job_manifest(
            read_template(self._template),
            prefix=self._prefix,
            namespace=self._cluster.namespace,
            training=training,
            arguments=words,
            environment=self._environment,
            gpus=self._gpus(training) if gpus is None else gpus,
            owner=self._owner(),
        )

    def _owner(self) -> Json | None:
        if self._owner_name is None:
            return None
        owner = self._cluster.get(config_map_path("{namespace}", self._owner_name))
        if owner is None:
            raise RunnerUnavailable(f"The ConfigMap {self._owner_name} is not there: the installation has been removed.")
        return owner

    def _gpus(self, training: UUID) -> int:
        try:
            return read_order(self._store, training).gpus
        except MissingInput:
            return 0  # the job will say so

    def _without_deleted(self, name: str) -> Json | None:
        """The Job, once a former one that is being deleted is gone.

        Raises:
            RunnerUnavailable: it does not go.
        """
        until = time.monotonic() + _SECONDS_TO_VANISH
        while (job := self._cluster.get(f"{_JOBS}/{name}")) is not None and _is_deleted(job):
            if time.monotonic() > until:
                raise RunnerUnavailable(f"The former Job {name} is still being deleted.")
            time.sleep(0.2)
        return job

    def _forget_outcome(self, training: UUID) -> None:
        self._store.delete(training_key(training, OUTCOME_FILE))

    def _patch(self, name: str, change: Json) -> None:
        self._changing(lambda: self._cluster.call("PATCH", f"{_JOBS}/{name}", body=change, content_type=MERGE_PATCH))

    def _delete(self, name: str, **options: object) -> None:
        self._changing(lambda: self._cluster.delete(f"{_JOBS}/{name}", **options))

    def _changing(self, change: Callable[[], object]) -> None:
        try:
            change()
        finally:
            with self._lock:
                self._last = None


def _is_deleted(job: Json) -> bool:
    return "deletionTimestamp" in job["metadata"]


def _is_suspended(job: Json) -> bool:
    return bool(job["spec"].get("suspend"))


def _queue(job: Json) -> str | None:
    name: str | None = job["metadata"].get("labels", {}).get(QUEUE_LABEL)
    return name


def _ending(job: Json) -> Json | None:
    """The condition that says that it has ended; None: it has not."""
    return _has(job, "Complete") or _has(job, "Failed")


def _has(job: Json, condition: str) -> Json | None:
    conditions: list[Json] = job.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == condition and each["status"] == "True"), None)


def _owner(pod: Json) -> str | None:
    return next((each["uid"] for each in pod["metadata"].get("ownerReferences", []) if each.get("controller")), None)
