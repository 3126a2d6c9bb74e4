"""What a running process tells: log lines, request ids, metrics."""

from visionlab_core.telemetry.logs import configure_logging
from visionlab_core.telemetry.metrics import Metrics
from visionlab_core.telemetry.request_id import accept_request_id, new_request_id, request_id

__all__ = ["Metrics", "accept_request_id", "configure_logging", "new_request_id", "request_id"]
