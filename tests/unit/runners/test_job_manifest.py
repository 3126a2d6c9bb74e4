"""The Job of a training: what is always so, what an operator's template may change, and which templates are refused."""

from __future__ import annotations

from uuid import UUID

import pytest
import yaml

from visionlab_training.runners.contract import RunnerUnavailable
from visionlab_training.runners.job_manifest import job_manifest, job_name, merged, read_template

TRAINING = UUID("0192f3a4-5b6c-7d8e-9f00-112233445566")
KNOWN = {"VISIONLAB_S3_REGION": "eu-1", "VISIONLAB_S3_ENDPOINT": "http://s3"}
LEAST = """
spec:
  template:
    spec:
      containers:
        - name: training
          image: registry.example.org/visionlab-training:1.0
"""
FULL = """
metadata:
  labels: {team: faces, app.kubernetes.io/part-of: something-else}
  annotations: {note: kept}
spec:
  backoffLimit: 2
  suspend: true
  podFailurePolicy: {rules: []}
  template:
    metadata:
      labels: {team: faces}
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: true
      terminationGracePeriodSeconds: 900
      tolerations: [{key: cpu-only}]
      securityContext: {runAsUser: null}
      containers:
        - name: sidecar
          image: sidecar:1
        - name: training
          image: training:1
          args: [something]
          env: [{name: VISIONLAB_S3_ENDPOINT, value: "http://s3.inside"}]
          envFrom: [{secretRef: {name: s3}}]
          resources: {requests: {cpu: "2"}, limits: {memory: 8Gi}}
          volumeMounts: [{name: cache, mountPath: /cache}]
      volumes:
        - name: work
          ephemeral: {volumeClaimTemplate: {}}
        - name: cache
          emptyDir: {}
gpu:
  resource: amd.com/gpu
  spec:
    template:
      spec:
        nodeSelector: {gpu: "yes"}
        tolerations: [{key: gpu}]
        containers:
          - name: training
            image: training:1-rocm
"""


def manifest_of(tmp_path, text: str, *, gpus: int = 0, prefix: str = "visionlab") -> dict:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    return job_manifest(
        read_template(path),
        prefix=prefix,
        namespace="faces",
        training=TRAINING,
        arguments=["a", "b"],
        environment=KNOWN,
        gpus=gpus,
    )


def pod_of(manifest: dict) -> dict:
    return manifest["spec"]["template"]["spec"]


def container_of(manifest: dict) -> dict:
    [container] = [each for each in pod_of(manifest)["containers"] if each["name"] == "training"]
    return container


def test_the_least_template_makes_a_job_that_the_restricted_pod_security_accepts(tmp_path):
    job = manifest_of(tmp_path, LEAST)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["metadata"] == {
        "name": f"visionlab-training-{TRAINING}",
        "namespace": "faces",
        "labels": {
            "app.kubernetes.io/part-of": "visionlab",
            "app.kubernetes.io/instance": "visionlab",
            "app.kubernetes.io/component": "training",
        },
    }
    pod, container = pod_of(job), container_of(job)
    assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["securityContext"] == security
    assert container["args"] == ["a", "b"]
    assert "resources" not in container
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/work", "/tmp"}
    assert job["spec"]["suspend"] is False
    assert pod["terminationGracePeriodSeconds"] >= 120, "a checkpoint is written and sent meanwhile"


def test_a_disruption_costs_no_try_and_what_told_why_it_failed_gets_no_other(tmp_path):
    spec = manifest_of(tmp_path, LEAST)["spec"]
    rules = [(rule["action"], rule.get("onExitCodes", {}).get("values")) for rule in spec["podFailurePolicy"]["rules"]]
    assert rules == [("FailJob", [1, 2]), ("Ignore", None), ("Ignore", [75])]
    assert spec["podFailurePolicy"]["rules"][1]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert (spec["backoffLimit"], spec["podReplacementPolicy"], spec["parallelism"]) == (0, "Failed", 1)


def test_the_template_changes_what_is_the_operators_and_nothing_else(tmp_path):
    job = manifest_of(tmp_path, FULL)
    pod, container = pod_of(job), container_of(job)
    assert job["metadata"]["labels"]["team"] == "faces"
    assert job["metadata"]["labels"]["app.kubernetes.io/part-of"] == "visionlab"
    assert job["metadata"]["annotations"] == {"note": "kept"}
    assert job["spec"]["template"]["metadata"]["labels"]["team"] == "faces"
    assert (job["spec"]["backoffLimit"], job["spec"]["suspend"]) == (2, False)
    assert len(job["spec"]["podFailurePolicy"]["rules"]) == 3
    assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
    assert pod["terminationGracePeriodSeconds"] == 900
    assert "runAsUser" not in pod["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert [each["name"] for each in pod["containers"]] == ["training", "sidecar"]
    assert (container["image"], container["args"]) == ("training:1", ["a", "b"])
    assert container["env"] == [
        {"name": "VISIONLAB_S3_REGION", "value": "eu-1"},
        {"name": "VISIONLAB_S3_ENDPOINT", "value": "http://s3.inside"},
    ]
    assert container["envFrom"] == [{"secretRef": {"name": "s3"}}]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/work", "/tmp", "/cache"]
    assert {"name": "work", "ephemeral": {"volumeClaimTemplate": {}}} in pod["volumes"]
    assert "nodeSelector" not in pod


def test_gpus_bring_limits_and_the_part_of_the_template_that_is_for_them(tmp_path):
    job = manifest_of(tmp_path, FULL, gpus=2)
    pod, container = pod_of(job), container_of(job)
    assert container["resources"] == {
        "requests": {"cpu": "2", "amd.com/gpu": 2},
        "limits": {"memory": "8Gi", "amd.com/gpu": 2},
    }
    assert (container["image"], pod["nodeSelector"], pod["tolerations"]) == ("training:1-rocm", {"gpu": "yes"}, [{"key": "gpu"}])
    assert container_of(manifest_of(tmp_path, LEAST, gpus=1))["resources"]["limits"] == {"nvidia.com/gpu": 1}


def test_in_a_queue_of_kueue_a_job_begins_suspended(tmp_path):
    job = manifest_of(tmp_path, "metadata: {labels: {kueue.x-k8s.io/queue-name: gpus}}\n" + LEAST)
    assert job["spec"]["suspend"] is True


@pytest.mark.parametrize("prefix", ["v", "visionlab", "a-name-as-long-as-helm-lets-it-be-which-is-fifty-three"])
def test_names_fit_into_a_label_and_end_in_the_uuid(prefix):
    name = job_name(prefix, TRAINING)
    assert len(name) <= 63
    assert UUID(name[-36:]) == TRAINING
    assert name.startswith(prefix[:16])
    assert "--training" not in name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "is no YAML"),
        ("- a", "is no mapping"),
        ("spek: {}", "unknown key 'spek'"),
        ("spec: {template: {spec: {containers: [{name: other, image: a}]}}}", "names no image for the container 'training'"),
        ("spec: {template: {spec: {containers: [{name: training}]}}}", "names no image"),
        ("spec: [a]", "names no image"),
        (LEAST + "gpu: {toleration: []}", "resource, metadata and spec below gpu"),
    ],
)
def test_templates_that_cannot_be_used_are_named(tmp_path, text, why):
    with pytest.raises(RunnerUnavailable, match=why) as error:
        manifest_of(tmp_path, text)
    assert "VISIONLAB_JOB_TEMPLATE" in str(error.value)
    assert str(tmp_path / "job.yaml") in str(error.value)
    with pytest.raises(RunnerUnavailable, match="cannot be read"):
        read_template(tmp_path / "nothing.yaml")


def test_a_manifest_is_plain_data(tmp_path):
    job = manifest_of(tmp_path, FULL, gpus=1)
    assert yaml.safe_load(yaml.safe_dump(job)) == job


def test_merging_replaces_a_variable_as_a_whole():
    base = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "list": [1, 2]}
    over = {"env": [{"name": "B", "valueFrom": {"fieldRef": {}}}], "list": [3]}
    assert merged(base, over) == {"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {}}}], "list": [3]}
