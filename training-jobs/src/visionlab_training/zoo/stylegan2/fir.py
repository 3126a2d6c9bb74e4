"""The low-pass filter [1, 3, 3, 1] of StyleGAN2 and what is built on it (Karras et al., 2020, arXiv:1912.04958, appendix B).

All functions take and give [N, H, W, C] with static H, W and C, and keep the dtype.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

TAPS = np.array([1, 3, 3, 1], np.float32) / 8


def blur(x: Any, before: int, after: int, gain: float = 1.0) -> Any:
    """Filter; H and W grow by `before` + `after` - 3, the numbers of zeros that are put in front and behind."""
    padding = ((0, 0), (before, after), (before, after), (0, 0))
    return _filter(ops.pad(x, padding), gain)


def upsample(x: Any) -> Any:
    """Twice the height and width: zeros between the values, then the filter with the gain that keeps the mean."""
    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, height, 1, width, 1, channels))
    x = ops.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 1), (0, 0)))
    return blur(ops.reshape(x, (-1, 2 * height, 2 * width, channels)), 2, 1, gain=4.0)


def downsample(x: Any) -> Any:
    """Half the height and width: the filter, then every second value."""
    return blur(x, 1, 1)[:, ::2, ::2]


def _filter(x: Any, gain: float) -> Any:
    if keras.backend.backend() == "jax":
        # XLA fuses sums of shifted maps into one kernel; its depthwise convolutions are slow, their gradients more so.
        vertical = sum(_tap(x, 1, i) for i in range(4))
        return sum(_tap(vertical, 2, i) for i in range(4)) * gain
    kernel = np.tile((np.outer(TAPS, TAPS) * gain)[:, :, None, None], (1, 1, x.shape[-1], 1))
    return ops.depthwise_conv(x, ops.cast(kernel, x.dtype), 1, "valid")


def _tap(x: Any, axis: int, position: int) -> Any:
    length = x.shape[axis] - 3
    window = (slice(None),) * axis + (slice(position, position + length),)
    return x[window] * float(TAPS[position])
