"""From the result of a training job to a version of a model in the store."""

from __future__ import annotations

from uuid import UUID

from visionlab_api.database.tables import TrainingRow
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import KeyNotFound, ObjectStore
from visionlab_core.store_layout import model_key, training_key
from visionlab_core.training_job import CHECKPOINTS, RESULT

CARD_FILE = "card.json"
_KEPT = (CARD_FILE, "report.html", "confusion.png", "sources.png", "samples.jpg")


class UnusableResult(Exception):
    """What the job left is not what it was asked for."""


def install_result(store: ObjectStore, row: TrainingRow) -> ModelCard:
    """Copy the result of a training to its place among the models, card last; blocks. Done again, it changes nothing.

    Raises:
        UnusableResult: the card is missing, or is one of another model, or a file is missing.
        StoreError: the store cannot be used.
    """
    try:
        data = store.get(training_key(row.uuid, RESULT + CARD_FILE))
        card = ModelCard.model_validate_json(data)
    except (KeyNotFound, ValueError) as error:
        raise UnusableResult(f"The job ended well, but its card cannot be read: {error}") from error
    if (card.uuid, card.version, card.name, card.kind) != (row.model_uuid, row.model_version, row.name, row.type):
        raise UnusableResult("The job ended well, but its card is that of another model.")
    for name in card.files:
        target = model_key(card.uuid, card.version, name)
        try:
            store.copy(training_key(row.uuid, RESULT + name), target)
        except KeyNotFound as error:
            if not store.exists(target):
                raise UnusableResult(f"The job ended well, but its result lacks {name}.") from error
    store.put(model_key(card.uuid, card.version, CARD_FILE), data, content_type="application/json")
    return card


def tidy(store: ObjectStore, training: UUID) -> None:
    """Remove what a finished training needs no more: checkpoints, and the copy of the model; blocks. The report stays."""
    for info in store.list(_prefix(training, CHECKPOINTS)):
        store.delete(info.key)
    result = _prefix(training, RESULT)
    for info in store.list(result):
        if info.key.removeprefix(result) not in _KEPT:
            store.delete(info.key)


def _prefix(training: UUID, folder: str) -> str:
    return training_key(training, folder.rstrip("/")) + "/"
