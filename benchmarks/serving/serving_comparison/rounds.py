"""The measurement: rounds in which every server has its turn, in another order each time.

What else the machine does, and how warm it is, changes over minutes. Each server is measured in each round, and each round begins
with another one, so that such changes hit all alike. A server runs alone: idle ones would take CPU time from the one measured.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from serving_comparison.contenders import BASELINE, Contender, Launch, Terms, Unavailable
from serving_comparison.cpus import CpuPlan
from serving_comparison.loads import (
    Load,
    LoadFailed,
    Measurement,
    Timing,
    measure_server,
    measure_session,
    probabilities_of_session,
)
from serving_comparison.server import NotStarted, RunningServer

CHECKED_PHOTOS = 8

Say = Callable[[str], None]


@dataclass(slots=True)
class Results:
    """What was found of one contender.

    Attributes:
        measurements: a list, one element a round, by load.
        seconds_to_ready: one a round.
        difference: the largest between its probabilities and those of ONNX Runtime itself, of the checked photos.
        missing: why it was not measured, or no more from some round on.
    """

    contender: Contender
    measurements: dict[Load, list[Measurement]] = field(default_factory=dict)
    seconds_to_ready: list[float] = field(default_factory=list)
    difference: float = 0.0
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What all rounds have in common."""

    terms: Terms
    plan: CpuPlan
    photos: Path
    jpegs: Sequence[bytes]
    timing: Timing
    start_patience: float
    say: Say


class Comparison:
    """Runs contenders; see the module."""

    def __init__(self, course: Course, contenders: Sequence[Contender]) -> None:
        self._course = course
        self._pixels = np.load(course.photos / "pixels.npy")
        self._expected = probabilities_of_session(course.terms, course.photos, min(CHECKED_PHOTOS, len(course.jpegs)))
        self._launches: dict[str, Launch] = {}
        self.results = {contender.name: Results(contender) for contender in contenders}

    def prepare(self) -> None:
        """Make what is missing to start contenders, so that nothing is installed between measurements."""
        for result in self.results.values():
            contender = result.contender
            if contender.launch is None:
                continue
            try:
                self._launches[contender.name] = contender.launch(self._course.terms)
            except Unavailable as reason:
                result.missing = str(reason)
                self._course.say(f"{contender.title}: left out: {reason}")

    def capacity(self, clients: int) -> float:
        """Images a second of the baseline in a closed loop.

        Raises:
            NotStarted, LoadFailed: it cannot be measured.
        """
        launch = self._launches[BASELINE]
        with self._running(launch) as server:
            return self._measure(server, launch, Load(clients=clients), 0).seen.throughput

    def run(self, loads: Sequence[Load], rounds: int) -> None:
        """Measure everything; a contender that fails is left out from then on, with the reason."""
        names = list(self.results)
        for number in range(rounds):
            turn = number * max(1, len(names) // rounds)
            for name in names[turn:] + names[:turn]:
                result = self.results[name]
                if result.missing is not None:
                    continue
                self._course.say(f"round {number + 1} of {rounds}: {result.contender.title}")
                try:
                    self._turn(result, loads, number * len(loads))
                except (NotStarted, LoadFailed, OSError, ValueError, http.client.HTTPException) as error:
                    result.missing = str(error) or repr(error)
                    self._course.say(f"  failed: {result.missing}")

    # `first_seed`: each load has its own random times and its own bytes, which are the same for all contenders.
    def _turn(self, result: Results, loads: Sequence[Load], first_seed: int) -> None:
        course = self._course
        if result.contender.launch is None:
            for seed, load in enumerate(loads, first_seed):
                measured = measure_session(course.terms, load, course.timing, photos=course.photos, plan=course.plan, seed=seed)
                self._keep(result, load, measured)
            return
        launch = self._launches[result.contender.name]
        with self._running(launch) as server:
            result.seconds_to_ready.append(server.seconds_to_ready)
            result.difference = max(result.difference, self._difference(server))
            for seed, load in enumerate(loads, first_seed):
                self._keep(result, load, self._measure(server, launch, load, seed))

    def _keep(self, result: Results, load: Load, measured: Measurement) -> None:
        result.measurements.setdefault(load, []).append(measured)
        errors = sum(measured.seen.errors.values())
        self._course.say(f"  {load.title}: {measured.seen.throughput:.1f} images/s" + (f", {errors} errors" if errors else ""))

    def _running(self, launch: Launch) -> RunningServer:
        course = self._course
        return RunningServer(launch, course.plan, course.jpegs[0], self._pixels[0], patience=course.start_patience)

    def _measure(self, server: RunningServer, launch: Launch, load: Load, seed: int) -> Measurement:
        course = self._course
        return measure_server(server, launch.request, load, course.timing, photos=course.photos, plan=course.plan, seed=seed)

    def _difference(self, server: RunningServer) -> float:
        course = self._course
        answers = [server.ask(number, course.jpegs[number], self._pixels[number]) for number in range(len(self._expected))]
        return float(np.abs(np.array(answers) - np.array(self._expected)).max())
