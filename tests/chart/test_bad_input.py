"""What cannot work is refused before anything is made, with a sentence that says what to do."""

from __future__ import annotations

import pytest
from support.chart import CHART, SECRETS, VALUES, helm, refusal, rendered, template

CLUSTER = ["apiregistration.k8s.io/v1", "apps/v1", "v1"]
"""APIs by which a cluster is known to be one: its own, which `helm template` alone does not list."""
KSERVE = "serving.kserve.io/v1beta1"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("servingg.mode=embedded", "servingg"),
        ("serving.pools.detector.minReplicas=2", "detector"),
        ("api.replica=2", "replica"),
        ("serving.mode=triton", "embedded"),
        ("serving.pools.generators.autoscaling=hpa", "keda"),
        ("api.replicas=two", "replicas"),
        ("api.replicas=-1", "replicas"),
        ("objectStore.url=faces", "s3://"),
        ("objectStore.endpoint=minio.minio:9000", "https?://"),
        ("publicUrl=faces.example.org", "https?://"),
        ("images.triton=nvcr.io/nvidia/tritonserver", "/images/triton"),
        ("trial.s3.image=minio/minio", "/trial/s3/image"),
        ("images.pullPolicy=Sometimes", "IfNotPresent"),
    ],
)
def test_a_value_that_is_none_is_named(setting, named):
    assert named in refusal(None, *SECRETS, setting)


@pytest.mark.parametrize(
    ("values", "settings", "says"),
    [
        ("trial", ["database.existingSecret=mine"], "trial.enabled brings a PostgreSQL of its own"),
        ("trial", ["objectStore.existingSecret=mine"], "set trial.s3.enabled=false"),
        (
            "hpa",
            ["api.autoscaling.minReplicas=9", "api.autoscaling.maxReplicas=8"],
            "api.autoscaling.minReplicas (9) is more than",
        ),
        ("hpa", ["ui.autoscaling.minReplicas=0"], "ui.autoscaling.minReplicas is 0"),
        (
            "hpa",
            ["serving.pools.detectors.minReplicas=13"],
            "serving.pools.detectors.minReplicas (13) is more than maxReplicas (12)",
        ),
        ("keda", ["serving.pools.generators.minReplicas=0"], "serving.pools.generators.minReplicas is 0"),
        ("gpu", ["serving.apart.large.minReplicas=0"], "serving.apart.large.minReplicas is 0"),
        ("keda", ["serving.keda.prometheus="], "serving.keda.prometheus says where it asks"),
        ("hpa", ["serving.pools.detectors.resources.requests.cpu=null"], "set serving.pools.detectors.resources.requests.cpu"),
        ("hpa", ["api.resources.requests.cpu=null"], "set api.resources.requests.cpu"),
        ("http-route", ["httpRoute.parentRefs=null"], "httpRoute.parentRefs: name the Gateway"),
        ("oidc", ["api.env.VISIONLAB_OIDC_ISSUER=x"], "api.env: VISIONLAB_OIDC_ISSUER is set by accounts.env already"),
        ("oidc", ["accounts.env.VISIONLAB_OIDC_CLIENT_SECRET=x"], "what is secret belongs into a Secret"),
        ("hpa", ["controller.env.VISIONLAB_PORT=80"], "controller.env: VISIONLAB_PORT is set by the chart already"),
        ("hpa", ["api.env.VISIONLAB_DATABASE_URL=x"], "api.env: VISIONLAB_DATABASE_URL is set by the chart already"),
    ],
)
def test_what_contradicts_itself_is_told(values, settings, says):
    assert says in refusal(values, *settings)


@pytest.mark.parametrize("name", ["7faces", "my.faces"])
def test_a_release_whose_name_begins_no_names_is_told(name):
    assert "cannot begin names in Kubernetes" in refusal("trial", name=name)


@pytest.mark.parametrize(
    ("values", "has", "says"),
    [
        ("hpa", [], "this cluster has no KServe (serving.kserve.io/v1beta1). Install it, or set serving.mode=embedded."),
        ("keda", [KSERVE], "serving.pools.detectors.autoscaling is keda, and this cluster has no KEDA (keda.sh/v1alpha1)"),
        ("http-route", [KSERVE], "httpRoute.enabled is true, and this cluster has no Gateway API (gateway.networking.k8s.io/v1)"),
        ("monitoring", [KSERVE], "monitoring.operator is true, and this cluster has no Prometheus operator"),
        ("kueue", [KSERVE], "training.queue is trainings, and this cluster has no Kueue"),
    ],
)
def test_what_the_cluster_lacks_is_named_with_what_to_do(values, has, says):
    said = refusal(values, apis=[*CLUSTER, *has])
    assert says in said
    assert "Install it, or set" in said


@pytest.mark.parametrize(
    ("values", "has"),
    [
        ("hpa", [KSERVE]),
        ("embedded", []),
        ("keda", [KSERVE, "keda.sh/v1alpha1"]),
        ("http-route", [KSERVE, "gateway.networking.k8s.io/v1"]),
        ("monitoring", [KSERVE, "monitoring.coreos.com/v1"]),
        ("kueue", [KSERVE, "kueue.x-k8s.io/v1beta1"]),
        ("kueue", [KSERVE, "kueue.x-k8s.io/v1beta2"]),
        # A pool that KServe does not make needs no KEDA.
        ("keda", None),
    ],
)
def test_a_cluster_that_has_it_takes_it(values, has):
    settings = ["serving.mode=embedded"] if has is None else []
    done = template(values, *settings, apis=[*CLUSTER, *(has or [])])
    assert done.returncode == 0, done.stderr


def test_without_a_cluster_everything_can_be_rendered():
    for values in ("hpa", "keda", "http-route", "monitoring", "kueue", "trial"):
        assert rendered(values)


def notes(values: str, *settings: str) -> str:
    given = [word for each in settings for word in ("--set", each)]
    done = helm("install", "lab", str(CHART), "--dry-run=client", "--values", str(VALUES[values]), *given)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:")[2]


def test_what_works_and_is_likely_not_meant_is_in_the_notes():
    assert "they stay at minReplicas" in notes("keda", "monitoring.annotations=false")
    assert "they stay at minReplicas" not in notes("keda")
    assert "every pod of the cluster may call" in notes("embedded")
    trial = notes("trial")
    assert "This is a trial" in trial
    assert "lab-visionlab-trial -o jsonpath" in trial
    assert "every pod of the cluster" not in trial
