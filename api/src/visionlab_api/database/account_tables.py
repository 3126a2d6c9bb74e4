"""The tables of accounts. Of secrets they hold digests alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from visionlab_api.database.tables import Base, BigId

_IN_FORCE = text("kind = 'admin_token' AND revoked_at IS NULL")


def _now() -> datetime:
    return datetime.now(UTC)


class ApiKeyRow(Base):
    """A key of a program, or the admin token. A revoked one stays, as the audit log names it."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("kind IN ('key', 'admin_token')", name="kind"),
        # Of replicas that start at once, one makes the token.
        Index("uq_api_keys_admin_token", "kind", unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class SessionRow(Base):
    """A browser that signed in: with a key, whose rights it then has as long as the key has them, or as a person (OIDC)."""

    __tablename__ = "sessions"
    __table_args__ = (CheckConstraint("(key_digest IS NULL) != (subject IS NULL)", name="who"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    key_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    subject: Mapped[str | None] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(80))
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AuditRow(Base):
    """An act of an admin, or a try at one. Without `status` the server stopped before it was done, or it is being done."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_actor_id", "actor_id", "id"), Index("ix_audit_action", "action", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=_now, index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(255))
    actor_name: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(128))
    target: Mapped[str] = mapped_column(String(512))
    request_id: Mapped[str | None] = mapped_column(String(128))
    status: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
