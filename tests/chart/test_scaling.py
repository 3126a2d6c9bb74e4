"""How many there are, and who says so."""

from __future__ import annotations

from uuid import UUID

import pytest
from support.chart import POOLS, find, made_by_the_controller, of_kind, plan, refusal, rendered
from support.tiny_models import detector_card


@pytest.mark.parametrize(("part", "limits", "cpu"), [("api", (4, 40), 70), ("ui", (3, 9), 60)])
def test_an_hpa_scales_by_cpu_within_its_limits(part, limits, cpu):
    spec = find(rendered("hpa"), "HorizontalPodAutoscaler", f"lab-visionlab-{part}")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == limits
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"lab-visionlab-{part}"}
    [metric] = spec["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == cpu
    # Else each upgrade would set the number of replicas back.
    assert "replicas" not in find(rendered("hpa"), "Deployment", f"lab-visionlab-{part}")["spec"]


def test_without_autoscaling_the_number_stands():
    manifests = rendered("embedded")
    assert of_kind(manifests, "HorizontalPodAutoscaler") == {}
    assert {name: each["spec"]["replicas"] for name, each in of_kind(manifests, "Deployment").items()} == {
        "lab-visionlab-api": 1,
        "lab-visionlab-controller": 1,
        "lab-visionlab-ui": 1,
    }


def pools(values: str) -> dict[str, dict]:
    made = made_by_the_controller(rendered(values))
    return {each["metadata"]["name"].removeprefix("lab-visionlab-"): each for each in made if each["kind"] == "InferenceService"}


def test_a_pool_that_scales_by_cpu_has_kserves_hpa():
    found = pools("hpa")
    assert set(found) == set(POOLS)
    detectors = found["detectors"]
    annotations = detectors["metadata"]["annotations"]
    assert annotations["serving.kserve.io/autoscalerClass"] == "hpa"
    assert annotations["serving.kserve.io/metric"] == "cpu"
    assert annotations["serving.kserve.io/targetUtilizationPercentage"] == "60"
    assert detectors["spec"]["predictor"]["minReplicas"] == 2
    assert detectors["spec"]["predictor"]["maxReplicas"] == 12
    assert of_kind(rendered("hpa"), "ScaledObject") == {}


@pytest.mark.parametrize(("pool", "limits"), [("detectors", (2, 12)), ("generators", (1, 4))])
def test_a_pool_that_scales_by_its_queue_is_kedas(pool, limits):
    service = pools("keda")[pool]
    # KServe leaves the number alone.
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"
    spec = find(rendered("keda"), "ScaledObject", f"lab-visionlab-{pool}")["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == limits
    # The Deployment that KServe makes of the InferenceService.
    assert spec["scaleTargetRef"]["name"] == f"{service['metadata']['name']}-predictor"
    [trigger] = spec["triggers"]
    assert trigger["metadata"]["serverAddress"] == "http://prometheus.monitoring:9090"
    assert trigger["metadata"]["threshold"] == "0.8"
    assert f'pod=~"lab-visionlab-{pool}-predictor-.*"' in trigger["metadata"]["query"]


def test_a_pool_that_does_not_scale_stays_as_it_is():
    for service in pools("gpu").values():
        predictor = service["spec"]["predictor"]
        assert predictor["minReplicas"] == predictor["maxReplicas"] == 2


def test_a_pool_apart_is_as_the_detectors_in_what_it_does_not_say():
    found = pools("gpu")
    assert set(found) == {*POOLS, "large"}
    large, detectors = (found[name]["spec"]["predictor"] for name in ("large", "detectors"))
    assert large["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert large["tolerations"] == detectors["tolerations"]
    assert large["model"]["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert large["model"]["resources"]["requests"] == detectors["model"]["resources"]["requests"]
    assert "lab-visionlab-large" in of_kind(rendered("gpu"), "PodDisruptionBudget")
    model = UUID("8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e08")
    assert plan(rendered("gpu")).pool(detector_card(b"", model, "stylegan2-human")) == "large"


@pytest.mark.parametrize(
    ("name", "models", "says"),
    [
        ("detectors", "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e08", "serving.apart.detectors: that pool serves all models of its kind"),
        ("Large", "8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e08", "Large"),
        ("large", "stylegan2-human", "serving"),
    ],
)
def test_a_pool_apart_that_cannot_be_is_refused(name, models, says):
    assert says in refusal("hpa", f"serving.apart.{name}.models[0]={models}")


def test_trainings_at_a_time():
    for part in ("api", "controller"):
        for values, wanted in (("kueue", "8"), ("embedded", "0")):
            [container] = find(rendered(values), "Deployment", f"lab-visionlab-{part}")["spec"]["template"]["spec"]["containers"]
            assert {"name": "VISIONLAB_TRAININGS_AT_ONCE", "value": wanted} in container["env"]


def test_one_follows_the_rows_and_the_facade_does_not():
    manifests = rendered("production")
    [facade] = find(manifests, "Deployment", "lab-visionlab-api")["spec"]["template"]["spec"]["containers"]
    assert {"name": "VISIONLAB_CONTROL_LOOPS", "value": "off"} in facade["env"]
    [controller] = find(manifests, "Deployment", "lab-visionlab-controller")["spec"]["template"]["spec"]["containers"]
    assert controller["command"] == ["visionlab-controller"]
    assert not any(each["name"] == "VISIONLAB_CONTROL_LOOPS" for each in controller["env"])
