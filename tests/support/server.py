"""The real server as a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import URL, Connection, create_engine
from support.databases import database_url

from visionlab_core.object_store import FolderObjectStore
from visionlab_training.runners import LocalRunner

ADMIN_TOKEN = "vl_admin-of-the-tests-0123456789abcdefghijk"


class Server:
    """`visionlab-api` on a free port, with its data in `folder`. A variable that is None is not set.

    Its database is the one of `support.databases` for this folder, unless a URL is given.
    """

    def __init__(self, folder: Path, starter_models: Path, database: URL | None = None, **environment: str | None) -> None:
        self.folder = folder
        self.database_url = database or database_url(folder)
        wanted = {
            **os.environ,
            "VISIONLAB_DATA_FOLDER": str(folder),
            "VISIONLAB_STARTER_MODELS": str(starter_models),
            "VISIONLAB_PORT": "0",
            "VISIONLAB_LOG_FORMAT": "json",
            "VISIONLAB_ADMIN_TOKEN": ADMIN_TOKEN,
            "VISIONLAB_DATABASE_URL": self.database_url.render_as_string(hide_password=False),
            **environment,
        }
        self._environment = {name: value for name, value in wanted.items() if value is not None}
        self.log: list[str] = []

    def start(self) -> Server:
        """Start, and wait until it is ready."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "visionlab-api"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._collect, daemon=True).start()
        line = self.process.stdout.readline()
        assert line.startswith("VisionLab: "), f"{line!r}, and the log says:\n" + "\n".join(self.log[-20:])
        self.url = line.removeprefix("VisionLab: ").strip()
        self.client = httpx.Client(base_url=self.url, timeout=180)
        self.admin = httpx.Client(base_url=self.url, timeout=180, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        while True:
            try:
                self.client.get("/backend/status")
                break
            except httpx.TransportError:
                assert self.process.poll() is None, "\n".join(self.log[-20:])
                assert time.monotonic() - began < 60, "the server does not answer"
                time.sleep(0.02)
        self.seconds_to_ready = time.monotonic() - began
        return self

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A transaction of one's own in its database."""
        url = self.database_url
        if url.get_backend_name() == "sqlite":
            url = url.set(drivername="sqlite", query={"timeout": "30"})
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, as every supervisor sends it; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=180)

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.kill()
        self.client.close()
        self.admin.close()
        self._end_trainings()

    def _end_trainings(self) -> None:
        """Trainings outlive the server; those of a test that failed must not outlive the test."""
        folder = self.folder / "trainings"
        for training in map(UUID, (path.name for path in folder.glob("*-*-*"))):
            runner = LocalRunner(FolderObjectStore(self.folder / "store"), "", folder)
            while not runner.stop(training):
                time.sleep(0.05)

    def _collect(self) -> None:
        for line in self.process.stderr:
            self.log.append(line.rstrip())
