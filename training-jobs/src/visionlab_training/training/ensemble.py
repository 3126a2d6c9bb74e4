"""Training a stack of detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from pydantic import ValidationError

from visionlab_core.model_card import ModelCard
from visionlab_core.training_spec import EnsembleTraining
from visionlab_export.errors import ExportError
from visionlab_export.weights import load_weights
from visionlab_inference.images import DETECTOR_SIDE
from visionlab_training import zoo
from visionlab_training.data.rows import detector_rows
from visionlab_training.spec_file import SpecError
from visionlab_training.training.learning import Networks, learn
from visionlab_training.zoo.ensemble import Base, stacked, voting


def train_ensemble(spec: EnsembleTraining, folder: Path, *, budget: float | None = None) -> bool:
    """Train what stands on top of the bases, or go on with it; see `visionlab_training.training.learning.learn`.

    A vote has nothing to train: this only makes sure that its bases and its data can be used.

    Raises:
        TrainingDiverged, CheckpointError: as `learn`.
        DataError, SpecError: the data or the bases cannot be used.
    """
    keras.utils.set_random_seed(spec.seed)
    rows = detector_rows(spec.data, folder, seed=spec.seed)
    model = build_ensemble(spec)
    if spec.method == "voting":
        return True
    average = build_ensemble(spec) if spec.ema_decay else None
    return learn(spec, Networks(model, average, DETECTOR_SIDE), rows, folder, budget=budget)


def build_ensemble(spec: EnsembleTraining) -> Any:
    """The network of a spec: its bases with their trained weights, and a head with random ones.

    Raises:
        SpecError: a base is not an exported version of a single detector of the zoo with its weights.
    """
    cards = base_cards(spec)
    bases = [_base(folder, card) for folder, card in zip(spec.bases, cards, strict=True)]
    return voting(bases) if spec.method == "voting" else stacked(bases, spec.hidden)


def base_cards(spec: EnsembleTraining) -> list[ModelCard]:
    """The cards of the bases, in the order of the spec.

    Raises:
        SpecError: a folder holds none, or that of something else than a detector, or two cards have one name.
    """
    cards = [_card(folder) for folder in spec.bases]
    names = [card.name for card in cards]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"bases: two of them are named {name!r}.")
    return cards


def _card(folder: Path) -> ModelCard:
    try:
        card = ModelCard.model_validate_json((folder / "card.json").read_bytes())
    except OSError as error:
        raise SpecError(f"bases: {folder} holds no card.json; name folders of exported versions, MODELS/UUID/VERSION.") from error
    except ValidationError as error:
        raise SpecError(f"bases: {folder}/card.json is not a model card: {error.errors()[0]['msg']}.") from error
    if card.kind != "detector" or card.ensemble:
        kind = "an ensemble" if card.ensemble else f"a {card.kind}"
        raise SpecError(f"bases: {folder} is {kind}; a base is a single detector.")
    return card


def _base(folder: Path, card: ModelCard) -> Base:
    resolution = int(card.provenance.spec.get("resolution", DETECTOR_SIDE))
    # Layers of two bases may have one name; the scope tells their weights apart.
    with keras.name_scope(card.name):
        network = zoo.detector(card.architecture).build(resolution)
    network.name = card.name.replace(".", "_")
    try:
        load_weights(network, folder / "weights.npz", scope=card.name)
    except ExportError as error:
        raise SpecError(f"bases: {error}") from error
    return Base(network, card.temperature)
