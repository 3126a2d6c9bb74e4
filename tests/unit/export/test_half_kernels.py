"""Kernels at half precision change the size of a file and not one bit of its answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from visionlab_export.half_kernels import LEAST_VALUES, halve_kernels
from visionlab_export.onnx_file import to_onnx, write_onnx
from visionlab_export.serving import served_detector
from visionlab_export.weights import round_kernels

Array = NDArray[np.float32]

CONV = ("Conv", (3, 3, 16, 32), (3, 2, 0, 1), 0)
DEPTHWISE = ("Conv", (5, 5, 64, 1), (2, 3, 0, 1), 0)
TRANSPOSED = ("ConvTranspose", (4, 4, 16, 32), (3, 2, 0, 1), 1)
DENSE = ("MatMul", (64, 32), (0, 1), 1)
"""Operator, shape of Keras' kernel, its axes in ONNX, and the axis of the output channels there."""


def rounded(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, 0.05, shape).astype(np.float16).astype(np.float32)


def one_operator(operator: str, weights: Array, groups: int = 1) -> onnx.ModelProto:
    taken = weights.shape[1] * groups if operator == "Conv" else weights.shape[0]
    shape = ["batch", taken] if operator == "MatMul" else ["batch", taken, 9, 9]
    attributes = {} if operator == "MatMul" else {"group": groups}
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "weights"], ["y"], **attributes)],
        "one_operator",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * len(shape))],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def answer(model: onnx.ModelProto) -> NDArray[Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shape = [3, *session.get_inputs()[0].shape[1:]]
    x = np.random.default_rng(1).normal(0, 1, shape).astype(np.float32)
    return np.asarray(session.run(None, {"x": x})[0])


def types(model: onnx.ModelProto) -> Counter[tuple[str, int]]:
    return Counter((TensorProto.DataType.Name(tensor.data_type), math.prod(tensor.dims)) for tensor in model.graph.initializer)


def assert_same_and_smaller(halved: onnx.ModelProto, before: onnx.ModelProto) -> None:
    onnx.checker.check_model(halved, full_check=True)
    assert halved.ByteSize() < 0.6 * before.ByteSize()
    assert answer(halved).tobytes() == answer(before).tobytes()


@pytest.mark.parametrize(("operator", "shape", "axes", "axis"), [CONV, DEPTHWISE, TRANSPOSED, DENSE])
def test_a_kernel_times_a_scale_of_its_channels_is_stored_as_both(
    operator: str, shape: tuple[int, ...], axes: tuple[int, ...], axis: int
) -> None:
    kernel = rounded(shape)
    turned = kernel.transpose(axes)
    channels = turned.shape[axis]
    scale = np.random.default_rng(2).normal(0, 3, channels).astype(np.float32)
    scale[:4] = [0, -0.0, np.nextafter(np.float32(1), np.float32(0)), -1e-4]
    weights = turned * np.expand_dims(scale, [i for i in range(turned.ndim) if i != axis])
    before = one_operator(operator, weights, groups=64 if shape == DEPTHWISE[1] else 1)
    unchanged = before.SerializeToString()
    halved = halve_kernels(before, [rounded(shape, seed=3), kernel, np.ones(5, np.float32)])
    assert types(halved) == {("FLOAT16", kernel.size): 1, ("FLOAT", channels): 1}
    assert_same_and_smaller(halved, before)
    assert before.SerializeToString() == unchanged


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("scale", [1.7, -1.7])
def test_channels_of_zeros_keep_their_sign(zero: float, scale: float) -> None:
    kernel = rounded((3, 3, 16, 32))
    kernel[..., 5] = zero
    before = one_operator("Conv", kernel.transpose(3, 2, 0, 1) * np.float32(scale))
    halved = halve_kernels(before, [kernel])
    assert types(halved) == {("FLOAT16", kernel.size): 1, ("FLOAT", 32): 1}
    assert_same_and_smaller(halved, before)


def test_every_scale_is_found() -> None:
    # Products are rounded up and down, next to powers of two too; for some the quotient is one float beside the scale.
    kernel = rounded((256, 512))
    scale = np.exp2(np.random.default_rng(4).uniform(-20, 20, 512)).astype(np.float32)
    scale[:256] = np.nextafter(np.exp2(np.round(np.log2(scale[:256]))), np.float32(0))
    halved = halve_kernels(one_operator("MatMul", kernel * scale), [kernel])
    found = {t.name: numpy_helper.to_array(t) for t in halved.graph.initializer}
    made_again = found["weights/half"].astype(np.float32) * found["weights/scale"]
    assert made_again.tobytes() == (kernel * scale).tobytes()


def test_what_half_precision_holds_needs_no_scale_and_no_kernel() -> None:
    before = one_operator("MatMul", rounded((64, 32)))
    halved = halve_kernels(before, [])
    assert types(halved) == {("FLOAT16", 2048): 1}
    assert_same_and_smaller(halved, before)


@pytest.mark.parametrize("change", [1e-7, 1.0])
def test_what_needs_all_its_bits_is_left_alone(change: float) -> None:
    kernel = rounded((64, 32))
    weights = kernel * np.float32(1.7)
    weights[40, 7] *= np.float32(1 + change)
    model = one_operator("MatMul", weights)
    assert halve_kernels(model, [kernel]) == model
    unrounded = np.random.default_rng(0).normal(0, 1, (64, 32)).astype(np.float32)
    model = one_operator("MatMul", unrounded * np.float32(1.7))
    assert halve_kernels(model, [unrounded]) == model


def test_small_kernels_are_left_alone() -> None:
    kernel = rounded((LEAST_VALUES // 32 - 1, 32))
    model = one_operator("MatMul", kernel)
    assert halve_kernels(model, [kernel]) == model


def test_a_converted_network_has_halved_kernels_and_the_same_optimised_graph(
    disturbed: Callable[[Any], Any], pictures: NDArray[np.uint8], tmp_path: Path
) -> None:
    graph = served_detector(disturbed(wide_detector()))
    write_onnx(to_onnx(graph), tmp_path / "unrounded.onnx")
    unrounded = onnx.load(tmp_path / "unrounded.onnx")
    assert not any(t.data_type == TensorProto.FLOAT16 for t in unrounded.graph.initializer)

    model = disturbed(wide_detector())
    round_kernels(model)
    graph = served_detector(model)
    halved = to_onnx(graph)
    write_onnx(halved, tmp_path / "halved.onnx")
    assert Counter(types(halved))["FLOAT16", 3 * 3 * 16 * 64] == 1
    assert max(size for (name, size) in types(halved) if name == "FLOAT") < LEAST_VALUES
    assert (tmp_path / "halved.onnx").stat().st_size < 0.6 * (tmp_path / "unrounded.onnx").stat().st_size
    assert optimised(tmp_path / "halved.onnx") == optimised(tmp_path / "unrounded.onnx")

    session = onnxruntime.InferenceSession(tmp_path / "halved.onnx", providers=["CPUExecutionProvider"])
    found = session.run(["probabilities"], {"image": pictures})[0]
    np.testing.assert_allclose(found, graph.reference({"image": pictures})["probabilities"], atol=1e-6)


def wide_detector() -> Any:
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    x = keras.layers.Conv2D(16, 3, strides=2, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(64, 3, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.SeparableConv2D(96, 5, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(48, activation="relu")(x)
    return keras.Model(pixels, keras.layers.Dense(4, activation="softmax")(x))


def optimised(path: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path.with_suffix(".optimised.onnx"))
    options.log_severity_level = 3
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
