"""The command `visionlab-train convert`."""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.training_spec import Network
from visionlab_training.backend import choose_backend, limit_threads

NAME = "convert"


def parse(words: Sequence[str]) -> argparse.Namespace:
    """What the command line says: `weights`, `network`, `classes`, `out`, and the limits of the process."""
    parser = argparse.ArgumentParser(
        prog=f"visionlab-train {NAME}",
        description="Turn the weights of a network of the zoo into a model that is served: model.onnx, through the parity gate, "
        "with weights.npz and a card beside it.",
        epilog="Exit codes: 0 done; 2 the weights or the settings cannot be used; 3 the runtimes disagree; 4 no space.",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="NAME.weights.h5 of Keras 3, or a weights.npz of ours")
    parser.add_argument("--out", type=Path, required=True, help="folder that is written; there is none yet")
    for name, field in Network.model_fields.items():
        default = "" if field.is_required() or field.default is None else f" (default: {field.default})"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            required=field.is_required(),
            help=f"{field.description or 'letter for letter'}{default}",
        )
    parser.add_argument("--classes", help=f"detectors: order in which it gives the classes (default: {','.join(FACE_CLASSES)})")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of TensorFlow (default: all)")
    parser.add_argument("--seconds", type=int, help="CPU time after which the process is ended (default: none)")
    parser.add_argument("--largest", type=int, help="bytes of the largest file that it may write (default: any)")
    parser.add_argument("--nice", type=int, default=0, help="how far it steps back behind others")
    arguments = parser.parse_args(words)
    given = {name: getattr(arguments, name) for name in Network.model_fields}
    try:
        arguments.network = Network.model_validate({name: value for name, value in given.items() if value is not None})
        named = FACE_CLASSES if arguments.classes is None else arguments.classes.split(",")
        arguments.classes = tuple(map(FaceClass, named))
    except ValidationError as error:
        first = error.errors()[0]
        parser.error(f"{''.join(map(str, first['loc'][:1]))} {first['msg'].removeprefix('Value error, ')}".strip())
    except ValueError as error:
        parser.error(f"--classes: {error}")
    return arguments


def run(arguments: argparse.Namespace) -> None:
    """Convert, within the limits.

    Raises:
        SpecError, UnknownArchitecture, ExportError, ParityError: as `visionlab_training.conversion.convert.convert`.
    """
    _limit(arguments)
    from visionlab_training.conversion.convert import convert

    export = convert(arguments.network, arguments.weights, arguments.out, classes=arguments.classes)
    for output in export.card.outputs:
        print(f"Largest difference: {export.parity.worst(output.name)}")
    print(f"Written to {arguments.out}", flush=True)


def prepare(arguments: argparse.Namespace) -> None:
    """Before Keras is imported."""
    choose_backend("tensorflow")  # the export needs it
    limit_threads(arguments.threads)


def _limit(arguments: argparse.Namespace) -> None:
    os.nice(arguments.nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if arguments.seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (arguments.seconds, arguments.seconds + 1))
    if arguments.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.largest, arguments.largest))
