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
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from shlex import quote, split
from uuid import UUID

from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import OUTCOME_FILE, TrainingOutcome
from visionlab_training.runners.contract import Observation, RunnerUnavailable
from visionlab_training.runners.identity import noted_process, orphans

LOCK_FILE = "lock"
PROGRAM = "visionlab-train"
_NEEDED = ("keras", "tensorflow", "tf2onnx")


class LocalRunner:
    """See `TrainingRunner`.

    Args:
        store: where orders and results are.
        store_url: its address, for the jobs.
        work: a folder of this machine in which each training gets one of its own.
        command: what trains, as a shell would read it; None: the `visionlab-train` that is installed.
        memory: bytes of physical memory that a training may take up; None: any.
        nice: how far trainings step back behind other processes, 0 to 19.
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
    ) -> None:
        self._store = store
        self._store_url = store_url
        self._work = work.absolute()
        self._command = command
        self._memory = memory
        self._nice = nice
        # Those that this process started: it has to take note of their ends, or they stay as zombies.
        self._children: dict[UUID, subprocess.Popen[bytes]] = {}

    def why_unavailable(self) -> str | None:
        """See `TrainingRunner`."""
        try:
            self._program()
        except RunnerUnavailable as error:
            return str(error)
        return None

    def start(self, training: UUID) -> None:
        """See `TrainingRunner`."""
        command = self._program()
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
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,), start_new_session=True
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
        """The end of what a job that told no outcome wrote; for the log."""
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

    def _program(self) -> str:
        if self._command:
            words = split(self._command)
            if words and shutil.which(words[0]):
                return self._command
            raise RunnerUnavailable(
                f"VISIONLAB_TRAIN_COMMAND is {self._command!r}, and there is no such program here. Mend it, or leave it out."
            )
        beside = Path(sys.executable).with_name(PROGRAM)
        if beside.exists() and all(find_spec(name) for name in _NEEDED):
            return quote(str(beside))
        elsewhere = shutil.which(PROGRAM)
        if elsewhere and Path(elsewhere).parent != beside.parent:
            return quote(elsewhere)
        raise RunnerUnavailable(
            "What trains is not installed here: run `make trainer`, or install visionlab-training[job], or name a command in "
            "VISIONLAB_TRAIN_COMMAND. The training waits until then."
        )


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
