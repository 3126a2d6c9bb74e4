"""From model versions in the store to a release in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from visionlab_core.model_card import FileDigest, ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore, StoreError
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases.release import (
    MANIFEST_FILE,
    ONNX_PATH,
    Release,
    ReleaseDamaged,
    ReleasedModel,
    UnusableModels,
    check_digest,
    is_complete,
    read_file,
)
from visionlab_inference.repository import (
    CONFIG_FILE,
    MODEL_FILE,
    ConfigError,
    ModelConfig,
    config_text,
    model_config,
    parse_config,
)


def assemble(
    store: ObjectStore,
    pool: str,
    cards: Sequence[ModelCard],
    *,
    repair: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Release:
    """Put together the release of these model versions; blocks. Nothing is done where the store has it already.

    The newest version of a model goes under its name, older ones beside it under `<name>.<version>`. A version without a
    `config.pbtxt` gets the usual one. What is checked against the cards are the release's own copies. A process that is killed
    on the way leaves files, but no `release.json`, and what it began is taken up by the next.

    Args:
        store: where the versions are and the release shall be.
        pool: the pool that shall serve it.
        cards: of the versions.
        repair: check each file of a release that is there, and replace the damaged ones.
        announce: told the digest before the first file is written, so that nobody takes what is written for abandoned.

    Raises:
        UnusableModels: files of these versions are missing, damaged or cannot be read.
        StoreError: the release cannot be written.
    """
    configs, unusable = _configs(store, _names(cards))
    if unusable:
        raise UnusableModels(unusable)
    release = Release.of(
        pool,
        {
            name: ReleasedModel(
                card=card,
                config=_digest(config_text(configs[name]).encode()),
                onnx=card.files[MODEL_FILE],
                max_batch=max(1, configs[name].max_batch_size),
            )
            for name, card in _names(cards).items()
        },
    )
    if announce is not None:
        announce(release.digest)
    if is_complete(store, release) and not repair:
        return release
    for name, config in configs.items():
        store.put(release.key(f"{name}/{CONFIG_FILE}"), config_text(config).encode(), content_type="text/plain")
    for model in release.models.values():
        try:
            _copy_onnx(store, release, model)
        except (ReleaseDamaged, KeyNotFound) as error:
            unusable[model.version] = str(error)
    if unusable:
        raise UnusableModels(unusable)
    store.put(release.key(MANIFEST_FILE), release.manifest, content_type="application/json")
    return release


def _names(cards: Sequence[ModelCard]) -> dict[str, ModelCard]:
    by_name: defaultdict[str, list[ModelCard]] = defaultdict(list)
    for card in cards:
        by_name[card.name].append(card)
    names: dict[str, ModelCard] = {}
    for name, versions in by_name.items():
        newest, *older = sorted(versions, key=lambda card: card.version, reverse=True)
        names[name] = newest
        names |= {f"{name}.{card.version}": card for card in older}
    return names


def _configs(store: ObjectStore, cards: Mapping[str, ModelCard]) -> tuple[dict[str, ModelConfig], dict[ModelVersion, str]]:
    configs: dict[str, ModelConfig] = {}
    unusable: dict[ModelVersion, str] = {}
    for name, card in cards.items():
        try:
            configs[name] = _config(store, name, card)
        except (ReleaseDamaged, ConfigError, StoreError) as error:
            unusable[ModelVersion(card.uuid, card.version)] = str(error)
    return configs, unusable


def _config(store: ObjectStore, name: str, card: ModelCard) -> ModelConfig:
    key = model_key(card.uuid, card.version, CONFIG_FILE)
    try:
        data = read_file(store, key, card.files[CONFIG_FILE]) if CONFIG_FILE in card.files else store.get(key)
    except KeyNotFound:
        if CONFIG_FILE in card.files:
            raise
        config = model_config(card)
    else:
        try:
            config = parse_config(data.decode())
        except (ConfigError, UnicodeDecodeError) as error:
            raise ConfigError(f"{key}: {error}") from error
        if config.name != card.name:
            raise ConfigError(f"{key} is that of {config.name!r}, the card that of {card.name!r}.")
    config.name = name
    return config


def _digest(data: bytes) -> FileDigest:
    return FileDigest(sha256=sha256(data).hexdigest(), size=len(data))


def _copy_onnx(store: ObjectStore, release: Release, model: ReleasedModel) -> None:
    target = release.key(f"{release.versions[model.version]}/{ONNX_PATH}")
    try:
        # Of a release that is repaired, or that someone began.
        check_digest(target, store.open(target), model.onnx)
    except (ReleaseDamaged, KeyNotFound):
        store.copy(model_key(model.card.uuid, model.card.version, MODEL_FILE), target)
        check_digest(model_key(model.card.uuid, model.card.version, MODEL_FILE), store.open(target), model.onnx)
