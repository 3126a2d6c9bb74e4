"""A contender's server: started, asked until it answers, stopped."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from serving_comparison.contenders import Launch
from serving_comparison.cpus import CpuPlan, pinned
from serving_comparison.process_tree import ProcessTree
from serving_load.requests import request_maker

HOST: Final = "127.0.0.1"
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)")
_POLL_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 20.0


class NotStarted(RuntimeError):
    """A server ended, or did not answer in time. The message has the end of what it wrote."""


class RunningServer:
    """`with RunningServer(...) as server:` runs while the server answers images.

    Attributes:
        seconds_to_ready: from the start of the process to the first good answer.
        tree: its processes.
    """

    def __init__(self, launch: Launch, plan: CpuPlan, jpeg: bytes, pixels: NDArray[np.uint8], *, patience: float) -> None:
        self.tree = ProcessTree()
        self.port = 0
        self.seconds_to_ready = 0.0
        self._launch = launch
        self._plan = plan
        self._example = (jpeg, pixels)
        self._patience = patience
        self._said: deque[str] = deque(maxlen=60)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            NotStarted: see there. Nothing runs then.
        """
        with self._resources:
            folder = self._resources.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            self._resources.callback(self.tree.kill)
            began = time.monotonic()
            self._start(Path(folder))
            self._wait(began)
            self._resources.callback(self._stop)
            self._resources = self._resources.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it; nothing of it is left then."""
        self._resources.close()

    def ask(self, number: int, jpeg: bytes, pixels: NDArray[np.uint8]) -> list[float]:
        """The probabilities of one image.

        Raises:
            OSError, http.client.HTTPException: there is no answer.
            ValueError: the answer is another one than it should be.
        """
        request = request_maker(self._launch.request, f"{HOST}:{self.port}", [jpeg], pixels[None])(number)
        with socket.create_connection((HOST, self.port), timeout=60) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection, method="POST")
            response.begin()
            body = response.read()
        if response.status != http.client.OK:
            raise ValueError(f"status {response.status}: {body[:300].decode(errors='replace')}")
        try:
            return [float(value) for value in np.ravel(self._launch.read(body))]
        except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{error!r} in {body[:300]!r}") from error

    def _start(self, folder: Path) -> None:
        self.port = 0 if self._launch.says_its_address else _free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        own = {name: value.replace("{data}", str(folder)) for name, value in self._launch.environment.items()}
        with pinned(self._plan.server):
            self._process = subprocess.Popen(
                [part.replace("{port}", str(self.port)) for part in self._launch.command],
                env={**inherited, **own, **self.tree.environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        threading.Thread(target=self._listen, name="server's output", daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line.rstrip())
            if self._launch.says_its_address and not self.port and (found := _ADDRESS.search(line)):
                self.port = int(found[1])

    def _wait(self, began: float) -> None:
        jpeg, pixels = self._example
        reason = "it has not said where it listens"
        while time.monotonic() < began + self._patience:
            if self._process.poll() is not None:
                raise self._failure(f"it ended with exit code {self._process.returncode}")
            if self.port:
                try:
                    self.ask(0, jpeg, pixels)
                except (OSError, ValueError, http.client.HTTPException) as error:
                    reason = str(error) or repr(error)
                else:
                    self.seconds_to_ready = time.monotonic() - began
                    return
            time.sleep(_POLL_SECONDS)
        raise self._failure(f"no good answer within {self._patience:g} s ({reason})")

    def _failure(self, reason: str) -> NotStarted:
        return NotStarted("\n    ".join((reason, *list(self._said)[-12:])))

    def _stop(self) -> None:
        self._process.terminate()
        # What is left of the tree by then is killed next.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
