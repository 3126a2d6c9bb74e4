"""Generators as a typed function: latents in, pictures out, whatever backend runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import ModelCard
from visionlab_core.telemetry import span
from visionlab_inference.backend import InferenceBackend, ModelVersion, Tensors
from visionlab_inference.seeds import Latent, Style, noise_of


@dataclass(frozen=True, slots=True)
class GeneratedImages:
    """`pixels` uint8 [N, H, W, 3], and the seconds that the model ran."""

    pixels: NDArray[np.uint8]
    seconds: float


async def generate(
    backend: InferenceBackend,
    model: ModelVersion,
    latents: Sequence[Latent],
    truncation: float = 1.0,
    style: Style | None = None,
) -> GeneratedImages:
    """One picture for each latent; the same latent, truncation and style always make the same picture.

    `truncation` (0 to 1) draws the noise towards its mean. `style` gives all of them its finer styles.

    Raises:
        InferenceError: as `InferenceBackend.infer`.
        KeyError: the model is no generator.
        ValueError: a style for a model that cannot mix styles.
    """
    card = backend.card(model)
    mixing = mixes_styles(card)
    if style is not None and not mixing:
        raise ValueError(f"{card.label} has no styles that can be mixed.")
    inputs = generator_inputs(latents, card.input("latent").shape[0], truncation, style, mixing=mixing)
    with span("infer", {"models": str(model), "images": len(latents)}):
        result = await backend.infer(model, inputs)
    return GeneratedImages(np.asarray(result.outputs["image"]), result.seconds)


def mixes_styles(card: ModelCard) -> bool:
    """Whether a model makes faces of the styles of two latents."""
    return any(tensor.name == "style" for tensor in card.inputs)


def generator_inputs(
    latents: Sequence[Latent], size: int, truncation: float = 1.0, style: Style | None = None, *, mixing: bool = False
) -> Tensors:
    """What the served graph of a generator with noise of `size` numbers takes; `mixing`: one that can mix styles."""
    count = len(latents)
    noise = noise_of(latents, size)
    inputs = {"latent": noise, "truncation": np.full((count, 1), truncation, np.float32)}
    if not mixing:
        return inputs
    if style is None:
        return {**inputs, "style": noise, "crossover": np.ones((count, 1), np.float32)}
    [other] = noise_of([style.latent], size)
    return {**inputs, "style": np.tile(other, (count, 1)), "crossover": np.full((count, 1), style.crossover, np.float32)}
