"""A database as it is after years: many images, models, data sets and trainings. Rows alone: there are no files behind them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import URL, Connection, Table, create_engine, event, func, insert, select, text

from visionlab_api.database.account_tables import ApiKeyRow, AuditRow
from visionlab_api.database.engine import migrate
from visionlab_api.database.tables import Base, DatasetFileRow, DatasetRow, ImageRow, LabelRow, ModelRow, TrainingRow
from visionlab_core.model_card import ModelCard

ME = UUID(int=1)
"""A visitor who uploaded a few hundred images, as most did not."""
BUSY, QUIET = UUID(int=2), UUID(int=3)
"""A generator that made half of all generated images, and one that made ten, long ago."""

_SPACE = UUID(int=0)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ROWS_AT_ONCE = 5000


def fill(url: URL, *, images: int, models: int, others: int, cards: Mapping[str, ModelCard]) -> None:
    """Fill an empty database.

    Args:
        url: of it.
        images: rows of generated and uploaded images, six to four.
        models: versions of models, all disabled.
        others: data sets, trainings, API keys; and a hundred times as many files of data sets, ten times as many acts in the log.
        cards: one of a detector and one of a generator, which all models get.

    Raises:
        SystemExit: it is not empty.
    """
    migrate(url)
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    with engine.begin() as connection:
        if connection.scalar(select(func.count()).select_from(ImageRow)):
            raise SystemExit("The database has images in it: name an empty one.")
        _insert(connection, ModelRow, _models(models, cards))
        _insert(connection, ImageRow, _images(images))
        labelled = connection.execute(select(ImageRow.id, ImageRow.class_label).where(ImageRow.image_type == "uploaded"))
        given = [(identity, label) for identity, label in labelled if label]
        _insert(connection, LabelRow, ({"image_id": row, "label": label, "visitor": ME} for row, label in given))
        _insert(connection, DatasetRow, _datasets(others))
        _insert(connection, DatasetFileRow, _files(connection, others))
        metrics = cards["detector"].model_dump(mode="json")["metrics"]
        _insert(connection, TrainingRow, _trainings(others, metrics))
        _insert(connection, ApiKeyRow, _keys(others))
        _insert(connection, AuditRow, _acts(10 * others))
        _sum_up(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if url.get_backend_name() == "postgresql" else "ANALYZE"))
    engine.dispose()


def _insert(connection: Connection, kind: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _ROWS_AT_ONCE:
            connection.execute(insert(kind), some)
            some = []
    if some:
        connection.execute(insert(kind), some)


def _sum_up(connection: Connection) -> None:
    table: Table | None = Base.metadata.tables.get("popularity")
    if table is None:  # of a version before there was one
        return
    model = (ImageRow.model_uuid, ImageRow.model_version)
    columns = [*model, func.max(ImageRow.model_name), func.max(ImageRow.model_label), func.max(ImageRow.class_label)]
    counts = [func.count(), func.sum(ImageRow.likes), func.sum(ImageRow.downloads)]
    sums = select(*columns, *counts).where(ImageRow.image_type == "generated").group_by(*model)
    connection.execute(insert(table).from_select([column.name for column in table.columns if column.name != "id"], sums))


def _models(count: int, cards: Mapping[str, ModelCard]) -> Iterator[dict[str, Any]]:
    for number in range(count):
        kind = "detector" if number % 2 else "generator"
        uuid, name = uuid5(_SPACE, f"model {number // 4 * 4 + number % 2}"), f"{kind}-{number // 4:05d}"
        version = 1 + number % 4 // 2
        card = cards[kind].model_copy(update={"uuid": uuid, "name": name, "version": version, "label": name})
        yield {
            "uuid": uuid, "type": kind, "name": name, "version": version, "label": name, "status": "disabled",
            "ensemble": False, "base_models": [], "card": card.model_dump(mode="json"),
        }  # fmt: skip


def _images(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for number in range(count):
        generated = chance.random() < 0.6
        uuid = uuid5(_SPACE, f"image {number}")
        common = {
            "uuid": uuid, "likes": chance.randrange(20), "downloads": chance.randrange(5), "content_type": "image/png",
            "size": 40_000, "sha256": f"{number:064x}", "width": 128, "height": 128,
            "store_key": f"images/{uuid}.png", "created_at": _START + timedelta(seconds=number),
        }  # fmt: skip
        if generated:
            model = BUSY if chance.random() < 0.5 else uuid5(_SPACE, f"generator {chance.randrange(40)}")
            if number < 20:
                model = QUIET
            yield common | {
                "image_type": "generated", "model_uuid": model, "model_name": f"g{model.int % 1000}", "model_label": "Some faces",
                "model_version": 1, "seed": number, "truncation": 1.0, "class_label": "human_gen", "filename": None,
                "visitor": uuid5(_SPACE, f"visitor {chance.randrange(5000)}"), "shared": False,
            }  # fmt: skip
        else:
            visitor = ME if chance.random() < 0.01 else uuid5(_SPACE, f"visitor {chance.randrange(5000)}")
            yield common | {
                "image_type": "uploaded", "model_uuid": None, "model_name": None, "model_label": None, "model_version": None,
                "seed": None, "truncation": None, "class_label": chance.choice(["human", "anime", "human_gen", None]),
                "filename": "face.png", "visitor": visitor, "shared": chance.random() < 0.3,
            }  # fmt: skip


def _datasets(count: int) -> Iterator[dict[str, Any]]:
    # What people labelled and what generators made come with the first migration.
    for number in range(count):
        failed = number % 10 == 0
        yield {
            "uuid": uuid5(_SPACE, f"dataset {number}"), "type": "generator" if number % 5 == 0 else "detector",
            "name": f"faces-{number * 7919 % count:05d}", "label": "Faces", "face_class": ["human", "anime"][number % 2],
            "origin": "uploaded", "status": "enabled" if number % 3 else "disabled", "state": "failed" if failed else "ready",
            "reason": "It is no archive." if failed else None, "digest": None if failed else f"{number:064x}", "progress": 1.0,
            "files": 100, "images": 90, "fates": {"kept": 90}, "classes": {"human": 90}, "sizes": {"128": 90},
        }  # fmt: skip


def _files(connection: Connection, others: int) -> Iterator[dict[str, Any]]:
    identities = list(connection.scalars(select(DatasetRow.id).where(DatasetRow.origin == "uploaded").order_by(DatasetRow.id)))
    # Half of all files are in the first data set.
    for place, identity in enumerate(identities):
        for position in range(50 * others if place == 0 else 50):
            fate = "kept" if position % 10 else "duplicate"
            yield {
                "dataset_id": identity, "position": position, "path": f"faces/{position:06d}.jpg", "fate": fate, "size": 20_000,
                "reason": None if fate == "kept" else "It is there already.", "face_class": "human",
                "sha256": f"{identity:032x}{position:032x}", "perceptual_hash": f"{position:064x}", "suffix": ".jpg",
                "width": 256, "height": 256,
            }  # fmt: skip


def _trainings(count: int, metrics: dict[str, Any]) -> Iterator[dict[str, Any]]:
    statuses = ["done"] * 6 + ["failed", "failed", "paused", "pending"]
    settings = {
        "include_uploaded": True, "include_generated": False, "batch_size": 32, "max_epochs": 10, "preset": "robust",
        "learning_rate": None, "patience": 3, "resolution": None, "weights": "imagenet", "face_class": None,
        "test_fraction": 0.1, "backend": "tensorflow", "seed": 1, "licence": "Apache-2.0",
    }  # fmt: skip
    for number in range(count):
        status = statuses[number % 10]
        ended = status in ("done", "failed")
        uuid = uuid5(_SPACE, f"training {number}")
        yield {
            "uuid": uuid, "type": "generator" if number % 5 == 0 else "detector", "name": f"run-{number * 7919 % count:05d}",
            "label": "A run", "status": status, "wish": "pause" if status == "paused" else "run",
            "reason": "It ran out of memory." if status == "failed" else None, "model_uuid": uuid, "model_version": 1,
            "architecture": "MobileNetV2", "settings": settings,
            "datasets": [{"uuid": str(uuid), "name": "faces", "digest": "0" * 64, "images": 90}], "job_order": {"seed": 1},
            "metrics": metrics if status == "done" else {}, "created_at": _START, "end_at": _START if ended else None,
        }  # fmt: skip


def _keys(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"kind": "key", "name": "program", "prefix": "vl_", "digest": f"{number:064x}", "scopes": ["inference"]}


def _acts(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "at": _START + timedelta(minutes=number), "actor_kind": "key", "actor_id": f"key {number % 50}", "actor_name": "p",
            "action": "POST /backend/settings" if number % 100 else "DELETE /backend/model/{uuid}", "target": "", "status": 200,
        }  # fmt: skip
