"""`python -m visionlab_inference.triton.check`: do these models answer in a real Triton as they do in this process?"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import ModelCard, TensorSpec
from visionlab_inference.backend import InferenceError, Tensors
from visionlab_inference.embedded import DamagedModel, load_session
from visionlab_inference.triton.assemble import RepositoryError, assemble
from visionlab_inference.triton.client import TritonClient
from visionlab_inference.triton.installation import TritonNotInstalled
from visionlab_inference.triton.server import LocalTriton, TritonFailed

ALIKE: Final = 0
DIFFERENT: Final = 1
BAD_INPUT: Final = 2

TOLERANCE: Final = 1e-5
"""How far floats may be apart, as a part of the output's largest magnitude where that is above 1. Integers must be equal."""

BATCH: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    versions: list[Path] = _parser().parse_args(arguments).versions
    try:
        with TemporaryDirectory(prefix="visionlab-triton-check-") as folder:
            repository = Path(folder) / "repository"
            cards = assemble(versions, repository)
            began = time.monotonic()
            with LocalTriton(repository) as triton:
                print(f"Triton is ready with {len(cards)} models after {time.monotonic() - began:.1f} s", flush=True)
                alike = [_check(triton.client, card, version) for card, version in zip(cards, versions, strict=True)]
        return ALIKE if all(alike) else DIFFERENT
    except (TritonFailed, InferenceError) as error:
        return _fail(str(error), DIFFERENT)
    except (RepositoryError, DamagedModel, TritonNotInstalled, OSError) as error:
        return _fail(str(error), BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m visionlab_inference.triton.check",
        description="Load models into a Triton server on this machine and compare what they answer with ONNX Runtime here.",
        epilog="Exit codes: 0 all answer alike; 1 a model does not load or answers differently; 2 something given is wrong.",
    )
    parser.add_argument("versions", nargs="+", type=Path, metavar="VERSION_FOLDER", help="<uuid>/<version> with card.json")
    return parser


def _check(client: TritonClient, card: ModelCard, version: Path) -> bool:
    session = load_session(card, lambda name: (version / name).read_bytes())
    inputs = _example_inputs(card)
    expected = session.run(inputs)
    began = time.monotonic()
    answer = client.infer(card.name, inputs)
    milliseconds = 1000 * (time.monotonic() - began)
    differences = {name: _difference(value, answer.get(name)) for name, value in expected.items()}
    alike = all(_is_alike(expected[name], difference) for name, difference in differences.items())
    figures = ", ".join(f"{name} {difference:.2g}" for name, difference in differences.items())
    verdict = "answers alike" if alike else "ANSWERS DIFFERENTLY"
    print(f"{card.name} version {card.version}: {verdict}; largest difference: {figures}; {milliseconds:.0f} ms", flush=True)
    return alike


def _example_inputs(card: ModelCard) -> Tensors:
    random = np.random.default_rng(0)
    return {spec.name: _example(spec, random) for spec in card.inputs}


def _example(spec: TensorSpec, random: np.random.Generator) -> NDArray[Any]:
    shape = (BATCH, *spec.shape)
    if spec.name in ("truncation", "crossover"):
        return np.full(shape, 0.7, spec.dtype)
    if spec.dtype == "float32":
        return random.standard_normal(shape, np.float32)
    return random.integers(0, 256, shape, spec.dtype)


def _difference(expected: NDArray[Any], answer: NDArray[Any] | None) -> float:
    if answer is None or answer.shape != expected.shape or answer.dtype != expected.dtype:
        return float("inf")
    return float(np.abs(answer.astype(np.float64) - expected.astype(np.float64)).max())


def _is_alike(expected: NDArray[Any], difference: float) -> bool:
    if expected.dtype.kind != "f":
        return difference == 0
    return difference <= TOLERANCE * max(1.0, float(np.abs(expected).max()))


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
