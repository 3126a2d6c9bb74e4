"""The chart as helm renders it, and the pods that the controller makes from what it renders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import yaml

from visionlab_inference.releases import PoolPlan
from visionlab_inference.releases.kserve.manifests import Names, inference_service, read_templates
from visionlab_training.runners.job_manifest import job_manifest, read_template

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "visionlab"
NAMESPACE = "faces"
POOLS = ["detectors", "generators"]
VALUES = {path.stem.removesuffix("-values"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
VALUES["trial"] = CHART / "values-trial.yaml"
SECRETS = (
    "database.existingSecret=faces-database",
    "objectStore.existingSecret=faces-s3",
    "accounts.existingSecret=faces-accounts",
)
"""The least that an installation needs."""


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    """Run helm, by which nothing is known of any cluster."""
    tools = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]])
    program = shutil.which("helm", path=tools)
    assert program is not None, "helm is missing: `make check` installs it"
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False, env=environment)


def template(
    values: str | None = None, *settings: str, apis: Sequence[str] = (), name: str = "lab", json: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """`helm template`, with one of VALUES, with settings as of `--set` and `--set-json`, for a cluster with these APIs."""
    words = ["template", name, str(CHART), "--namespace", NAMESPACE, "--kube-version", "1.37.0"]
    words += [] if values is None else ["--values", str(VALUES[values])]
    words += [word for setting in settings for word in ("--set", setting)]
    words += [word for setting in json for word in ("--set-json", setting)]
    words += [word for api in apis for word in ("--api-versions", api)]
    return helm(*words)


@lru_cache
def rendered(values: str | None = None, *settings: str, json: tuple[str, ...] = ()) -> tuple[Manifest, ...]:
    """What helm makes of it. Not to be changed: it is made once."""
    done = template(values, *settings, json=json)
    assert done.returncode == 0, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def refusal(values: str | None = None, *settings: str, apis: Sequence[str] = (), name: str = "lab") -> str:
    """What helm says as it refuses."""
    done = template(values, *settings, apis=apis, name=name)
    assert done.returncode != 0, "it was not refused"
    return done.stderr


def find(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """The object of this kind and name."""
    [found] = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def of_kind(manifests: Sequence[Manifest], kind: str) -> dict[str, Manifest]:
    """All objects of a kind, by their names."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def plan(manifests: Sequence[Manifest]) -> PoolPlan:
    """The pools that facade and controller are told of: the same."""
    told = [
        {each["name"]: each.get("value") for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
        for name, deployment in of_kind(manifests, "Deployment").items()
        if name.endswith(("-api", "-controller"))
    ]
    [one, other] = [env.get("VISIONLAB_MODEL_POOLS", "{}") for env in told]
    assert one == other
    return PoolPlan({pool: [UUID(model) for model in models] for pool, models in json.loads(one).items()})


def made_by_the_controller(manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    """InferenceServices and training Jobs (without and with GPUs), made by our own code from the rendered templates."""
    [(config_name, config)] = [(name, of) for name, of in of_kind(manifests, "ConfigMap").items() if name.endswith("-templates")]
    name = config_name.removesuffix("-templates")
    with TemporaryDirectory() as folder:
        for file, text in config["data"].items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        if "kserve.yaml" in config["data"]:
            pools = plan(manifests).names
            templates = read_templates(Path(folder) / "kserve.yaml", pools)
            assert set(templates) == set(pools)
            for pool in pools:
                uri = f"s3://bucket/releases/{pool}/abc/"
                yield inference_service(Names(NAMESPACE, name), pool, digest="abc", storage_uri=uri, template=templates[pool])
        if "job.yaml" in config["data"]:
            for gpus in (0, 2):
                yield job_manifest(
                    read_template(Path(folder) / "job.yaml"),
                    prefix=name,
                    namespace=NAMESPACE,
                    training=UUID(int=7),
                    arguments=["--echo"],
                    environment={"VISIONLAB_S3_REGION": "us-east-1"},
                    gpus=gpus,
                )


def pods(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    """Specifications of all pods that there will be, also of those that the controller and KServe make, by what makes them."""
    found: dict[str, Manifest] = {}
    runtime = next((each["spec"] for each in manifests if each["kind"] == "ServingRuntime"), None)
    for each in [*manifests, *made_by_the_controller(manifests)]:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            found[name] = each["spec"]
        elif each["kind"] in ("Deployment", "StatefulSet", "Job"):
            name += "+gpus" if name in found else ""
            found[name] = each["spec"]["template"]["spec"]
        elif each["kind"] == "InferenceService":
            # KServe lays the predictor over the runtime, and its model over the runtime's container.
            assert runtime is not None
            predictor = dict(each["spec"]["predictor"])
            model = predictor.pop("model")
            [container] = runtime["containers"]
            found[name] = {**runtime, **predictor, "containers": [{**container, "resources": model["resources"]}]}
    return found
