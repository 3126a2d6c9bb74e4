"""trainings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_trainings"
down_revision = "0005_private_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "trainings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("wish", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("model_uuid", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("architecture", sa.String(length=64), nullable=False),
        sa.Column("ensemble", sa.Boolean(), nullable=False),
        sa.Column("base_models", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("datasets", sa.JSON(), nullable=False),
        sa.Column("job_order", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begin_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("type IN ('detector', 'generator')", name=op.f("ck_trainings_type")),
        sa.CheckConstraint("status IN ('pending', 'running', 'paused', 'done', 'failed')", name=op.f("ck_trainings_status")),
        sa.CheckConstraint("wish IN ('run', 'pause', 'removed')", name=op.f("ck_trainings_wish")),
        sa.CheckConstraint("status NOT IN ('done', 'failed') OR end_at IS NOT NULL", name=op.f("ck_trainings_ended")),
        sa.CheckConstraint("status <> 'failed' OR reason IS NOT NULL", name=op.f("ck_trainings_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainings")),
        sa.UniqueConstraint("uuid", name=op.f("uq_trainings_uuid")),
    )
    with op.batch_alter_table("trainings", schema=None) as batch_op:
        batch_op.create_index("ix_trainings_type_id", ["type", "id"], unique=False)
        batch_op.create_index("ix_trainings_type_name", ["type", "name", "id"], unique=False)
        batch_op.create_index("ix_trainings_status", ["status", "wish", "id"], unique=False)
        batch_op.create_index("ix_trainings_wish", ["wish"], unique=False)
    not_done = sa.text("status <> 'done'")
    op.create_index(
        "ix_trainings_promised",
        "trainings",
        ["name", "model_version"],
        unique=True,
        sqlite_where=not_done,
        postgresql_where=not_done,
    )
    op.create_table(
        "removed_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_models")),
        sa.UniqueConstraint("uuid", "version", name=op.f("uq_removed_models_uuid_version")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("removed_models")
    op.drop_table("trainings")
