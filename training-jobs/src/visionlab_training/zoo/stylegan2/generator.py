"""The whole generator, as it is averaged, exported and served."""

from __future__ import annotations

from typing import Any

import keras

from visionlab_training.zoo.stylegan2.mapping import Crossover, Mapping, NormalLatent, Truncation
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
    """A Keras model: `latent`, `truncation`, `style`, `crossover` -> picture float32 [N, S, S, 3].

    `latent` and `style` are float32 [N, L], uniform in -1 ... 1, `truncation` and `crossover` float32 [N, 1]. The part
    `crossover` of the layers, the coarse ones, has its styles from `latent`, the others from `style` (style mixing); with 1,
    `style` says nothing. The noise inside is constant: the same inputs make the same picture. Its layers `mapping`, `truncate`
    and `synthesis` are what the training uses, on normal latents and with random noise.
    """
    latent, other = (keras.Input((latent_size,), name=name) for name in ("latent", "style"))
    psi, crossover = (keras.Input((1,), name=name) for name in ("truncation", "crossover"))
    normal, truncate = NormalLatent(name="normal"), Truncation(name="truncate")
    mapping = Mapping(latent_size, mapping_layers, mapping_learning_rate, name="mapping")
    synthesis = Synthesis(side, base, most, precision, name="synthesis")
    w, mixed_in = (truncate(mapping(normal(noise)), psi) for noise in (latent, other))
    styles = Crossover(synthesis.styles, name="styles")(w, mixed_in, crossover)
    return keras.Model([latent, psi, other, crossover], synthesis(styles), name="stylegan2_generator")
