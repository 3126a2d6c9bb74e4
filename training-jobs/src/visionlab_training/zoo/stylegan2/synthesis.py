"""From styles to the picture: the skip generator."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from visionlab_training.zoo.stylegan2 import fir
from visionlab_training.zoo.stylegan2.layers import StyledConv, ToRGB
from visionlab_training.zoo.stylegan2.sides import channels, precision_at, sides


class Synthesis(keras.layers.Layer):
    """Styles float32 [N, layers, L] -> picture float32 [N, S, S, 3], about -1 ... 1.

    A learned 4 x 4 constant goes through two styled convolutions a side; what each side adds to the picture is summed up (skip
    outputs). `styles` says how many styles there are: one a convolution, and one for the last conversion to RGB.
    """

    def __init__(self, side: int, base: int, most: int, precision: str = "float32", *, name: str | None = None) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self._channels = channels(side, base, most)
        self._convs: list[StyledConv] = []
        self._to_rgb: list[ToRGB] = []
        for at in sides(side):
            settings = {"precision": precision_at(at, side, precision)}
            if at > 4:
                self._convs.append(StyledConv(self._channels[at], up=True, name=f"up{at}", **settings))
            self._convs.append(StyledConv(self._channels[at], up=False, name=f"conv{at}", **settings))
            self._to_rgb.append(ToRGB(name=f"rgb{at}", **settings))
        self.styles = len(self._convs) + 1

    def build(self, shape: Any) -> None:
        """Make the weights."""
        w_shape = (shape[0], shape[2])
        before = self._channels[4]
        self.constant = self.add_weight(
            (4, 4, before), initializer=keras.initializers.RandomNormal(stddev=1.0), name="constant", dtype="float32"
        )
        convs = iter(self._convs)
        for (at, width), to_rgb in zip(self._channels.items(), self._to_rgb, strict=True):
            if at > 4:
                next(convs).build((shape[0], at // 2, at // 2, before), w_shape)
            next(convs).build((shape[0], at, at, width), w_shape)
            to_rgb.build((shape[0], at, at, width), w_shape)
            before = width

    def call(self, styles: Any, noise: Any = None) -> Any:
        """See the class; `noise` is a list from `random_noise`, or left out for constant noise."""
        x = ops.broadcast_to(self.constant, (ops.shape(styles)[0], *self.constant.shape))
        picture = None
        place = 0
        for at, to_rgb in zip(self._channels, self._to_rgb, strict=True):
            for _ in range(1 if at == 4 else 2):
                x = self._convs[place](x, styles[:, place], None if noise is None else noise[place])
                place += 1
            # The conversion to RGB shares the style of the convolution that comes next.
            shown = to_rgb(x, styles[:, place])
            picture = shown if picture is None else fir.upsample(picture) + shown
        return picture

    def random_noise(self, count: int, seeds: keras.random.SeedGenerator) -> list[Any]:
        """Standard normal noise for `count` pictures: float32 [count, S, S, 1] for each convolution."""
        shapes = [at for at in self._channels for _ in range(1 if at == 4 else 2)]
        return [keras.random.normal((count, at, at, 1), seed=seeds) for at in shapes]
