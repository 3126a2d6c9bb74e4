"""What the deployer asks of Kubernetes, as plain dicts: an InferenceService and a headless Service for each pool.

What operators tune (resources, tolerations, replicas, environment, the roll-out's strategy) is in a template; the rest is ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from visionlab_core.kubernetes.objects import Json, owner_reference

HTTP_PORT: Final = 8080
GRPC_PORT: Final = 9000
"""Ports of the ServingRuntime's container: the chart's runtime has them, and so must any other."""

CONTAINER: Final = "kserve-container"
INITIALIZER: Final = "storage-initializer"
DIGEST_ANNOTATION: Final = "visionlab/release"
POOL_LABEL: Final = "visionlab/pool"
KSERVE_LABEL: Final = "serving.kserve.io/inferenceservice"

_ID_ARGUMENT: Final = "--id="
_LONGEST_NAME: Final = 40
"""KServe and we add endings, and a Service's name has 63 letters at most."""


class UnusableTemplate(ValueError):
    """The templates of the InferenceServices cannot be used: the message says which and why."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where a pool's objects are, and what they are called.

    Args:
        namespace: of all of them.
        prefix: what their names begin with, a DNS label: the installation's.

    Raises:
        ValueError: the prefix makes no names.
    """

    namespace: str
    prefix: str

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[a-z]([a-z0-9-]{{0,{_LONGEST_NAME - 2}}}[a-z0-9])?", self.prefix):
            raise ValueError(
                f"{self.prefix!r} cannot begin names in Kubernetes: {_LONGEST_NAME} small letters, digits and inner dashes"
            )

    @property
    def labels(self) -> dict[str, str]:
        """Of everything that is this installation's."""
        return {"app.kubernetes.io/part-of": "visionlab", "app.kubernetes.io/instance": self.prefix}

    def service(self, pool: str) -> str:
        """The name of a pool's InferenceService."""
        return f"{self.prefix}-{pool}"

    def replicas(self, pool: str) -> str:
        """The name of the headless Service of the pool's servers."""
        return f"{self.prefix}-{pool}-replicas"

    def host(self, pool: str) -> str:
        """What resolves to the addresses of the pool's servers that are ready."""
        return f"{self.replicas(pool)}.{self.namespace}.svc"

    @property
    def services_path(self) -> str:
        """Where the InferenceServices are in the API."""
        return f"/apis/serving.kserve.io/v1beta1/namespaces/{self.namespace}/inferenceservices"

    def service_path(self, pool: str) -> str:
        """Where a pool's InferenceService is in the API."""
        return f"{self.services_path}/{self.service(pool)}"

    def replicas_path(self, pool: str) -> str:
        """Where a pool's headless Service is in the API."""
        return f"/api/v1/namespaces/{self.namespace}/services/{self.replicas(pool)}"

    def deployment_path(self, pool: str) -> str:
        """Where the Deployment is that KServe makes."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.service(pool)}-predictor"

    @property
    def pods_path(self) -> str:
        """Where pods are in the API."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def events_path(self) -> str:
        """Where events are in the API."""
        return f"/api/v1/namespaces/{self.namespace}/events"

    @property
    def replica_sets_path(self) -> str:
        """Where ReplicaSets are in the API."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/replicasets"

    def pod_labels(self, pool: str) -> dict[str, str]:
        """Labels that KServe gives to the pool's pods."""
        return {KSERVE_LABEL: self.service(pool)}


def read_templates(file: Path | None, pools: Collection[str]) -> dict[str, Json]:
    """The operator's part of each pool's InferenceService, from a YAML file: a mapping of pools to partial manifests.

    Raises:
        UnusableTemplate: it cannot be read, is no such mapping, or sets what is ours.
    """
    if file is None:
        return {}
    # Only who deploys reads templates, and only there YAML needs to be installed.
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UnusableTemplate(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise UnusableTemplate(f"{file} must map pools ({', '.join(pools)}) to partial InferenceServices")
    if strange := set(found) - set(pools):
        raise UnusableTemplate(f"{file} has {', '.join(sorted(map(str, strange)))}, but the pools are {', '.join(pools)}")
    for pool, template in found.items():
        model = template.get("spec", {}).get("predictor", {}).get("model", {})
        for ours in ("storageUri", "storage"):
            if ours in model:
                raise UnusableTemplate(f"{file}: {pool} sets spec.predictor.model.{ours}, which VisionLab sets")
    return found


def inference_service(
    names: Names, pool: str, *, digest: str, storage_uri: str, template: Json, owner: Json | None = None
) -> Json:
    """The InferenceService that serves a release of a pool.

    Each server's id is the release's digest, so that whoever calls a server can ask which release it serves.

    Args:
        names: where it is.
        pool: name of the pool.
        digest: of the release.
        storage_uri: where the release is. It ends in a slash: KServe's initializer takes everything that begins so.
        template: a partial manifest: what it has and we do not set stays.
        owner: what it goes with, as Kubernetes has it.
    """
    base: Json = {
        "spec": {
            "predictor": {
                "minReplicas": 1,
                # The servers of the release before serve until as many of this one are ready.
                "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "terminationGracePeriodSeconds": 60,
                "model": {"runtime": f"{names.prefix}-triton"},
            }
        }
    }
    if "deploymentStrategy" in template.get("spec", {}).get("predictor", {}):
        # Taken whole: of two halves neither would be what anybody meant.
        del base["spec"]["predictor"]["deploymentStrategy"]
    ours: Json = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": names.service(pool),
            "namespace": names.namespace,
            "labels": {**names.labels, POOL_LABEL: pool},
            "annotations": {"serving.kserve.io/deploymentMode": "Standard", DIGEST_ANNOTATION: digest},
        },
        "spec": {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "triton"},
                    "protocolVersion": "v2",
                    "storageUri": storage_uri,
                }
            }
        },
    }
    if owner is not None:
        ours["metadata"]["ownerReferences"] = [owner_reference(owner)]
    manifest = _merged(_merged(base, template), ours)
    model = manifest["spec"]["predictor"]["model"]
    # KServe adds these to the arguments of the ServingRuntime.
    model["args"] = [*model.get("args", []), f"{_ID_ARGUMENT}{digest}"]
    return manifest


def replicas_service(names: Names, pool: str, owner: Json) -> Json:
    """The headless Service whose name resolves to every server of the pool that is ready.

    Args:
        names: where it is.
        pool: name of the pool.
        owner: the InferenceService, as Kubernetes has it: the Service goes when it goes.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": names.replicas(pool),
            "namespace": names.namespace,
            "labels": {**names.labels, POOL_LABEL: pool},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {
            "clusterIP": "None",
            "selector": names.pod_labels(pool),
            "ports": [{"name": "grpc", "port": GRPC_PORT, "targetPort": GRPC_PORT, "protocol": "TCP"}],
        },
    }


def event(names: Names, owner: Json, *, name: str, kind: str, reason: str, message: str, now: str) -> Json:
    """A Kubernetes Event about an InferenceService.

    Args:
        names: where it is.
        owner: the InferenceService, as Kubernetes has it.
        name: of the event.
        kind: Normal or Warning.
        reason: one word for programs, such as RolloutFailed.
        message: for people; what is too long for Kubernetes is cut off.
        now: RFC 3339.
    """
    metadata = owner["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": names.namespace, "labels": names.labels},
        "involvedObject": {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": kind,
        "reason": reason,
        "message": message[:1000],
        "source": {"component": "visionlab-controller"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def digest_of(pod_spec: Json) -> str | None:
    """The release that a pod serves, by its specification; None where that does not say."""
    for container in pod_spec.get("containers", []):
        for argument in container.get("args") or []:
            if str(argument).startswith(_ID_ARGUMENT):
                return str(argument).removeprefix(_ID_ARGUMENT)
    return None


def _merged(base: Json, over: Mapping[str, Any]) -> Json:
    """Mappings are merged, everything else is replaced."""
    result = deepcopy(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = deepcopy(value)
    return result
