"""VisionLab as the chart installs it, on a real cluster: helm, kubectl, its Services, load, and what is measured.

The images have to be in the cluster: CHART_IMAGES says by which prefix and tag ("localhost/ dev", as `make images` with podman
names them), CHART_MINIO which image is the trial's S3. Run inside the cluster's network, with KUBECONFIG set, kubectl and helm on
the PATH.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.image_files import png
from support.load import Load

from visionlab_core.object_store import ObjectStore, S3Settings, open_store
from visionlab_inference.releases.kserve.manifests import digest_of
from visionlab_inference.releases.release import read_release

CHART = Path(__file__).parents[2] / "charts" / "visionlab"
REGISTRY, TAG = os.environ.get("CHART_IMAGES", "localhost/ dev").split()
FIGURES = Path(os.environ.get("CLUSTER_FIGURES", "runs/cluster-figures.json"))
POOLS = ("detectors", "generators", "large")
SECONDS = 300
"""How long anything may take on a busy machine."""


def run(*words: str, seconds: int = 60, check: bool = True, given: object = None) -> str:
    """What a command says; `given` goes to its standard input as JSON."""
    text = None if given is None else json.dumps(given)
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False, input=text)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def measured(name: str, value: float | str) -> None:
    """Keep a figure for people: it is in a file, and in what pytest prints with -s."""
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    known[name] = round(value, 2) if isinstance(value, float) else value
    FIGURES.write_text(json.dumps(known, indent=2))
    print(f"{name}: {known[name]}")


def comes(condition, what: str, seconds: float = SECONDS, pause: float = 0.5):
    """Wait until something holds, and give it. What raises HTTP's errors does not hold yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except httpx.HTTPError as error:
            found = None
            what = f"{what} ({error!r})"[:400]
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} does not come"
        time.sleep(pause)


class Installation:
    """A release of the chart in a namespace of its own."""

    def __init__(self, namespace: str, release: str = "visionlab") -> None:
        self.namespace = namespace
        self.release = release

    def helm(self, command: str, *words: str, seconds: int = 660, check: bool = True) -> str:
        """helm COMMAND RELEASE WORDS."""
        return run("helm", command, self.release, *words, "--namespace", self.namespace, seconds=seconds, check=check)

    def install(self, *words: str, check: bool = True) -> str:
        """Install or upgrade a trial, with the images of this machine; `words` follow."""
        settings = {
            "images.registry": REGISTRY,
            "images.tag": TAG,
            "images.pullPolicy": "IfNotPresent",
            "trial.s3.image": os.environ.get("CHART_MINIO", "localhost/minio:test"),
        }
        given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        return self.helm("upgrade", str(CHART), "--install", "-f", str(CHART / "values-trial.yaml"), *given, *words, check=check)

    def kubectl(self, *words: str, given: object = None, check: bool = True, seconds: int = 120) -> str:
        """kubectl in the namespace."""
        return run("kubectl", "--namespace", self.namespace, *words, given=given, check=check, seconds=seconds)

    def items(self, kind: str, *words: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json", *words))["items"]
        return found

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of a component that are to stay: api, controller, ui, trial-postgresql, trial-s3, or a pool's."""
        pool = f"serving.kserve.io/inferenceservice={self.release}-{component}"
        label = pool if component in POOLS else f"app.kubernetes.io/component={component}"
        return [pod for pod in self.items("pods", "-l", label) if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, component: str) -> int:
        """How many of them are ready."""
        return sum(is_ready(pod) for pod in self.pods(component))

    def releases(self, pool: str) -> set[str | None]:
        """What a pool's servers serve."""
        return {digest_of(pod["spec"]) for pod in self.pods(pool)}

    def served(self, pool: str, model: str) -> bool:
        """Whether a pool's servers have all come to one release that has the model."""
        pods, digests = self.pods(pool), self.releases(pool)
        if len(digests) != 1 or None in digests or not all(map(is_ready, pods)):
            return False
        release = read_release(self.store(), pool, str(*digests))
        return any(str(version.uuid) == model for version in release.versions)

    def begin(self) -> None:
        """A new namespace that takes no pod which `restricted` pod security would not."""
        self.end(wait=True)
        run("kubectl", "create", "namespace", self.namespace)
        run("kubectl", "label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")

    def end(self, *, wait: bool = False) -> None:
        """Remove it with all that it had."""
        self.helm("uninstall", "--ignore-not-found", check=False)
        self.kubectl("delete", "jobs,pods", "--all", "--grace-period=1", "--wait=false", check=False)
        words = ["--wait", "--timeout=180s"] if wait else ["--wait=false"]
        run("kubectl", "delete", "namespace", self.namespace, "--ignore-not-found", *words, seconds=200)

    def secret(self, name: str) -> dict[str, str]:
        """What a Secret has."""
        data = json.loads(self.kubectl("get", "secret", name, "-o", "json"))["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def connect(self) -> None:
        """Find its Services, and who may do everything."""
        token = self.secret(f"{self.release}-trial")["adminToken"]
        self.url = f"http://{self.release}-ui.{self.namespace}"
        self._signed = {"Authorization": f"Bearer {token}"}
        self.client, self.admin = self.http(), self.http(signed_in=True)

    def http(self, *, signed_in: bool = False, connections: int = 16) -> httpx.Client:
        """A client of its web interface's Service."""
        limits = httpx.Limits(max_connections=connections)
        return httpx.Client(base_url=self.url, timeout=60, limits=limits, headers=self._signed if signed_in else {})

    def store(self) -> ObjectStore:
        """Its object store."""
        keys = self.secret(f"{self.release}-trial-s3")
        endpoint = f"http://{self.release}-trial-s3.{self.namespace}:9000"
        settings = S3Settings(endpoint=endpoint, access_key=keys["AWS_ACCESS_KEY_ID"], secret_key=keys["AWS_SECRET_ACCESS_KEY"])
        return open_store("s3://visionlab", settings)

    def states(self) -> dict[str, tuple[str, str | None]]:
        """How the models fare, as everybody sees it."""
        models = self.client.get("/backend/status").raise_for_status().json()["models"]
        return {model["uuid"]: (model["state"], model["reason"]) for model in models}

    def switch(self, model: str, status: str) -> None:
        """Enable or disable a model."""
        self.admin.patch(f"/backend/model/{model}/status/{status}").raise_for_status()

    def kill(self, pod: dict[str, Any]) -> None:
        """SIGKILL, and away. Of a StatefulSet a second after SIGTERM: forced, Kubernetes begins the next beside the last."""
        stateful = pod["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"
        how = ["--grace-period=1"] if stateful else ["--grace-period=0", "--force"]
        self.kubectl("delete", "pod", pod["metadata"]["name"], *how, "--wait=false")

    def memory(self) -> dict[str, int]:
        """MiB of each pod that runs, by the cluster's metrics."""
        lines = self.kubectl("top", "pods", "--no-headers").splitlines()
        return {words[0]: int(words[2].removesuffix("Mi")) for words in map(str.split, lines) if len(words) == 3}

    def load(self, per_second: float = 20.0, models: list[str] | None = None) -> Load:
        """Classifications at a steady rate for as long as the block lasts."""
        # Signed in: who is not has limits of rate.
        return Load(self.http(signed_in=True, connections=256), per_second, models)


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether Kubernetes says that a pod is."""
    told = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in told)


class Writer:
    """Uploads an image and likes another, again and again, and keeps what was acknowledged."""

    def __init__(self, installation: Installation, liked: str) -> None:
        # Who uploads a picture alone may see it: this client has its session.
        self.client = installation.http(signed_in=True)
        self._liked = liked
        self.uploads: dict[str, bytes] = {}
        self.likes = 0
        self.likes_asked = 0
        self.refused = 0

    @contextmanager
    def writing(self):
        """It writes for as long as the block lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,))
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def _run(self, stop: threading.Event) -> None:
        liking = {"images": [self._liked], "action": "like"}
        while not stop.wait(0.2):
            data = png(seed=1000 + len(self.uploads))
            try:
                answer = self.client.post("/backend/image", files={"file": ("a.png", data)})
                if answer.status_code == 201:
                    self.uploads[answer.json()["uuid"]] = data
                # Of a like that gets no answer nothing is promised: it may count or not.
                self.likes_asked += 1
                liked = self.client.post("/backend/image/stats", json=liking)
                self.likes += liked.is_success
                self.refused += (not answer.is_success) + (not liked.is_success)
            except httpx.HTTPError:
                self.refused += 1
