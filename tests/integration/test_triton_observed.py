"""The facade on Triton, observed: spans and figures of Triton's own work, and settings that releases are made with."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.collector import Span, open_collector
from support.image_files import picture, png
from support.processes import session
from support.server import Server
from support.tiny_models import DETECTOR
from support.waiting import block_until

from visionlab_inference.triton import TritonUnsupported, find_installation

TRACE, UNSAMPLED, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LABELS = {"model": "tiny-detector", "version": "1"}


@pytest.fixture(scope="module")
def collector():
    with open_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_models, collector):
    try:
        find_installation()
    except TritonUnsupported as reason:
        pytest.skip(str(reason))
    environment = {
        "VISIONLAB_SERVING": "triton",
        "VISIONLAB_TRITON_INSTANCES": "2",
        "VISIONLAB_TRITON_DEVICE": "cpu",
        "VISIONLAB_TRITON_RESPONSE_CACHE_BYTES": str(2**20),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    server = Server(tmp_path_factory.mktemp("observed"), tiny_models, **environment).start()
    yield server
    server.close()


def classify(server, seed: int, trace: str, flags: str) -> None:
    headers = {"Content-Type": "image/png", "traceparent": f"00-{trace}-{PARENT}-{flags}"}
    url = f"/backend/image/classify?models={DETECTOR}"
    assert server.client.post(url, content=png(seed=seed), headers=headers).status_code == 200


def test_requests_are_traced_through_the_facade_into_triton(server, collector):
    classify(server, 1, UNSAMPLED, "00")
    # Triton 2.51 passes over the trace of a few calls in a hundred.
    for number in range(20):
        classify(server, 100 + number, f"{TRACE[:-2]}{number:02x}", "01")
    wanted = {"POST /backend/image/classify", "infer", "InferRequest", "tiny-detector", "compute"}
    traces: defaultdict[str, dict[str, Span]] = defaultdict(dict)
    while True:
        span = collector.await_span()
        assert span.trace != UNSAMPLED, "its client wants it not to be recorded"
        found = traces[span.trace]
        found[span.name] = span
        if wanted <= set(found):
            break
    assert {found[name].service for name in ("InferRequest", "tiny-detector", "compute")} == {"visionlab-triton"}
    assert found["POST /backend/image/classify"].parent == PARENT
    chain = ["compute", "tiny-detector", "InferRequest", "infer", "POST /backend/image/classify"]
    for span, parent in pairwise(chain):
        assert found[span].parent == found[parent].id, (span, parent)


def samples(server) -> dict[str, float]:
    families = text_string_to_metric_families(server.client.get("/metrics").text)
    return {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if {name: sample.labels.get(name) for name in LABELS} == LABELS
    }


def test_tritons_own_figures_are_among_the_facades_metrics(server):
    calls = samples(server).get("visionlab_triton_call_seconds_count", 0)
    for seed in range(10, 16):
        classify(server, seed, TRACE, "00")
    block_until(lambda: samples(server).get("visionlab_inference_batch_size_sum", 0) >= calls + 6)
    seen = samples(server)
    assert seen["visionlab_triton_call_seconds_count"] == calls + 6
    assert seen["visionlab_inference_batch_size_sum"] == seen["visionlab_inference_queue_seconds_count"] == calls + 6
    assert seen["visionlab_inference_seconds_count"] == seen["visionlab_inference_batch_size_count"]
    # What is Triton's is a part of the whole way there and back.
    triton = seen["visionlab_inference_seconds_sum"] + seen["visionlab_inference_queue_seconds_sum"]
    assert 0 < triton < seen["visionlab_triton_call_seconds_sum"]


def detectors_server(server) -> str:
    """The address of the Triton server that has the detectors."""
    tasks = Path(f"/proc/{server.process.pid}/task")
    guards = {int(child) for children in tasks.glob("*/children") for child in children.read_text().split()}
    ports = {
        port for guard in guards for command in session(guard).values() for port in re.findall(r"--http-port=(\d+)", command)
    }
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    [address] = [each for each in addresses if httpx.get(f"{each}/v2/models/tiny-detector").status_code == 200]
    return address


def test_settings_are_how_models_serve_that_do_not_say_so(server):
    tensor = {"name": "image", "shape": [1, 224, 224, 3], "datatype": "UINT8", "data": picture(seed=7).ravel().tolist()}
    model = f"{detectors_server(server)}/v2/models/tiny-detector"
    config = httpx.get(f"{model}/config").json()
    assert [(group["count"], group["kind"]) for group in config["instance_group"]] == [(2, "KIND_CPU")]
    assert config["response_cache"]["enable"]
    answers = [server.client.post("/v2/models/tiny-detector/infer", json={"inputs": [tensor]}).json() for _ in range(2)]
    assert answers[0]["outputs"] == answers[1]["outputs"]
    [statistics] = httpx.get(f"{model}/stats").json()["model_stats"]
    assert statistics["inference_stats"]["cache_hit"]["count"] >= 1
