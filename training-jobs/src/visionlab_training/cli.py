"""The commands `visionlab-train` (also `visionlab-train convert`), `visionlab-publish` and `visionlab-sample`."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from visionlab_training.backend import BACKENDS, choose_backend, limit_threads
from visionlab_training.conversion import command as conversion
from visionlab_training.exit_codes import ExitCode

_CODES = "Exit codes: 0 done; 1 the training diverged; 2 spec or data cannot be used; 3 export failed; 4 no space; 75 stopped."


def train() -> None:
    """Run a training, or go on with one that was stopped; then export and judge the model where a card is given."""
    if sys.argv[1:2] == [conversion.NAME]:
        convert(sys.argv[2:])
        return
    more = "`visionlab-train convert` turns weights from elsewhere into a model; it has a --help of its own."
    parser = argparse.ArgumentParser(prog="visionlab-train", description=train.__doc__, epilog=f"{_CODES} {more}")
    parser.add_argument("spec", type=Path, help="training spec, YAML or JSON")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, progress and results")
    parser.add_argument("--card", type=Path, help="what is to be said of the model, YAML; with --models the model is exported")
    parser.add_argument("--models", type=Path, help="folder for the exported version")
    parser.add_argument(
        "--budget", type=seconds, help="time that the training may take: 90s, 25m, 2h (default: as long as it takes)"
    )
    _add_comparison(parser)
    parser.add_argument("--backend", choices=BACKENDS, help="default: JAX where it has a GPU, else TensorFlow")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of TensorFlow (default: all)")
    arguments = parser.parse_args()
    if (arguments.card is None) != (arguments.models is None):
        parser.error("--card and --models go together")
    _check_comparison(parser, arguments)
    _prepare(arguments.backend, arguments.threads)
    with _clear_errors():
        from visionlab_training.publication import read_publication
        from visionlab_training.spec_file import read_spec
        from visionlab_training.training import run_training

        spec = read_spec(arguments.spec)
        if arguments.card:
            read_publication(arguments.card)  # a mistake in it shows now, not after hours
        if not run_training(spec, arguments.out, budget=arguments.budget):
            sys.exit(ExitCode.INTERRUPTED)
    if arguments.card:
        # In a process of its own: the export needs TensorFlow, and no memory that the training still holds.
        words = [
            str(arguments.spec),
            "--run",
            str(arguments.out),
            "--card",
            str(arguments.card),
            "--models",
            str(arguments.models),
            *([] if arguments.champion is None else ["--champion", str(arguments.champion), "--judged", str(arguments.judged)]),
        ]
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
        sys.stdout.flush()
        program = [sys.executable, "-c", "from visionlab_training.cli import publish; publish()", *words]
        os.execve(sys.executable, program, environment)  # noqa: S606


def convert(words: Sequence[str]) -> None:
    """Turn weights from elsewhere into a model; see `visionlab_training.conversion`."""
    arguments = conversion.parse(words)
    conversion.prepare(arguments)
    with _clear_errors():
        conversion.run(arguments)


def publish() -> None:
    """Export the best weights of a training through the parity gate, judge them on held-out images, write card and report."""
    parser = argparse.ArgumentParser(prog="visionlab-publish", description=publish.__doc__, epilog=_CODES)
    parser.add_argument("spec", type=Path, help="the training's spec")
    parser.add_argument("--run", type=Path, required=True, help="the folder that it trained in")
    parser.add_argument("--card", type=Path, required=True, help="what is to be said of the model, YAML")
    parser.add_argument("--models", type=Path, required=True, help="folder for the exported version")
    parser.add_argument(
        "--judge-at-most", type=int, help="judge a detector on so many images of each split only, sources balanced; for trials"
    )
    _add_comparison(parser)
    arguments = parser.parse_args()
    _check_comparison(parser, arguments)
    if arguments.judge_at_most is not None and arguments.judge_at_most < 1:
        parser.error("--judge-at-most is 1 or more")
    _prepare("tensorflow", 0)
    with _clear_errors():
        from visionlab_training.publication import read_publication
        from visionlab_training.publishing import publish as publish_model
        from visionlab_training.spec_file import read_spec

        spec, about = read_spec(arguments.spec), read_publication(arguments.card)
        version = arguments.models / str(about.uuid) / str(about.version)
        # Where a comparison was broken off, the version is there already.
        if arguments.champion is None or not (version / "card.json").exists():
            export = publish_model(spec, arguments.run, about, arguments.models, judge_at_most=arguments.judge_at_most)
            for output in export.card.outputs:
                print(f"Largest difference: {export.parity.worst(output.name)}")
            print(f"Exported to {export.folder}")
        if arguments.champion is not None:
            from visionlab_training.comparison import write_comparison

            compared = write_comparison(arguments.champion, version, arguments.judged, arguments.run)
            print(f"Gain in balanced accuracy: {compared.gain.value:+.4f} (p = {compared.p_value:.2g})")


def sample() -> None:
    """Write faces of a generator in training as JPEG files, for a detector to learn from."""
    parser = argparse.ArgumentParser(prog="visionlab-sample", description=sample.__doc__, epilog=_CODES)
    parser.add_argument("spec", type=Path, help="the generator's training spec")
    parser.add_argument("--run", type=Path, required=True, help="the folder that it trains in")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncation", type=float, default=1.0, help="1: all variety, towards 0: the mean (default: 1)")
    parser.add_argument("--backend", choices=BACKENDS, help="default: JAX where it has a GPU, else TensorFlow")
    arguments = parser.parse_args()
    _prepare(arguments.backend, 0)
    with _clear_errors():
        from visionlab_core.training_spec import GeneratorTraining
        from visionlab_training.spec_file import SpecError, read_spec
        from visionlab_training.training.gan import load_generator, save_pictures

        spec = read_spec(arguments.spec)
        if not isinstance(spec, GeneratorTraining):
            raise SpecError(f"{arguments.spec} is not the spec of a generator.")
        training, _ = load_generator(spec, arguments.run)
        save_pictures(arguments.out, training.sample(arguments.count, arguments.seed, arguments.truncation))


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--champion", type=Path, help="folder of the version in service that the finished detector is compared with"
    )
    parser.add_argument("--judged", type=Path, help="manifest of the images for that; RUN/comparison.json has the result")


def _check_comparison(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if (arguments.champion is None) != (arguments.judged is None):
        parser.error("--champion and --judged go together")
    if arguments.champion is not None and arguments.card is None:
        parser.error("--champion needs --card and --models")


def _prepare(backend: str | None, threads: int) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    choose_backend(backend)
    limit_threads(threads)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What a person can mend ends in one sentence and its exit code; the rest in a traceback."""
    from visionlab_export.errors import ExportError, ParityError
    from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage
    from visionlab_training.data.index import DataError
    from visionlab_training.evaluation.served import UnusableModel
    from visionlab_training.spec_file import SpecError
    from visionlab_training.training.checkpoint import CheckpointError
    from visionlab_training.training.errors import TrainingDiverged
    from visionlab_training.zoo.registry import UnknownArchitecture

    images = (NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall)
    try:
        yield
    except (SpecError, DataError, CheckpointError, UnknownArchitecture, UnusableModel, *images) as error:
        fail(ExitCode.INVALID_INPUT, error)
    except (ExportError, ParityError) as error:
        fail(ExitCode.EXPORT_FAILED, error)
    except TrainingDiverged as error:
        fail(ExitCode.DIVERGED, error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        fail(ExitCode.NO_SPACE, error)


def fail(code: ExitCode, error: Exception) -> NoReturn:
    """End the process with one sentence."""
    print(f"visionlab: {error}", file=sys.stderr)
    sys.exit(code)


def seconds(text: str) -> float:
    """A time from a command line: 90s, 25m, 2h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 90s, 25m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
