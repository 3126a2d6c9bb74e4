"""How far a roll-out is, and why it is no further, as Kubernetes tells it."""

from __future__ import annotations

from copy import deepcopy

from visionlab_inference.releases.kserve.standing import standing

DIGEST, OTHER = "a" * 64, "b" * 64
SERVICE = {"metadata": {"uid": "1"}}


def spec(digest):
    return {"containers": [{"name": "kserve-container", "args": ["--x", f"--id={digest}"]}]}


def pod(name, digest=DIGEST, *, ready=True, containers=(), initializers=(), conditions=(), gone=False):
    conditions = [{"type": "Ready", "status": str(ready)}, *conditions]
    status = {"conditions": conditions, "containerStatuses": list(containers), "initContainerStatuses": list(initializers)}
    metadata = {"name": name} | ({"deletionTimestamp": "now"} if gone else {})
    return {"metadata": metadata, "spec": spec(digest), "status": status}


def deployment(digest=DIGEST, *, replicas=1, updated=1, available=1, total=1, owner="1"):
    return {
        "metadata": {"generation": 3, "ownerReferences": [{"uid": owner}]},
        "spec": {"replicas": replicas, "template": {"spec": spec(digest)}},
        "status": {
            "observedGeneration": 3,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "replicas": total,
        },
    }


def test_it_is_there_when_all_servers_are_of_the_release_and_ready():
    assert standing(DIGEST, SERVICE, deployment(), [pod("one")]).rolled


def test_it_is_not_there_while_anything_is_missing():
    for wanting in (
        deployment(OTHER),
        deployment(updated=0),
        deployment(available=0),
        deployment(total=2),
        deployment(replicas=2),
        deployment(owner="of one that was removed"),
        None,
    ):
        assert not standing(DIGEST, SERVICE, wanting, [pod("one")]).rolled
    stale = deepcopy(deployment())
    stale["metadata"]["generation"] = 4
    assert not standing(DIGEST, SERVICE, stale, [pod("one")]).rolled
    for pods in ([], [pod("one", OTHER)], [pod("one", ready=False)], [pod("one", gone=True)]):
        assert not standing(DIGEST, SERVICE, deployment(), pods).rolled


def test_a_server_that_ended_is_trouble_with_the_place_of_its_log():
    running = {"running": {}}
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    crashed = {"name": "kserve-container", "state": running, "lastState": ended, "restartCount": 1, "ready": False}
    [trouble] = standing(DIGEST, SERVICE, deployment(available=0), [pod("one", ready=False, containers=[crashed])]).troubles
    assert (trouble.pod, trouble.container, trouble.previous, trouble.ended) == ("one", "kserve-container", True, 1)
    assert trouble.reason == "Triton ended with exit code 1."
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    crashed = {"name": "kserve-container", "state": killed, "restartCount": 0, "ready": False}
    [trouble] = standing(DIGEST, SERVICE, deployment(available=0), [pod("one", ready=False, containers=[crashed])]).troubles
    assert (trouble.previous, trouble.ended) == (False, 1)
    assert "OOMKilled" in trouble.reason


def test_servers_of_another_release_are_no_trouble():
    crashed = {"name": "kserve-container", "state": {"terminated": {"exitCode": 1}}, "ready": False}
    assert standing(DIGEST, SERVICE, deployment(), [pod("one"), pod("old", OTHER, containers=[crashed])]).troubles == ()


def test_an_initializer_that_did_its_work_is_no_trouble_and_one_that_cannot_fetch_is():
    done = {"name": "storage-initializer", "state": {"terminated": {"exitCode": 0}}, "ready": True}
    assert standing(DIGEST, SERVICE, deployment(), [pod("one", initializers=[done])]).troubles == ()
    failed = {
        "name": "storage-initializer",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        "restartCount": 2,
        "ready": False,
    }
    [trouble] = standing(DIGEST, SERVICE, deployment(), [pod("one", ready=False, initializers=[failed])]).troubles
    assert (trouble.container, trouble.ended) == ("storage-initializer", 2)
    assert "storage initializer" in trouble.reason


def test_what_it_waits_for_is_said():
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: Insufficient nvidia.com/gpu."}
    stands = standing(DIGEST, SERVICE, deployment(available=0), [pod("one", ready=False, conditions=[unplaced])])
    assert "0 of 1 servers are ready." in stands.waits_for
    assert "Insufficient nvidia.com/gpu" in stands.waits_for
    image = {"name": "kserve-container", "state": {"waiting": {"reason": "ErrImageNeverPull", "message": "no image"}}}
    stands = standing(DIGEST, SERVICE, deployment(available=0), [pod("one", ready=False, containers=[image])])
    assert "ErrImageNeverPull" in stands.troubles[0].reason
    refused = deployment(available=0, updated=0)
    refused["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]
    assert "exceeded quota" in standing(DIGEST, SERVICE, refused, []).waits_for
    invalid = SERVICE | {
        "status": {"modelStatus": {"transitionStatus": "InvalidSpec", "lastFailureInfo": {"message": "no runtime vl-triton"}}}
    }
    assert "no runtime vl-triton" in standing(DIGEST, invalid, None, []).waits_for
