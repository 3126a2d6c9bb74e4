"""Traces: what a request did, sent to a collector, under the trace that the client began."""

from __future__ import annotations

import gzip
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support.image_files import noise_png
from support.server import Server
from support.tiny_models import GENERATOR

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def spans():
    """Spans as they arrive at a collector, and its address."""
    arrived: queue.Queue = queue.Queue()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"]
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        arrived.put((service, span))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    yield arrived, f"http://127.0.0.1:{collector.server_port}"
    collector.shutdown()
    collector.server_close()


@pytest.fixture(scope="module")
def traced_server(tmp_path_factory, tiny_models, spans):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": spans[1], "OTEL_BSP_SCHEDULE_DELAY": "50"}
    server = Server(tmp_path_factory.mktemp("traced"), tiny_models, **environment).start()
    yield server
    server.close()


def of_trace(arrived: queue.Queue, trace: str, names: set[str]) -> dict:
    found: dict = {}
    while not names <= set(found):
        service, span = arrived.get(timeout=30)
        assert service == "visionlab-api"
        if span.trace_id.hex() == trace:
            found[span.name] = span
    return found


def test_a_request_is_traced_from_its_client_to_the_models(traced_server, spans):
    headers = {"Content-Type": "image/png", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = traced_server.client.post("/backend/image/classify", content=noise_png(100), headers=headers)
    assert answer.status_code == 200
    found = of_trace(spans[0], TRACE, {"POST /backend/image/classify", "decode", "infer"})
    request = found["POST /backend/image/classify"]
    assert request.parent_span_id.hex() == PARENT
    assert found["decode"].parent_span_id == found["infer"].parent_span_id == request.span_id
    attributes = {each.key: each.value for each in found["infer"].attributes}
    assert attributes["images"].int_value == 1
    assert len(attributes["models"].string_value.split(", ")) == 2


def test_faces_that_are_made_are_traced_and_last_spans_are_sent_at_the_end(traced_server, spans):
    trace = TRACE[::-1]
    headers = {"traceparent": f"00-{trace}-{PARENT}-01"}
    answer = traced_server.client.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 2}, headers=headers)
    assert answer.status_code == 201
    assert traced_server.stop() == 0
    assert "infer" in of_trace(spans[0], trace, {"POST /backend/image/generate", "infer"})
