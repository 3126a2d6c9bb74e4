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
    """A moment: aware, in UTC, on every database (SQLite drops the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


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
        Index("ix_images_model", "model_uuid", "model_version"),
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


class LabelRow(Base):
    """What a person said of an uploaded image. Rows are only ever added: the latest counts."""

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    label: Mapped[str] = mapped_column(String(16))
    predicted: Mapped[str | None] = mapped_column(String(16))
    visitor: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=_now)


class SettingRow(Base):
    """A system-wide setting that differs from its default."""

    __tablename__ = "settings"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    value: Mapped[Any] = mapped_column(JSON)
