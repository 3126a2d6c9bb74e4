"""Making faces: seeds are shared out, models run, pictures are stored with what made them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.schemas import MAX_SEED
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.images import NewImage
from visionlab_api.services.recipes import Recipe
from visionlab_inference.backend import InferenceBackend
from visionlab_inference.generation import generate
from visionlab_inference.images import ImageInfo, encode_png
from visionlab_inference.seeds import Latent, Step, Style


async def make_images(
    models: Sequence[KnownModel],
    backend: InferenceBackend,
    decoder: Decoder,
    *,
    count: int,
    seed: int | None,
    truncation: float,
    steps: tuple[Step, ...],
    style: Style | None,
    visitor: UUID,
) -> list[NewImage]:
    """`count` new pictures, shared out evenly over the models (the first ones make one more) and in turns, ready to be stored.

    Raises:
        InferenceError: a model could not answer.
        ValueError: a style for a model that cannot mix styles.
    """
    made = await asyncio.gather(
        *(
            make_faces(
                model,
                backend,
                decoder,
                latents=[Latent(each, steps) for each in seeds_from(seed, share)],
                truncation=truncation,
                style=style,
                visitor=visitor,
            )
            for model, share in zip(models, _shares(count, len(models)), strict=True)
            if share
        )
    )
    # In turns, so that a gallery shows a mixture.
    return [image for turn in zip_longest(*made) for image in turn if image is not None]


async def make_faces(
    model: KnownModel,
    backend: InferenceBackend,
    decoder: Decoder,
    *,
    latents: list[Latent],
    truncation: float,
    style: Style | None,
    visitor: UUID,
) -> list[NewImage]:
    """A picture of each latent, ready to be stored.

    Raises:
        InferenceError: the model could not answer.
        ValueError: a style for a model that cannot mix styles.
    """
    made = await generate(backend, model.version, latents, truncation, style)
    height, width = made.pixels.shape[1:3]
    info = ImageInfo("image/png", ".png", width, height)
    files = await decoder.run(partial(_encode_all, made.pixels))
    return [
        NewImage(data, info, visitor, model=model.card, recipe=Recipe(latent, truncation, style))
        for data, latent in zip(files, latents, strict=True)
    ]


def seeds_from(first: int | None, count: int) -> list[int]:
    """`count` seeds, the first one given; random ones where it is None."""
    if first is None:
        return [secrets.randbelow(MAX_SEED + 1) for _ in range(count)]
    return [(first + i) % (MAX_SEED + 1) for i in range(count)]


def _encode_all(pixels: NDArray[np.uint8]) -> list[bytes]:
    return [encode_png(picture) for picture in pixels]


def _shares(count: int, models: int) -> list[int]:
    return [count // models + (place < count % models) for place in range(models)]
