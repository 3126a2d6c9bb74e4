"""A detector of images of one grey: darkness is the class."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from support.image_files import encoded
from support.tiny_models import onnx_model

from visionlab_core.face_class import FACE_CLASSES, FaceClass

_LEVELS = np.array([30, 90, 150, 210], np.float32)


def grey(face_class: FaceClass, seed: int) -> bytes:
    """A JPEG file of the class's grey, with a grain of its own."""
    grain = np.random.default_rng(seed).integers(-12, 13, (64, 64, 3))
    level = _LEVELS[FACE_CLASSES.index(face_class)]
    return encoded((level + grain).clip(0, 255).astype(np.uint8), "JPEG", quality=95)


def brightness_detector(*, right: bool) -> bytes:
    """ONNX: gives the class of the nearest grey; where it is not to be right, always the class after it."""
    levels = _LEVELS if right else np.roll(_LEVELS, 1)
    # -(x - l)^2 / 100 without the part that all classes share.
    kernel = np.tile(2 * levels / 100 / 3, (3, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["channels_first"], ["mosaic"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Transpose", ["mosaic"], ["regions"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["regions", "kernel"], ["activation_map"]),
        helper.make_node("ReduceMean", ["activation_map"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Add", ["mean", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    return onnx_model(
        nodes,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 224, 224, 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 4]),
            helper.make_tensor_value_info("activation_map", TensorProto.FLOAT, ["N", 7, 7, 4]),
        ],
        {"kernel": kernel, "bias": (-levels * levels / 100).astype(np.float32)},
    )
