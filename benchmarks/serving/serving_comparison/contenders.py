"""Everything that is compared: how it is started, how it takes an image and how it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from serving_comparison.environments import PEERS, NotInstalled, python_of, version_of
from serving_comparison.version import Version
from serving_load.requests import RequestShape
from visionlab_api.configuration import ApiConfiguration

BASELINE: Final = "visionlab"
"""What the others are compared with."""

_ROOT: Final = PEERS.parent.parent.parent

ReadAnswer = Callable[[bytes], list[float]]
"""The four probabilities in an answer's body, in the order of the card's classes."""


class Unavailable(RuntimeError):
    """This contender cannot take part here. The message says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all: the model, the CPUs of a server (which is also its threads of inference), and batching.

    `models` is a folder that holds the model alone, `tools` where environments are.
    """

    version: Version
    models: Path
    tools: Path
    cpus: int
    max_batch: int
    batch_seconds: float


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server.

    Where `says_its_address`, it prints a line that holds http://HOST:PORT; others listen at the port that they were given in
    place of the word {port} of the command.
    """

    command: tuple[str, ...]
    request: RequestShape
    read: ReadAnswer
    environment: Mapping[str, str] = field(default_factory=dict)
    says_its_address: bool = False


@dataclass(frozen=True, slots=True)
class Contender:
    """`launch` gives what it takes to start it, or raises Unavailable. None: no server, the load runs the model itself."""

    name: str
    title: str
    settings: str
    launch: Callable[[Terms], Launch] | None


def contenders() -> tuple[Contender, ...]:
    """All of them, in the order of the report."""
    own, batches = "workers x threads = CPUs of the server", "batches of at most {batch} images"
    return (
        Contender(
            BASELINE,
            "VisionLab, embedded",
            "one process, {cpus} thread(s) of ONNX Runtime; its own batches of at most 8; no kept answers; log level WARNING",
            _visionlab,
        ),
        Contender(
            "visionlab-triton",
            "VisionLab on Triton",
            "VISIONLAB_SERVING=triton: the facade and the Triton servers that it starts, on the same CPUs; otherwise as embedded",
            _visionlab_on_triton,
        ),
        Contender(
            "triton",
            "bare Triton, given tensors",
            "uint8 tensors in binary over HTTP; the shipped config.pbtxt with {cpus} thread(s); no decoding",
            _triton,
        ),
        Contender(
            "onnxruntime",
            "bare ONNX Runtime, given tensors",
            f"in process, {{cpus}} thread(s), {batches}; no HTTP, no decoding",
            None,
        ),
        Contender(
            "bentoml",
            "BentoML",
            f"{{cpus}} worker(s), adaptive batching ({batches}), multipart form, PIL image; {own}",
            _peer("bentoml", "bentoml", RequestShape("form", "/classify", "images"), lambda body: json.loads(body)[0]),
        ),
        Contender(
            "ray",
            "Ray Serve",
            "{cpus} replica(s), RAY_SERVE_THROUGHPUT_OPTIMIZED, HAProxy, serve.batch ({batch} images, {wait} ms), raw body; "
            + own,
            _peer("ray", "ray", RequestShape("jpeg", "/"), _member),
        ),
        Contender(
            "mlserver",
            "MLServer",
            "parallel_workers {parallel}, adaptive batching ({batch} images, {wait} ms), base64 tensor of V2; " + own,
            _peer(
                "mlserver",
                "mlserver",
                RequestShape("v2-base64", "/v2/models/detector/infer"),
                lambda body: json.loads(body)["outputs"][0]["data"],
            ),
        ),
        Contender(
            "litserve",
            "LitServe",
            "{cpus} worker(s) and API server(s), fast_queue, batches ({batch} images, {wait} ms), base64 in JSON; " + own,
            _peer("litserve", "litserve", RequestShape("json", "/predict"), _member),
        ),
        Contender(
            "kserve",
            "KServe's Python server",
            "{cpus} worker(s), no batching (it has none of its own), raw body of protocol V1; " + own,
            _peer("kserve", "kserve", RequestShape("jpeg", "/v1/models/detector:predict"), _member),
        ),
        Contender(
            "flask",
            "Flask + Keras model.predict",
            "one process with a thread a request, TensorFlow on {cpus} thread(s), multipart form: the shape of the original",
            _flask,
        ),
    )


def described(contender: Contender, terms: Terms) -> str:
    """Its settings, with the numbers of this run."""
    return contender.settings.format(
        cpus=terms.cpus,
        batch=terms.max_batch,
        wait=f"{terms.batch_seconds * 1000:g}",
        parallel=terms.cpus if terms.cpus > 1 else 0,
    )


def versions(names: list[str], tools: Path) -> dict[str, str]:
    """The versions of the peers' packages that are installed."""
    found = {}
    for name in names:
        python = tools / "peers" / name / "bin" / "python"
        if python.exists():
            found[name] = version_of(python, name)
    return found


def _visionlab(terms: Terms) -> Launch:
    card = terms.version.card

    def read(body: bytes) -> list[float]:
        by_class = json.loads(body)["results"][0]["models"][0]["probabilities"]
        return [by_class[name] for name in card.classes]

    return Launch(
        (str(Path(sys.executable).parent / "visionlab-api"),),
        RequestShape("jpeg", f"/backend/image/classify?models={card.uuid}"),
        read,
        {
            "VISIONLAB_STARTER_MODELS": str(terms.models),
            "VISIONLAB_DATA_FOLDER": "{data}",
            "VISIONLAB_PORT": "0",
            "VISIONLAB_LOG_LEVEL": "WARNING",
            "VISIONLAB_CACHED_ANSWERS": "0",
        },
        says_its_address=True,
    )


def _visionlab_on_triton(terms: Terms) -> Launch:
    if "serving" not in ApiConfiguration.model_fields:
        raise Unavailable("this VisionLab has no setting VISIONLAB_SERVING")
    launch = _visionlab(terms)
    environment = {**launch.environment, "VISIONLAB_SERVING": "triton", **_triton_home(terms)}
    return Launch(launch.command, launch.request, launch.read, environment, says_its_address=True)


def _triton(terms: Terms) -> Launch:
    return Launch(
        (sys.executable, "-m", "serving_comparison.bare_triton", str(terms.version.folder), str(terms.cpus)),
        RequestShape("v2-tensor", f"/v2/models/{terms.version.card.name}/infer"),
        lambda body: json.loads(body)["outputs"][0]["data"],
        {"PYTHONPATH": str(PEERS.parent), **_triton_home(terms)},
        says_its_address=True,
    )


def _triton_home(terms: Terms) -> dict[str, str]:
    home = terms.tools / "triton"
    return {"VISIONLAB_TRITON_HOME": str(home)} if home.exists() else {}


def _peer(name: str, package: str, request: RequestShape, read: ReadAnswer) -> Callable[[Terms], Launch]:
    def launch(terms: Terms) -> Launch:
        try:
            python = python_of(name, terms.tools)
        except NotInstalled as reason:
            raise Unavailable(f"{package} could not be installed: {reason}") from reason
        return Launch(_serve(python, name, terms), request, read, _peer_environment(terms))

    return launch


def _flask(terms: Terms) -> Launch:
    python = Path(sys.executable)
    if "?" in (version_of(python, "flask"), version_of(python, "visionlab-training")):
        raise Unavailable("it needs Flask, Keras and the zoo in this environment: uv sync --all-packages")
    return Launch(_serve(python, "flask", terms), RequestShape("form", "/classify"), _member, _peer_environment(terms))


def _serve(python: Path, name: str, terms: Terms) -> tuple[str, ...]:
    return (
        *(str(python), str(PEERS / name / "serve.py"), "--model", str(terms.version.onnx), "--port", "{port}"),
        *("--cpus", str(terms.cpus), "--max-batch", str(terms.max_batch), "--batch-seconds", str(terms.batch_seconds)),
    )


def _peer_environment(terms: Terms) -> dict[str, str]:
    # Libraries beside ONNX Runtime that start threads get as many as there are CPUs for a worker.
    return {"PYTHONPATH": str(PEERS / "shared"), "OMP_NUM_THREADS": "1", "PATH": os.environ.get("PATH", os.defpath)}


def _member(body: bytes) -> list[float]:
    answer: dict[str, Any] = json.loads(body)
    probabilities: list[float] = answer["probabilities"]
    return probabilities
