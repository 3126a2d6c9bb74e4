"""Every value does something, is known to the schema, and the routes lead where they say."""

from __future__ import annotations

import json
from functools import lru_cache

import pytest
import yaml
from support.chart import CHART, SECRETS, find, of_kind, rendered, template

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def leaves(value: object, path: str = "") -> dict[str, object]:
    """Every value that is no mapping of values, by its path. A mapping that is empty is the operator's own."""
    if isinstance(value, dict) and value and not path.endswith("resources"):
        return {name: of for key, each in value.items() for name, of in leaves(each, f"{path}.{key}".lstrip(".")).items()}
    return {path: value}


CONTEXT = {
    "api.replicas": ["api.autoscaling.enabled=false"],
    "ui.replicas": ["ui.autoscaling.enabled=false"],
    "serving.keda": ["serving.pools.detectors.autoscaling=keda"],
    "serving.pools.detectors.scaleDownSeconds": ["serving.pools.detectors.autoscaling=keda"],
    "serving.pools.generators.scaleDownSeconds": ["serving.pools.generators.autoscaling=keda"],
    "httpRoute": ["httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public"],
    "ingress": ["ingress.enabled=true", "ingress.host=a.example.org"],
    "monitoring": ["monitoring.operator=true"],
    "monitoring.dashboardLabels": ["monitoring.dashboard=true"],
    "trial": ["trial.enabled=true"],
    "webPictures.egressPolicy": ["webPictures.enabled=true"],
}
"""What has to be set for a value, or those below it, to matter."""
OTHERS = {
    "images.triton": "registry.example.org/triton:9",
    "images.pullPolicy": "Never",
    "serving.apart": {"large": {"models": ["8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e08"]}},
    "objectStore.url": "s3://others",
    "objectStore.endpoint": "https://others.example.org",
    "publicUrl": "https://others.example.org",
    "serving.mode": "embedded",
    "serving.keda.prometheus": "http://others:9090",
    "serving.keda.queueRatio": "0.9",
    "trial.postgresql.image": "registry.example.org/postgres:9",
    "trial.s3.image": "registry.example.org/minio:9",
    "httpRoute.enabled": False,
    "ingress.enabled": False,
    "monitoring.operator": False,
    "api.autoscaling.minReplicas": 3,
    "ui.autoscaling.minReplicas": 3,
}
"""Values for what takes not just any."""
ITEMS = {"tolerations": {"key": "other"}, "parentRefs": {"name": "other"}, "never": "203.0.113.0/24"}
ELSEWHERE = ("trial.enabled", "trial.s3.enabled")
"""What every test of a trial is about; with the other value others have to be set."""
TRIAL_LACKS = ("database.existingSecret", "objectStore.existingSecret")


def another(path: str, value: object) -> object:
    """A value that is not the default."""
    key = path.rpartition(".")[2]
    if path in OTHERS:
        return OTHERS[path]
    if key == "autoscaling":
        return "none"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [ITEMS.get(key, "other")]
    if isinstance(value, dict):
        return {"requests": {"cpu": "3", "memory": "3Gi"}} if key == "resources" else {"OTHER": "other"}
    return "other"


@pytest.mark.parametrize("path", [path for path in leaves(DEFAULTS) if path not in ELSEWHERE])
def test_every_value_changes_what_is_made(path):
    context = [word for begin, words in CONTEXT.items() if path == begin or path.startswith(f"{begin}.") for word in words]
    trial = "trial.enabled=true" in context
    settings = [each for each in SECRETS if not (trial and each.startswith(TRIAL_LACKS))] + context
    change = f"{path}={json.dumps(another(path, leaves(DEFAULTS)[path]))}"
    assert made(*settings, change) != made(*settings)


@lru_cache
def made(*settings: str) -> str:
    done = template(None, json=[as_json(each) for each in settings])
    assert done.returncode == 0, done.stderr
    return without_chance(done.stdout)


def as_json(setting: str) -> str:
    """helm takes those of `--set-json` in their order; those of `--set` would win over all of them."""
    path, _, value = setting.partition("=")
    try:
        json.loads(value)
    except ValueError:
        return f"{path}={json.dumps(value)}"
    return setting


def without_chance(text: str) -> str:
    """A trial's secrets are made at random each time."""
    return "\n".join(line for line in text.splitlines() if not any(f"  {each}: " in line for each in SECRET_LINES))


SECRET_LINES = ("password", "url", "adminToken", "AWS_SECRET_ACCESS_KEY")


def rules(manifest: dict) -> list[tuple[str, str]]:
    """Path and Service, in their order."""
    if manifest["kind"] == "Ingress":
        [rule] = manifest["spec"]["rules"]
        return [(each["path"], each["backend"]["service"]["name"]) for each in rule["http"]["paths"]]
    return [
        (match["path"]["value"], backend["name"])
        for rule in manifest["spec"]["rules"]
        for match in rule["matches"]
        for backend in rule["backendRefs"]
    ]


@pytest.mark.parametrize(("values", "kind"), [("http-route", "HTTPRoute"), ("ingress", "Ingress")])
def test_routes_lead_to_the_facade_and_the_web_interface(values, kind):
    route = find(rendered(values), kind, "lab-visionlab")
    api, ui = "lab-visionlab-api", "lab-visionlab-ui"
    assert rules(route) == [("/backend", api), ("/v2", api), ("/", ui)]
    assert {api, ui} <= set(of_kind(rendered(values), "Service"))


def test_an_http_route_belongs_to_its_gateway_and_lets_long_requests_be():
    spec = find(rendered("http-route"), "HTTPRoute", "lab-visionlab")["spec"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    assert spec["hostnames"] == ["faces.example.org"]
    assert spec["rules"][0]["timeouts"] == {"request": "0s"}


def test_an_ingress_has_its_certificate():
    route = find(rendered("ingress"), "Ingress", "lab-visionlab")
    assert route["spec"]["tls"] == [{"secretName": "faces-tls", "hosts": ["faces.example.org"]}]
    assert route["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/proxy-body-size": "0"}
    anywhere = find(rendered("ingress", "ingress.host="), "Ingress", "lab-visionlab")["spec"]
    assert anywhere["tls"] == [{"secretName": "faces-tls"}]
    assert "host" not in anywhere["rules"][0]


def test_every_service_finds_the_pods_and_ports_that_it_names():
    for values in ("production", "trial"):
        manifests = rendered(values)
        workloads = [each["spec"]["template"] for each in manifests if each["kind"] in ("Deployment", "StatefulSet")]
        for name, service in of_kind(manifests, "Service").items():
            selector = service["spec"]["selector"].items()
            [found] = [each for each in workloads if selector <= each["metadata"]["labels"].items()]
            ports = {key for each in found["spec"]["containers"][0]["ports"] for key in (each["name"], each["containerPort"])}
            assert {each.get("targetPort", each["port"]) for each in service["spec"]["ports"]} <= ports, name


def test_the_dashboard_is_the_one_of_the_manuals():
    config = find(rendered("monitoring"), "ConfigMap", "lab-visionlab-dashboard")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    documented = json.loads((CHART / "dashboards" / "visionlab.json").read_text(encoding="utf-8"))
    assert json.loads(config["data"]["visionlab.json"]) == documented


def test_without_the_prometheus_operator_nothing_is_made_for_it():
    assert not [each for each in rendered("production") if each["apiVersion"].startswith("monitoring.coreos.com")]
    assert {each["kind"] for each in rendered("monitoring")} >= {"PodMonitor", "PrometheusRule"}
