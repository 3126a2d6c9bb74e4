"""`visionlab-controller` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx
from support.server import Server


class Controller:
    """The control loops beside a server that has none (`VISIONLAB_CONTROL_LOOPS=off`), on a free port."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment, "VISIONLAB_PORT": "0"}
        self.log: list[str] = []

    @classmethod
    def of(cls, server: Server, **environment: str) -> Controller:
        """One for a server of this machine, with its data."""
        url = server.database_url.render_as_string(hide_password=False)
        return cls({"VISIONLAB_DATA_FOLDER": str(server.folder), "VISIONLAB_DATABASE_URL": url, **environment})

    def start(self) -> Controller:
        """Start, and wait until it says where it listens."""
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "visionlab-controller"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._collect, args=(self._process,), daemon=True).start()
        line = self._process.stdout.readline()
        assert line.startswith("VisionLab's controller: "), f"{line!r}: " + "\n".join(self.log[-20:])
        self.url = line.partition(": ")[2].strip()
        return self

    def get(self, path: str) -> httpx.Response:
        """Ask it."""
        return httpx.get(self.url + path, timeout=20)

    def says(self, path: str, text: str) -> bool:
        """Whether an answer has this in it; it has not where there is none yet."""
        try:
            return text in self.get(path).text
        except httpx.TransportError:
            return False

    @property
    def leads(self) -> bool:
        """Whether it leads."""
        return self.says("/metrics", "visionlab_leads 1.0")

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=60)

    def close(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self.kill()

    def _collect(self, process: subprocess.Popen[str]) -> None:
        for line in process.stderr:
            self.log.append(line.rstrip())
