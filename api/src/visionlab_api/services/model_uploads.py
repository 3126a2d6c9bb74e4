"""Models from elsewhere: tried in a sandbox, described in a card, put beside the others, disabled."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api import schemas
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.tables import ModelRow, RemovedModelRow, TrainingRow, UploadRow
from visionlab_api.problems import ProblemError, not_found
from visionlab_api.services.starters import index_row
from visionlab_api.services.uploads import claim, release
from visionlab_api.services.weights_conversion import WEIGHTS_FILE, WeightsConversion, unusable, weights_ending
from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import FileDigest, ModelCard, Provenance
from visionlab_core.object_store import ObjectStore
from visionlab_core.store_layout import model_key, upload_key
from visionlab_inference.model_check import CheckedModel, CheckLimits, UnusableUpload, check_in_sandbox

_MODEL_FILE = "model.onnx"
_HINTS = {
    (
        ".keras",
    ): "A .keras file holds a whole network: make an ONNX file of it with `visionlab-export` and upload that; of a network "
    "of ours, save the weights with model.save_weights('NAME.weights.h5'), and upload them.",
    (".pt", ".pth", ".pkl", ".pickle", ".bin"): "A pickle can hold any program and is never opened. Export the model as ONNX.",
}


class ModelUploads:
    """Takes models in, one at a time: trying one takes memory."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: ObjectStore, configuration: ApiConfiguration) -> None:
        self._sessions = sessions
        self._store = store
        self._configuration = configuration
        self._limits = CheckLimits(configuration.model_check_memory_bytes, configuration.model_check_seconds)
        self._conversion = WeightsConversion(configuration)
        self._turn = asyncio.Semaphore(1)

    def options(self) -> schemas.ModelOptions:
        """What can be added here."""
        return schemas.ModelOptions(
            detectors=self._conversion.options("detector"),
            generators=self._conversion.options("generator"),
            most_bytes=self._configuration.max_model_bytes,
            reason=self._conversion.why_unavailable(),
        )

    async def add(self, request: schemas.ModelRequest) -> ModelCard:
        """Make a model of an upload; the upload is gone then. Where it is refused, the upload stays as it was.

        Raises:
            ProblemError: 404 there is no such upload or model, 409 the upload is not finished or the name is taken, 413 the file
                is too large, 422 it is no model that can be served.
            StoreFull, StoreUnavailable: it cannot be stored.
        """
        _check_form(request)
        async with self._sessions() as session:
            upload = await self._usable(session, request.upload)
            await self._identity(session, request)
        classes = tuple(request.classes or FACE_CLASSES)
        ending = weights_ending(upload.filename)
        if ending is None and request.network is not None:
            raise _invalid("network", "Only weights have a network: an ONNX file is one already.")
        async with self._turn, self._as_file(upload, f"model{ending or '.onnx'}") as file:
            path, converted = file, None
            if ending is not None:
                converted = await self._conversion.convert(request, file, classes)
                # The head's weights are in our order now.
                path, classes = converted.folder / _MODEL_FILE, FACE_CLASSES
            ordered = None if classes == FACE_CLASSES else path.with_name("ordered.onnx")
            try:
                checked = await check_in_sandbox(path, request.type, classes=classes, ordered=ordered, limits=self._limits)
            except UnusableUpload as error:
                raise unusable(str(error)) from error
            files = {_MODEL_FILE: ordered or path}
            if converted is not None:
                files[WEIGHTS_FILE] = converted.folder / WEIGHTS_FILE
            digests = {name: await asyncio.to_thread(_digest, file) for name, file in files.items()}
            async with self._sessions() as session:
                identity = await self._identity(session, request)
            card = _card(request, identity, checked, digests, upload.filename)
            card = card if converted is None else converted.describe(card)
            await asyncio.to_thread(self._put, card, files)
        await self._enter(card, request.upload)
        return card

    async def _usable(self, session: AsyncSession, uuid: UUID) -> UploadRow:
        # Claimed at the end only, in one transaction with the model's row: a claim must not outlive a kill in between.
        await _claimed(session, uuid, uuid4())
        await session.rollback()
        row = await session.scalar(select(UploadRow).where(UploadRow.uuid == uuid))
        if row is None:
            raise not_found("upload", uuid, "upload")
        for endings, hint in _HINTS.items():
            if row.filename.lower().endswith(endings):
                raise unusable(hint)
        if row.length > self._configuration.max_model_bytes:
            detail = f"The file has {row.length} bytes; a model may have {self._configuration.max_model_bytes}."
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "model-too-large", "Model too large", detail, field="upload")
        return row

    async def _identity(self, session: AsyncSession, request: schemas.ModelRequest) -> tuple[UUID, int, str]:
        if request.model is None:
            taken = await session.scalar(select(ModelRow.id).where(ModelRow.name == request.name).limit(1))
            promised = select(TrainingRow.id).where(TrainingRow.name == request.name, TrainingRow.status != "done").limit(1)
            if taken is not None or await session.scalar(promised) is not None:
                raise _name_taken(request.name)
            return uuid4(), 1, request.name
        rows = list(await session.scalars(select(ModelRow).where(ModelRow.uuid == request.model, ModelRow.type == request.type)))
        if not rows:
            raise not_found(request.type, request.model, "model")
        return request.model, await next_version(session, request.model), rows[0].name

    @asynccontextmanager
    async def _as_file(self, upload: UploadRow, name: str) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory(prefix="visionlab-model-") as folder:
            path = Path(folder) / name
            local = await asyncio.to_thread(self._store.local_path, upload_key(upload.uuid))
            if local is not None:
                path.symlink_to(local)
            else:
                chunks = await asyncio.to_thread(self._store.open, upload_key(upload.uuid))
                await asyncio.to_thread(_write, path, chunks)
            yield path

    def _put(self, card: ModelCard, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            with path.open("rb") as file:
                self._store.put(model_key(card.uuid, card.version, name), file)
        data = (card.model_dump_json(indent=2) + "\n").encode()
        self._store.put(model_key(card.uuid, card.version, "card.json"), data, content_type="application/json")

    async def _enter(self, card: ModelCard, upload: UUID) -> None:
        async with self._sessions() as session:
            try:
                await _claimed(session, upload, card.uuid)
                session.add(index_row(card, status="disabled"))
                await session.flush()
                await release(session, card.uuid, keep_seconds=0)
                await session.commit()
            except IntegrityError as error:
                await session.rollback()
                raise _name_taken(card.name) from error
            except ProblemError:
                await session.rollback()
                raise


async def next_version(session: AsyncSession, uuid: UUID) -> int:
    """The version after all that there are, that are being made, and that there ever were."""
    queries = (
        select(func.max(ModelRow.version)).where(ModelRow.uuid == uuid),
        select(func.max(RemovedModelRow.version)).where(RemovedModelRow.uuid == uuid),
        select(func.max(TrainingRow.model_version)).where(TrainingRow.model_uuid == uuid),
    )
    return 1 + max([await session.scalar(query) or 0 for query in queries])


async def _claimed(session: AsyncSession, upload: UUID, user: UUID) -> None:
    try:
        await claim(session, [upload], user)
    except ProblemError as error:
        error.field = "upload"
        raise


def _check_form(request: schemas.ModelRequest) -> None:
    if request.type == "detector" and request.face_class is not None:
        raise _invalid("face_class", "A detector tells all classes apart: leave face_class out.")
    if request.type == "generator" and (request.face_class is None or not request.face_class.is_generated):
        raise _invalid("face_class", "Say what the generator's faces are: human_gen or anime_gen.")
    if request.classes is not None:
        if request.type == "generator":
            raise _invalid("classes", "Only detectors have an order of classes.")
        if set(request.classes) != set(FACE_CLASSES):
            raise _invalid("classes", f"Name each of the four classes once: {', '.join(FACE_CLASSES)}.")


def _card(
    request: schemas.ModelRequest,
    identity: tuple[UUID, int, str],
    checked: CheckedModel,
    files: dict[str, FileDigest],
    filename: str,
) -> ModelCard:
    uuid, version, name = identity
    detector = request.type == "detector"
    return ModelCard(
        uuid=uuid,
        name=name,
        label=request.label or name,
        version=version,
        kind=request.type,
        architecture=request.architecture,
        description=request.description,
        face_class=request.face_class,
        classes=FACE_CLASSES if detector else (),
        inputs=checked.inputs,
        outputs=checked.outputs,
        parameters=checked.parameters,
        provenance=Provenance(
            spec={"uploaded": filename, "classes": [str(each) for each in request.classes or FACE_CLASSES] if detector else []},
            seed=0,
            steps=0,
            images_seen=0,
            device="unknown",
            code_version="unknown",
            started_from="uploaded",
            data="Not known: the model was trained elsewhere.",
            trained_at=datetime.now(UTC),
        ),
        licence=request.licence,
        limitations=("It was not judged here: nothing is known of how well it does.",),
        enabled_by_default=False,
        files=files,
    )


def _digest(path: Path) -> FileDigest:
    with path.open("rb") as file:
        return FileDigest(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    file: IO[bytes]
    with path.open("wb") as file:
        file.writelines(chunks)


def _name_taken(name: str) -> ProblemError:
    detail = f"There is a model named {name!r} already, or a training that is to make one. Choose another name."
    return ProblemError(HTTPStatus.CONFLICT, "name-taken", "Name taken", detail, field="name")


def _invalid(field: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)
