"""Ensembles of a release whose bases are in it too: they need but their heads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.ensemble_head import UnusableHead, read_head
from visionlab_inference.releases.configure import Configured
from visionlab_inference.releases.release import ReleaseDamaged, head_name, read_file
from visionlab_inference.repository import OUTPUT, ModelConfig, ensemble_config, head_config, head_graph

log = logging.getLogger(__name__)

WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, slots=True)
class Head:
    """An ensemble that is scheduled: its configuration, that of its head, the head's graph, and the names of its bases."""

    ensemble: ModelConfig
    config: ModelConfig
    onnx: bytes
    bases: tuple[str, ...]


def find_heads(store: ObjectStore, cards: Mapping[str, ModelCard], configs: Mapping[str, Configured]) -> dict[str, Head]:
    """The heads of those ensembles whose bases are all here, by the ensemble's name.

    An ensemble with a configuration of its own is served as that says. One whose weights cannot be used is released whole.
    """
    names = {ModelVersion(card.uuid, card.version): name for name, card in cards.items()}
    heads: dict[str, Head] = {}
    for name, card in cards.items():
        bases = _bases(card, names)
        if not bases or configs[name].own or head_name(name) in cards or not _fits_a_head(card, bases, cards):
            continue
        key = model_key(card.uuid, card.version, WEIGHTS_FILE)
        try:
            weights = read_file(store, key, card.files[WEIGHTS_FILE]) if WEIGHTS_FILE in card.files else store.get(key)
            head = read_head(card, weights)
        except (ReleaseDamaged, KeyNotFound, UnusableHead) as error:
            log.warning("%s is released whole, though its bases are there: %s", name, error)
            continue
        size = min(max(1, configs[each].config.max_batch_size) for each in (name, *bases))
        heads[name] = Head(
            ensemble=ensemble_config(card, name=name, bases=bases, head=head_name(name), max_batch_size=size),
            config=head_config(name=head_name(name), bases=len(bases), max_batch_size=size),
            onnx=head_graph(head),
            bases=bases,
        )
    return heads


def _bases(card: ModelCard, names: Mapping[ModelVersion, str]) -> tuple[str, ...]:
    """The names of an ensemble's bases; none where it is none, or where one of them is not in the release."""
    found = [names.get(base) for base in map(ModelVersion, card.base_models, card.base_versions)]
    return tuple(name for name in found if name is not None) if None not in found else ()


def _fits_a_head(card: ModelCard, bases: Sequence[str], cards: Mapping[str, ModelCard]) -> bool:
    """Whether the ensemble gives probabilities alone, and its bases take what it takes and give what its head takes."""
    return [output.name for output in card.outputs] == [OUTPUT] and all(
        cards[base].inputs == card.inputs and card.outputs[0] in cards[base].outputs for base in bases
    )
