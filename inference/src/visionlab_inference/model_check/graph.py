"""What an ONNX graph is made of, looked at before anything loads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_inference.repository.onnx_graph_pb2 import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

OPSETS: Final = range(7, 22)
IR_VERSIONS: Final = range(3, 12)
MOST_NODES: Final = 100_000

_DOMAINS = ("", "ai.onnx")
_ENDLESS = frozenset({"Loop", "Scan"})
_RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"})
_INT64, _FLOATS = 7, (1, 10, 11, 16)
_BY_CLASS = {"probabilities": 1, "activation_map": 3}
"""Outputs with one value a class, and the axis of the classes."""
_EXTERNAL = 1


class UnusableGraph(ValueError):
    """The file is no model that may be served; the message says what is wrong with it."""


def read_graph(data: bytes) -> ModelProto:
    """The model in an ONNX file.

    Raises:
        UnusableGraph: it is none, or one that cannot be served: external data, operators that are not ONNX's own, an opset that
            is not known, loops, chance.
    """
    try:
        model: ModelProto = ModelProto.FromString(data)
    except DecodeError as error:
        raise UnusableGraph("This is no ONNX file, or it is cut off or damaged.") from error
    if not model.graph.node or not model.opset_import:
        raise UnusableGraph("This is no ONNX file, or it is cut off: there is no graph in it.")
    if model.ir_version not in IR_VERSIONS:
        raise UnusableGraph(
            f"The file's IR version is {model.ir_version}; {IR_VERSIONS.start} to {IR_VERSIONS.stop - 1} are known."
        )
    if model.functions:
        raise UnusableGraph(f"The file defines a function of its own ({_shown(model.functions[0].name)}). Export it inlined.")
    opsets = {entry.version for entry in model.opset_import if entry.domain in _DOMAINS}
    if unknown := sorted(opsets - set(OPSETS)):
        raise UnusableGraph(f"The file uses opset {unknown[0]}; {OPSETS.start} to {OPSETS.stop - 1} are known.")
    nodes = list(_nodes(model.graph))
    if len(nodes) > MOST_NODES:
        raise UnusableGraph(f"The graph has {len(nodes)} nodes; {MOST_NODES} are allowed.")
    for node in nodes:
        _check_node(node)
    for tensor in _tensors(model.graph):
        if tensor.data_location == _EXTERNAL or tensor.external_data:
            raise UnusableGraph(
                f"The weights {_shown(tensor.name)} are in another file. Save the model in one file, without external data."
            )
    return model


def check_size(model: ModelProto, most_bytes: int) -> None:
    """Refuse weights that say they are larger than may be.

    Raises:
        UnusableGraph: they do.
    """
    for tensor in _tensors(model.graph):
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > most_bytes:
            raise UnusableGraph(f"The weights {_shown(tensor.name)} say they have the shape {list(tensor.dims)[:8]}: too large.")


def parameters(model: ModelProto) -> int:
    """How many numbers the model has learnt: the values of its floating-point weights."""
    return sum(math.prod(tensor.dims) for tensor in model.graph.initializer if tensor.data_type in _FLOATS)


def in_our_order(model: ModelProto, classes: Sequence[FaceClass]) -> ModelProto:
    """The same detector with its classes in the order that all of VisionLab has.

    Args:
        model: a detector.
        classes: the order in which it gives them.
    """
    if tuple(classes) == FACE_CLASSES:
        return model
    ordered = ModelProto()
    ordered.CopyFrom(model)
    graph = ordered.graph
    places = [classes.index(face_class) for face_class in FACE_CLASSES]
    given = {output.name: f"{output.name}/as_uploaded" for output in graph.output if output.name in _BY_CLASS}
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name in given:
                    names[place] = given[name]
    indices = TensorProto(dims=[len(places)], data_type=_INT64, name="visionlab/class_order")
    indices.raw_data = b"".join(place.to_bytes(8, "little") for place in places)
    graph.initializer.append(indices)
    for name, unordered in given.items():
        axis = AttributeProto(name="axis", i=_BY_CLASS[name], type=AttributeProto.INT)
        graph.node.append(NodeProto(input=[unordered, indices.name], output=[name], op_type="Gather", attribute=[axis]))
    return ordered


def _check_node(node: NodeProto) -> None:
    name = _shown(node.op_type)
    if node.domain not in _DOMAINS:
        raise UnusableGraph(f"The operator {name} of {_shown(node.domain)} is not one of ONNX's own. Export it without it.")
    if node.op_type in _ENDLESS:
        raise UnusableGraph(f"The operator {name} may go on without an end. Export the model without loops.")
    if node.op_type in _RANDOM:
        raise UnusableGraph(f"The operator {name} makes answers by chance; the same image has to give the same answer.")


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)
            for each in attribute.graphs:
                yield from _nodes(each)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            for each in (attribute.g, *attribute.graphs):
                yield from _tensors(each) if each.node or each.initializer else ()


def _shown(name: str) -> str:
    return repr(name[:60])
