"""The served graph as an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

from visionlab_export.errors import ExportError
from visionlab_export.half_kernels import halve_kernels
from visionlab_export.serving import Runner, ServedGraph, Tensors

OPSET: Final = 18
"""ONNX operator set: the newest that tf2onnx writes, and below the 21 of the oldest ONNX Runtime that we serve with."""

BATCH: Final = "batch"
"""Name of the dimension that may have any size."""


def to_onnx(graph: ServedGraph) -> onnx.ModelProto:
    """Convert the graph: constants folded, no external data, the batch of any size.

    BatchNorms become part of the convolution before them; after depthwise convolutions they stay a product and a sum, which
    ONNX Runtime merges when it loads the file. Kernels that are rounded to half precision take half the space, and the model
    computes the same with them; see `visionlab_export.half_kernels`.

    `tf2onnx.convert.from_function` and not Keras' `model.export(format="onnx")`, which calls the former on the model's own
    call: only with a function of our own are the tensors named, the pixels uint8 and two outputs possible, and only so is what
    is converted the very function that the SavedModel holds.

    The same model gives the same bytes: tf2onnx numbers its tensors by counters of the process and orders them by hashes, so
    nodes are sorted and named here by where they stand in the graph.

    Raises:
        ExportError: the result is not a valid model.
    """
    signature = [tf.TensorSpec([None, *spec.shape], spec.dtype, name=spec.name) for spec in graph.inputs]
    converted, external = tf2onnx.convert.from_function(graph.function, input_signature=signature, opset=OPSET)
    if external:
        raise ExportError("The model is too large for one ONNX file (2 GB).")
    halved = halve_kernels(converted, [np.asarray(variable) for variable in graph.variables])
    model = _canonical(halved, [spec.name for spec in graph.inputs], [spec.name for spec in graph.outputs])
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"The converted model is not valid ONNX: {error}") from error
    return model


def write_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Write the model to one file."""
    path.write_bytes(model.SerializeToString(deterministic=True))


def onnx_runner(path: Path, *, threads: int = 1) -> Runner:
    """Load an ONNX file into ONNX Runtime on the CPU, to be called with arrays.

    Raises:
        ExportError: ONNX Runtime refuses the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # Its exceptions have no common class below Exception.
        raise ExportError(f"ONNX Runtime does not load {path.name}: {error}") from error
    names = [output.name for output in session.get_outputs()]

    def run(tensors: Tensors) -> Tensors:
        return dict(zip(names, session.run(names, dict(tensors)), strict=True))

    return run


def _canonical(model: onnx.ModelProto, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    """The same model with its nodes in the order of their use and every name made from that order."""
    source = model.graph
    initializers = {tensor.name: tensor for tensor in source.initializer}
    names = {name: name for name in (*inputs, *outputs)} | {"": ""}
    graph = onnx.GraphProto(name="visionlab")
    for position, node in enumerate(_in_order_of_use(source, outputs)):
        copy = graph.node.add()
        copy.CopyFrom(node)
        copy.name = f"{node.op_type}_{position}"
        copy.doc_string = ""
        for slot, tensor in enumerate(node.input):
            if tensor not in names:
                names[tensor] = f"{copy.name}.in{slot}"
                graph.initializer.add().CopyFrom(initializers[tensor])
                graph.initializer[-1].name = names[tensor]
            copy.input[slot] = names[tensor]
        for slot, tensor in enumerate(node.output):
            names.setdefault(tensor, f"{copy.name}.out{slot}")
            copy.output[slot] = names[tensor]
    graph.input.extend(_with_batch(_named(source.input, name)) for name in inputs)
    graph.output.extend(_with_batch(_named(source.output, name)) for name in outputs)
    domains = {node.domain for node in graph.node}
    return onnx.helper.make_model(
        graph,
        opset_imports=[opset for opset in model.opset_import if opset.domain in domains],
        ir_version=model.ir_version,
        producer_name=model.producer_name,
        producer_version=model.producer_version,
    )


def _in_order_of_use(graph: onnx.GraphProto, outputs: list[str]) -> Iterator[onnx.NodeProto]:
    """Every node that an output needs, after the nodes that it needs itself: depth first, by output and input position."""
    producers = {tensor: node for node in graph.node for tensor in node.output}
    done: set[str] = set()
    waiting = [(name, False) for name in reversed(outputs)]
    while waiting:
        tensor, inputs_done = waiting.pop()
        node = producers.get(tensor)
        if node is None or node.output[0] in done:
            continue
        if inputs_done:
            done.add(node.output[0])
            yield node
        else:
            waiting.append((tensor, True))
            waiting.extend((name, False) for name in reversed(node.input))


def _named(infos: Any, name: str) -> onnx.ValueInfoProto:
    found: onnx.ValueInfoProto = next(info for info in infos if info.name == name)
    return found


def _with_batch(info: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(info)
    copy.type.tensor_type.shape.dim[0].dim_param = BATCH
    return copy
