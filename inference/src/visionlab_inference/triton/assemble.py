"""Version folders, `<uuid>/<version>/{card.json,config.pbtxt,model.onnx}`, to the repository that Triton loads.

    <out>/<name>/config.pbtxt
    <out>/<name>/1/model.onnx

A repository holds one version of a model, so its number there is always 1; the card says which it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Final
from uuid import uuid4

from pydantic import ValidationError

from visionlab_core.model_card import ModelCard
from visionlab_inference.repository import CONFIG_FILE, MODEL_FILE, ConfigError, read_config

CARD_FILE: Final = "card.json"


class RepositoryError(ValueError):
    """Version folders that make no repository."""


def assemble(versions: Sequence[Path], out: Path) -> tuple[ModelCard, ...]:
    """Write a model repository, whole or not at all; gives the cards in the order of the folders.

    Files are copied, not linked: a repository must not change when a version folder does. What is checked is the copy.

    Raises:
        RepositoryError: `out` is there already, two folders have models of one name, a file is missing, is not what the card
            says, or the configuration is not valid or that of another model. The message names the folder.
        OSError: the disk is full, or a folder cannot be read or written.
    """
    cards = tuple(_read_card(version) for version in versions)
    _refuse_namesakes(cards, versions)
    unfinished = out.with_name(f".{out.name}.{uuid4().hex}.partial")
    unfinished.mkdir(parents=True)
    try:
        for card, version in zip(cards, versions, strict=True):
            _copy_model(card, version, unfinished / card.name)
        _publish(unfinished, out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return cards


def _read_card(version: Path) -> ModelCard:
    try:
        return ModelCard.model_validate_json((version / CARD_FILE).read_bytes())
    except FileNotFoundError as error:
        raise RepositoryError(f"{version} is no version of a model: it has no {CARD_FILE}.") from error
    except ValidationError as error:
        raise RepositoryError(f"{version / CARD_FILE} is no model card: {error}") from error


def _refuse_namesakes(cards: Sequence[ModelCard], versions: Sequence[Path]) -> None:
    folders: dict[str, Path] = {}
    for card, version in zip(cards, versions, strict=True):
        if card.name in folders:
            raise RepositoryError(
                f"{folders[card.name]} and {version} both hold a model named {card.name!r}. "
                "A repository has one model of a name: leave one out."
            )
        folders[card.name] = version


def _copy_model(card: ModelCard, version: Path, model: Path) -> None:
    (model / "1").mkdir(parents=True)
    config, onnx = model / CONFIG_FILE, model / "1" / MODEL_FILE
    _copy(version / CONFIG_FILE, config)
    _copy(version / MODEL_FILE, onnx)
    _check_file(card, version, MODEL_FILE, onnx)
    if CONFIG_FILE in card.files:
        _check_file(card, version, CONFIG_FILE, config)
    try:
        name = read_config(config).name
    except ConfigError as error:
        raise RepositoryError(f"{version / CONFIG_FILE}: {error}") from error
    if name != card.name:
        raise RepositoryError(f"{version / CONFIG_FILE} is that of {name!r}, the card that of {card.name!r}.")


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise RepositoryError(f"{source} is missing. Export the model again.") from error


def _check_file(card: ModelCard, version: Path, name: str, copy: Path) -> None:
    expected = card.files[name]
    # The size first: it needs no reading.
    if copy.stat().st_size != expected.size or _digest(copy) != expected.sha256:
        raise RepositoryError(f"{version / name} is damaged: its sha256 is not the card's. Export the model again.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _publish(unfinished: Path, out: Path) -> None:
    try:
        # Unlike a check beforehand, this refuses what another process has written meanwhile.
        unfinished.rename(out)
    except OSError as error:
        if out.exists():
            raise RepositoryError(f"{out} is there already, and repositories never change: give another folder.") from error
        raise
