"""From what a person asks for to what a job is given: checked against what is really there, before anything is queued."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api import schemas
from visionlab_api.database.tables import ModelRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.datasets import FrozenDataset
from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import ModelCard
from visionlab_core.store_layout import model_prefix, training_key
from visionlab_core.training_job import MANIFEST_FILE, OrderedModel, TrainingOrder
from visionlab_core.training_spec import GENERATORS, DetectorTraining, EnsembleTraining, GeneratorTraining
from visionlab_core.training_spec.architectures import LEAST_SIDES

LEAST_OF_A_CLASS = 5
"""Images: with fewer, a fifth of them for the validation is none."""
LEAST_IMAGES = 12
MOST_SAMPLES = 40
"""Grids of faces that a generator leaves on its way."""


def check_form(request: schemas.TrainingRequest, extra_architectures: Sequence[str]) -> None:
    """Refuse what contradicts itself or names an architecture that nobody knows.

    Raises:
        ProblemError: 422, with the field.
    """
    if request.gpus and request.batch_size % request.gpus:
        raise _invalid("batch_size", f"The batch is split over the GPUs: {request.batch_size} is no multiple of {request.gpus}.")
    if request.type == "generator":
        if request.ensemble or request.base_models:
            raise _invalid("ensemble", "Generators are not brought together: an ensemble is one of detectors.")
        if request.face_class is None or request.face_class.is_generated:
            raise _invalid("face_class", "A generator learns to make real faces: face_class is human or anime.")
        known_architecture(request.architecture, tuple(GENERATORS))
        return
    if request.face_class is not None:
        raise _invalid("face_class", "A detector learns all classes: leave face_class out.")
    if request.ensemble:
        if request.architecture:
            raise _invalid("architecture", "An ensemble has base_models, not an architecture: give one of the two.")
        if len(set(request.base_models)) < max(2, len(request.base_models)):
            raise _invalid("base_models", "An ensemble stands on two or more different detectors.")
        return
    if request.base_models:
        raise _invalid("base_models", "Only an ensemble has base_models: choose `ensemble` stacking or voting.")
    name = known_architecture(request.architecture, (*LEAST_SIDES, *extra_architectures))
    if (request.resolution or 224) < (least := LEAST_SIDES.get(name, 32)):
        raise _invalid("resolution", f"{name} needs a resolution of {least} pixels or more.")


def known_architecture(name: str | None, known: Sequence[str]) -> str:
    """The name of an architecture, where it is one of those, letter for letter.

    Raises:
        ProblemError: 422 with the nearest one, or all of them.
    """
    if name in known:
        return str(name)
    near = difflib.get_close_matches((name or "").lower(), [each.lower() for each in known], n=1, cutoff=0.5)
    meant = next((each for each in known if near and each.lower() == near[0]), None)
    said = f"There is no architecture {name!r}" if name else "An architecture is missing"
    raise _invalid("architecture", f"{said}; the nearest is {meant}." if meant else f"{said}. There are {', '.join(known)}.")


def check_images(request: schemas.TrainingRequest, datasets: Iterable[FrozenDataset]) -> None:
    """Refuse what nothing can be learnt from.

    Raises:
        ProblemError: 409, with what is missing.
    """
    classes: Counter[FaceClass] = Counter()
    for dataset in datasets:
        classes.update(dataset.classes)
    if request.type == "generator":
        wanted = request.face_class
        assert wanted is not None
        if classes[wanted] < LEAST_IMAGES:
            raise _missing(
                f"The data sets hold {classes[wanted]} images of the class {wanted}; a generator needs {LEAST_IMAGES} at the "
                "very least, and good ones some thousands."
            )
        return
    present = [each for each in FACE_CLASSES if classes[each]]
    if len(present) < 2:
        absent = ", ".join(each for each in FACE_CLASSES if each not in present)
        raise _missing(f"A detector learns to tell classes apart. There is no image of {absent}: add data sets of these classes.")
    if few := [each for each in present if classes[each] < LEAST_OF_A_CLASS]:
        counts = ", ".join(f"{each} {classes[each]}" for each in few)
        raise _missing(f"There are too few images of a class ({counts}): each needs {LEAST_OF_A_CLASS} at the very least.")
    if classes.total() < LEAST_IMAGES:
        raise _missing(f"There are {classes.total()} images; a detector needs {LEAST_IMAGES} at the very least.")


async def base_cards(session: AsyncSession, uuids: Sequence[UUID], extra_architectures: Sequence[str]) -> list[ModelCard]:
    """The cards of an ensemble's bases: of each the newest version, an enabled one where there is one.

    Raises:
        ProblemError: 404 there is no such detector, 409 it cannot be a base.
    """
    cards = []
    for uuid in uuids:
        rows = await session.scalars(select(ModelRow).where(ModelRow.uuid == uuid, ModelRow.type == "detector"))
        row = max(rows, key=lambda row: (row.status == "enabled", row.version), default=None)
        if row is None:
            raise not_found("detector", uuid, "base_models")
        card = ModelCard.model_validate(row.card)
        if card.ensemble:
            raise _no_base(card, "is an ensemble itself")
        if "weights.npz" not in card.files or card.architecture not in (*LEAST_SIDES, *extra_architectures):
            raise _no_base(
                card,
                "came without weights that can be built on: bases are detectors that were trained here, or came as weights",
            )
        cards.append(card)
    return cards


async def require_there(session: AsyncSession, bases: Sequence[ModelCard], request: schemas.TrainingRequest) -> None:
    """Make sure that nothing was removed that the training needs. Its row is written, and not committed.

    Whoever is just removing such a model is waited for; who comes later waits for this transaction, and then sees its row.

    Raises:
        ProblemError: 404 a base is gone, or the model whose next version this is.
    """
    for uuid, field in [*((card.uuid, "base_models") for card in bases), *([(request.model, "model")] if request.model else [])]:
        there = select(ModelRow.id).where(ModelRow.uuid == uuid).with_for_update(read=True)
        if not (await session.scalars(there)).all():
            raise not_found(request.type, uuid, field)


def make_order(
    request: schemas.TrainingRequest,
    training: UUID,
    model: tuple[UUID, int],
    datasets: Sequence[FrozenDataset],
    bases: Sequence[ModelCard],
) -> TrainingOrder:
    """The order of a training.

    Args:
        request: what is asked for, checked.
        training: its uuid.
        model: uuid and version of the model that comes of it.
        datasets: what it learns from.
        bases: of an ensemble.

    Raises:
        ProblemError: 422 a setting does not fit the architecture.
    """
    images = sum(sum(dataset.classes.values()) for dataset in datasets)
    names = ", ".join(dataset.name for dataset in datasets)
    try:
        return TrainingOrder(
            training=training,
            backend=request.backend,
            gpus=request.gpus,
            spec=_spec(request, training, datasets, bases),
            model=OrderedModel(
                uuid=model[0],
                name=request.name,
                label=request.label or request.name,
                version=model[1],
                description=f"Trained here from the data sets {names}.",
                licence=request.licence,
                data=f"{images} images of the data sets "
                + ", ".join(f"{dataset.name} (sha256 {dataset.digest[:12]})" for dataset in datasets),
                started_from="ImageNet weights of Keras" if request.weights == "imagenet" else "random",
            ),
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else None
        raise _invalid(field, first["msg"].removeprefix("Value error, ")) from error


def _spec(
    request: schemas.TrainingRequest, training: UUID, datasets: Sequence[FrozenDataset], bases: Sequence[ModelCard]
) -> DetectorTraining | EnsembleTraining | GeneratorTraining:
    manifest = Path(training_key(training, MANIFEST_FILE))
    shared: dict[str, Any] = {"name": request.name, "batch_size": request.batch_size, "seed": request.seed}
    if request.learning_rate is not None:
        shared["learning_rate"] = request.learning_rate
    if request.type == "generator":
        assert request.face_class is not None
        count = sum(dataset.classes.get(request.face_class, 0) for dataset in datasets)
        # The sources of the rows are written with the manifest: all of them are this one.
        data = {"manifest": manifest, "sources": [request.name]}
        steps = request.max_epochs * -(-count // request.batch_size)
        return GeneratorTraining.model_validate(
            {
                **shared,
                "architecture": request.architecture,
                "face_class": request.face_class,
                "data": data,
                "steps": steps,
                "resolution": request.resolution or 128,
                "sample_every": max(25, steps // MOST_SAMPLES),
            }
        )
    shared |= {"preset": request.preset, "patience": request.patience, "data": {"manifest": manifest}}
    if request.ensemble:
        folders = [Path(model_prefix(card.uuid, card.version)) for card in bases]
        length = {"steps": 1} if request.ensemble == "voting" else {"epochs": request.max_epochs, "ema_decay": 0.0}
        return EnsembleTraining.model_validate({**shared, **length, "method": request.ensemble, "bases": folders})
    return DetectorTraining.model_validate(
        {
            **shared,
            "architecture": request.architecture,
            "weights": request.weights,
            "resolution": request.resolution or 224,
            "epochs": request.max_epochs,
        }
    )


def _invalid(field: str | None, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)


def _missing(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "images-missing", "Images missing", detail, field="datasets")


def _no_base(card: ModelCard, why: str) -> ProblemError:
    detail = f"{card.label} (version {card.version}) {why}."
    return ProblemError(HTTPStatus.CONFLICT, "not-a-base", "Not a base", detail, field="base_models")
