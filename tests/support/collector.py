"""An OpenTelemetry collector of this process: keeps the spans that arrive over HTTP, as protobuf or as JSON."""

from __future__ import annotations

import gzip
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """A span; the ids are in hexadecimal digits."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]


class Collector:
    """`url` is its base address; `spans` holds what arrived."""

    def __init__(self, url: str, spans: queue.Queue[Span]) -> None:
        self.url = url
        self._spans = spans

    def await_span(self, *, seconds: float = 30) -> Span:
        """The next span that arrives, or has arrived."""
        return self._spans.get(timeout=seconds)


@contextmanager
def open_collector() -> Iterator[Collector]:
    """Collect while the block lasts."""
    spans: queue.Queue[Span] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            read = _of_json if self.headers["Content-Type"].startswith("application/json") else _of_protobuf
            for span in read(body):
                spans.put(span)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}", spans)
    finally:
        server.shutdown()
        server.server_close()


def _of_protobuf(body: bytes) -> Iterator[Span]:
    def value(attribute):
        return getattr(attribute.value, attribute.value.WhichOneof("value"))

    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = {each.key: value(each) for each in resource.resource.attributes}["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            attributes = {each.key: value(each) for each in span.attributes}
            yield Span(service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), attributes)


def _of_json(body: bytes) -> Iterator[Span]:
    def values(attributes):
        return {each["key"]: next(iter(each["value"].values())) for each in attributes}

    for resource in json.loads(body)["resourceSpans"]:
        service = values(resource["resource"]["attributes"])["service.name"]
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            attributes = values(span.get("attributes", []))
            yield Span(service, span["name"], span["traceId"], span["spanId"], span.get("parentSpanId", ""), attributes)
