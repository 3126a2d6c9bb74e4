"""One job, from its order to its outcome."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TypeVar
from uuid import UUID

from visionlab_core.object_store import ObjectStore, StoreError
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import (
    COMPARISON_FILE,
    LOG_FILE,
    OUTCOME_FILE,
    RESULT,
    TrainingOrder,
    TrainingOutcome,
    TrainingPhase,
)
from visionlab_training.exit_codes import ExitCode
from visionlab_training.job.child import Child
from visionlab_training.job.echo import Echo
from visionlab_training.job.endings import failed, outcome_of
from visionlab_training.job.inputs import MissingInput, local_comparison, local_spec, read_order
from visionlab_training.job.mirror import Mirror
from visionlab_training.whole_file import write_json

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_BETWEEN_TELLS = 1.0
SECONDS_BETWEEN_LOGS = 5.0
SECONDS_BETWEEN_CHECKPOINTS = 30.0
LONGEST_PAUSE = 60.0
LONGEST_PAUSE_OF_A_STOP = 4.0
CARD_FILE = "card.json"


@dataclass(slots=True)
class _Stop:
    """SIGTERM and SIGINT, as a flag."""

    requested: bool = False

    def listen(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


@dataclass(frozen=True, slots=True)
class Job:
    """Runs a training, or goes on with it; see `visionlab_core.training_job` for what it reads and writes.

    Args:
        store: where the order is.
        training: whose.
        work: a folder on this machine; what is in it from an earlier try is gone on from.
        command: `visionlab-train`, or what takes its place: program and first arguments.
        memory: bytes of physical memory that the training may take; it is killed beyond them. None: any.
        echo: write what the training says to standard output too.
        keep_open: descriptors that the training holds as long as it lives.
    """

    store: ObjectStore
    training: UUID
    work: Path
    command: Sequence[str]
    memory: int | None = None
    echo: bool = False
    keep_open: Sequence[int] = ()
    _stop: _Stop = field(default_factory=_Stop)

    def run(self) -> TrainingOutcome:
        """Do it; the outcome is in the store by then: none where others killed the training. SIGTERM: checkpoint and stop."""
        self._stop.listen()
        try:
            outcome = self._outcome()
        except MissingInput as error:
            outcome = failed(str(error))
        key = training_key(self.training, OUTCOME_FILE)
        self._surely(lambda: self.store.put(key, outcome.model_dump_json().encode(), content_type="application/json"))
        return outcome

    def _outcome(self) -> TrainingOutcome:
        self.work.mkdir(parents=True, exist_ok=True)
        # What an earlier job told says nothing of this one.
        self._surely(lambda: self.store.delete(training_key(self.training, OUTCOME_FILE)))
        order = self._surely(lambda: read_order(self.store, self.training))
        epochs = None if order.spec.kind == "generator" else order.spec.epochs
        mirror = Mirror(self.store, self.training, self.work / "run", epochs=epochs)
        self._surely(lambda: mirror.tell("preparing"))
        self._surely(mirror.restore)
        spec = self._surely(lambda: local_spec(self.store, order, self.work))
        write_json(self.work / "spec.json", spec.model_dump(mode="json", exclude_none=True))
        about = {**order.model.model_dump(mode="json"), "enabled_by_default": False}
        write_json(self.work / "card.json", about)
        version = self._version(order)
        last = self.work / "run" / COMPARISON_FILE if order.comparison else version / CARD_FILE
        if not last.exists():  # else a former try came to its end, but not to its outcome
            outcome = self._trained(order, mirror)
            self._surely(mirror.checkpoint)
            if outcome.state != "done":
                return outcome
        self._surely(lambda: mirror.tell("exporting"))
        self._surely(lambda: self._publish(version))
        if order.comparison:
            self._surely(lambda: self.store.put(training_key(self.training, COMPARISON_FILE), last.read_bytes()))
        return outcome_of(0, "", asked_to_stop=False, over_memory=None)

    def _trained(self, order: TrainingOrder, mirror: Mirror) -> TrainingOutcome:
        words = [str(self.work / "spec.json"), "--out", str(self.work / "run"), "--card", str(self.work / "card.json")]
        words += ["--models", str(self.work / "models"), *([] if order.backend == "auto" else ["--backend", order.backend])]
        if order.comparison is not None:
            champion, judged = self._surely(lambda: local_comparison(self.store, order, self.work))
            words += ["--champion", str(champion), "--judged", str(judged)]
        if self._stop.requested:
            return outcome_of(-signal.SIGTERM, "", asked_to_stop=True, over_memory=None)
        try:
            child = Child([*self.command, *words], self.work / LOG_FILE, keep_open=self.keep_open)
        except OSError as error:
            return failed(f"{self.command[0]} cannot be started: {error.strerror or error}.")
        echo = Echo(self.work / LOG_FILE) if self.echo else None
        told, logged, kept, asked, over_memory = 0.0, 0.0, time.monotonic(), False, None
        while (code := child.wait(SECONDS_BETWEEN_LOOKS)) is None:
            now = time.monotonic()
            if self._stop.requested and not asked:
                child.ask_to_stop()
                asked = True
            if self.memory is not None and (taken := child.memory()) > self.memory:
                over_memory = (
                    f"The training took {taken / 2**30:.1f} GiB of memory, more than the {self.memory / 2**30:.1f} GiB that it "
                    "may. Give it a smaller batch size, or raise VISIONLAB_TRAINING_MEMORY_BYTES."
                )
                child.kill()
            if now - told >= SECONDS_BETWEEN_TELLS:
                told = now
                self._if_possible(lambda: mirror.tell(self._phase(order)))
            if now - logged >= SECONDS_BETWEEN_LOGS:
                logged = now
                self._if_possible(lambda: mirror.log(self.work / LOG_FILE))
            if echo is not None:
                echo.go_on()
            if now - kept >= SECONDS_BETWEEN_CHECKPOINTS:
                kept = now
                self._if_possible(mirror.checkpoint)
        if echo is not None:
            echo.go_on()
        self._if_possible(lambda: mirror.log(self.work / LOG_FILE))
        self._if_possible(lambda: mirror.tell(self._phase(order)))
        if code == -signal.SIGKILL and over_memory is None:
            # By the system, mostly for want of memory. As where this job is killed too: there is no outcome, and it may go on.
            self._surely(mirror.checkpoint)
            log.warning("the training was killed")
            sys.exit(ExitCode.KILLED)
        return outcome_of(code, child.last_words(), asked_to_stop=asked, over_memory=over_memory)

    def _version(self, order: TrainingOrder) -> Path:
        return self.work / "models" / str(order.model.uuid) / str(order.model.version)

    def _phase(self, order: TrainingOrder) -> TrainingPhase:
        run = self.work / "run"
        if order.comparison is not None and (self._version(order) / CARD_FILE).exists():
            return "judging"
        if any((self.work / "models").glob("*/*")) or any((self.work / "models").glob("*/.*")):
            return "exporting"
        return "training" if (run / "progress.json").exists() else "preparing"

    def _publish(self, version: Path) -> None:
        # The card comes last: a result without one is an unfinished copy.
        names = sorted(path.relative_to(version).as_posix() for path in version.rglob("*") if path.is_file())
        for name in sorted(names, key=lambda name: name == CARD_FILE):
            with (version / name).open("rb") as handle:
                self.store.put(training_key(self.training, RESULT + name), handle)

    def _if_possible(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreError as error:
            log.warning("the store cannot be brought up to date, the training goes on: %s", error)

    def _surely(self, work: Callable[[], T]) -> T:
        """Do it, however long the store is away; but a job that is to stop does not wait for long.

        It ends without an outcome then, and goes on from its work folder.
        """
        pause = 1.0
        while True:
            try:
                return work()
            except StoreError as error:
                log.warning("the store does not answer, it is tried again in %g seconds: %s", pause, error)
                if self._stop.requested and pause >= LONGEST_PAUSE_OF_A_STOP:
                    sys.exit(ExitCode.INTERRUPTED)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
