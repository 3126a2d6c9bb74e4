"""The Job of a training: our defaults, over them the operator's template, over both what makes it a training of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from visionlab_core.kubernetes.objects import Json, owner_reference
from visionlab_training.exit_codes import ExitCode
from visionlab_training.runners.contract import RunnerUnavailable

CONTAINER = "training"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
WORK = "/work"
GPU_RESOURCE = "nvidia.com/gpu"
_LONGEST_NAME = 63
_ONE_WEEK = 7 * 24 * 3600
_USER = 10001
_FAILED = 1
"""Exit code of a job that told why it failed, or that could not read its own arguments with INVALID_INPUT."""

_DEFAULTS: Json = {
    "spec": {
        # Whether a training that was killed is worth another try depends on whether it came further: the control loop knows.
        "backoffLimit": 0,
        # By then the loop has read how it ended; what the job itself told is in the store anyway.
        "ttlSecondsAfterFinished": _ONE_WEEK,
        "template": {
            "spec": {
                # For a step to its end, a checkpoint, and sending it.
                "terminationGracePeriodSeconds": 300,
                "enableServiceLinks": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": _USER,
                    "runAsGroup": _USER,
                    "fsGroup": _USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": CONTAINER,
                        # So that whoever may see the pod sees what it said last, without the right to read logs.
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [{"name": "work", "mountPath": WORK}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
                    }
                ],
                "volumes": [{"name": "work", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
            }
        },
    }
}


def read_template(path: Path) -> Json:
    """The operator's template: a partial Job in YAML, and below `gpu` what is laid over it where a training asks for GPUs.

    Raises:
        RunnerUnavailable: it cannot be read, or names no image.
    """
    import yaml

    try:
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unusable(path, f"is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(template, dict):
        raise _unusable(path, "is no mapping")
    if unknown := set(template) - {"apiVersion", "kind", "metadata", "spec", "gpu"}:
        raise _unusable(path, f"has the unknown key {min(map(str, unknown))!r}: it may have metadata, spec and gpu")
    gpu = template.get("gpu") or {}
    if not isinstance(gpu, dict) or (unknown := set(gpu) - {"resource", "metadata", "spec"}):
        raise _unusable(path, "has something else than resource, metadata and spec below gpu")
    for part in (template, merged(template, gpu)):
        try:
            containers = [each for each in part["spec"]["template"]["spec"]["containers"] if each["name"] == CONTAINER]
            image = containers[0]["image"]
        except (KeyError, IndexError, TypeError):
            image = None
        if not isinstance(image, str):
            raise _unusable(path, f"names no image for the container {CONTAINER!r} in spec.template.spec.containers")
    return template


def job_manifest(
    template: Json,
    *,
    prefix: str,
    namespace: str,
    training: UUID,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    gpus: int,
    owner: Json | None = None,
) -> Json:
    """The Job of a training.

    Args:
        template: of `read_template`.
        prefix: what names and labels of this installation begin with.
        namespace: where it is to run.
        training: whose.
        arguments: of `visionlab-job`.
        environment: its variables, none of them a secret, where the template has none of that name.
        gpus: how many it asks for.
        owner: what it goes with, as Kubernetes has it.
    """
    gpu = template.get("gpu") or {}
    theirs = {part: template.get(part) or {} for part in ("metadata", "spec")}
    if gpus:
        theirs = merged(theirs, {part: gpu.get(part) or {} for part in ("metadata", "spec")})
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    known: Json = {"spec": {"template": {"spec": {"containers": [{"name": CONTAINER, "env": variables}]}}}}
    container: Json = {"name": CONTAINER, "args": list(arguments)}
    if gpus:
        asked = {str(gpu.get("resource") or GPU_RESOURCE): gpus}
        container["resources"] = {"requests": asked, "limits": asked}
    labels = labels_of(prefix)
    ours: Json = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job_name(prefix, training), "namespace": namespace, "labels": labels},
        "spec": {
            "parallelism": 1,
            "completions": 1,
            "completionMode": "NonIndexed",
            "podFailurePolicy": {"rules": _failure_rules()},
            # Two pods would write to one training.
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]},
            },
        },
    }
    if owner is not None:
        ours["metadata"]["ownerReferences"] = [owner_reference(owner)]
    manifest: Json = merged(merged(merged(_DEFAULTS, known), theirs), ours)
    # Kueue lets a Job out of its queue by ending its suspension.
    manifest["spec"]["suspend"] = QUEUE_LABEL in manifest["metadata"]["labels"]
    return manifest


def job_name(prefix: str, training: UUID) -> str:
    """The name of a training's Job. It becomes a label of its pods, which has 63 characters; the uuid makes it unique."""
    ending = f"-training-{training}"
    return prefix[: _LONGEST_NAME - len(ending)].rstrip("-.") + ending


def labels_of(prefix: str) -> dict[str, str]:
    """Labels of all Jobs of an installation, and of their pods."""
    return {
        "app.kubernetes.io/part-of": "visionlab",
        "app.kubernetes.io/instance": prefix,
        "app.kubernetes.io/component": CONTAINER,
    }


def merged(base: Any, over: Any, field: str = "") -> Any:
    """`base` with `over` laid upon it.

    Mappings are merged, and a null takes a key away. Lists whose elements have names are merged by them: containers are merged in
    depth, other elements (variables, volumes, mounts) are replaced. Everything else is replaced.
    """
    if isinstance(base, dict) and isinstance(over, dict):
        both = {name: merged(base[name], value, name) if name in base else value for name, value in over.items()}
        return {name: value for name, value in {**base, **both}.items() if value is not None}
    if isinstance(base, list) and isinstance(over, list):
        for key in ("mountPath", "name"):
            if all(isinstance(each, dict) and key in each for each in [*base, *over]):
                return _merged_by(key, base, over, in_depth=field in ("containers", "initContainers"))
    return over


def _merged_by(key: str, base: list[Json], over: list[Json], *, in_depth: bool) -> list[Json]:
    new = {each[key]: each for each in over}
    kept = [each if each[key] not in new else merged(each, new[each[key]]) if in_depth else new[each[key]] for each in base]
    known = {each[key] for each in base}
    return kept + [each for each in over if each[key] not in known]


def _failure_rules() -> list[Json]:
    return [
        # It told why it failed: it would fail again.
        {"action": "FailJob", "onExitCodes": _exits(_FAILED, ExitCode.INVALID_INPUT)},
        # A node that is drained, a preemption: another pod goes on from the checkpoint.
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        # It wrote a checkpoint as somebody deleted its pod.
        {"action": "Ignore", "onExitCodes": _exits(ExitCode.INTERRUPTED)},
    ]


def _exits(*codes: int) -> Json:
    return {"containerName": CONTAINER, "operator": "In", "values": [int(code) for code in codes]}


def _unusable(path: Path, why: str) -> RunnerUnavailable:
    return RunnerUnavailable(f"The template of trainings' Jobs, {path} (VISIONLAB_JOB_TEMPLATE), {why}.")
