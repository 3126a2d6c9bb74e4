"""LitServe: as many workers as CPUs, each with one thread of ONNX Runtime; batches; the ZeroMQ queue.

Its documentation: workers_per_device as many as cores on CPUs, fast_queue above 100 requests a second, as many API servers as
workers (the default), max_batch_size with a batch_timeout; images as base64 in JSON ("Speed up serving by 200x").
"""

from __future__ import annotations

import base64

import litserve
import numpy as np
from detector import Detector, pixels_of, settings


class Api(litserve.LitAPI):
    """Decodes each request, runs a batch, answers each."""

    def __init__(self, model, **options) -> None:
        super().__init__(**options)
        self._model = model

    def setup(self, device) -> None:
        """In each worker."""
        self._detector = Detector(self._model, threads=1)

    def decode_request(self, request):
        """A JSON object to pixels."""
        return pixels_of(base64.b64decode(request["image"]))

    def batch(self, inputs):
        """Pixels of several requests to one tensor."""
        return np.stack(inputs)

    def predict(self, x):
        """One run."""
        return self._detector.probabilities(x)

    def unbatch(self, output):
        """A row a request."""
        return list(output)

    def encode_response(self, output):
        """A row to a JSON object."""
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    asked = settings()
    api = Api(asked.model, max_batch_size=asked.max_batch, batch_timeout=asked.batch_seconds)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=asked.cpus, fast_queue=True)
    server.run(host="127.0.0.1", port=asked.port, log_level="warning", generate_client_file=False, access_log=False)
