"""`visionlab-starters`: make every model of a plan anew, from the data to a Triton repository, within a time that is given.

A plan is a YAML file beside the specs and cards of its models. Each step runs in a process of its own; what is finished is not
done again, so a run that was stopped goes on where it was. The time is divided over the trainings by their shares; a training's
own budget then fixes its number of steps (see `StepBudget`). Exporting and judging come on top.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from visionlab_training.backend import BACKENDS, choose_backend
from visionlab_training.cli import fail, seconds
from visionlab_training.exit_codes import ExitCode
from visionlab_training.publication import Publication, read_publication
from visionlab_training.spec_file import SpecError

FINISHED = "finished"
"""Name of the file that says that a training is done."""

DEFAULT_PLAN = Path("training-jobs/starters/plan.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Faces(_Strict):
    """Pictures of a generator that detectors learn from, in `$VISIONLAB_OWN/FOLDER`."""

    folder: str
    count: int = Field(ge=1)
    truncation: float = Field(1.0, ge=0, le=1)
    seed: int = 0


class Stage(_Strict):
    """A model: `NAME.yaml` is its spec, `NAME.card.yaml` what is to be said of it.

    `gpu` replaces fields of the spec where the training runs on a GPU. A `share` of 0 is for what has nothing to train.
    """

    name: str
    share: float = Field(ge=0)
    gpu: dict[str, Any] = Field(default_factory=dict)
    faces: tuple[Faces, ...] = ()


class Plan(_Strict):
    """Stages in the order in which they are trained. Generators are published last: detectors have to judge their faces first."""

    stages: tuple[Stage, ...]

    def budgets(self, total: float) -> dict[str, float]:
        """Seconds of training of each stage, out of `total`."""
        whole = sum(stage.share for stage in self.stages)
        return {stage.name: total * stage.share / whole for stage in self.stages}


def main() -> None:
    """Make the starter models anew."""
    parser = argparse.ArgumentParser(prog="visionlab-starters", description=main.__doc__, epilog=_EPILOG)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/manifest.csv and gan/")
    parser.add_argument("--weights", type=Path, required=True, help="folder with mobilenetv2_imagenet.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs/, own/ and models/")
    parser.add_argument("--budget", type=seconds, required=True, help="time for all trainings together: 90s, 25m, 2h")
    parser.add_argument("--plan", type=Path, default=DEFAULT_PLAN)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these models alone")
    parser.add_argument("--phase", choices=PHASES, nargs="+", default=list(PHASES), help="default: all of them")
    parser.add_argument("--backend", choices=BACKENDS, help="default: JAX where it has a GPU, else TensorFlow")
    parser.add_argument("--judge-at-most", help="as visionlab-publish has it: a trial of the whole takes minutes less")
    parser.add_argument("--show", action="store_true", help="print the time of each training, and do nothing")
    arguments = parser.parse_args()
    backend = choose_backend(arguments.backend)
    try:
        plan = read_plan(arguments.plan, arguments.only)
        budgets = plan.budgets(arguments.budget)
        for stage in plan.stages:
            print(f"{stage.name:24} {budgets[stage.name] / 60:8.1f} min")
        if not arguments.show:
            places = arguments.plan.parent, arguments.out, arguments.data, arguments.weights
            workshop = Workshop(*places, backend, judge_at_most=arguments.judge_at_most)
            sys.exit(workshop.make(plan, budgets, arguments.phase))
    except SpecError as error:
        fail(ExitCode.INVALID_INPUT, error)


def read_plan(path: Path, only: Iterable[str] | None = None) -> Plan:
    """Read a plan, and keep of it only the named stages.

    Raises:
        SpecError: it cannot be read, or a name is not in it.
    """
    try:
        plan = Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SpecError(f"The plan {path} cannot be used: {error}") from error
    if only is None:
        return plan
    names = {stage.name for stage in plan.stages}
    if strangers := sorted(set(only) - names):
        raise SpecError(f"{', '.join(strangers)}: not in the plan, which has {', '.join(sorted(names))}.")
    return Plan(stages=tuple(stage for stage in plan.stages if stage.name in set(only)))


Phase = Literal["train", "publish", "triton"]
PHASES: tuple[Phase, ...] = ("train", "publish", "triton")
_EPILOG = (
    "On a GPU machine without TensorFlow: --phase train there, bring --out back, --phase publish triton here. "
    "Ensembles stand on published bases, so they are trained in the phase publish."
)


@dataclass(frozen=True, slots=True)
class Step:
    """A process to run, if there is anything left to do, and the file that says that it is done."""

    title: str
    command: list[str] | None = None
    mark: Path | None = None


class Workshop:
    """Where models are made: `out/runs/NAME` for trainings, `out/own` for faces of our generators, `out/models`."""

    def __init__(
        self, recipes: Path, out: Path, data: Path, weights: Path, backend: str, *, judge_at_most: str | None = None
    ) -> None:
        self._recipes = recipes
        self._runs, self._own, self._models = out / "runs", out / "own", out / "models"
        self._backend = backend
        self._judging = [] if judge_at_most is None else ["--judge-at-most", judge_at_most]
        places = {"DATA": data, "WEIGHTS": weights, "OWN": self._own, "MODELS": self._models}
        self._environment = {**os.environ, **{f"VISIONLAB_{name}": str(place.resolve()) for name, place in places.items()}}
        os.environ.update(self._environment)  # cards and specs are read in this process too
        self._child: subprocess.Popen[bytes] | None = None

    def make(self, plan: Plan, budgets: Mapping[str, float], phases: Iterable[Phase]) -> int:
        """Go through the phases; the exit code of the step that stopped it, or 0."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._pass_on)
        self._refuse_namesakes(plan)
        generators = [stage for stage in plan.stages if self._kind(stage) == "generator"]
        detectors = [stage for stage in plan.stages if self._kind(stage) == "detector"]
        ensembles = [stage for stage in plan.stages if self._kind(stage) == "ensemble"]
        steps: list[Callable[[], Step]] = []
        if "train" in phases:
            for stage in (*generators, *detectors):
                steps.append(partial(self._train, stage, budgets))
                steps += [partial(self._sample, stage, faces) for faces in stage.faces]
        if "publish" in phases:
            steps += [partial(self._publish, stage) for stage in detectors]
            for stage in ensembles:
                steps += [partial(self._train, stage, budgets), partial(self._publish, stage)]
            steps += [partial(self._publish, stage) for stage in generators]
        if "triton" in phases:
            steps.append(partial(self._load, plan))
        for step in steps:
            if code := self._run(step()):
                return code
        return 0

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if self._child is not None:
            self._child.send_signal(number)

    def _train(self, stage: Stage, budgets: Mapping[str, float]) -> Step:
        run = self._runs / stage.name
        done = run / FINISHED
        if done.exists():
            return Step(f"{stage.name}: trained already")
        budget = ["--budget", f"{budgets[stage.name]:.0f}s"] if stage.share else []
        command = [*_command("train"), str(self._spec(stage)), "--out", str(run), "--backend", self._backend_of(stage), *budget]
        return Step(f"{stage.name}: training", command, done)

    def _sample(self, stage: Stage, faces: Faces) -> Step:
        folder = self._own / faces.folder
        if len(list(folder.glob("*.jpg"))) >= faces.count:
            return Step(f"{stage.name}: faces in {faces.folder} already")
        options = ["--count", str(faces.count), "--seed", str(faces.seed), "--truncation", str(faces.truncation)]
        places = [str(self._spec(stage)), "--run", str(self._runs / stage.name), "--out", str(folder), "--backend", self._backend]
        return Step(f"{stage.name}: making faces in {faces.folder}", [*_command("sample"), *places, *options])

    def _publish(self, stage: Stage) -> Step:
        if self._version(stage).exists():
            return Step(f"{stage.name}: published already")
        places = ["--run", str(self._runs / stage.name), "--card", str(self._card_file(stage)), "--models", str(self._models)]
        return Step(f"{stage.name}: publishing", [*_command("publish"), str(self._spec(stage)), *places, *self._judging])

    def _load(self, plan: Plan) -> Step:
        folders = [str(self._version(stage)) for stage in plan.stages]
        return Step("loading all of it into Triton", [sys.executable, "-m", "visionlab_inference.triton.check", *folders])

    def _run(self, step: Step) -> int:
        print(f"== {step.title}", flush=True)
        if step.command is None:
            return 0
        self._child = subprocess.Popen(step.command, env=self._environment)  # noqa: S603
        code = self._child.wait()
        if code:
            print(f"visionlab-starters: {step.title}: exit code {code}. Run it again to go on from here.", file=sys.stderr)
        elif step.mark is not None:
            step.mark.touch()
        return code

    def _refuse_namesakes(self, plan: Plan) -> None:
        places: dict[Path, str] = {}
        for stage in plan.stages:
            # The second would be taken for published already.
            if (other := places.setdefault(self._version(stage), stage.name)) != stage.name:
                raise SpecError(f"The cards of {other} and {stage.name} have the same uuid and version: change one.")

    def _kind(self, stage: Stage) -> str:
        return str(_mapping(self._recipes / f"{stage.name}.yaml").get("kind"))

    def _spec(self, stage: Stage) -> Path:
        """The spec as it is trained, with what the plan says of GPUs."""
        recipe = _mapping(self._recipes / f"{stage.name}.yaml")
        path = self._runs / stage.name / "spec.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (self._runs / stage.name / FINISHED).exists():  # a recipe that was mended counts
            path.write_text(yaml.safe_dump(recipe | (stage.gpu if self._backend == "jax" else {})), encoding="utf-8")
        return path

    def _backend_of(self, stage: Stage) -> str:
        return "tensorflow" if self._kind(stage) == "ensemble" else self._backend

    def _card_file(self, stage: Stage) -> Path:
        return self._recipes / f"{stage.name}.card.yaml"

    def _version(self, stage: Stage) -> Path:
        about: Publication = read_publication(self._card_file(stage))
        return self._models / str(about.uuid) / str(about.version)


def _command(name: str) -> list[str]:
    return [sys.executable, "-c", f"from visionlab_training.cli import {name}; {name}()"]


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SpecError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SpecError(f"{path} is not a spec.")
    return content
