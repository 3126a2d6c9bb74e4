"""Generators as a typed function: seeds in, pictures out, whatever backend runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visionlab_core.telemetry import span
from visionlab_inference.backend import InferenceBackend, ModelVersion
from visionlab_inference.seeds import uniform_latents


@dataclass(frozen=True, slots=True)
class GeneratedImages:
    """`pixels` uint8 [N, H, W, 3], and the seconds that the model ran."""

    pixels: NDArray[np.uint8]
    seconds: float


async def generate(
    backend: InferenceBackend, model: ModelVersion, seeds: Sequence[int], truncation: float = 1.0
) -> GeneratedImages:
    """One picture for each seed; the same seed and truncation always make the same picture.

    `truncation` (0 to 1) draws the noise towards its mean.

    Raises:
        InferenceError: as `InferenceBackend.infer`.
        KeyError: the model is no generator.
    """
    size = backend.card(model).input("latent").shape[0]
    inputs = {"latent": uniform_latents(seeds, size), "truncation": np.full((len(seeds), 1), truncation, np.float32)}
    with span("infer", {"models": str(model), "images": len(seeds)}):
        result = await backend.infer(model, inputs)
    return GeneratedImages(np.asarray(result.outputs["image"]), result.seconds)
