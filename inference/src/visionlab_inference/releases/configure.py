"""How each model of a release serves: as its version says, or as the operator's variant does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore, StoreError
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases.release import ReleaseDamaged, read_file
from visionlab_inference.repository import CONFIG_FILE, ConfigError, ModelConfig, Variant, model_config, parse_config


@dataclass(frozen=True, slots=True)
class Configured:
    """How a model serves; `own`: as its version says, not as the variant does."""

    config: ModelConfig
    own: bool


def configure(
    store: ObjectStore, cards: Mapping[str, ModelCard], variant: Variant
) -> tuple[dict[str, Configured], dict[ModelVersion, str]]:
    """How models serve, by the name that they serve under; and the versions whose own configuration is unusable, and why."""
    configs: dict[str, Configured] = {}
    unusable: dict[ModelVersion, str] = {}
    for name, card in cards.items():
        try:
            configs[name] = _config(store, name, card, variant)
        except (ReleaseDamaged, ConfigError, StoreError) as error:
            unusable[ModelVersion(card.uuid, card.version)] = str(error)
    return configs, unusable


def _config(store: ObjectStore, name: str, card: ModelCard, variant: Variant) -> Configured:
    own = _own_config(store, card)
    usual = model_config(card, instances=variant.instances, tensorrt=variant.tensorrt, response_cache=variant.response_cache)
    config = usual if own is None else own
    config.name = name
    return Configured(config, own is not None)


def _own_config(store: ObjectStore, card: ModelCard) -> ModelConfig | None:
    key = model_key(card.uuid, card.version, CONFIG_FILE)
    try:
        data = read_file(store, key, card.files[CONFIG_FILE]) if CONFIG_FILE in card.files else store.get(key)
    except KeyNotFound:
        if CONFIG_FILE in card.files:
            raise
        return None
    try:
        config = parse_config(data.decode())
    except (ConfigError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {error}") from error
    if config.name != card.name:
        raise ConfigError(f"{key} is that of {config.name!r}, the card that of {card.name!r}.")
    # What every version is exported with says nothing about this one.
    return None if config == model_config(card) else config
