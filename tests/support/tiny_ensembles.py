"""Stacks and votes of tiny detectors: the whole graph, as an export has it, beside the weights of its head."""

from __future__ import annotations

import hashlib
import io
from uuid import UUID

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_card, detector_onnx

from visionlab_core.model_card import FileDigest, ModelCard, TensorSpec

STACK = UUID("77777777-7777-4777-8777-777777777777")
BASES = (DETECTOR, SECOND_DETECTOR)


def base(number: int, version: int = 1, *, rounds: int = 0) -> tuple[ModelCard, bytes]:
    """A base, 0 or 1, and its graph."""
    data = detector_onnx(10 * version + number, rounds=rounds)
    return detector_card(data, BASES[number], f"base-{number}", version), data


def stack_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of a stack of two bases."""
    random = np.random.default_rng(seed)
    shapes = {"mix/kernel": (8, 12), "mix/bias": (12,), "probabilities/kernel": (12, 4), "probabilities/bias": (4,)}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """The file of these arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def stack(
    bases: list[tuple[ModelCard, bytes]], *, temperature: float = 1.5, vote: bool = False
) -> tuple[ModelCard, bytes, bytes]:
    """An ensemble of two bases: its card, its whole graph, and its weights.npz."""
    weights = {} if vote else stack_weights()
    whole = _whole([data for _, data in bases], weights, temperature)
    archive = npz(weights)
    card = detector_card(whole, STACK, "stack").model_copy(
        update={
            "ensemble": True,
            "base_models": tuple(card.uuid for card, _ in bases),
            "base_versions": tuple(card.version for card, _ in bases),
            "outputs": (TensorSpec(name="probabilities", dtype="float32", shape=(4,)),),
            "temperature": temperature,
        }
    )
    digest = FileDigest(sha256=hashlib.sha256(archive).hexdigest(), size=len(archive))
    return card.model_copy(update={"files": {**card.files, "weights.npz": digest}}), whole, archive


def _whole(graphs: list[bytes], weights: dict[str, np.ndarray], temperature: float) -> bytes:
    prefixed = [compose.add_prefix(onnx.load_from_string(data), f"b{i}/") for i, data in enumerate(graphs)]
    nodes = [helper.make_node("Identity", ["image"], [f"b{i}/image"]) for i in range(len(graphs))]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    constants.append(numpy_helper.from_array(np.array(temperature, np.float32), "temperature"))
    for model in prefixed:
        nodes += model.graph.node
        constants += model.graph.initializer
    answers = [f"b{i}/probabilities" for i in range(len(graphs))]
    if weights:
        nodes += [
            helper.make_node("Concat", answers, ["joint"], axis=1),
            helper.make_node("Gemm", ["joint", "mix/kernel", "mix/bias"], ["mixed"]),
            helper.make_node("Relu", ["mixed"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "probabilities/kernel", "probabilities/bias"], ["logits"]),
        ]
    else:
        nodes += [helper.make_node("Mean", answers, ["mean"]), helper.make_node("Log", ["mean"], ["logits"])]
    nodes += [
        helper.make_node("Div", ["logits", "temperature"], ["tempered"]),
        helper.make_node("Softmax", ["tempered"], ["probabilities"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 224, 224, 3])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 4])]
    graph = helper.make_graph(nodes, "stack", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
