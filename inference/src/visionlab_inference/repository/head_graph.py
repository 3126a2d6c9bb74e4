"""The head of an ensemble as a graph of its own: what is left of the ensemble where its bases run anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_inference.ensemble_head import EnsembleHead
from visionlab_inference.repository.onnx_graph_pb2 import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    TensorShapeProto,
    TypeProto,
    ValueInfoProto,
)

OUTPUT: Final = "probabilities"

_IR_VERSION: Final = 8
_OPSET: Final = 17
_SMALLEST: Final = 1e-12
"""As in `EnsembleHead`: a probability of 0 has no logarithm."""


def head_input(base: int) -> str:
    """The graph's input for the probabilities of the base of that number, from 0 on."""
    return f"base_{base}"


def head_graph(head: EnsembleHead) -> bytes:
    """The head as ONNX (operators of version 17): float32 [N, 4] a base to `probabilities`, float32 [N, 4].

    Equal heads give equal bytes. The answers are those of `EnsembleHead` but for rounding.
    """
    inputs = [head_input(number) for number in range(len(head.bases))]
    graph = _Graph()
    if head.layers is None:
        last = graph.add("Mean", inputs)
        if head.temperature != 1.0:
            last = graph.add("Max", [last, graph.constant("smallest", _SMALLEST)])
            last = graph.add("Log", [last])
    else:
        (mix, mix_bias), (out, out_bias) = head.layers
        last = graph.add("Concat", inputs, axis=1)
        last = graph.add("MatMul", [last, graph.constant("mix/kernel", mix)])
        last = graph.add("Add", [last, graph.constant("mix/bias", mix_bias)])
        last = graph.add("Relu", [last])
        last = graph.add("MatMul", [last, graph.constant("probabilities/kernel", out)])
        last = graph.add("Add", [last, graph.constant("probabilities/bias", out_bias)])
    if head.temperature != 1.0:
        last = graph.add("Div", [last, graph.constant("temperature", head.temperature)])
    if head.layers is not None or head.temperature != 1.0:
        graph.add("Softmax", [last], axis=1)
    graph.nodes[-1].output[:] = [OUTPUT]
    model = ModelProto(
        ir_version=_IR_VERSION,
        producer_name="visionlab",
        graph=GraphProto(
            name="head",
            node=graph.nodes,
            initializer=graph.constants,
            input=[_probabilities(name) for name in inputs],
            output=[_probabilities(OUTPUT)],
        ),
        opset_import=[OperatorSetIdProto(version=_OPSET)],
    )
    data: bytes = model.SerializeToString(deterministic=True)
    return data


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, op_type: str, inputs: Sequence[str], **attributes: int) -> str:
        """Add a node; gives the name of its output."""
        name = f"{op_type.lower()}_{len(self.nodes)}"
        self.nodes.append(
            NodeProto(
                name=name,
                op_type=op_type,
                input=inputs,
                output=[name],
                attribute=[AttributeProto(name=key, i=value, type=AttributeProto.INT) for key, value in attributes.items()],
            )
        )
        return name

    def constant(self, name: str, value: NDArray[Any] | float) -> str:
        """Add a constant; gives its name."""
        array = np.asarray(value, "<f4")
        self.constants.append(TensorProto(name=name, dims=array.shape, data_type=TensorProto.FLOAT, raw_data=array.tobytes()))
        return name


def _probabilities(name: str) -> ValueInfoProto:
    dimensions = [TensorShapeProto.Dimension(dim_param="N"), TensorShapeProto.Dimension(dim_value=len(FACE_CLASSES))]
    tensor = TypeProto.Tensor(elem_type=TensorProto.FLOAT, shape=TensorShapeProto(dim=dimensions))
    return ValueInfoProto(name=name, type=TypeProto(tensor_type=tensor))
