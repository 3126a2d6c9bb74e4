"""One loaded model: an ONNX Runtime session behind its card."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from visionlab_core.model_card import FileDigest, ModelCard, TensorSpec
from visionlab_inference.backend import ModelFailed, Tensors
from visionlab_inference.repository import OUTPUT, head_input
from visionlab_inference.tensor_check import check_outputs, output_names

ReadFile = Callable[[str], bytes]
"""Gives the bytes of a file of a model version, by its name in the card."""

_ONNX_TYPES = {"uint8": "tensor(uint8)", "int64": "tensor(int64)", "float32": "tensor(float)"}


class DamagedModel(ValueError):
    """The model's file is not the one that its card describes."""


@dataclass(frozen=True, slots=True)
class Session:
    """A model ready to run. Thread-safe, as ONNX Runtime's sessions are."""

    card: ModelCard
    _onnx: ort.InferenceSession

    def run(self, inputs: Tensors, outputs: frozenset[str] | None = None) -> dict[str, NDArray[Any]]:
        """Run one batch and give the outputs that are named, or all; blocks.

        Raises:
            ValueError: an output is unknown.
            ModelFailed: ONNX Runtime failed, or an output holds NaN or infinity, or has another number of rows than the inputs.
        """
        names = output_names(self.card, outputs)
        try:
            values = self._onnx.run(names, dict(inputs))
            rows = len(next(iter(inputs.values())))
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise ModelFailed(f"{self.card.name} failed: {error}") from error
        return check_outputs(self.card, names, dict(zip(names, map(np.asarray, values), strict=True)), rows)


@dataclass(frozen=True, slots=True)
class _Ensemble(Session):
    """Runs its bases' sessions, one after the other, and then the head."""

    _bases: tuple[Session, ...]

    def run(self, inputs: Tensors, outputs: frozenset[str] | None = None) -> dict[str, NDArray[Any]]:
        """See Session; a base that fails fails the ensemble."""
        said = {head_input(i): base.run(inputs, frozenset({OUTPUT}))[OUTPUT] for i, base in enumerate(self._bases)}
        return Session.run(self, said, outputs)


def load_session(card: ModelCard, read_file: ReadFile) -> Session:
    """Load a model that runs on its caller's thread; blocks for up to seconds.

    The bytes are checked against the card before they are parsed.

    Raises:
        DamagedModel: the file has another sha256 or size than the card says, or its tensors are not the card's.
        Exception: what `read_file` raised, where the file cannot be read.
    """
    onnx = _load(card, read_file, card.files["model.onnx"])
    _check_tensors(card.inputs, onnx.get_inputs(), card.name)
    _check_tensors(card.outputs, onnx.get_outputs(), card.name)
    return Session(card, onnx)


def load_ensemble(card: ModelCard, bases: Sequence[Session], read_file: ReadFile, head: FileDigest) -> Session:
    """Load an ensemble's head in front of its bases, which are loaded already; blocks.

    Args:
        card: the ensemble's card.
        bases: the sessions of its bases, in the head's order.
        read_file: gives the head's graph as `model.onnx`; see `visionlab_inference.repository.head_graph`.
        head: of that graph.

    Raises:
        DamagedModel: the graph is not the one that was said, or no head of so many bases.
        Exception: what `read_file` raised, where the file cannot be read.
    """
    onnx = _load(card, read_file, head)
    answers = tuple(TensorSpec(name=head_input(i), dtype="float32", shape=card.outputs[0].shape) for i in range(len(bases)))
    _check_tensors(answers, onnx.get_inputs(), card.name)
    _check_tensors(card.outputs, onnx.get_outputs(), card.name)
    return _Ensemble(card, onnx, tuple(bases))


def _load(card: ModelCard, read_file: ReadFile, expected: FileDigest) -> ort.InferenceSession:
    data = read_file("model.onnx")
    if len(data) != expected.size or hashlib.sha256(data).hexdigest() != expected.sha256:
        raise DamagedModel(
            f"model.onnx of {card.name} version {card.version} is damaged: its sha256 is not the card's. Install the model again."
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise DamagedModel(f"ONNX Runtime cannot load {card.name} version {card.version}: {error}") from error


def available_cpus() -> int:
    """CPUs that this process may use: its affinity, and the CPU quota of its cgroup (version 2) where one is set."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            cpus = min(cpus, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return cpus


def _check_tensors(specs: tuple[TensorSpec, ...], found: Any, model: str) -> None:
    have = {node.name: node for node in found}
    for spec in specs:
        node = have.get(spec.name)
        if node is None or (node.type, tuple(node.shape[1:])) != (_ONNX_TYPES[spec.dtype], spec.shape):
            graph = "none" if node is None else f"{node.type} {node.shape}"
            raise DamagedModel(
                f"{model}: the card's tensor {spec.name!r} is {spec.dtype} [N, {spec.shape}], the graph has {graph}."
            )
        if isinstance(node.shape[0], int):
            raise DamagedModel(
                f"{model}: {spec.name!r} is for batches of {node.shape[0]} alone; export it with an open batch size."
            )
