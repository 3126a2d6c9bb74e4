"""Every architecture that VisionLab trains, by name. A new one is a module here with a `build` function and a line below."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from visionlab_training.zoo import mobilenet_v2


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector's recipe: `build(resolution, classes)` gives a Keras model from uint8-range float pixels to probabilities."""

    build: Callable[[int, int], Any]
    parameters: int


DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {
        "MobileNetV2": Detector(mobilenet_v2.build, 2_263_108),
    }
)


def detector(name: str) -> Detector:
    """The recipe of a detector.

    Raises:
        KeyError: no such architecture; the message names the nearest.
    """
    if name in DETECTORS:
        return DETECTORS[name]
    by_lower = {known.lower(): known for known in DETECTORS}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.0)
    raise KeyError(f"There is no detector architecture {name!r}; did you mean {by_lower[near[0]]!r}?")
