"""Layers of StyleGAN2: equalised learning rates, modulated convolutions, noise (Karras et al., 2020, arXiv:1912.04958).

All weights are float32 and start from a standard normal distribution; the constant of He initialisation is applied each time a
weight is used (equalised learning rate, Karras et al., 2018, arXiv:1710.10196, section 4.1). `precision` is the dtype of the
convolutions; styles and demodulation are always float32.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from visionlab_training.zoo.stylegan2 import fir

LEAKINESS = 0.2
GAIN = math.sqrt(2)
"""Keeps the variance through a leaky ReLU."""

EPSILON = 1e-8


class EqualizedDense(keras.layers.Layer):
    """float32 [N, C] -> [N, units]. `learning_rate` is a part of the optimiser's: weights are stored larger by its inverse."""

    def __init__(
        self, units: int, *, activated: bool = False, bias: float = 0.0, learning_rate: float = 1.0, name: str | None = None
    ) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._units = units
        self._activated = activated
        self._first_bias = bias
        self._learning_rate = learning_rate

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self.kernel = self.add_weight(
            (shape[-1], self._units), initializer=_normal(1 / self._learning_rate), name="kernel", dtype="float32"
        )
        first = keras.initializers.Constant(self._first_bias / self._learning_rate)
        self.bias = self.add_weight((self._units,), initializer=first, name="bias", dtype="float32")

    def call(self, x: Any) -> Any:
        """See the class."""
        scale = self._learning_rate / math.sqrt(self.kernel.shape[0])
        y = ops.matmul(x, self.kernel * scale) + self.bias * self._learning_rate
        return ops.leaky_relu(y, LEAKINESS) * GAIN if self._activated else y


class EqualizedConv(keras.layers.Layer):
    """[N, H, W, C] -> [N, H, W, filters], or half the height and width with `down`: filtered first, so that nothing aliases.

    `gain` scales the output; 1 / sqrt(2) in the two branches of a residual block.
    """

    def __init__(
        self,
        filters: int,
        size: int,
        *,
        down: bool = False,
        activated: bool = True,
        gain: float = 1.0,
        precision: str = "float32",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._filters = filters
        self._size = size
        self._down = down
        self._activated = activated
        self._gain = gain
        self._precision = precision

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self.kernel = self.add_weight(
            (self._size, self._size, shape[-1], self._filters), initializer=_normal(), name="kernel", dtype="float32"
        )
        if self._activated:
            self.bias = self.add_weight((self._filters,), initializer="zeros", name="bias", dtype="float32")

    def call(self, x: Any) -> Any:
        """See the class."""
        x = ops.cast(x, self._precision)
        gain = self._gain * (GAIN if self._activated else 1.0)
        kernel = ops.cast(self.kernel * (gain / math.sqrt(math.prod(self.kernel.shape[:3]))), self._precision)
        if not self._down:
            y = ops.conv(x, kernel, 1, "same")
        elif self._size == 1:
            y = ops.conv(fir.downsample(x), kernel, 1, "valid")
        else:
            y = ops.conv(fir.blur(x, 2, 2), kernel, 2, "valid")
        if not self._activated:
            return y
        # The gain is in the kernel and here in the bias: a leaky ReLU passes a positive factor through.
        return ops.leaky_relu(y + ops.cast(self.bias * gain, self._precision), LEAKINESS)


class ModulatedConv(keras.layers.Layer):
    """A convolution whose input channels are scaled by a style: x [N, H, W, C], w float32 [N, L] -> [N, H, W, filters].

    With `demodulated`, each output channel of each picture is divided by the norm of its scaled weights (section 2.2 of the
    paper). With `up`, height and width double. Input and output are scaled, not the weights: one convolution for the whole batch.
    `gain` scales the output.
    """

    def __init__(
        self,
        filters: int,
        size: int,
        *,
        up: bool = False,
        demodulated: bool = True,
        gain: float = 1.0,
        precision: str = "float32",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._filters = filters
        self._size = size
        self._up = up
        self._demodulated = demodulated
        self._gain = gain
        self._precision = precision

    def build(self, x_shape: Any, w_shape: Any) -> None:
        """Make the weights."""
        channels = x_shape[-1]
        self.kernel = self.add_weight(
            (self._size, self._size, channels, self._filters), initializer=_normal(), name="kernel", dtype="float32"
        )
        self.style = EqualizedDense(channels, bias=1.0, name="style")
        self.style.build(w_shape)

    def call(self, x: Any, w: Any) -> Any:
        """See the class."""
        kernel = self.kernel * (1 / math.sqrt(math.prod(self.kernel.shape[:3])))
        style = self.style(w)
        x = ops.cast(x, self._precision) * self._of_channels(style)
        if self._up:
            y = ops.conv_transpose(x, ops.cast(ops.transpose(kernel, (0, 1, 3, 2)), self._precision), 2, "valid")
            y = fir.blur(y, 1, 1, gain=4.0)
        else:
            y = ops.conv(x, ops.cast(kernel, self._precision), 1, "same")
        if self._demodulated:
            squares = ops.matmul(ops.square(style), ops.sum(ops.square(kernel), axis=(0, 1)))
            return y * self._of_channels(ops.rsqrt(squares + EPSILON) * self._gain)
        return y * self._gain if self._gain != 1 else y

    def _of_channels(self, scales: Any) -> Any:
        return ops.cast(scales[:, None, None, :], self._precision)


class StyledConv(keras.layers.Layer):
    """Modulated 3 x 3 convolution, noise, bias and leaky ReLU: x [N, H, W, C], w float32 [N, L] -> [N, S, S, filters].

    `noise` float32 [N, S, S, 1] is standard normal and is scaled by a learned strength. Without it the layer adds a constant map
    of its own, so that one latent always makes one picture.
    """

    def __init__(self, filters: int, *, up: bool, precision: str = "float32", name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._filters = filters
        self._up = up
        self._precision = precision

    def build(self, x_shape: Any, w_shape: Any) -> None:
        """Make the weights."""
        side = x_shape[1] * (2 if self._up else 1)
        self.conv = ModulatedConv(self._filters, 3, up=self._up, gain=GAIN, precision=self._precision, name="conv")
        self.conv.build(x_shape, w_shape)
        self.bias = self.add_weight((self._filters,), initializer="zeros", name="bias", dtype="float32")
        self.noise_strength = self.add_weight((), initializer="zeros", name="noise_strength", dtype="float32")
        self.noise = self.add_weight((side, side, 1), initializer=_normal(), name="noise", trainable=False, dtype="float32")

    def call(self, x: Any, w: Any, noise: Any = None) -> Any:
        """See the class."""
        strength = self.noise_strength * GAIN
        if noise is None:
            # Spread over the batch: an export would fold the constant map and the bias into one of as many channels as x.
            noise = ops.broadcast_to(self.noise * strength, (ops.shape(x)[0], *self.noise.shape))
        else:
            noise = noise * strength
        y = self.conv(x, w) + ops.cast(noise, self._precision)
        return ops.leaky_relu(y + ops.cast(self.bias * GAIN, self._precision), LEAKINESS)


class ToRGB(keras.layers.Layer):
    """x [N, S, S, C], w float32 [N, L] -> picture float32 [N, S, S, 3]: a modulated 1 x 1 convolution without demodulation."""

    def __init__(self, *, precision: str = "float32", name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._precision = precision

    def build(self, x_shape: Any, w_shape: Any) -> None:
        """Make the weights."""
        self.conv = ModulatedConv(3, 1, demodulated=False, precision=self._precision, name="conv")
        self.conv.build(x_shape, w_shape)
        self.bias = self.add_weight((3,), initializer="zeros", name="bias", dtype="float32")

    def call(self, x: Any, w: Any) -> Any:
        """See the class."""
        return ops.cast(self.conv(x, w), "float32") + self.bias


class MinibatchDeviation(keras.layers.Layer):
    """Append a channel: the standard deviation over groups of pictures, averaged over all places and channels.

    It lets the discriminator see that a batch lacks variety (Karras et al., 2018, arXiv:1710.10196, section 3). The batch is a
    multiple of the group, or smaller than it.
    """

    GROUP = 4

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)

    def call(self, x: Any) -> Any:
        """See the class."""
        count, (height, width, channels) = ops.shape(x)[0], x.shape[1:]
        group = min(x.shape[0] or self.GROUP, self.GROUP)
        groups = ops.reshape(x, (group, -1, height, width, channels))
        deviation = ops.sqrt(ops.var(groups, axis=0) + EPSILON)
        deviation = ops.tile(ops.mean(deviation, axis=(1, 2, 3)), [group])
        return ops.concatenate([x, ops.broadcast_to(deviation[:, None, None, None], (count, height, width, 1))], axis=3)

    def compute_output_shape(self, shape: Any) -> Any:
        """One channel more."""
        return (*shape[:3], shape[3] + 1)


def _normal(deviation: float = 1.0) -> Any:
    return keras.initializers.RandomNormal(stddev=deviation)
