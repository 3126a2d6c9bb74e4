"""How far a roll-out is, from what Kubernetes says of Deployment, InferenceService and pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from visionlab_core.kubernetes.objects import Json
from visionlab_inference.releases.kserve.manifests import CONTAINER, INITIALIZER, digest_of

_IMAGE_FAULTS: Final = {
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
}
_INVALID: Final = "InvalidSpec"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that keeps a release from coming up.

    `reason` is for people. `pod` and `container` name whose log may say more (`previous`: that of the run before), and `ended`
    how often that container has ended.
    """

    reason: str
    pod: str | None = None
    container: str | None = None
    previous: bool = False
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """`rolled`: all servers that shall be there are of the release, and ready. `waits_for` says what is missing, for people."""

    rolled: bool
    waits_for: str
    troubles: tuple[Trouble, ...] = ()
    pods: tuple[Json, ...] = ()
    """The pods of the release that are to stay."""


def standing(digest: str, service: Json | None, deployment: Json | None, pods: Iterable[Json]) -> Standing:
    """How far a pool is on its way to a release.

    Args:
        digest: of the release.
        service: the InferenceService, if there is one.
        deployment: the Deployment that KServe makes of it, if there is one.
        pods: of the pool.
    """
    ours = tuple(
        pod for pod in pods if digest_of(pod.get("spec", {})) == digest and "deletionTimestamp" not in pod.get("metadata", {})
    )
    troubles = [*_of_service(service), *(trouble for pod in ours for trouble in _of_pod(pod)), *_of_deployment(deployment)]
    if not _is_of(deployment, service) or deployment is None or digest_of(deployment["spec"]["template"]["spec"]) != digest:
        waits_for = "KServe has not made its Deployment yet."
        return Standing(False, troubles[0].reason if troubles else waits_for, tuple(troubles), ours)
    status = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    ready = sum(_is_ready(pod) for pod in ours)
    rolled = (
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("availableReplicas", 0) >= wanted
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and ready >= wanted
    )
    waits_for = f"{ready} of {wanted} servers are ready."
    waiting = [*(trouble.reason for trouble in troubles), *(reason for pod in ours for reason in _waits(pod))]
    return Standing(rolled, f"{waits_for} {waiting[0]}" if waiting else waits_for, tuple(troubles), ours)


def _is_of(deployment: Json | None, service: Json | None) -> bool:
    """Whether the Deployment is this InferenceService's: that of one that was removed is there for a moment more."""
    owners = (deployment or {}).get("metadata", {}).get("ownerReferences", [])
    return service is not None and any(owner["uid"] == service["metadata"]["uid"] for owner in owners)


def _of_service(service: Json | None) -> Iterator[Trouble]:
    status = (service or {}).get("status", {}).get("modelStatus", {})
    if status.get("transitionStatus") == _INVALID:
        failure = status.get("lastFailureInfo", {})
        yield Trouble(f"KServe cannot serve it: {failure.get('message') or failure.get('reason') or _INVALID}")


def _of_deployment(deployment: Json | None) -> Iterator[Trouble]:
    for condition in (deployment or {}).get("status", {}).get("conditions", []):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield Trouble(f"Kubernetes refuses its pods: {condition.get('message')}")


def _of_pod(pod: Json) -> Iterator[Trouble]:
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    if status.get("phase") == "Failed" and status.get("reason"):
        yield Trouble(f"The pod {name} failed ({status['reason']}): {status.get('message', '')}")
    for each in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        yield from _of_container(name, each)


def _of_container(pod: str, status: Json) -> Iterator[Trouble]:
    waiting = status.get("state", {}).get("waiting", {})
    if waiting.get("reason") in _IMAGE_FAULTS:
        yield Trouble(f"The container {status['name']} does not start ({waiting['reason']}): {waiting.get('message', '')}")
        return
    now = status.get("state", {}).get("terminated")
    before = status.get("lastState", {}).get("terminated")
    ended = now or before
    if ended is None or ended.get("exitCode") == 0 or status.get("ready"):
        return
    what = {CONTAINER: "Triton", INITIALIZER: "KServe's storage initializer"}.get(status["name"], status["name"])
    why = ended.get("reason", "Error")
    how = f"exit code {ended.get('exitCode')}" if why == "Error" else f"{why}, exit code {ended.get('exitCode')}"
    yield Trouble(
        f"{what} ended with {how}.",
        pod=pod,
        container=status["name"],
        previous=now is None,
        ended=status.get("restartCount", 0) + (now is not None),
    )


def _is_ready(pod: Json) -> bool:
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in pod.get("status", {}).get("conditions", [])
    )


def _waits(pod: Json) -> Iterator[str]:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"No node takes the pod: {condition.get('message', '')}"
