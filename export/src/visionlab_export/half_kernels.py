"""Kernels of an ONNX model at half precision, without a change of a single bit of what the model computes.

Once its kernels are rounded to what half precision holds (see `visionlab_export.weights`), half of the bytes of a file at single
precision say nothing. Only, TensorFlow multiplies the scale of a BatchNorm into the kernel in front of it, and the product needs
all its bits. So the kernel and the scale are found again and stored apart:

    float16 kernel -> Cast -> float32                       where the initializer holds nothing that half precision does not
    float16 kernel -> Cast -> Mul by float32 scale [C]      where it is a kernel times one scale an output channel

ONNX Runtime computes both when it loads the file, and runs what it ran before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LEAST_VALUES: Final = 1024
"""Initializers of fewer values stay as they are: the nodes would take what the halving saves."""

_OUTPUT_AXES: Final = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}
"""Which axis of the kernel, the second input of these operators, is its output channel."""

_ONNX_AXES: Final = {
    2: ((0, 1),),
    # [h, w, in, out] and, for transposed convolutions, [h, w, out, in]; depthwise [h, w, channels, 1]
    4: ((3, 2, 0, 1), (2, 3, 0, 1)),
}
"""Where ONNX has the axes of Keras' kernels, by their number."""

_STEPS: Final = (0, 1, -1)
"""Where the scale may be, in floats from the quotient of product and kernel: the product's rounding moves the quotient by at most
one float, and its own by half a float."""

Candidates = Mapping[tuple[int, ...], Sequence[NDArray[np.float32]]]


def halve_kernels(model: onnx.ModelProto, kernels: Iterable[NDArray[np.float32]]) -> onnx.ModelProto:
    """The same model with every large kernel stored at half precision that can be made again from that exactly.

    Args:
        model: a converted model; it is not changed. Initializers that need all their bits stay as they are.
        kernels: the weights of the Keras model, float32 and in Keras' layout. Those that half precision does not hold, or that
            are no kernels, are passed over.
    """
    axes = _output_axes(model.graph)
    candidates = _in_onnx_layout(kernels)
    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    del graph.initializer[:], graph.node[:]
    for tensor in model.graph.initializer:
        stored = _stored(tensor, axes[tensor.name], candidates) if tensor.name in axes else None
        if stored is None:
            graph.initializer.append(tensor)
            continue
        half, scale = stored
        unscaled = tensor.name if scale is None else f"{tensor.name}/unscaled"
        graph.initializer.append(numpy_helper.from_array(half, f"{tensor.name}/half"))
        graph.node.append(helper.make_node("Cast", [f"{tensor.name}/half"], [unscaled], to=TensorProto.FLOAT))
        if scale is not None:
            graph.initializer.append(numpy_helper.from_array(scale, f"{tensor.name}/scale"))
            graph.node.append(helper.make_node("Mul", [unscaled, f"{tensor.name}/scale"], [tensor.name]))
    graph.node.extend(model.graph.node)
    return halved


def _output_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """The axis of the output channels of each large float32 kernel, by the initializer's name."""
    used = {node.input[1]: _OUTPUT_AXES[node.op_type] for node in graph.node if node.op_type in _OUTPUT_AXES}
    return {
        tensor.name: used[tensor.name] % len(tensor.dims)
        for tensor in graph.initializer
        if tensor.name in used
        and tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) >= 2
        and math.prod(tensor.dims) >= LEAST_VALUES
    }


def _in_onnx_layout(kernels: Iterable[NDArray[np.float32]]) -> Candidates:
    """The large kernels that half precision holds, by their shape in ONNX."""
    found: dict[tuple[int, ...], list[NDArray[np.float32]]] = {}
    for kernel in kernels:
        if kernel.dtype == np.float32 and kernel.size >= LEAST_VALUES and _half(kernel) is not None:
            for axes in _ONNX_AXES.get(kernel.ndim, ()):
                turned = kernel.transpose(axes)
                found.setdefault(turned.shape, []).append(turned)
    return found


def _stored(
    tensor: onnx.TensorProto, axis: int, candidates: Candidates
) -> tuple[NDArray[np.float16], NDArray[np.float32] | None] | None:
    """A kernel float16 and the scale float32 [..., C, ...] that make the tensor; None: it needs all its bits."""
    values = numpy_helper.to_array(tensor)
    if (half := _half(values)) is not None:
        return half, None
    rows = _rows(values, axis)
    for kernel in candidates.get(values.shape, ()):
        unscaled = _rows(kernel, axis)
        if _scales(unscaled[:1], rows[:1]) is not None and (scales := _scales(unscaled, rows)) is not None:
            shape = [-1 if place == axis else 1 for place in range(values.ndim)]
            return kernel.astype(np.float16), scales.reshape(shape)
    return None


def _half(values: NDArray[np.float32]) -> NDArray[np.float16] | None:
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return half if _same_bits(half.astype(np.float32), values).all() else None


def _scales(kernel: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """One scale a row, float32 [C]: kernel [C, n] times it is values [C, n] bit for bit; None where there is none."""
    # A row's largest value is the last to have a product too small for full precision. A row of zeros shows the sign alone.
    largest = np.abs(kernel).argmax(axis=1, keepdims=True)
    above = np.take_along_axis(values, largest, axis=1).astype(np.float64)
    below = np.take_along_axis(kernel, largest, axis=1).astype(np.float64)
    sign = np.copysign(1.0, above) * np.copysign(1.0, below)
    scales = np.full((len(kernel), 1), np.nan, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        quotient = np.divide(above, below, out=sign, where=below != 0).astype(np.float32)
        for step in _STEPS:
            missing = np.isnan(scales[:, 0])
            tried = _stepped(quotient[missing], step)
            fits = _same_bits(kernel[missing] * tried, values[missing]).all(axis=1, keepdims=True)
            scales[missing] = np.where(fits, tried, np.nan)
    return None if np.isnan(scales).any() else scales[:, 0]


def _stepped(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    for _ in range(abs(step)):
        values = np.nextafter(values, np.float32(math.copysign(math.inf, step)))
    return values


def _rows(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.moveaxis(values, axis, 0)).reshape(values.shape[axis], -1)


def _same_bits(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = np.ascontiguousarray(a).view(np.uint32) == np.ascontiguousarray(b).view(np.uint32)
    return same
