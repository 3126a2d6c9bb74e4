"""What a running process tells: log lines, request ids, metrics, traces."""

from visionlab_core.telemetry.logs import configure_logging
from visionlab_core.telemetry.metrics import Metrics
from visionlab_core.telemetry.request_id import accept_request_id, new_request_id, request_id
from visionlab_core.telemetry.tracing import configure_tracing, name_request, span, trace_headers, traces_endpoint

__all__ = [
    "Metrics",
    "accept_request_id",
    "configure_logging",
    "configure_tracing",
    "name_request",
    "new_request_id",
    "request_id",
    "span",
    "trace_headers",
    "traces_endpoint",
]
