"""What is asked of Kubernetes is what KServe's schemas allow, and has the operator's part and ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from support.kserve_cluster import FOLDER

from visionlab_inference.releases.kserve.manifests import (
    Names,
    UnusableTemplate,
    digest_of,
    inference_service,
    read_templates,
    replicas_service,
)

NAMES = Names("lab", "vl")
DIGEST = "ab" * 32
URI = f"s3://bucket/prefix/releases/detectors/{DIGEST}/"
POOLS = ["detectors", "generators"]


@pytest.fixture(scope="module")
def schemas():
    return {
        kind: _strict(schema)
        for kind, schema in yaml.safe_load((Path(__file__).parent / "schemas.yaml").read_text(encoding="utf-8")).items()
    }


def _strict(schema):
    """Kubernetes drops what a schema does not know; a test should see it."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict["additionalProperties"] = strict["properties"] == {}
    if "metadata" in strict.get("properties", {}):
        strict["properties"]["metadata"] = {"type": "object"}
    return strict


def faults(schema, manifest) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(manifest)]


def test_an_inference_service_is_what_kserve_takes(schemas):
    templates = read_templates(FOLDER / "kserve_template.yaml", POOLS)
    manifest = inference_service(NAMES, "detectors", digest=DIGEST, storage_uri=URI, template=templates["detectors"])
    assert faults(schemas["InferenceService"], manifest) == []
    wrong = {"spec": {"predictor": {"minReplica": 2}}}
    manifest = inference_service(NAMES, "detectors", digest=DIGEST, storage_uri=URI, template=wrong)
    assert faults(schemas["InferenceService"], manifest) != []


def test_the_runtime_of_the_tests_is_what_kserve_takes(schemas):
    manifests = yaml.safe_load_all((FOLDER / "kserve.yaml").read_text(encoding="utf-8"))
    [runtime] = [each for each in manifests if each["kind"] == "ServingRuntime"]
    assert faults(schemas["ServingRuntime"], runtime) == []


def test_ours_is_set_and_the_operators_part_is_kept():
    template = {
        "metadata": {"annotations": {"serving.kserve.io/deploymentMode": "Knative", "team": "faces"}},
        "spec": {
            "predictor": {
                "minReplicas": 2,
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
                "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                "model": {"args": ["--log-verbose=1"], "resources": {"limits": {"nvidia.com/gpu": 1}}},
            }
        },
    }
    manifest = inference_service(NAMES, "detectors", digest=DIGEST, storage_uri=URI, template=template)
    predictor = manifest["spec"]["predictor"]
    assert manifest["metadata"]["name"] == "vl-detectors"
    assert manifest["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert manifest["metadata"]["annotations"]["team"] == "faces"
    assert predictor["minReplicas"] == 2
    assert predictor["deploymentStrategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    assert predictor["model"]["storageUri"] == URI
    assert predictor["model"]["runtime"] == "vl-triton"
    assert predictor["model"]["resources"] == {"limits": {"nvidia.com/gpu": 1}}
    assert predictor["model"]["args"] == ["--log-verbose=1", f"--id={DIGEST}"]
    assert digest_of({"containers": [predictor["model"]]}) == DIGEST


def test_without_a_template_a_rollout_takes_no_server_away_first():
    manifest = inference_service(NAMES, "generators", digest=DIGEST, storage_uri=URI, template={})
    assert manifest["spec"]["predictor"]["deploymentStrategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_headless_service_finds_the_pools_pods_and_goes_with_it():
    owner = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "vl-detectors", "uid": "7"}}
    service = replicas_service(NAMES, "detectors", owner)
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"serving.kserve.io/inferenceservice": "vl-detectors"}
    assert service["metadata"]["ownerReferences"][0]["uid"] == "7"
    assert NAMES.host("detectors") == f"{service['metadata']['name']}.lab.svc"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list", "must map pools"),
        ("detector: {}", "the pools are detectors, generators"),
        ("detectors: {spec: {predictor: {model: {storageUri: s3://mine}}}}", "VisionLab sets"),
        ("detectors: {", "cannot be read"),
    ],
)
def test_templates_that_cannot_be_used_are_refused_by_what_is_wrong(tmp_path, text, says):
    file = tmp_path / "templates.yaml"
    file.write_text(text)
    with pytest.raises(UnusableTemplate, match=says):
        read_templates(file, POOLS)


@pytest.mark.parametrize("prefix", ["", "Upper", "-dash", "x" * 41, "dot.ted"])
def test_a_prefix_that_makes_no_names_is_refused(prefix):
    with pytest.raises(ValueError, match="cannot begin names"):
        Names("lab", prefix)
