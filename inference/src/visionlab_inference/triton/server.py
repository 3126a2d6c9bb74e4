"""A Triton server as a child process that serves a model repository on this machine's loopback address alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from visionlab_inference.backend import ServingState
from visionlab_inference.triton import guard
from visionlab_inference.triton.client import TritonClient
from visionlab_inference.triton.installation import TritonInstallation, find_installation

HOST: Final = "127.0.0.1"
LOG_LINES: Final = 40
SERVICE: Final = "visionlab-triton"
"""What the server's spans are filed under."""
THREADS_VARIABLE: Final = "VISIONLAB_ONNX_THREADS"
"""Tells our ONNX Runtime backend in the server how many threads an instance takes."""
NAME_PREFIX: Final = "visionlab-triton-"
"""What the names of the server's temporary folder and of its shared memory begin with."""

_POLL_SECONDS: Final = 0.05


WriteRepository = Callable[[Path], None]
"""Writes a model repository to the folder of that path, which is not there yet."""


class TritonFailed(RuntimeError):
    """The server did not come up with all its models. The message has the reason of each, and the end of the server's log.

    `models` has the reason of each model that does not load, by name; it is empty where no model is at fault.
    """

    def __init__(self, message: str, models: Mapping[str, str]) -> None:
        super().__init__(message)
        self.models = dict(models)


class LocalTriton:
    """`with LocalTriton(repository) as triton:` runs while every model of the repository is ready.

    CPU only. The block's end stops the server, and so does the end of this process, were it by SIGKILL.

    Args:
        repository: folder of a model repository, as `assemble` writes it. It is loaded once, at the start. Or what writes one at
            the start, which goes when the server does.
        home: where Triton is installed; see `find_installation`.
        timeout: seconds for the start.
        threads: of each model instance whose configuration does not say.
        response_cache_bytes: memory for answers of models whose configuration asks for the response cache; 0: none.
        traces: URL of an OpenTelemetry collector (OTLP over HTTP) for spans of those calls that hand on a trace.

    Raises:
        TritonNotInstalled: there is no server on this machine.
    """

    def __init__(
        self,
        repository: Path | WriteRepository,
        *,
        home: Path | None = None,
        timeout: float = 60.0,
        threads: int = 1,
        response_cache_bytes: int = 0,
        traces: str | None = None,
    ) -> None:
        self._installation = find_installation(home)
        self._source = repository
        self._timeout = timeout
        self._threads = threads
        self._response_cache_bytes = response_cache_bytes
        self._traces = traces
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Start the server and wait for its models.

        Raises:
            TritonFailed: a model fails to load, the server ends, or the time is up. Nothing runs then.
            Exception: what the writer of the repository raised.
        """
        with self._resources:
            self._folder = Path(self._resources.enter_context(TemporaryDirectory(prefix=NAME_PREFIX)))
            self._repository = self._write_repository()
            self.http_port = self._reserve_port()
            self.grpc_port = self._reserve_port()
            self.client = TritonClient(self.http_port, host=HOST)
            self._process = self._start()
            self._wait_until_ready()
            self._resources = self._resources.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Stop the server; once this returns, nothing of it is left."""
        self._resources.close()

    @property
    def pid(self) -> int:
        """The process whose session holds the server and all processes that the server starts."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """False once the server has ended, for whatever reason."""
        return self._process.poll() is None

    def lost_a_model(self) -> bool:
        """Whether the process of a model has ended, for good: Triton neither starts it again nor calls itself unhealthy.

        https://github.com/triton-inference-server/server/issues/8604
        """
        return any(_state_of(child) == "Z" for server in _children(self.pid) for child in _children(server))

    def log_tail(self) -> str:
        """The last lines that the server wrote, without the tables of its settings."""
        log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        lines = [line for line in log.splitlines() if line and not line.startswith(("+-", "| "))]
        return "\n".join(lines[-LOG_LINES:])

    def _write_repository(self) -> Path:
        if isinstance(self._source, Path):
            return self._source.absolute()
        self._source(self._folder / "repository")
        return self._folder / "repository"

    def _reserve_port(self) -> int:
        # Held, but never listened on, as long as the server runs: it shares the port, and nobody else can take it first.
        reservation = self._resources.enter_context(socket.socket())
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind((HOST, 0))
        port: int = reservation.getsockname()[1]
        return port

    def _start(self) -> subprocess.Popen[bytes]:
        shared_memory = f"{NAME_PREFIX}{uuid4().hex}-"
        backends = self._folder / "backends"
        _write_backends(self._installation, backends)
        command = [
            *(sys.executable, "-I", "-S", guard.__file__, str(self._folder), shared_memory),
            str(self._installation.server),
            *(f"--model-repository={self._repository}", f"--backend-directory={backends}"),
            *("--model-control-mode=none", "--disable-auto-complete-config", "--allow-metrics=false"),
            # With its models' errors it goes on, so that it can be asked for them.
            "--exit-on-error=false",
            # Python-based backends take the Python backend's settings.
            f"--backend-config=python,shm-region-prefix-name={shared_memory}",
            *(f"--http-address={HOST}", f"--http-port={self.http_port}", "--reuse-http-port=true"),
            *(f"--grpc-address={HOST}", f"--grpc-port={self.grpc_port}", "--reuse-grpc-port=true"),
            *_response_cache(self._installation, self._response_cache_bytes),
            *([] if self._traces is None else _tracing(self._traces)),
        ]
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(self._installation, self._threads),
                start_new_session=True,
            )
        self._resources.callback(_stop, process, shared_memory)
        return process

    def _wait_until_ready(self) -> None:
        wanted = sorted(path.name for path in self._repository.iterdir() if path.is_dir())
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            if not self.running:
                raise self._failure(f"Triton ended with exit code {self._process.returncode}.")
            try:
                # It answers HTTP only after it has tried each model.
                ready, models = self.client.ready(), self.client.models()
            except OSError:
                time.sleep(_POLL_SECONDS)
                continue
            # It is ready without the models whose configuration it cannot read.
            states = {name: models.get(name, ServingState("failed", "not loaded")) for name in wanted}
            reasons = {name: state.reason or "" for name, state in states.items() if state.state == "failed"}
            if reasons:
                lines = "\n".join(f"{name}: {reason}" for name, reason in reasons.items())
                raise self._failure(f"Triton cannot load {lines}", reasons)
            if ready and all(state.state == "ready" for state in states.values()):
                return
            time.sleep(_POLL_SECONDS)
        raise self._failure(f"Triton was not ready within {self._timeout:g} s.")

    def _failure(self, message: str, models: Mapping[str, str] | None = None) -> TritonFailed:
        return TritonFailed(f"{message}\nThe end of its log:\n{self.log_tail()}", models or {})


def _children(process: int) -> list[int]:
    children: list[int] = []
    # Each thread has those that it has started.
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            children += map(int, thread.read_text(encoding="ascii").split())
    return children


def _state_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _write_backends(installation: TritonInstallation, folder: Path) -> None:
    # Copied: Triton refuses links that lead out of a backend's folder, and looks for the stub in that of the Python backend.
    shutil.copytree(installation.python_backend, folder / "python")
    shutil.copy(installation.stub, folder / "python")
    (folder / "onnxruntime").mkdir()
    shutil.copy(Path(__file__).parent / "onnxruntime_backend" / "model.py", folder / "onnxruntime")


def _response_cache(installation: TritonInstallation, size: int) -> list[str]:
    return [f"--cache-directory={installation.caches}", f"--cache-config=local,size={size}"] if size else []


def _tracing(url: str) -> list[str]:
    # https://github.com/triton-inference-server/server/blob/main/docs/user_guide/trace.md#opentelemetry-trace-support
    settings = {
        "mode": "opentelemetry",
        "level": "TIMESTAMPS",
        # Traces of its own. Calls that hand on a trace are recorded all the same.
        "count": "0",
        "opentelemetry,url": url,
        "opentelemetry,resource": f"service.name={SERVICE}",
    }
    if delay := os.environ.get("OTEL_BSP_SCHEDULE_DELAY"):
        settings["opentelemetry,bsp_schedule_delay"] = delay
    return [f"--trace-config={setting}={value}" for setting, value in settings.items()]


def _environment(installation: TritonInstallation, threads: int) -> dict[str, str]:
    # This Python's settings are not for the Python of the server.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **inherited,
        "PATH": f"{installation.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, installation.libraries)),
        # The backend runs on CPUs. Where Triton saw GPUs, it would make an instance of the model for each.
        "CUDA_VISIBLE_DEVICES": "",
        THREADS_VARIABLE: str(threads),
    }


def _stop(process: subprocess.Popen[bytes], shared_memory: str) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    # The guard has done that, unless it was killed.
    guard.remove_shared_memory(shared_memory)
