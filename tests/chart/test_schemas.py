"""What the chart makes, with every set of values in ci/, is what Kubernetes 1.30 to 1.37 and the operators take."""

from __future__ import annotations

import json

import pytest
from support.chart import CHART, SECRETS, VALUES, helm, made_by_the_controller, rendered
from support.chart_schemas import VERSIONS, faults, is_kubernetes_own, kserve_faults, typescript_faults

KSERVE = "serving.kserve.io"


def everything() -> list[dict]:
    """All manifests of all values, also those that the controller makes, each once."""
    found = {}
    for values in VALUES:
        manifests = rendered(values)
        for each in [*manifests, *made_by_the_controller(manifests)]:
            found[json.dumps(each, sort_keys=True)] = each
    return list(found.values())


@pytest.mark.parametrize("values", [None, *VALUES])
def test_helm_finds_nothing_to_complain_of(values):
    given = ["--values", str(VALUES[values])] if values else [word for each in SECRETS for word in ("--set", each)]
    done = helm("lint", "--strict", str(CHART), *given)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_its_own_objects(version):
    own = [each for each in everything() if is_kubernetes_own(each)]
    assert {each["kind"] for each in own} >= {"Deployment", "Job", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "Role"}
    wrong = {f"{each['kind']} {each['metadata']['name']}": faults(each, version) for each in own}
    assert {name: of for name, of in wrong.items() if of} == {}


def test_kserve_takes_what_is_its():
    theirs = [each for each in everything() if each["apiVersion"].startswith(KSERVE)]
    assert {each["kind"] for each in theirs} == {"InferenceService", "ServingRuntime"}
    wrong = {f"{each['kind']} {each['metadata']['name']}": kserve_faults(each) for each in theirs}
    assert {name: of for name, of in wrong.items() if of} == {}


def test_the_other_operators_take_what_is_theirs():
    theirs = [each for each in everything() if not is_kubernetes_own(each) and not each["apiVersion"].startswith(KSERVE)]
    assert {each["kind"] for each in theirs} == {"HTTPRoute", "ScaledObject", "PodMonitor", "PrometheusRule"}
    assert typescript_faults(theirs) == ""


def test_a_field_that_nobody_knows_would_be_seen():
    deployment = next(each for each in rendered("trial") if each["kind"] == "Deployment")
    assert faults({**deployment, "spec": {**deployment["spec"], "replica": 2}}, "1.30") != []
    runtime = next(each for each in rendered("trial") if each["kind"] == "ServingRuntime")
    assert kserve_faults({**runtime, "spec": {**runtime["spec"], "container": []}}) != []
    [container] = runtime["spec"]["containers"]
    assert kserve_faults({**runtime, "spec": {**runtime["spec"], "containers": [{**container, "port": 1}]}}) != []
    scaled = next(each for each in rendered("keda") if each["kind"] == "ScaledObject")
    assert "minReplicas" in typescript_faults([{**scaled, "spec": {**scaled["spec"], "minReplicas": 2}}])
