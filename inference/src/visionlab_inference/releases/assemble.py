"""From model versions in the store to a release in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from visionlab_core.model_card import FileDigest, ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import model_key
from visionlab_inference.releases.configure import Configured, configure
from visionlab_inference.releases.heads import Head, find_heads
from visionlab_inference.releases.release import (
    MANIFEST_FILE,
    ONNX_PATH,
    Release,
    ReleaseDamaged,
    ReleasedHead,
    ReleasedModel,
    UnusableModels,
    check_digest,
    head_name,
    is_complete,
)
from visionlab_inference.repository import CONFIG_FILE, MODEL_FILE, USUAL, Variant, config_text


def assemble(
    store: ObjectStore,
    pool: str,
    cards: Sequence[ModelCard],
    *,
    variant: Variant = USUAL,
    repair: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Release:
    """Put together the release of these model versions; blocks. Nothing is done where the store has it already.

    The newest version of a model goes under its name, older ones beside it under `<name>.<version>`. A version without a
    `config.pbtxt`, or with the one that it is exported with, gets that of the variant. An ensemble of which that holds too, and
    whose bases are all among the versions, is but its head: its bases are neither held nor run twice.

    What is checked against the cards are the release's own copies. A process that is killed on the way leaves files, but no
    `release.json`, and what it began is taken up by the next.

    Args:
        store: where the versions are and the release shall be.
        pool: the pool that shall serve it.
        cards: of the versions.
        variant: how those serve that do not say so themselves.
        repair: check each file of a release that is there, and replace the damaged ones.
        announce: told the digest before the first file is written, so that nobody takes what is written for abandoned.

    Raises:
        UnusableModels: files of these versions are missing, damaged or cannot be read.
        StoreError: the release cannot be written.
    """
    names = _names(cards)
    configs, unusable = configure(store, names, variant)
    if unusable:
        raise UnusableModels(unusable)
    heads = find_heads(store, names, configs)
    release = Release.of(pool, {name: _released(card, configs[name], heads.get(name)) for name, card in names.items()})
    if announce is not None:
        announce(release.digest)
    if is_complete(store, release) and not repair:
        return release
    for name, text in _texts(configs, heads).items():
        store.put(release.key(f"{name}/{CONFIG_FILE}"), text, content_type="text/plain")
    for name, model in release.models.items():
        if name in heads:
            for folder in (name, head_name(name)):
                store.put(release.key(f"{folder}/{ONNX_PATH}"), heads[name].onnx)
            continue
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


def _released(card: ModelCard, configured: Configured, head: Head | None) -> ReleasedModel:
    config = configured.config if head is None else head.ensemble
    return ReleasedModel(
        card=card,
        config=_digest(config_text(config).encode()),
        onnx=card.files[MODEL_FILE] if head is None else _digest(head.onnx),
        max_batch=max(1, config.max_batch_size),
        head=None if head is None else ReleasedHead(config=_digest(config_text(head.config).encode()), bases=head.bases),
    )


def _texts(configs: Mapping[str, Configured], heads: Mapping[str, Head]) -> dict[str, bytes]:
    written = {name: configured.config for name, configured in configs.items()}
    written |= {name: head.ensemble for name, head in heads.items()}
    written |= {head_name(name): head.config for name, head in heads.items()}
    return {name: config_text(config).encode() for name, config in written.items()}


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
