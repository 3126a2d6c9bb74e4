"""What the chart makes with every set of values is what a real API server takes: of CRDs their rules too, and admission's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from support import chart


@pytest.fixture(scope="module", autouse=True)
def namespace() -> Iterator[None]:
    """One whose pod security is `restricted`: what would break it is told as a warning, also of Deployments and Jobs."""
    kubectl("delete", "namespace", chart.NAMESPACE, "--ignore-not-found", "--wait")
    kubectl("create", "namespace", chart.NAMESPACE)
    kubectl("label", "namespace", chart.NAMESPACE, "pod-security.kubernetes.io/warn=restricted")
    yield
    kubectl("delete", "namespace", chart.NAMESPACE, "--wait=false")


def kubectl(*words: str, given: str = "") -> str:
    done = subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("values", chart.VALUES)
def test_an_api_server_takes_it(values):
    manifests = chart.rendered(values)
    everything = [*manifests, *chart.made_by_the_controller(manifests)]
    # The Jobs without and with GPUs have one name.
    for part in (everything[:-1], everything[-1:]):
        listed = {"apiVersion": "v1", "kind": "List", "items": part}
        words = ["apply", "--dry-run=server", "--validate=strict", "--namespace", chart.NAMESPACE, "--filename", "-"]
        assert "would violate PodSecurity" not in kubectl(*words, given=json.dumps(listed))
