"""The parity gate: an export leaves this room only when Keras, the SavedModel and ONNX Runtime give the same answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import TensorSpec
from visionlab_export.errors import ExportError, ParityError
from visionlab_export.serving import Runner, Tensors

BATCH_SIZES: Final = (1, 3, 8)

PROBABILITY_TOLERANCE: Final = 1e-4
"""Largest difference of a probability."""

RELATIVE_TOLERANCE: Final = 1e-3
"""Largest difference of any other float, as a part of the largest magnitude in the output."""

LEVEL_TOLERANCE: Final = 1
"""Largest difference of a pixel, in levels of 0 ... 255: a value next to a half may be rounded either way."""

DIFFERING_TOLERANCE: Final = 1e-3
"""Largest part of the pixel values that may differ at all."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runtimes on one output at one batch size: the worst over all batches.

    `difference` is what the tolerance speaks of: absolute for probabilities, relative to the largest magnitude for other floats,
    in levels for pixels. `differing` is the part of the values that differ at all.
    """

    first: str
    second: str
    output: str
    batch_size: int
    difference: float
    tolerance: float
    differing: float
    differing_tolerance: float

    @property
    def passed(self) -> bool:
        """Whether both are within their tolerance; a difference that is not a number is not."""
        return self.difference <= self.tolerance and self.differing <= self.differing_tolerance

    def __str__(self) -> str:
        values = ""
        if self.differing_tolerance < 1:
            values = f", in {self.differing:.3%} of the values (at most {self.differing_tolerance:.3%})"
        return (
            f"{self.first} and {self.second} differ in {self.output} at batch size {self.batch_size} by {self.difference:.3g} "
            f"(at most {self.tolerance:.3g}){values}"
        )


@dataclass(frozen=True, slots=True)
class BatchEffect:
    """How far a runtime's answer for an example alone is from its answer for it within a batch; measured as in Comparison."""

    runtime: str
    output: str
    difference: float


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Everything that the gate compared."""

    examples: int
    comparisons: tuple[Comparison, ...]
    batch_effects: tuple[BatchEffect, ...]

    def worst(self, output: str) -> Comparison:
        """The comparison with the largest difference in an output.

        Raises:
            ValueError: no such output was compared.
        """
        return max((c for c in self.comparisons if c.output == output), key=lambda c: c.difference)

    def json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(asdict(self), indent=2)


def check_parity(runners: Mapping[str, Runner], outputs: Sequence[TensorSpec], examples: Tensors) -> ParityReport:
    """Run every example through every runtime at batch sizes 1, 3 and 8, and compare each two runtimes.

    Args:
        runners: the runtimes by name, two or more.
        outputs: the tensors that each must give.
        examples: the inputs by name, [M, ...] with the same M of 8 or more. At each batch size as many whole batches are run as M
            holds.

    Raises:
        ExportError: too few examples, or a runtime gives other tensors than `outputs`.
        ParityError: two runtimes differ by more than the tolerances of this module.
    """
    count = len(next(iter(examples.values())))
    if count < max(BATCH_SIZES):
        raise ExportError(f"The parity gate needs at least {max(BATCH_SIZES)} examples, and was given {count}.")
    answers = {
        (runtime, size): _answers(runtime, run, outputs, examples, size)
        for runtime, run in runners.items()
        for size in BATCH_SIZES
    }
    comparisons = tuple(
        _compare(first, second, spec, size, answers[first, size][spec.name], answers[second, size][spec.name])
        for first, second in itertools.combinations(runners, 2)
        for size in BATCH_SIZES
        for spec in outputs
    )
    report = ParityReport(count, comparisons, tuple(_batch_effects(answers, runners, outputs)))
    if not all(comparison.passed for comparison in comparisons):
        raise ParityError(report)
    return report


def _answers(runtime: str, run: Runner, outputs: Sequence[TensorSpec], examples: Tensors, size: int) -> dict[str, NDArray[Any]]:
    count = len(next(iter(examples.values())))
    batches = [run({name: a[i : i + size] for name, a in examples.items()}) for i in range(0, count - size + 1, size)]
    for batch in batches:
        found = {name: (array.dtype.name, array.shape) for name, array in batch.items()}
        expected = {spec.name: (spec.dtype, (size, *spec.shape)) for spec in outputs}
        if found != expected:
            raise ExportError(f"{runtime} gives {found} at batch size {size} and should give {expected}.")
    return {spec.name: np.concatenate([batch[spec.name] for batch in batches]) for spec in outputs}


def _compare(first: str, second: str, spec: TensorSpec, size: int, a: NDArray[Any], b: NDArray[Any]) -> Comparison:
    difference, tolerance = _difference(spec, a, b)
    pixels = spec.dtype == "uint8"
    differing = float(np.mean(a != b))
    return Comparison(first, second, spec.name, size, difference, tolerance, differing, DIFFERING_TOLERANCE if pixels else 1.0)


def _difference(spec: TensorSpec, a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    """The difference that matters for this output, and how large it may be."""
    with np.errstate(invalid="ignore"):  # infinity less infinity is not a number, and stopped as such
        largest = float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))
    if spec.dtype == "uint8":
        return largest, LEVEL_TOLERANCE
    if spec.name == "probabilities":
        return largest, PROBABILITY_TOLERANCE
    magnitude = float(np.max(np.abs(a)))
    return largest / magnitude if magnitude > 0 else largest, RELATIVE_TOLERANCE


def _batch_effects(
    answers: Mapping[tuple[str, int], Mapping[str, NDArray[Any]]], runners: Mapping[str, Runner], outputs: Sequence[TensorSpec]
) -> list[BatchEffect]:
    effects = []
    for runtime, spec in itertools.product(runners, outputs):
        alone = answers[runtime, 1][spec.name]
        differences = []
        for size in BATCH_SIZES[1:]:
            batched = answers[runtime, size][spec.name]
            differences.append(_difference(spec, alone[: len(batched)], batched)[0])
        effects.append(BatchEffect(runtime, spec.name, max(differences)))
    return effects
