"""KServe's Python model server: as many workers as CPUs, each with one thread of ONNX Runtime.

It batches nothing itself: KServe's batcher is a process beside it in its pod. The image is the body as it is, which its first
protocol passes on to the model; base64 in JSON, as its examples have it, is slower. Its log line a request and gRPC are off.
"""

from __future__ import annotations

import logging

import kserve
from detector import Detector, pixels_of, settings


class Model(kserve.Model):
    """Answers image files. What it holds is made in each worker, once that has its first request."""

    def __init__(self, name: str, path) -> None:
        super().__init__(name)
        self._path = path
        self._detector: Detector | None = None
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        """The body to a JSON object."""
        if self._detector is None:
            self._detector = Detector(self._path, threads=1)
        return {"probabilities": self._detector.probabilities(pixels_of(payload)[None])[0].tolist()}


if __name__ == "__main__":
    asked = settings()
    server = kserve.ModelServer(
        http_port=asked.port, workers=asked.cpus, enable_grpc=False, enable_latency_logging=False, event_loop="uvloop"
    )
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("kserve").setLevel(logging.WARNING)
    server.start([Model("detector", asked.model)])
