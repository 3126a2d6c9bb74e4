"""Traces: what a request did, sent to a collector, under the trace that the client began."""

from __future__ import annotations

import pytest
from support.collector import Collector, open_collector
from support.image_files import noise_png
from support.server import Server
from support.tiny_models import GENERATOR

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector():
    with open_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced_server(tmp_path_factory, tiny_models, collector):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    server = Server(tmp_path_factory.mktemp("traced"), tiny_models, **environment).start()
    yield server
    server.close()


def of_trace(collector: Collector, trace: str, names: set[str]) -> dict:
    found: dict = {}
    while not names <= set(found):
        span = collector.await_span()
        assert span.service == "visionlab-api"
        if span.trace == trace:
            found[span.name] = span
    return found


def test_a_request_is_traced_from_its_client_to_the_models(traced_server, collector):
    headers = {"Content-Type": "image/png", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = traced_server.client.post("/backend/image/classify", content=noise_png(100), headers=headers)
    assert answer.status_code == 200
    found = of_trace(collector, TRACE, {"POST /backend/image/classify", "decode", "infer"})
    request = found["POST /backend/image/classify"]
    assert request.parent == PARENT
    assert found["decode"].parent == found["infer"].parent == request.id
    assert found["infer"].attributes["images"] == 1
    assert len(found["infer"].attributes["models"].split(", ")) == 2


def test_faces_that_are_made_are_traced_and_last_spans_are_sent_at_the_end(traced_server, collector):
    trace = TRACE[::-1]
    headers = {"traceparent": f"00-{trace}-{PARENT}-01"}
    answer = traced_server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 2}, headers=headers)
    assert answer.status_code == 201
    assert traced_server.stop() == 0
    assert "infer" in of_trace(collector, trace, {"POST /backend/image/generate", "infer"})
