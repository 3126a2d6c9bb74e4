"""Objects of the Kubernetes API as plain dicts, and what a pod knows of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
"""An object of the Kubernetes API, as its YAML has it."""

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts what a pod needs to call the API."""


def in_a_pod() -> bool:
    """Whether this process runs in a pod that has a ServiceAccount's token."""
    return (SERVICE_ACCOUNT / "token").exists()


def own_namespace() -> str:
    """The namespace of this pod; `default` outside of a cluster."""
    file = SERVICE_ACCOUNT / "namespace"
    return file.read_text(encoding="utf-8").strip() if file.exists() else "default"


def selector(labels: Mapping[str, str]) -> str:
    """A label selector."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def config_map_path(namespace: str, name: str) -> str:
    """Where a ConfigMap is in the API."""
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


def owner_reference(owner: Json) -> Json:
    """What to put into `ownerReferences` of objects that shall go when the owner goes; it is as Kubernetes has it."""
    metadata = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}
