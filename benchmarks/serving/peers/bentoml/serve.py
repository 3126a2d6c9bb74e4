"""BentoML: adaptive batching, and as many workers as CPUs, each with one thread of ONNX Runtime.

Its documentation: @bentoml.api(batchable=True) with max_batch_size (it finds by itself how long images wait for others, within
max_latency_ms, 60 seconds unless told otherwise), workers as many as CPUs for work on CPUs, pictures as PIL.Image in a multipart
form. Metrics, access log and tracing are off.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from detector import settings, settings_in_environment

if __name__ == "__main__":
    asked = settings()
    os.environ |= {**settings_in_environment(asked), "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": os.getcwd()}
    bentoml = str(Path(sys.executable).parent / "bentoml")
    here = str(Path(__file__).parent)
    command = [bentoml, "serve", "service:ImageDetector", "--host", "127.0.0.1", "--port", str(asked.port), "--working-dir", here]
    os.execv(bentoml, command)
