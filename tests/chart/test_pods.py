"""Every pod that there will be: secure as `restricted` wants it, from an image of one version, watched, and spread."""

from __future__ import annotations

import re

import pytest
from support.chart import POOLS, SECRETS, VALUES, find, made_by_the_controller, of_kind, pods, rendered

PODS = {values: pods(rendered(values)) for values in VALUES}
CASES = [(values, name) for values, found in PODS.items() for name in found]


def pod(values: str, name: str) -> dict:
    return PODS[values][name]


@pytest.mark.parametrize(("values", "name"), CASES)
def test_the_pod_security_restricted_takes_it(values, name):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, all of its rules."""
    spec = pod(values, name)
    for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers"):
        assert not spec.get(field)
    security = spec["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"]["type"] == "RuntimeDefault"
    assert not security.get("sysctls")
    kinds = {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim", "downwardAPI", "ephemeral", "csi"}
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own.get("privileged")
        assert "runAsUser" not in own
        assert own.get("seccompProfile", {"type": "RuntimeDefault"})["type"] == "RuntimeDefault"
        assert not any("hostPort" in port for port in container.get("ports", []))
        # Beyond what `restricted` asks.
        assert own["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize(("values", "name"), CASES)
def test_it_says_what_it_takes_and_has_a_limit_of_memory(values, name):
    for container in pod(values, name)["containers"]:
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(("values", "name"), CASES)
def test_its_image_is_of_one_version(values, name):
    for container in pod(values, name)["containers"]:
        tag = re.fullmatch(r".+:([^:/]+)", container["image"])
        assert tag is not None, container["image"]
        assert tag[1] != "latest"


@pytest.mark.parametrize("values", VALUES)
def test_only_the_controller_has_a_token(values):
    accounts = of_kind(rendered(values), "ServiceAccount")
    without = {name for name, each in accounts.items() if each.get("automountServiceAccountToken") is False}
    tokens = {
        name
        for name, spec in PODS[values].items()
        if spec.get("automountServiceAccountToken") is not False and spec.get("serviceAccountName") not in without
    }
    assert tokens == {"Deployment/lab-visionlab-controller"}


def test_secrets_are_in_no_argument_and_no_plain_variable():
    secret = re.compile(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY|DATABASE_URL")
    for values, name in CASES:
        for container in pod(values, name)["containers"]:
            plain = [each["name"] for each in container.get("env", []) if "value" in each and secret.search(each["name"])]
            assert plain == [], (values, name)


@pytest.mark.parametrize("values", VALUES)
def test_no_variable_is_there_twice(values):
    """Kubernetes' server-side apply, by which helm installs, refuses that."""
    for name, spec in PODS[values].items():
        for container in spec["containers"]:
            names = [each["name"] for each in container.get("env", [])]
            assert len(set(names)) == len(names), name


def test_who_answers_is_asked_whether_it_does():
    for name, spec in PODS["production"].items():
        [container] = spec["containers"]
        if name in ("Deployment/lab-visionlab-api", *(f"InferenceService/lab-visionlab-{pool}" for pool in POOLS)):
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name
        elif name == "Deployment/lab-visionlab-ui":
            assert {"readinessProbe", "livenessProbe"} <= set(container), name
        elif name == "Deployment/lab-visionlab-controller":
            assert {"startupProbe", "livenessProbe"} <= set(container), name


def test_the_facade_is_not_killed_while_it_waits_for_the_database():
    """It waits for 300 seconds (VISIONLAB_DATABASE_WAIT_SECONDS), and says then what is wrong."""
    [container] = pod("production", "Deployment/lab-visionlab-api")["containers"]
    waits = next(float(each["value"]) for each in container["env"] if each["name"] == "VISIONLAB_DATABASE_WAIT_SECONDS")
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > waits


def test_a_pod_that_goes_has_time_for_requests_under_way():
    [container] = (spec := pod("embedded", "Deployment/lab-visionlab-api"))["containers"]
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    stop = next(float(each["value"]) for each in container["env"] if each["name"] == "VISIONLAB_GRACEFUL_STOP_SECONDS")
    assert stop == 30
    assert spec["terminationGracePeriodSeconds"] > pause + stop


@pytest.mark.parametrize("part", ["api", "controller", "ui", *POOLS])
def test_what_serves_is_spread_over_zones_and_nodes_and_not_drained_at_once(part):
    manifests = rendered("production")
    kind = "InferenceService" if part in POOLS else "Deployment"
    constraints = pod("production", f"{kind}/lab-visionlab-{part}")["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    budget = find(manifests, "PodDisruptionBudget", f"lab-visionlab-{part}")["spec"]
    assert budget["maxUnavailable"] == 1
    if part in POOLS:
        labels = {"serving.kserve.io/inferenceservice": f"lab-visionlab-{part}"}
    else:
        template = find(manifests, "Deployment", f"lab-visionlab-{part}")["spec"]["template"]
        labels = template["metadata"]["labels"]
    for selector in (budget["selector"], *(each["labelSelector"] for each in constraints)):
        assert selector["matchLabels"].items() <= labels.items()


def test_priorities_are_as_told():
    told = {name: spec.get("priorityClassName") for name, spec in PODS["production"].items()}
    wanted = {
        "Deployment/lab-visionlab-api": "faces-serving",
        "Deployment/lab-visionlab-ui": "faces-serving",
        "Deployment/lab-visionlab-controller": "faces-control",
        **{f"InferenceService/lab-visionlab-{pool}": "faces-serving" for pool in POOLS},
    }
    jobs = {name: "faces-training" for name in told if "-training-" in name}
    assert len(jobs) == 2
    assert {name: told[name] for name in (*wanted, *jobs)} == {**wanted, **jobs}
    assert not any(spec.get("priorityClassName") for spec in PODS["hpa"].values())


def test_serving_and_training_on_gpus_go_to_their_own_nodes():
    found = PODS["gpu"]
    plain, large = (spec for name, spec in found.items() if "-training-" in name)
    gpu = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    for pool in POOLS:
        serving = found[f"InferenceService/lab-visionlab-{pool}"]
        assert serving["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L4"}
        assert serving["tolerations"] == [gpu, {"key": "serving", "operator": "Exists", "effect": "NoSchedule"}]
        assert serving["containers"][0]["resources"]["limits"] == {"memory": "2Gi", "nvidia.com/gpu": 1}
        assert serving["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert large["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert large["tolerations"] == [gpu, {"key": "training", "operator": "Exists", "effect": "NoSchedule"}]
    assert large["containers"][0]["image"] == "registry.example.org/faces/visionlab-training:0.1.0-cuda"
    assert large["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert plain["nodeSelector"] == {"pool": "batch"}
    assert not any("gpu" in resource for resource in plain["containers"][0]["resources"]["limits"])
    # The pods of the facade do not tolerate what keeps others off the GPU nodes.
    assert "tolerations" not in found["Deployment/lab-visionlab-api"]


def test_gpus_of_another_vendor():
    *_, large = (spec for name, spec in PODS["kueue"].items() if "-training-" in name)
    assert large["containers"][0]["resources"]["limits"]["amd.com/gpu"] == 2


def test_trainings_wait_in_kueues_queue():
    jobs = [each for each in made_by_the_controller(rendered("kueue")) if each["kind"] == "Job"]
    assert len(jobs) == 2
    for job in jobs:
        assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "trainings"
        assert job["spec"]["suspend"] is True


def test_every_pod_pulls_with_the_registrys_secret_and_from_there():
    found = PODS["production"]
    for name, spec in found.items():
        assert spec["imagePullSecrets"] == [{"name": "registry-login"}], name
        assert spec["containers"][0]["image"].startswith("registry.example.org/"), name
    trial = rendered("trial", "images.pullSecrets[0]=registry-login")
    assert all(spec["imagePullSecrets"] == [{"name": "registry-login"}] for spec in pods(trial).values())


@pytest.mark.parametrize("registry", ["registry.example.org/faces", "registry.example.org/faces/"])
def test_a_registry_may_end_in_a_slash_or_not(registry):
    images = {spec["containers"][0]["image"] for spec in pods(rendered(None, *SECRETS, f"images.registry={registry}")).values()}
    assert "registry.example.org/faces/visionlab-api:0.1.0" in images


def test_templates_that_change_start_what_reads_them_anew():
    def checksum(*settings: str) -> set[str]:
        deployments = of_kind(rendered("hpa", *settings), "Deployment")
        return {
            deployments[f"lab-visionlab-{part}"]["spec"]["template"]["metadata"]["annotations"]["checksum/templates"]
            for part in ("api", "controller")
        }

    [before], [after] = checksum(), checksum("serving.pools.detectors.maxReplicas=13")
    assert before != after
