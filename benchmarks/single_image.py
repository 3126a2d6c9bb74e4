"""One image over HTTP against the model alone: how much of the answer's time is not the model's?

    python benchmarks/single_image.py [--image FILE] [--requests 300]

Starts the real server with the shipped models, sends one JPEG after another to the MobileNetV2 detector over one connection, and
runs the same model on the same pixels in a bare ONNX Runtime session of the same number of threads. The two are measured in turns
in one run, so that what else the machine does hits both alike. Prints the machine, the versions, the medians and the ratio.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import onnxruntime as ort

from visionlab_inference.embedded.session import available_cpus
from visionlab_inference.images import prepare

sys.path.insert(0, str(Path(__file__).parent / "serving"))
from serving_comparison.photos import drawn_photos
from serving_comparison.version import Version, find_version

ROOT = Path(__file__).parent.parent
ROUNDS = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, help="JPEG or PNG to send (default: a JPEG drawn here)")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--side", type=int, default=256, help="side of the drawn image in pixels")
    arguments = parser.parse_args()
    data = arguments.image.read_bytes() if arguments.image else drawn_photos(1, arguments.side)[0]
    version = find_version("mobilenetv2", ROOT / "models")

    options = ort.SessionOptions()
    options.intra_op_num_threads = available_cpus()
    session = ort.InferenceSession(str(version.onnx), options, providers=["CPUExecutionProvider"])
    pixels = prepare(data).pixels[None]

    with tempfile.TemporaryDirectory() as folder:
        server, url = start_server(Path(folder), only=version)
        try:
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
            over_http, inside, model = [], [], []
            each = arguments.requests // ROUNDS
            for number in range(ROUNDS + 1):
                http_round, inside_round = send(connection, data, str(version.card.uuid), each)
                model_round = run(session, pixels, each)
                if number:  # the first round warms up
                    over_http += http_round
                    inside += inside_round
                    model += model_round
            memory = resident_mib(server.pid)
        finally:
            server.terminate()
            server.wait()

    whole, alone, of_model = (statistics.median(times) for times in (over_http, model, inside))
    print(f"machine   {cpu_name()}, {available_cpus()} CPUs, {platform.system()} {platform.release()}")
    print(f"versions  Python {platform.python_version()}, ONNX Runtime {ort.__version__}, numpy {np.__version__}")
    print(f"image     {len(data)} bytes, {len(over_http)} requests, one at a time")
    print(f"over HTTP {whole:.2f} ms median, {np.percentile(over_http, 99):.2f} ms p99")
    print(f"of it the model's run, as the server says  {of_model:.2f} ms; outside it {whole - of_model:.2f} ms")
    print(f"the model alone, bare ONNX Runtime         {alone:.2f} ms")
    print(f"outside the model / the model's run        {(whole - of_model) / of_model:.1%}  (to reach: at most 20 %)")
    print(f"server's memory afterwards                 {memory:.0f} MiB")


def send(connection: http.client.HTTPConnection, data: bytes, model: str, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each request, and of the model's run in it. A comfortable client would cost more than the server."""
    whole, inside = [], []
    for _ in range(count):
        started = time.perf_counter()
        connection.request("POST", f"/backend/image/classify?models={model}", data, {"Content-Type": "image/jpeg"})
        response = connection.getresponse()
        answer = response.read()
        whole.append((time.perf_counter() - started) * 1e3)
        if response.status != 200:
            raise SystemExit(f"the server answered {response.status}: {answer.decode()}")
        inside.append(json.loads(answer)["model_milliseconds"])
    return whole, inside


def run(session: ort.InferenceSession, pixels: np.ndarray, count: int) -> list[float]:
    """Milliseconds of each run."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        session.run(None, {"image": pixels})
        times.append((time.perf_counter() - started) * 1e3)
    return times


def start_server(folder: Path, only: Version | None = None, **more: str) -> tuple[subprocess.Popen[str], str]:
    """The real server on the shipped models, or on one version of a model alone, and its address. Its data goes to `folder`.

    `more` are variables of its environment.
    """
    environment = {
        **os.environ,
        "VISIONLAB_DATA_FOLDER": str(folder),
        "VISIONLAB_STARTER_MODELS": os.environ.get("VISIONLAB_STARTER_MODELS", str(ROOT / "models"))
        if only is None
        else str(only.alone(folder / "models")),
        "VISIONLAB_PORT": "0",
        "VISIONLAB_LOG_LEVEL": "WARNING",
        "VISIONLAB_CACHED_ANSWERS": "0",
        **more,
    }
    command = [str(Path(sys.executable).parent / "visionlab-api")]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().removeprefix("VisionLab: ").strip()
    for _ in range(600):
        try:
            with urllib.request.urlopen(url + "/backend/status"):
                return server, url
        except urllib.error.URLError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def resident_mib(pid: int) -> float:
    """Resident memory of a process on Linux."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(match.group(1)) / 1024 if match else float("nan")


def cpu_name() -> str:
    """The CPU's name on Linux."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


if __name__ == "__main__":
    main()
