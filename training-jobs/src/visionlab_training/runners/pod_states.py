"""What Kubernetes tells of a training's pod, in a sentence that a person can act on."""

from __future__ import annotations

from visionlab_core.kubernetes.objects import Json
from visionlab_training.runners.job_manifest import CONTAINER

_OF_IMAGES = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
_ON_THEIR_WAY = frozenset({"ContainerCreating", "PodInitializing"})
_ENDED = frozenset({"Succeeded", "Failed"})


def is_active(pod: Json) -> bool:
    """Whether something of it may still run."""
    return pod.get("status", {}).get("phase") not in _ENDED


def why_it_waits(pod: Json) -> str | None:
    """Why a pod does not run yet, and what helps; None: it does, or is about to."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            told = condition.get("message") or condition.get("reason", "")
            return f"It waits for a node: {told.rstrip('.')}."
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting") or {}
        reason, told = waiting.get("reason", ""), waiting.get("message") or "nothing more is known"
        if reason in _OF_IMAGES:
            return f"The image {container.get('image')} cannot be had ({reason}: {told})."
        if reason and reason not in _ON_THEIR_WAY:
            return f"Its container cannot be started ({reason}: {told})."
    return None


def killed_for_memory(pod: Json) -> str | None:
    """Where the kernel ended it for its memory: so, and what helps."""
    if not any(ended.get("reason") == "OOMKilled" for ended in _endings(pod)):
        return None
    containers = [each for each in pod.get("spec", {}).get("containers", []) if each.get("name") == CONTAINER]
    limit = containers[0].get("resources", {}).get("limits", {}).get("memory") if containers else None
    of = f"its limit of {limit}" if limit else "its node had"
    return (
        f"The training was killed as it took more memory than {of}. Try it again with a smaller batch size or resolution, or "
        "raise the memory limit in the template of trainings' Jobs."
    )


def last_words(pod: Json) -> str:
    """The end of what its container wrote, where it failed."""
    return "\n".join(ended["message"] for ended in _endings(pod) if ended.get("message"))


def _endings(pod: Json) -> list[Json]:
    states = [each.get("state", {}).get("terminated") for each in pod.get("status", {}).get("containerStatuses", [])]
    return [ended for ended in states if ended]
