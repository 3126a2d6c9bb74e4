"""Which detectors can be trained, for those who cannot ask the zoo: it takes a machine learning framework to be imported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LEAST_SIDES: Mapping[str, int] = MappingProxyType(
    {
        "ConvNeXtTiny": 32,
        "DenseNet121": 32,
        "DenseNet169": 32,
        "DenseNet201": 32,
        "EfficientNetLite0": 32,
        "EfficientNetV2B0": 32,
        "EfficientNetV2S": 32,
        "InceptionResNetV2": 75,
        "MobileNetV2": 32,
        "NASNetMobile": 32,
        "ResNet101V2": 32,
        "ResNet152V2": 32,
        "ResNet50V2": 32,
        "VGG16": 32,
        "VGG19": 32,
        "Xception": 71,
    }
)
"""The detectors of the zoo by name, with the smallest resolution in pixels that each takes; a test holds both together."""
