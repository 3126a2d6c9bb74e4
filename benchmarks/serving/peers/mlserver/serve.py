"""MLServer: adaptive batching, and parallel inference with as many workers as CPUs, each with one thread of ONNX Runtime.

Its documentation: adaptive batching by max_batch_size and max_batch_time, parallel_workers in line with the number of CPUs, 0 to
run models in the server's own process (as here on one CPU, where a second process gains nothing); binary data as base64 in a
BYTES tensor. Metrics, access log, debugging and compression are off.
"""

from __future__ import annotations

import asyncio
import logging
import socket

from detector import settings
from mlserver import MLServer
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.utils import install_uvloop_event_loop
from runtime import ImageDetector


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _serve() -> None:
    asked = settings()
    server = MLServer(
        Settings(
            debug=False,
            host="127.0.0.1",
            http_port=asked.port,
            grpc_port=_free_port(),
            metrics_endpoint=None,
            gzip_enabled=False,
            parallel_workers=asked.cpus if asked.cpus > 1 else 0,
            load_models_at_startup=False,
        )
    )
    logging.getLogger("mlserver.rest").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
    model = ModelSettings(
        name="detector",
        implementation=ImageDetector,
        max_batch_size=asked.max_batch,
        max_batch_time=asked.batch_seconds,
        parameters=ModelParameters(uri=str(asked.model)),
    )
    await server.start([model])


if __name__ == "__main__":
    install_uvloop_event_loop()
    asyncio.run(_serve())
