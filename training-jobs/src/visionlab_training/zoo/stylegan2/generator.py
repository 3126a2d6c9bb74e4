"""The whole generator, as it is averaged, exported and served."""

from __future__ import annotations

from typing import Any

import keras

from visionlab_training.zoo.stylegan2.mapping import Mapping, NormalLatent, Truncation
from visionlab_training.zoo.stylegan2.synthesis import Synthesis


def generator(
    side: int,
    *,
    latent_size: int,
    mapping_layers: int,
    mapping_learning_rate: float,
    base: int,
    most: int,
    precision: str = "float32",
) -> Any:
    """A Keras model: `latent` float32 [N, L] uniform in -1 ... 1, `truncation` float32 [N, 1] -> picture float32 [N, S, S, 3].

    The noise inside is constant: one latent makes one picture. Its layers `mapping`, `truncate` and `synthesis` are what the
    training uses, on normal latents and with random noise.
    """
    latent = keras.Input((latent_size,), name="latent")
    psi = keras.Input((1,), name="truncation")
    z = NormalLatent(name="normal")(latent)
    w = Truncation(name="truncate")(Mapping(latent_size, mapping_layers, mapping_learning_rate, name="mapping")(z), psi)
    synthesis = Synthesis(side, base, most, precision, name="synthesis")
    styles = keras.layers.RepeatVector(synthesis.styles, name="styles")(w)
    return keras.Model([latent, psi], synthesis(styles), name="stylegan2_generator")
