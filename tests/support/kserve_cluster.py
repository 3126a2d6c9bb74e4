"""Serving through KServe on a real cluster: a namespace with what the chart makes, and processes beside it.

Run inside the cluster's network, with KUBECONFIG set and kubectl on the PATH.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "cluster"
NAMESPACE = "kserve-test"
PREFIX = "vl"
BUCKET = "kserve-test"
S3 = {
    "VISIONLAB_STORE_URL": f"s3://{BUCKET}/lab",
    "VISIONLAB_S3_ENDPOINT": "http://minio.minio:9000",
    "VISIONLAB_S3_ACCESS_KEY": "minioadmin",
    "VISIONLAB_S3_SECRET_KEY": "minioadmin",
    "VISIONLAB_S3_CREATE_BUCKET": "true",
}
SECONDS = 180
"""How long anything may take on a busy machine."""


def kubectl(*arguments: str, stdin: str | None = None, namespace: str = NAMESPACE) -> str:
    """What kubectl says; fails where it does."""
    command = ["kubectl", "-n", namespace, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def items(kind: str, *arguments: str) -> list[dict[str, Any]]:
    """The objects of a kind."""
    return json.loads(kubectl("get", kind, "-o", "json", *arguments))["items"]


def pods(pool: str) -> list[dict[str, Any]]:
    """A pool's servers that are to stay."""
    found = items("pods", "-l", f"serving.kserve.io/inferenceservice={PREFIX}-{pool}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def service(pool: str) -> dict[str, Any]:
    """A pool's InferenceService."""
    return json.loads(kubectl("get", "isvc", f"{PREFIX}-{pool}", "-o", "json"))


def is_whole(pool: str) -> bool:
    """Whether a pool's Deployment is that of its InferenceService, and all its servers are ready."""
    found = {each["metadata"]["name"]: each for each in items("isvc")}
    name = f"{PREFIX}-{pool}"
    for deployment in items("deployments"):
        if deployment["metadata"]["name"] == f"{name}-predictor":
            owned = name in found and deployment["metadata"]["ownerReferences"][0]["uid"] == found[name]["metadata"]["uid"]
            status = deployment["status"]
            return owned and status.get("readyReplicas") == deployment["spec"]["replicas"] == status.get("replicas")
    return False


def events(reason: str) -> list[str]:
    """What Kubernetes Events of a reason say."""
    return [event["message"] for event in items("events") if event["reason"] == reason]


def set_up() -> None:
    """A new namespace with what the chart makes."""
    tear_down()
    kubectl("create", "namespace", NAMESPACE)
    kubectl("apply", "--server-side", "-f", str(FOLDER / "kserve.yaml"))


def tear_down() -> None:
    """Remove the namespace, and wait until it is gone."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")


class Gateway:
    """A way to the API server that can be closed, and a kubeconfig that leads over it, with the rights of the controller."""

    def __init__(self, folder: Path) -> None:
        admin = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
        cluster = admin["clusters"][0]["cluster"]
        host, _, port = cluster["server"].removeprefix("https://").partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._open = True
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        self.kubeconfig = folder / "kubeconfig"
        token = kubectl("create", "token", "controller", "--duration=2h").strip()
        mine = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {**cluster, "server": f"https://127.0.0.1:{self._port}"}}],
            "users": [{"name": "controller", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "controller"}}],
            "current-context": "test",
        }
        self.kubeconfig.write_text(yaml.safe_dump(mine))

    @contextmanager
    def closed(self):
        """The API server is out of reach meanwhile."""
        self._open = False
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        try:
            yield
        finally:
            self._open = True

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._open:
                threading.Thread(target=self._carry, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _carry(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(self._target) as far:
            self._connections |= {near, far}
            other = {near: far, far: near}
            try:
                while True:
                    for ready in select.select([near, far], [], [])[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        other[ready].sendall(data)
            finally:
                self._connections -= {near, far}


def comes(condition, what: str, seconds: float = SECONDS):
    """Wait until something holds, and give it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} does not come; pods: {kubectl('get', 'pods')}"
        time.sleep(0.2)
