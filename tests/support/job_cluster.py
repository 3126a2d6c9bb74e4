"""A namespace of a real cluster for trainings: pod security enforced, a ServiceAccount with just the rights that docs/training.md
names, a bucket, and rows of trainings that a control loop brings on."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import async_sessionmaker
from support.databases import database_url
from support.drawn_faces import portrait
from support.image_files import encoded

from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.database.tables import TrainingRow
from visionlab_api.reconcile.trainings import TrainingLoop
from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.object_store import ObjectStore, S3Settings, open_store
from visionlab_core.store_layout import dataset_manifest_key, training_key
from visionlab_core.training_job import OrderedModel, TrainingOrder
from visionlab_core.training_spec import DetectorTraining
from visionlab_training.runners import Cluster, KubernetesRunner

NAMESPACE = os.environ.get("TEST_NAMESPACE", "training-jobs-test")
IMAGE = os.environ.get("TRAINING_IMAGE", "localhost/visionlab-training:dev")
S3_ENDPOINT = os.environ.get("TEST_S3_ENDPOINT", "http://minio.minio:9000")
S3_KEY, S3_SECRET = os.environ.get("TEST_S3_KEYS", "minioadmin:minioadmin").split(":")
STORE = f"s3://{NAMESPACE}"
STEPS = 60
KILLABLE = (
    "visionlab-job \"$@\" & job=$!; echo $job > /tmp/job; trap 'kill -TERM $job' TERM\n"
    "while kill -0 $job 2> /dev/null; do wait $job; code=$?; done; exit $code"
)
"""The container's own program has the id 1, which nobody in the container can kill: this puts the job below a shell."""
DIGEST = "0" * 64
SECONDS = 240
COMMAND = "python3 /opt/tests/support/tiny_training.py"
HELD_COMMAND = f"{COMMAND} --hold"
SLEEPER = "python3 -c 'import time; time.sleep(600)'"

ROLE: list[dict[str, Any]] = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [NAMESPACE], "verbs": ["get"]},
]


def kubectl(*words: str, given: object = None) -> str:
    """Run kubectl in the namespace; `given` goes to its standard input as JSON."""
    text = None if given is None else json.dumps(given)
    told = subprocess.run(
        ["kubectl", "--namespace", NAMESPACE, *words], input=text, capture_output=True, text=True, check=False, timeout=120
    )
    assert told.returncode == 0, f"kubectl {' '.join(words)}: {told.stderr}"
    return told.stdout


def items(kind: str, *words: str) -> list[dict[str, Any]]:
    """Objects of a kind."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", kind, "--output", "json", *words))["items"]
    return found


def set_up() -> None:
    """Make the namespace and what is in it. What an earlier run left goes."""
    tear_down()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    support = Path(__file__).parent
    programs = {name: (support / name).read_text() for name in ("tiny_training.py", "tiny_architecture.py")}
    secrets = {"VISIONLAB_S3_ENDPOINT": S3_ENDPOINT, "VISIONLAB_S3_ACCESS_KEY": S3_KEY, "VISIONLAB_S3_SECRET_KEY": S3_SECRET}
    account = {"kind": "ServiceAccount", "name": "controller", "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "controller"}
    for kind, name, rest in (
        ("v1/Namespace", NAMESPACE, {}),
        ("v1/Secret", "s3", {"stringData": secrets}),
        ("v1/ConfigMap", "programs", {"data": programs}),
        ("v1/ServiceAccount", "controller", {}),
        ("v1/ServiceAccount", "nobody", {}),
        ("rbac.authorization.k8s.io/v1/Role", "controller", {"rules": ROLE}),
        ("rbac.authorization.k8s.io/v1/RoleBinding", "controller", {"roleRef": role, "subjects": [account]}),
    ):
        version, _, kind_name = kind.rpartition("/")
        metadata = {"name": name, **({"labels": labels} if kind_name == "Namespace" else {"namespace": NAMESPACE})}
        kubectl("apply", "--filename", "-", given={"apiVersion": version, "kind": kind_name, "metadata": metadata, **rest})


def tear_down() -> None:
    """Remove the namespace with all that is in it."""
    # What a run that was broken off left would take its minutes to write checkpoints.
    kubectl("delete", "jobs", "--all", "--cascade=foreground", "--wait=false")
    kubectl("delete", "pods", "--all", "--grace-period=1", "--wait=false")
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=90s")


def open_bucket() -> ObjectStore:
    """The store of the tests, empty."""
    settings = S3Settings.model_validate(
        {"endpoint": S3_ENDPOINT, "access_key": S3_KEY, "secret_key": S3_SECRET, "create_bucket": True}
    )
    store = open_store(STORE, settings)
    for info in store.list(""):
        store.delete(info.key)
    return store


def kubeconfig_of(account: str, folder: Path) -> Path:
    """A kubeconfig with the token of a ServiceAccount."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "--output", "json"))
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": kubectl("create", "token", account).strip()}}]
    path = folder / f"{account}.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def template(**changes: Any) -> dict[str, Any]:
    """A template of Jobs; `changes` go to the container."""
    container = {
        "name": "training",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"secretRef": {"name": "s3"}}],
        "env": [{"name": "TF_NUM_INTRAOP_THREADS", "value": "1"}, {"name": "OMP_NUM_THREADS", "value": "1"}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "3Gi"}},
        "volumeMounts": [{"name": "programs", "mountPath": "/opt/tests/support"}],
        **changes,
    }
    pod = {"containers": [container], "volumes": [{"name": "programs", "configMap": {"name": "programs"}}]}
    gpu = {"spec": {"template": {"spec": {"nodeSelector": {"nvidia.com/gpu.present": "true"}}}}}
    return {"spec": {"template": {"spec": pod}}, "gpu": gpu}


class Trainings:
    """Rows of trainings, and the control loop that brings them on, which runs in the test itself."""

    def __init__(self, folder: Path, store: ObjectStore, kubeconfig: Path) -> None:
        self._folder = folder
        self._kubeconfig = kubeconfig
        url = database_url(folder)
        migrate(url)
        self._engine = open_engine(url)
        self.sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self.store = store
        self.command(COMMAND)

    def command(self, command: str, job_template: dict[str, Any] | None = None, kubeconfig: Path | None = None) -> None:
        """Change what trains, how its Jobs are made, or who makes them."""
        path = self._folder / "job.yaml"
        path.write_text(json.dumps(job_template or template()))
        cluster = Cluster(NAMESPACE, kubeconfig=kubeconfig or self._kubeconfig)
        self.runner = KubernetesRunner(self.store, STORE, cluster, prefix="trial", template=path, command=command)
        self.loop = TrainingLoop(self.sessions, self.store, self.runner, at_once=8)

    async def add(self, name: str, *, gpus: int = 0, **spec: Any) -> UUID:
        """Queue one that learns from a few drawn faces."""
        training, dataset = uuid4(), UUID(int=7)
        rows = io.StringIO()
        writer = csv.writer(rows)
        writer.writerow(("path", "class", "source"))
        for number, face_class in enumerate(FACE_CLASSES):
            for seed in range(6):
                # Images of data sets are named by their content; here any hexadecimal name does.
                key = f"datasets/{dataset}/images/{number:032x}{seed:032x}.jpg"
                self.store.put(key, encoded(portrait(100 * number + seed, 48), "JPEG"))
                writer.writerow((f"../images/{key.rpartition('/')[2]}", face_class.value, "drawn"))
        self.store.put(dataset_manifest_key(dataset, DIGEST), rows.getvalue().encode())
        usual = {"name": name, "architecture": "Tiny", "resolution": 32, "batch_size": 4, "steps": STEPS, "checkpoint_every": 5}
        data = {"manifest": training_key(training, "manifest.csv")}
        model = OrderedModel(
            uuid=uuid4(), name=name, label=name, version=1, description="For tests.", licence="none", data="Drawn in code."
        )
        learning = DetectorTraining.model_validate({**usual, "data": data, **spec})
        order = TrainingOrder(training=training, backend="tensorflow", gpus=gpus, spec=learning, model=model)
        row = TrainingRow(
            uuid=training,
            type="detector",
            name=name,
            label=name,
            model_uuid=model.uuid,
            model_version=1,
            architecture="Tiny",
            settings={},
            datasets=[{"uuid": str(dataset), "digest": DIGEST}],
            order=order.model_dump(mode="json"),
        )
        async with self.sessions() as session:
            session.add(row)
            await session.commit()
        return training

    async def row(self, training: UUID) -> TrainingRow | None:
        """Its row; None: it has been removed."""
        async with self.sessions() as session:
            found: TrainingRow | None = await session.scalar(select(TrainingRow).where(TrainingRow.uuid == training))
        return found

    async def wish(self, training: UUID, wish: str) -> None:
        """Change what is wished of it."""
        async with self.sessions() as session:
            await session.execute(update(TrainingRow).where(TrainingRow.uuid == training).values(wish=wish))
            await session.commit()

    async def comes_to(
        self, training: UUID, status: str, *, step: int = 0, phase: str | None = None, reason: str | None = None
    ) -> TrainingRow:
        """Go round until it has this status, is at this step, in this phase, and has the reason in its row."""
        until = time.monotonic() + SECONDS
        while True:
            await self.loop.round()
            row = await self.row(training)
            assert row is not None
            at, now = (0, None) if row.progress is None else (row.progress["step"], row.progress["phase"])
            there = row.status == status and at >= step and phase in (None, now)
            if there and (reason is None or reason in (row.reason or "")):
                return row
            assert row.status not in ("done", "failed"), f"{row.status}: {row.reason}"
            assert time.monotonic() < until, f"{row.status} at step {at}: {row.reason}"
            await asyncio.sleep(0.2)

    async def is_removed(self, training: UUID) -> None:
        """Go round until it is gone, with its Job and its pods."""
        await self.wish(training, "removed")
        until = time.monotonic() + SECONDS
        while await self.row(training) is not None:
            assert time.monotonic() < until
            await self.loop.round()
            await asyncio.sleep(0.2)

    def curve(self, training: UUID) -> dict[int, float]:
        """Its loss by step."""
        lines = self.store.get(training_key(training, "metrics.jsonl")).decode().splitlines()
        return {record["step"]: record["loss"] for line in lines if "loss" in (record := json.loads(line))}

    async def close(self) -> None:
        """Close the database."""
        await self._engine.dispose()


def pods_of(training: UUID) -> list[dict[str, Any]]:
    """Its pods, ended ones too."""
    return items("pods", "--selector", f"batch.kubernetes.io/job-name=trial-training-{training}")


def evict(pod: dict[str, Any]) -> None:
    """What `kubectl drain` asks for."""
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    kubectl("create", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction", "--filename", "-", given=eviction)
