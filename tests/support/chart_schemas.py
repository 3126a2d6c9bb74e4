"""Whether Kubernetes and the operators would take a manifest, by their published types; what they do not know is a fault.

Kubernetes' own objects: the package kubernetes-validate, for each version. KServe's: the types of its Python SDK, read and not
imported. Those of the Gateway API, KEDA and the Prometheus operator: their TypeScript types.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema.validators import Draft202012Validator
from referencing import Registry, Resource

Manifest = dict[str, Any]

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
_ROOT = Path(__file__).parents[2]
_TYPES = _ROOT / "tests" / "chart" / "types"
_SDK = _ROOT / ".tools" / "kserve-sdk" / "kserve" / "models"
_KSERVE = {"InferenceService": "V1beta1InferenceService", "ServingRuntime": "V1alpha1ServingRuntime"}
_NAMES = {"K8sIoApiAppsV1DeploymentStrategy": "io.k8s.api.apps.v1.DeploymentStrategy"}
_HOST = "https://kubernetes.io"
_DEFINITIONS = "/api/_definitions.json"
_TYPESCRIPT = {
    "HTTPRoute": "gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
    "ScaledObject": "keda/keda.sh/v1alpha1/ScaledObject",
    "PodMonitor": "prometheus-operator/monitoring.coreos.com/v1/PodMonitor",
    "PrometheusRule": "prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
}


def is_kubernetes_own(manifest: Manifest) -> bool:
    """Whether it is an object of Kubernetes itself."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." not in group or (group.endswith(".k8s.io") and not group.startswith("gateway."))


def faults(manifest: Manifest, version: str) -> list[str]:
    """What this version of Kubernetes has against an object of its own."""
    schema = manifest["apiVersion"].replace("/", "-").replace(".k8s.io", "").removesuffix("-")
    # rbac.authorization.k8s.io/v1 is rbac-v1, as the package names it.
    schema = re.sub(r"^([a-z]+)\.[a-z.]+-", r"\1-", schema)
    return _faults(_validator(version, f"{manifest['kind'].lower()}-{schema}.json"), manifest)


def kserve_faults(manifest: Manifest) -> list[str]:
    """What KServe 0.20 has against an InferenceService or a ServingRuntime."""
    return _faults(_kserve_validator(manifest["kind"]), manifest)


def typescript_faults(manifests: Sequence[Manifest]) -> str:
    """What the TypeScript compiler has against objects of the other operators; empty: nothing."""
    lines = [f'import type {{ I{kind} }} from "@kubernetes-models/{path}";' for kind, path in _TYPESCRIPT.items()]
    lines += [f"export const of{n}: I{each['kind']} = {json.dumps(each)};" for n, each in enumerate(manifests)]
    file = _TYPES / "node_modules" / "manifests.ts"
    file.write_text("\n".join(lines), encoding="utf-8")
    options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"]
    node = shutil.which("node")
    assert node is not None
    compiler = _TYPES / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run(
        [node, str(compiler), *options, str(file)], capture_output=True, text=True, timeout=120, check=False
    ).stdout


def _faults(validator: Draft202012Validator, manifest: Manifest) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@lru_cache
def _schemas(version: str) -> Path:
    return Path(str(files("kubernetes_validate"))) / "kubernetes-json-schema" / f"v{version}.0-local-strict"


@lru_cache
def _registry(version: str) -> Registry[Any]:
    contents = json.loads((_schemas(version) / "_definitions.json").read_text(encoding="utf-8"))
    return Resource.from_contents(contents) @ Registry()


@lru_cache
def _validator(version: str, file: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((_schemas(version) / file).read_text(encoding="utf-8")), registry=_registry(version))


@lru_cache
def _kserve_validator(kind: str) -> Draft202012Validator:
    newest = VERSIONS[-1]
    kubernetes = json.loads((_schemas(newest) / "_definitions.json").read_text(encoding="utf-8"))
    names = {name.rpartition(".")[2]: name for name in kubernetes["$defs"] if ".api.core.v1." in name or ".meta.v1." in name}
    definitions: dict[str, Any] = {}
    classes = _classes()

    def schema_of(type_: str) -> dict[str, Any]:
        if inner := re.fullmatch(r"list\[(.*)\]|dict\(str, (.*)\)", type_):
            of = schema_of(inner[1] or inner[2])
            return {"type": "array", "items": of} if inner[1] else {"type": "object", "additionalProperties": of}
        if simple := {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}.get(type_):
            return {"type": simple}
        if type_ == "object":
            return {}
        if type_ == "ResourceQuantity":
            return {"type": ["string", "number"]}
        if type_ in classes:
            define(type_)
            return {"$ref": f"#/$defs/{type_}"}
        # Some types are named in the SDK and not there.
        name = _NAMES.get(type_) or names.get(type_.removeprefix("V1"))
        return {"$ref": f"{_DEFINITIONS}#/$defs/{name}"} if name else {}

    def define(type_: str) -> None:
        if type_ in definitions:
            return
        definitions[type_] = {}  # types may name themselves
        types, keys = classes[type_]
        properties = {keys[attribute]: schema_of(of) for attribute, of in types.items()}
        definitions[type_] = {"type": "object", "properties": properties, "additionalProperties": False}

    define(_KSERVE[kind])
    schema = {"$id": f"{_HOST}/{kind}", "$ref": f"#/$defs/{_KSERVE[kind]}", "$defs": definitions}
    return Draft202012Validator(schema, registry=_registry(newest))


@lru_cache
def _classes() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Types of the fields, and their names in a manifest, of each class of the SDK, as its generator writes them."""
    classes = {}
    for file in _SDK.glob("v*.py"):
        found: dict[str, Any] = {}
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found["class"] = node.name
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name in ("openapi_types", "attribute_map"):
                    found[name] = ast.literal_eval(node.value)
        classes[found["class"]] = found["openapi_types"], found["attribute_map"]
    assert classes, "KServe's SDK is missing: `make check` installs it"
    return classes
