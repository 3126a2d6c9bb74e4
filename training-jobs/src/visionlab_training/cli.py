"""The commands `visionlab-train` and `visionlab-sample`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

INVALID_INPUT = 2
EXPORT_FAILED = 3


def train() -> None:
    """Run a training, or go on with one that was stopped; then export and judge the model where a card is given.

    Exit codes: 0 done, 75 stopped by a signal with its checkpoint written (run it again to go on), 2 the spec or the data cannot
    be used, 3 the export failed, 1 anything else.
    """
    parser = argparse.ArgumentParser(
        prog="visionlab-train", description=train.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spec", type=Path, help="training spec, YAML or JSON")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, progress and results")
    parser.add_argument("--card", type=Path, help="what is to be said of the model, YAML; with --models the model is exported")
    parser.add_argument("--models", type=Path, help="folder for the exported version")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    arguments = parser.parse_args()
    if (arguments.card is None) != (arguments.models is None):
        parser.error("--card and --models go together")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _configure_tensorflow(arguments.threads)

    from visionlab_export.errors import ExportError, ParityError
    from visionlab_training.data.index import DataError
    from visionlab_training.spec_file import SpecError
    from visionlab_training.training.checkpoint import CheckpointError
    from visionlab_training.training.detector import TrainingDiverged

    try:
        sys.exit(_train(arguments))
    except (SpecError, DataError, CheckpointError, KeyError) as error:
        _fail(INVALID_INPUT, error)
    except (ExportError, ParityError) as error:
        _fail(EXPORT_FAILED, error)
    except TrainingDiverged as error:
        _fail(1, error)


def sample() -> None:
    """Write pictures of a generator in training as JPEG files, for a detector to learn from."""
    parser = argparse.ArgumentParser(prog="visionlab-sample", description=sample.__doc__)
    parser.add_argument("spec", type=Path, help="the generator's training spec")
    parser.add_argument("--run", type=Path, required=True, help="the folder that it trains in")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncation", type=float, default=1.0, help="scale of the noise, 0 to 1 (default: 1)")
    arguments = parser.parse_args()
    _configure_tensorflow(0)

    from visionlab_core.training_spec import GeneratorTraining
    from visionlab_training.publishing import load_generator, save_pictures
    from visionlab_training.spec_file import SpecError, read_spec
    from visionlab_training.training.checkpoint import CheckpointError

    try:
        spec = read_spec(arguments.spec)
        if not isinstance(spec, GeneratorTraining):
            raise SpecError(f"{arguments.spec} is not the spec of a generator.")
        training, _ = load_generator(spec, arguments.run)
    except (SpecError, CheckpointError) as error:
        _fail(INVALID_INPUT, error)
    else:
        save_pictures(arguments.out, training.sample(arguments.count, arguments.seed, arguments.truncation))


def _train(arguments: argparse.Namespace) -> int:
    from visionlab_core.training_spec import DetectorTraining
    from visionlab_training.publishing import publish, read_publication
    from visionlab_training.spec_file import read_spec
    from visionlab_training.training.detector import train_detector
    from visionlab_training.training.gan import train_generator
    from visionlab_training.training.progress import INTERRUPTED

    spec = read_spec(arguments.spec)
    about = read_publication(arguments.card) if arguments.card else None
    done = train_detector(spec, arguments.out) if isinstance(spec, DetectorTraining) else train_generator(spec, arguments.out)
    if not done:
        return INTERRUPTED
    if about is not None:
        export = publish(spec, arguments.out, about, arguments.models)
        for output in export.card.outputs:
            print(f"Largest difference: {export.parity.worst(output.name)}")
        print(f"Exported to {export.folder}")
    return 0


def _fail(code: int, error: Exception) -> None:
    print(f"visionlab: {error.args[0] if error.args else error}", file=sys.stderr)
    sys.exit(code)


def _configure_tensorflow(threads: int) -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if threads:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
