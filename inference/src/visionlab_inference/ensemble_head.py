"""What an ensemble makes of its bases' answers. Where the bases were asked anyway, nothing of the ensemble need be run but this.

The served graph of an ensemble holds its bases, so that it answers alone, on any server. This is the rest of that graph: for a
stack Dense(hidden) with ReLU and Dense(4) with softmax on the bases' probabilities side by side, for a vote their mean.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ModelCard
from visionlab_inference.backend import ModelVersion

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Kernel [inputs, units] and bias [units]."""

_CLASSES = len(FACE_CLASSES)


class UnusableHead(ValueError):
    """The weights are not those of a stack of these bases. The ensemble's own graph answers all the same."""


@dataclass(frozen=True, slots=True)
class EnsembleHead:
    """Maps the probabilities of `bases`, in their order, to the ensemble's. `layers` None: a vote."""

    bases: tuple[ModelVersion, ...]
    layers: tuple[Layer, Layer] | None
    temperature: float = 1.0

    def __call__(self, probabilities: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """One array float32 [N, 4] a base -> float32 [N, 4]."""
        if self.layers is None:
            return _tempered(np.mean(probabilities, axis=0, dtype=np.float32), self.temperature)
        (mix, mix_bias), (out, out_bias) = self.layers
        mixed = np.maximum(np.concatenate(probabilities, axis=1) @ mix + mix_bias, 0)
        return _softmax((mixed @ out + out_bias) / np.float32(self.temperature))


def read_head(card: ModelCard, weights: bytes) -> EnsembleHead:
    """The head of an ensemble whose card names its bases' versions.

    Args:
        card: the ensemble's card.
        weights: its `weights.npz`, which for a vote holds nothing.

    Raises:
        UnusableHead: the card does not say which versions the bases are, or the weights are those of something else.
    """
    if not card.base_versions:
        raise UnusableHead(f"The card of {card.name} does not name the versions of its bases.")
    bases = tuple(map(ModelVersion, card.base_models, card.base_versions))
    try:
        with np.load(io.BytesIO(weights), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float32) for name in file.files}
    except (ValueError, OSError, BadZipFile) as error:
        raise UnusableHead(f"The weights of {card.name} cannot be read: {error}") from error
    if not arrays:
        return EnsembleHead(bases, None, card.temperature)
    try:
        mix = arrays["mix/kernel"], arrays["mix/bias"]
        out = arrays["probabilities/kernel"], arrays["probabilities/bias"]
    except KeyError as error:
        raise UnusableHead(f"The weights of {card.name} lack {error}.") from error
    hidden = mix[1].size
    shapes = [array.shape for layer in (mix, out) for array in layer]
    if shapes != [(_CLASSES * len(bases), hidden), (hidden,), (hidden, _CLASSES), (_CLASSES,)]:
        raise UnusableHead(f"The weights of {card.name} have the shapes {shapes}, which do not fit its {len(bases)} bases.")
    return EnsembleHead(bases, (mix, out), card.temperature)


def _softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    if temperature == 1.0:
        return probabilities
    return _softmax(np.log(np.maximum(probabilities, 1e-12), dtype=np.float32) / np.float32(temperature))
