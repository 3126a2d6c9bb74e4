"""The tables. JSON columns hold small lists; files are in the object store, known here by key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware, in UTC, on every database (SQLite drops the zone, PostgreSQL gives it in that of the session)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


# SQLite numbers rows by itself only in a column of type INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


def _now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables. Constraints have names, so that migrations can change them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    type_annotation_map = {datetime: UtcDateTime, UUID: Uuid, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class ModelRow(Base):
    """An index of the model cards, and the wish whether a model serves."""

    __tablename__ = "models"
    __table_args__ = (
        UniqueConstraint("uuid", "version"),
        UniqueConstraint("name", "version"),
        CheckConstraint("type IN ('detector', 'generator')", name="type"),
        CheckConstraint("status IN ('enabled', 'disabled')", name="status"),
        Index("ix_models_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    label: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(16))
    ensemble: Mapped[bool] = mapped_column(default=False)
    base_models: Mapped[list[str]] = mapped_column(default=list)
    card: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=_now)


_DELETED = text("deleted_at IS NOT NULL")


class ImageRow(Base):
    """A stored image: generated here, or uploaded by a person."""

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("image_type IN ('generated', 'uploaded')", name="image_type"),
        CheckConstraint("likes >= 0 AND downloads >= 0", name="counts"),
        Index("ix_images_list", "image_type", "id"),
        Index("ix_images_model", "model_uuid", "id"),
        Index("ix_images_shared", "image_type", "shared", "id"),
        # All that is asked of people's labels, so that they are counted without a look at the rows.
        Index("ix_images_labelled", "image_type", "shared", "class_label", "deleted_at"),
        Index("ix_images_own", "visitor", "image_type", "id"),
        Index("ix_images_age", "image_type", "shared", "created_at"),
        Index("ix_images_deleted", "deleted_at", sqlite_where=_DELETED, postgresql_where=_DELETED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    image_type: Mapped[str] = mapped_column(String(16))
    model_uuid: Mapped[UUID | None]
    model_name: Mapped[str | None] = mapped_column(String(64))
    model_label: Mapped[str | None] = mapped_column(String(80))
    model_version: Mapped[int | None]
    seed: Mapped[int | None] = mapped_column(BigInteger)
    truncation: Mapped[float | None]
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What a generated image is made of beside its seed and truncation, where there is more: see services/recipes.py."""
    class_label: Mapped[str | None] = mapped_column(String(16))
    likes: Mapped[int] = mapped_column(default=0)
    downloads: Mapped[int] = mapped_column(default=0)
    store_key: Mapped[str] = mapped_column(String(512))
    content_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    filename: Mapped[str | None] = mapped_column(String(255))
    visitor: Mapped[UUID]
    shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Uploaded: its person agreed that it is learnt from."""
    created_at: Mapped[datetime] = mapped_column(default=_now)
    deleted_at: Mapped[datetime | None]
    """It is not there any more; its bytes are about to go."""


class PopularityRow(Base):
    """How many images a generator's version made, and their likes and downloads.

    It is the sum over its images that are there, kept by whoever changes one of them, in the same transaction: to add them up
    anew would take longer with each image. See `services.popularity`.
    """

    __tablename__ = "popularity"
    __table_args__ = (UniqueConstraint("model_uuid", "model_version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_uuid: Mapped[UUID]
    model_version: Mapped[int]
    model_name: Mapped[str] = mapped_column(String(64))
    model_label: Mapped[str] = mapped_column(String(80))
    face_class: Mapped[str | None] = mapped_column(String(16))
    images: Mapped[int] = mapped_column(BigInteger)
    likes: Mapped[int] = mapped_column(BigInteger)
    downloads: Mapped[int] = mapped_column(BigInteger)


class LabelRow(Base):
    """What a person said of an uploaded image. Rows are only ever added: the latest counts."""

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_created_at", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    label: Mapped[str] = mapped_column(String(16))
    predicted: Mapped[str | None] = mapped_column(String(16))
    visitor: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Leased:
    """Columns of rows that one worker at a time may work on; see `database.leases`."""

    holder: Mapped[UUID | None]
    renewed_at: Mapped[datetime | None]


class LeaderRow(Leased, Base):
    """What one process among all those of a database does at a time, by its name; see `database.leader`, `reconcile.clocks`."""

    __tablename__ = "leaders"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class UploadRow(Leased, Base):
    """A large file that arrives in pieces, or has arrived and waits until something makes use of it.

    `received` bytes are in the store for good. `claimed_by` is the uuid of what makes use of the file; while it stands, the
    upload does not expire.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("status IN ('receiving', 'done')", name="status"),
        CheckConstraint("received >= 0 AND received <= length", name="received"),
        CheckConstraint("status <> 'done' OR received = length", name="done"),
        Index("ix_uploads_expires_at", "expires_at"),
        Index("ix_uploads_claimed_by", "claimed_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    filename: Mapped[str] = mapped_column(String(255))
    upload_metadata: Mapped[str] = mapped_column(String(4096))
    length: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[str] = mapped_column(String(16), default="receiving")
    claimed_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=_now)
    expires_at: Mapped[datetime]


class DatasetRow(Leased, Base):
    """A data set: images that somebody uploaded, or, virtual, those that people labelled or that generators made.

    `status` is the wish whether trainings may use it, `state` how far it is. An uploaded one is read from its `uploads` in the
    order given; `files` of them have been read so far, each with a row of its own. Counts are of the images that were kept. Once
    it is ready it never changes, and `digest` names exactly its content.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint("type IN ('detector', 'generator')", name="type"),
        CheckConstraint("origin IN ('uploaded', 'labelled', 'generated')", name="origin"),
        CheckConstraint("status IN ('enabled', 'disabled')", name="status"),
        CheckConstraint("state IN ('pending', 'reading', 'ready', 'failed', 'deleting')", name="state"),
        CheckConstraint("state <> 'ready' OR origin <> 'uploaded' OR digest IS NOT NULL", name="digest"),
        Index("ix_datasets_type_id", "type", "id"),
        Index("ix_datasets_type_name", "type", "name", "id"),
        Index("ix_datasets_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    type: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(80))
    face_class: Mapped[str | None] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(1000))
    uploads: Mapped[list[str]] = mapped_column(default=list)
    progress: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    files: Mapped[int] = mapped_column(default=0)
    images: Mapped[int] = mapped_column(default=0)
    image_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    fates: Mapped[dict[str, Any]] = mapped_column(default=dict)
    classes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sizes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=_now)
    ended_at: Mapped[datetime | None]


class DatasetFileRow(Base):
    """What became of one file of a data set."""

    __tablename__ = "dataset_files"
    __table_args__ = (
        UniqueConstraint("dataset_id", "position"),
        Index("ix_dataset_files_fate", "dataset_id", "fate", "position"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    position: Mapped[int]
    path: Mapped[str] = mapped_column(String(1024))
    fate: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(1200))
    size: Mapped[int] = mapped_column(BigInteger)
    face_class: Mapped[str | None] = mapped_column(String(16))
    sha256: Mapped[str | None] = mapped_column(String(64))
    perceptual_hash: Mapped[str | None] = mapped_column(String(160))
    suffix: Mapped[str | None] = mapped_column(String(8))
    width: Mapped[int | None]
    height: Mapped[int | None]


class DatasetUseRow(Base):
    """A training that uses a data set, from the time it is queued until it has ended: so long the data set stays."""

    __tablename__ = "dataset_uses"
    __table_args__ = (UniqueConstraint("dataset_id", "training"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    training: Mapped[UUID] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=_now)


class TrainingRow(Leased, Base):
    """A training: what is wished (`wish`: run, pause, removed) and what was seen of it (`status`).

    `order` is all that the job is given (`visionlab_core.training_job.TrainingOrder`). `attempts` counts how often it was broken
    off without having come further than `last_step`. `begin_at` is when it was first started. `place` names the runner that it
    was started on, which alone can see how it fares; None: any may have it.
    """

    __tablename__ = "trainings"
    __table_args__ = (
        CheckConstraint("type IN ('detector', 'generator')", name="type"),
        CheckConstraint("status IN ('pending', 'running', 'paused', 'done', 'failed')", name="status"),
        CheckConstraint("wish IN ('run', 'pause', 'removed')", name="wish"),
        CheckConstraint("status NOT IN ('done', 'failed') OR end_at IS NOT NULL", name="ended"),
        CheckConstraint("status <> 'failed' OR reason IS NOT NULL", name="reason"),
        Index("ix_trainings_type_id", "type", "id"),
        Index("ix_trainings_type_name", "type", "name", "id"),
        Index("ix_trainings_status", "status", "wish", "id"),
        Index("ix_trainings_wish", "wish"),
        # A name and version is promised to one training at a time; once it is done, the models table keeps it.
        Index(
            "ix_trainings_promised",
            "name",
            "model_version",
            unique=True,
            sqlite_where=text("status <> 'done'"),
            postgresql_where=text("status <> 'done'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    type: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(16), default="pending")
    wish: Mapped[str] = mapped_column(String(16), default="run")
    reason: Mapped[str | None] = mapped_column(String(1000))
    model_uuid: Mapped[UUID]
    model_version: Mapped[int]
    architecture: Mapped[str] = mapped_column(String(64))
    ensemble: Mapped[bool] = mapped_column(default=False)
    base_models: Mapped[list[str]] = mapped_column(default=list)
    settings: Mapped[dict[str, Any]]
    datasets: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    order: Mapped[dict[str, Any]] = mapped_column("job_order")
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    last_step: Mapped[int] = mapped_column(default=0)
    place: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=_now)
    begin_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]


_OPEN_CHALLENGE = text("state IN ('queued', 'training', 'judging', 'proposed')")


class ChallengeRow(Leased, Base):
    """A detector in service, the champion, and a version that was trained to take its place, the challenger.

    `rule` is what a challenger has to come up to, frozen when the challenge was made; `verdict` how it did. `judged` names the
    images on which both are judged. `training` is null only where none could be queued.
    """

    __tablename__ = "challenges"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'training', 'judging', 'proposed', 'switched', 'rolled_back', 'kept', 'rejected', 'cancelled', "
            "'failed')",
            name="state",
        ),
        CheckConstraint("made_by IN ('demand', 'schedule')", name="made_by"),
        CheckConstraint("state <> 'failed' OR reason IS NOT NULL", name="reason"),
        Index("ix_challenges_model", "model_uuid", "id"),
        Index("ix_challenges_state", "state", "id"),
        # One at a time for each model.
        Index("ix_challenges_open", "model_uuid", unique=True, sqlite_where=_OPEN_CHALLENGE, postgresql_where=_OPEN_CHALLENGE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    model_uuid: Mapped[UUID]
    model_name: Mapped[str] = mapped_column(String(64))
    champion_version: Mapped[int]
    challenger_version: Mapped[int | None]
    training: Mapped[UUID | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    reason: Mapped[str | None] = mapped_column(String(1000))
    made_by: Mapped[str] = mapped_column(String(16))
    rule: Mapped[dict[str, Any]]
    new_labels: Mapped[int]
    judged: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    comparison: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    verdict: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(default=_now)
    ended_at: Mapped[datetime | None]


class RemovedModelRow(Base):
    """A model version that somebody removed: one that ships with the project must not come back at the next start."""

    __tablename__ = "removed_models"
    __table_args__ = (UniqueConstraint("uuid", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID]
    version: Mapped[int]
    removed_at: Mapped[datetime] = mapped_column(default=_now)


class SettingRow(Base):
    """A system-wide setting that differs from its default."""

    __tablename__ = "settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    value: Mapped[Any] = mapped_column(JSON)
