"""Trainings as processes of this machine, which outlive whoever started them.

A training is a job (`visionlab_training.job`) and its child, `visionlab-train`, in a session of their own. Both hold a lock on a
file in the training's work folder for as long as they live, from before the job is started: as long as it is held, and by the
kernel's word no longer, the training runs. So nobody needs to have started it to see it, and nobody can start it twice.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from uuid import UUID, uuid4

from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import OUTCOME_FILE, TrainingOutcome
from visionlab_training.runners.contract import Observation, RunnerUnavailable
from visionlab_training.runners.identity import noted_process, orphans
from visionlab_training.runners.program import training_program

LOCK_FILE = "lock"
PLACE_FILE = "place"


class LocalRunner:
    """See `TrainingRunner`.

    Args:
        store: where orders and results are.
        store_url: its address, for the jobs.
        work: a folder of this machine in which each training gets one of its own.
        command: what trains, as a shell would read it; None: the `visionlab-train` that is installed.
        memory: bytes of physical memory that a training may take up; None: any.
        nice: how far trainings step back behind other processes, 0 to 19.
        environment: variables for the jobs, beside those of this process: how the store is reached.
    """

    def __init__(
        self,
        store: ObjectStore,
        store_url: str,
        work: Path,
        *,
        command: str | None = None,
        memory: int | None = None,
        nice: int = 10,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._store_url = store_url
        self._work = work.absolute()
        self._command = command
        self._memory = memory
        self._nice = nice
        self._environment = environment
        # Those that this process started: it has to take note of their ends, or they stay as zombies.
        self._children: dict[UUID, subprocess.Popen[bytes]] = {}

    def place(self) -> str:
        """See `TrainingRunner`: the work folder, by a name that it keeps wherever it is mounted."""
        file = self._work / PLACE_FILE
        self._work.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            new = file.with_name(f"{PLACE_FILE}.{uuid4()}")
            new.write_text(f"folder-{uuid4()}", encoding="ascii")
            try:
                os.link(new, file)
            finally:
                new.unlink()
        return file.read_text(encoding="ascii").strip()

    def trainings(self) -> list[UUID]:
        """See `TrainingRunner`."""
        found = []
        for folder in self._work.iterdir() if self._work.exists() else ():
            with suppress(ValueError):
                found.append(UUID(folder.name))
        return found

    def why_unavailable(self) -> str | None:
        """See `TrainingRunner`."""
        try:
            training_program(self._command)
        except RunnerUnavailable as error:
            return f"{error} The training waits until then."
        return None

    def start(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        command = training_program(self._command)
        folder = self._work / str(training)
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder, fcntl.LOCK_EX)
        if lock is None:
            return
        try:
            self._store.delete(training_key(training, OUTCOME_FILE))
            words = [sys.executable, "-m", "visionlab_training.job.command", str(training), "--store", self._store_url]
            words += ["--work", str(folder), "--command", command]
            words += ["--lock", str(lock), "--nice", str(self._nice)]
            words += [] if self._memory is None else ["--memory", str(self._memory)]
            with (folder / "job.txt").open("wb") as log:
                self._children[training] = subprocess.Popen(  # noqa: S603 - the words are our own
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self._environment},
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        except OSError as error:
            raise RunnerUnavailable(f"The training cannot be started: {error.strerror or error}.") from error
        finally:
            os.close(lock)

    def suspend(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        self._signal(training, signal.SIGTERM, os.kill)

    def resume(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        self.start(training)

    def stop(self, training: UUID) -> bool:
        """See `TrainingRunner`."""
        folder = self._work / str(training)
        if self._runs(training):
            self._signal(training, signal.SIGKILL, os.killpg)
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    def observe(self, training: UUID) -> Observation:
        """See `TrainingRunner`."""
        if self._runs(training):
            self._end_orphans(training)
            return Observation("running")
        try:
            outcome = TrainingOutcome.model_validate_json(self._store.get(training_key(training, OUTCOME_FILE)))
        except (KeyNotFound, ValueError):
            return Observation("absent")
        return Observation(outcome.state, outcome.reason)

    def last_words(self, training: UUID) -> str:
        """See `TrainingRunner`."""
        try:
            return (self._work / str(training) / "job.txt").read_bytes()[-2000:].decode(errors="replace")
        except OSError:
            return ""

    def _runs(self, training: UUID) -> bool:
        if training in self._children and self._children[training].poll() is not None:
            del self._children[training]
        lock = _locked(self._work / str(training), fcntl.LOCK_SH)
        if lock is None:
            return True
        if lock >= 0:
            os.close(lock)
        return False

    def _signal(self, training: UUID, number: signal.Signals, send: Callable[[int, int], None]) -> None:
        noted = noted_process(self._work / str(training))
        if noted is None or not self._runs(training):
            return
        leader, lives = noted
        with suppress(ProcessLookupError, PermissionError):
            if lives:
                send(leader, number)
                return
        self._end_orphans(training, number)

    def _end_orphans(self, training: UUID, number: signal.Signals = signal.SIGTERM) -> None:
        """Where the job was killed, what is left of it ends too: nobody would tell of it any more."""
        folder = self._work / str(training)
        noted = noted_process(folder)
        if noted is None or noted[1]:
            return
        for orphan in orphans(noted[0], folder.resolve() / LOCK_FILE):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(orphan, number)


def _locked(folder: Path, how: int) -> int | None:
    """An open file that holds the lock of the folder; None: somebody else does; -1: there is no such folder."""
    try:
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
