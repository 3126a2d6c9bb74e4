"""Reading pixels at places of their own in each picture."""

from __future__ import annotations

from typing import Any

from keras import ops


def pixels_at(pictures: Any, places: Any) -> Any:
    """float32 [N, H, W, C] at row * W + column, int32 [N, P] -> float32 [N, P, C]; gradients pass through to the pictures."""
    height, width, channels = pictures.shape[1:]
    count = ops.shape(pictures)[0]
    # One gather of whole pixels: `take_along_axis` reads single values, and is several times slower on CPUs.
    first = ops.expand_dims(ops.arange(count, dtype="int32") * (height * width), 1)
    return ops.take(ops.reshape(pictures, (-1, channels)), places + first, axis=0)
