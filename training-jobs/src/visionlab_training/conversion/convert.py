"""Weights in, a version folder out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import Provenance
from visionlab_core.training_spec import Network
from visionlab_export.card_draft import CardDraft
from visionlab_export.export import Export, export_model
from visionlab_export.serving import SERVED_SIDE
from visionlab_training import zoo
from visionlab_training.conversion.weights_file import load_uploaded
from visionlab_training.spec_file import SpecError
from visionlab_training.zoo import dcgan, stylegan2

_GATE_IMAGES = 12


def convert(network: Network, weights: Path, out: Path, *, classes: Sequence[FaceClass] = FACE_CLASSES) -> Export:
    """Build the network, give it the weights, and export it through the parity gate: `out` is the version's folder then.

    Its card says what the network is; who made it from what, nobody has told.

    Args:
        network: what the weights belong to.
        weights: `.weights.h5` or `.npz`, see `visionlab_training.conversion.weights_file`.
        out: the folder; there is none yet.
        classes: detectors: the order in which it gives the classes. It is put into ours.

    Raises:
        SpecError: the weights are not those of this network, or `out` is there already.
        UnknownArchitecture: there is none of that name.
        ExportError, ParityError: as `export_model`.
    """
    if out.exists():
        raise SpecError(f"{out} is there already: name a folder that is not.")
    model = build(network)
    load_uploaded(model, weights)
    if not network.is_generator:
        _put_in_our_order(model, classes)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        images = None if network.is_generator else drawn_images(_GATE_IMAGES)
        export = export_model(model, _draft(network), Path(folder), images=images, keep_saved_model=False, progress=print)
        export.folder.rename(out)
    return export


def build(network: Network) -> Any:
    """The Keras model of a network, with random weights.

    Raises:
        UnknownArchitecture: there is none of that name.
        SpecError: it cannot work at that resolution.
    """
    if network.architecture == "DCGAN":
        return dcgan.generator(network.width)
    if network.architecture == "StyleGAN2":
        return stylegan2.generator(
            network.side,
            latent_size=network.latent_size,
            mapping_layers=network.mapping_layers,
            mapping_learning_rate=network.mapping_learning_rate,
            base=network.channel_base,
            most=network.channel_max,
        )
    recipe = zoo.detector(network.architecture)
    try:
        return recipe.build(network.side)
    except ValueError as error:
        raise SpecError(f"{network.architecture}: {error}") from error


def drawn_images(count: int) -> NDArray[np.uint8]:
    """Images for the parity gate where there are no real ones: noise of all sizes, uint8 [count, 224, 224, 3]."""
    random = np.random.default_rng(0)
    sides = [2 ** (1 + number % 7) for number in range(count)]
    noise = [Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)) for side in sides]
    return np.stack([np.asarray(each.resize((SERVED_SIDE, SERVED_SIDE), Image.Resampling.BICUBIC)) for each in noise])


def _put_in_our_order(model: Any, classes: Sequence[FaceClass]) -> None:
    if sorted(classes) != sorted(FACE_CLASSES):
        raise SpecError(f"classes: name each of the four once: {', '.join(FACE_CLASSES)}.")
    order = [classes.index(each) for each in FACE_CLASSES]
    head = model.get_layer("probabilities")
    head.kernel.assign(np.asarray(head.kernel)[:, order])
    head.bias.assign(np.asarray(head.bias)[order])


def _draft(network: Network) -> CardDraft:
    generator = network.is_generator
    return CardDraft(
        uuid=uuid4(),
        name="converted",
        label="Converted",
        version=1,
        kind="generator" if generator else "detector",
        architecture=network.architecture,
        description="Converted from weights that were trained elsewhere.",
        face_class=FaceClass.HUMAN_GEN if generator else None,
        temperature=network.temperature,
        provenance=Provenance(
            spec={**network.model_dump(mode="json"), "resolution": network.side},
            seed=0,
            steps=0,
            images_seen=0,
            device="unknown",
            code_version="unknown",
            started_from="weights from elsewhere",
            data="Not known: the model was trained elsewhere.",
            trained_at=datetime.now(UTC),
        ),
        licence="unspecified",
        enabled_by_default=False,
    )
