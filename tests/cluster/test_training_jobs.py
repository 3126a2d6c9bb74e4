"""Trainings as Jobs of a real cluster: its namespace enforces the restricted pod security, its ServiceAccount has few rights."""

from __future__ import annotations

import math

import pytest
from support import job_cluster
from support.job_cluster import (
    HELD_COMMAND,
    KILLABLE,
    NAMESPACE,
    SLEEPER,
    STEPS,
    Trainings,
    evict,
    items,
    kubectl,
    pods_of,
    template,
)
from support.waiting import until

from visionlab_core.store_layout import model_key, training_key

pytestmark = pytest.mark.timeout(600)
HELD_AT = 20


@pytest.fixture(scope="module")
def controller(tmp_path_factory):
    """The kubeconfig of a ServiceAccount with the rights that docs/training.md names."""
    job_cluster.set_up()
    yield job_cluster.kubeconfig_of("controller", tmp_path_factory.mktemp("cluster"))
    job_cluster.tear_down()


@pytest.fixture(scope="module")
def bucket(controller):
    return job_cluster.open_bucket()


@pytest.fixture
async def trainings(tmp_path, bucket, controller):
    trainings = Trainings(tmp_path, bucket, controller)
    yield trainings
    await trainings.close()


def the_same(resumed: dict[int, float], left_alone: dict[int, float]) -> bool:
    """Whether the loss took the same course; the step at which a training was stopped is told beside the others."""
    return resumed.keys() >= left_alone.keys() and all(
        math.isclose(resumed[step], loss, abs_tol=1e-3) for step, loss in left_alone.items()
    )


@pytest.fixture(scope="module")
def curves() -> dict[str, dict[int, float]]:
    """Loss by step of trainings that were left alone, and of others."""
    return {}


async def test_a_training_is_a_job_and_becomes_a_model(trainings, bucket, curves):
    assert trainings.runner.why_unavailable() is None
    training = await trainings.add("left-alone")
    row = await trainings.comes_to(training, "running", step=1)
    assert row.place == trainings.runner.place()
    assert len(row.place) <= 64
    [job] = items("jobs")
    assert job["metadata"]["name"] == f"trial-training-{training}"
    [pod] = pods_of(training)
    assert pod["spec"]["automountServiceAccountToken"] is False
    row = await trainings.comes_to(training, "done")
    curves["left alone"] = trainings.curve(training)
    assert max(curves["left alone"]) == STEPS
    assert bucket.exists(model_key(row.model_uuid, 1, "card.json"))
    assert bucket.exists(model_key(row.model_uuid, 1, "model.onnx"))
    assert bucket.get(training_key(training, "log.txt")), "what it said can be read though its pod is gone"
    assert trainings.runner.trainings() == []


async def test_a_pause_ends_the_pod_and_it_goes_on_exactly_where_it_was(trainings, curves):
    trainings.command(HELD_COMMAND)
    training = await trainings.add("paused")
    await trainings.comes_to(training, "running", step=HELD_AT)
    await trainings.wish(training, "pause")
    row = await trainings.comes_to(training, "paused")
    assert HELD_AT <= row.progress["step"] <= HELD_AT + 1
    [job] = items("jobs")
    assert job["spec"]["suspend"] is True
    # The checkpoint is written and the outcome told; the pod that did it is just going.
    await until(lambda: not pods_of(training))
    await trainings.wish(training, "run")
    await trainings.comes_to(training, "done")
    assert the_same(trainings.curve(training), curves["left alone"])


async def test_it_survives_the_death_of_its_pod_and_the_drain_of_its_node(trainings, curves):
    trainings.command(HELD_COMMAND, template(command=["sh", "-c", KILLABLE, "job"]))
    training = await trainings.add("killed")
    await trainings.comes_to(training, "running", step=HELD_AT)
    [pod] = pods_of(training)
    kubectl("exec", pod["metadata"]["name"], "--", "sh", "-c", "kill -9 $(cat /tmp/job)")
    # No checkpoint was in the store yet: it begins anew.
    await trainings.comes_to(training, "running", phase="preparing")
    await trainings.comes_to(training, "running", step=HELD_AT)
    [job], [pod] = items("jobs"), pods_of(training)
    evict(pod)
    await trainings.comes_to(training, "running", phase="preparing")
    [same] = items("jobs")
    assert same["metadata"]["uid"] == job["metadata"]["uid"], "of an eviction the Job itself takes care"
    row = await trainings.comes_to(training, "done")
    assert row.attempts == 0
    assert the_same(trainings.curve(training), curves["left alone"])


async def test_what_cannot_succeed_fails_at_once_and_says_why(trainings):
    training = await trainings.add("bad", architecture="Tinny")
    row = await trainings.comes_to(training, "failed")
    assert "Tinny" in row.reason
    assert row.attempts == 0
    assert len(pods_of(training)) == 1
    await trainings.is_removed(training)
    assert items("jobs") == []


async def test_a_training_that_is_killed_for_its_memory_says_so(trainings):
    limits = {"requests": {"memory": "100Mi"}, "limits": {"memory": "150Mi"}}
    trainings.command(job_cluster.COMMAND, template(resources=limits))
    training = await trainings.add("fat")
    row = await trainings.comes_to(training, "failed")
    assert "memory" in row.reason
    assert "smaller batch size" in row.reason
    await trainings.is_removed(training)


async def test_gpus_are_asked_for_and_what_is_not_there_is_said(trainings):
    trainings.command(SLEEPER)
    one, many = await trainings.add("one-gpu", gpus=1), await trainings.add("many-gpus", gpus=99)
    await trainings.comes_to(many, "running", reason="Insufficient nvidia.com/gpu")
    await trainings.comes_to(one, "running", phase="preparing")
    [pod] = pods_of(one)
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    labels = {node["metadata"]["name"]: node["metadata"]["labels"] for node in items("nodes")}
    assert labels[pod["spec"]["nodeName"]]["nvidia.com/gpu.present"] == "true"
    for training in (one, many):
        await trainings.is_removed(training)
    assert items("pods") == []


async def test_in_a_queue_of_kueue_it_waits_and_a_pause_takes_it_out(trainings):
    queued = {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}, **template()}
    trainings.command(HELD_COMMAND, queued)
    training = await trainings.add("queued")
    await trainings.comes_to(training, "running", reason="waits in Kueue's queue gpus")
    # What Kueue does once there is room.
    kubectl("patch", "job", f"trial-training-{training}", "--patch", '{"spec": {"suspend": false}}')
    row = await trainings.comes_to(training, "running", step=HELD_AT)
    assert row.reason is None
    await trainings.wish(training, "pause")
    row = await trainings.comes_to(training, "paused")
    assert items("jobs") == []
    assert trainings.store.exists(training_key(training, "checkpoints/checkpoint.npz"))
    await trainings.is_removed(training)


async def test_an_image_that_cannot_be_had_and_a_pod_that_may_not_be_are_said_until_that_is_mended(trainings, tmp_path):
    trainings.command(SLEEPER, template(image="localhost/no-such-image:1"))
    training = await trainings.add("no-image")
    await trainings.comes_to(training, "running", reason="localhost/no-such-image:1 cannot be had")
    await trainings.is_removed(training)
    trainings.command(SLEEPER, template(securityContext={"allowPrivilegeEscalation": True}))
    training = await trainings.add("no-pod")
    await trainings.comes_to(training, "running", reason="violates PodSecurity")
    await trainings.is_removed(training)


async def test_who_may_not_make_jobs_and_who_meets_no_api_server_says_so(trainings, tmp_path):
    trainings.command(SLEEPER, kubeconfig=job_cluster.kubeconfig_of("nobody", tmp_path))
    training = await trainings.add("waits")
    await trainings.comes_to(training, "pending", reason=f"system:serviceaccount:{NAMESPACE}:nobody")
    assert "docs/training.md" in trainings.runner.why_unavailable()
    away = tmp_path / "away.kubeconfig"
    text = (tmp_path / "nobody.kubeconfig").read_text()
    server = kubectl("config", "view", "--minify", "--output", "jsonpath={.clusters[0].cluster.server}")
    away.write_text(text.replace(server, "https://127.0.0.1:9"))
    trainings.command(SLEEPER, kubeconfig=away)
    await trainings.comes_to(training, "pending", reason="https://127.0.0.1:9 cannot be reached")
    trainings.command(SLEEPER)
    row = await trainings.comes_to(training, "running")
    assert row.reason is None
    await trainings.is_removed(training)
