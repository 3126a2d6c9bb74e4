"""What a model that came from elsewhere does with images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ModelKind, TensorSpec, TensorType
from visionlab_inference.images import DETECTOR_SIDE
from visionlab_inference.model_check.graph import UnusableGraph

BATCHES: Final = (1, 3)
_TYPES: Final[dict[str, TensorType]] = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(int64)": "int64"}
_SAME: Final = 1e-3
_SIDES: Final = range(8, 1025)


def try_out(data: bytes, kind: ModelKind) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Load a model and run it at batch sizes 1 and 3; gives its inputs and outputs.

    Raises:
        UnusableGraph: ONNX Runtime does not take it, its tensors are not those of its kind, or its answers are none.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session: Any = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class but Exception
        raise UnusableGraph(f"ONNX Runtime does not take the model: {_first_line(error)}") from error
    inputs, outputs = _specs(session.get_inputs()), _specs(session.get_outputs())
    (_check_detector if kind == "detector" else _check_generator)(inputs, outputs)
    given = _examples(inputs)
    answers: list[dict[str, NDArray[Any]]] = []
    for size in BATCHES:
        try:
            values = session.run(list(outputs), {name: value[:size] for name, value in given.items()})
        except Exception as error:  # as above
            raise UnusableGraph(f"The model fails with {size} images at once: {_first_line(error)}") from error
        answers.append(dict(zip(outputs, values, strict=True)))
        for name, value in answers[-1].items():
            _check_answer(name, value, (size, *outputs[name].shape))
    for name in outputs:
        one, first = (answer[name][0].astype(np.float64) for answer in answers)
        if np.abs(one - first).max() > (_SAME if outputs[name].dtype == "float32" and kind == "detector" else 2.0):
            raise UnusableGraph(f"What the model says in {name!r} of an image depends on the others in its batch.")
    return tuple(inputs.values()), tuple(outputs.values())


def _specs(nodes: Any) -> dict[str, TensorSpec]:
    found = {}
    for node in nodes:
        if node.type not in _TYPES:
            raise UnusableGraph(f"The tensor {node.name[:60]!r} is {node.type}; inputs are uint8 or float32, outputs too.")
        if not node.shape or isinstance(node.shape[0], int):
            raise UnusableGraph(f"The tensor {node.name[:60]!r} is not for batches of any size: leave its first dimension open.")
        if not all(isinstance(size, int) for size in node.shape[1:]):
            raise UnusableGraph(
                f"The tensor {node.name[:60]!r} has the shape {node.shape}: only the first dimension may be open."
            )
        found[node.name] = TensorSpec(name=node.name, dtype=_TYPES[node.type], shape=tuple(node.shape[1:]))
    return found


def _check_detector(inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]) -> None:
    side = DETECTOR_SIDE
    _require(inputs, "image", "uint8", (side, side, 3), "input", "resizing and scaling of the pixels belong into the graph")
    probabilities = outputs.get("probabilities")
    if probabilities is not None and len(probabilities.shape) == 1 and probabilities.shape[0] != len(FACE_CLASSES):
        raise UnusableGraph(
            f"The model tells {probabilities.shape[0]} classes apart; there are {len(FACE_CLASSES)}: {', '.join(FACE_CLASSES)}."
        )
    _require(outputs, "probabilities", "float32", (len(FACE_CLASSES),), "output", "after the softmax")
    if strangers := sorted({*inputs, *outputs} - {"image", "probabilities", "activation_map"}):
        raise UnusableGraph(f"A detector has no tensor {strangers[0][:60]!r}: image in, probabilities and activation_map out.")
    if (regions := outputs.get("activation_map")) is not None and (
        len(regions.shape) != 3 or regions.shape[2] != len(FACE_CLASSES) or regions.dtype != "float32"
    ):
        raise UnusableGraph(f"activation_map is float32 [N, rows, columns, {len(FACE_CLASSES)}], not {list(regions.shape)}.")


def _check_generator(inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]) -> None:
    _require(inputs, "truncation", "float32", (1,), "input", "1 = all variety")
    latent, image = inputs.get("latent"), outputs.get("image")
    if latent is None or latent.dtype != "float32" or len(latent.shape) != 1 or not 1 <= latent.shape[0] <= 4096:
        raise UnusableGraph("A generator has the input latent, float32 [N, size].")
    if image is None or image.dtype != "uint8" or len(image.shape) != 3 or image.shape[0] not in _SIDES:
        raise UnusableGraph("A generator has the output image, uint8 [N, side, side, 3].")
    taken = {*inputs} - {"style", "crossover"}
    if taken != {*inputs}:
        _require(inputs, "style", "float32", latent.shape, "input", "noise whose styles are mixed in")
        _require(inputs, "crossover", "float32", (1,), "input", "the part of the layers that has its styles from latent")
    if image.shape != (image.shape[0], image.shape[0], 3) or taken != {"latent", "truncation"} or {*outputs} != {"image"}:
        raise UnusableGraph(
            "A generator takes latent and truncation, or these with style and crossover, and gives square pictures, image."
        )


def _require(
    tensors: Mapping[str, TensorSpec], name: str, dtype: TensorType, shape: tuple[int, ...], what: str, beside: str
) -> None:
    wanted = TensorSpec(name=name, dtype=dtype, shape=shape)
    if tensors.get(name) != wanted:
        there = ", ".join(f"{each.name[:60]!r} {each.dtype} {['N', *each.shape]}" for each in tensors.values()) or "none"
        raise UnusableGraph(f"The {what} {name!r} has to be {dtype} {['N', *shape]} ({beside}); there is {there}.")


def _examples(inputs: Mapping[str, TensorSpec]) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    made: dict[str, NDArray[Any]] = {}
    neutral = ("truncation", "crossover")
    for name, spec in inputs.items():
        shape = (max(BATCHES), *spec.shape)
        if spec.dtype == "uint8":
            made[name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            made[name] = (np.ones(shape) if name in neutral else random.uniform(-1, 1, shape)).astype(np.float32)
    return made


def _check_answer(name: str, value: NDArray[Any], shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise UnusableGraph(f"The model gave {name!r} with the shape {list(value.shape)}, not {list(shape)}.")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise UnusableGraph(f"The model gave values in {name!r} that are no numbers (NaN or infinity).")
    if name == "probabilities" and (value.min() < -_SAME or np.abs(value.sum(axis=1) - 1).max() > 10 * _SAME):
        raise UnusableGraph("The model's probabilities do not add up to 1: does a softmax stand at its end?")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
