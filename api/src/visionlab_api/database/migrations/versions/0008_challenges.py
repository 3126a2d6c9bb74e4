"""challenges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_challenges"
down_revision = "0007_leaders"
branch_labels = None
depends_on = None

_STATES = (
    "state IN ('queued', 'training', 'judging', 'proposed', 'switched', 'rolled_back', 'kept', 'rejected', 'cancelled', 'failed')"
)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "challenges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("model_uuid", sa.Uuid(), nullable=False),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("champion_version", sa.Integer(), nullable=False),
        sa.Column("challenger_version", sa.Integer(), nullable=True),
        sa.Column("training", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("made_by", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("new_labels", sa.Integer(), nullable=False),
        sa.Column("judged", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("comparison", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_challenges_state")),
        sa.CheckConstraint("made_by IN ('demand', 'schedule')", name=op.f("ck_challenges_made_by")),
        sa.CheckConstraint("state <> 'failed' OR reason IS NOT NULL", name=op.f("ck_challenges_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sa.UniqueConstraint("uuid", name=op.f("uq_challenges_uuid")),
        sa.UniqueConstraint("training", name=op.f("uq_challenges_training")),
    )
    op.create_index("ix_challenges_model", "challenges", ["model_uuid", "id"])
    op.create_index("ix_challenges_state", "challenges", ["state", "id"])
    going_on = sa.text("state IN ('queued', 'training', 'judging', 'proposed')")
    op.create_index(
        "ix_challenges_open", "challenges", ["model_uuid"], unique=True, sqlite_where=going_on, postgresql_where=going_on
    )
    op.create_index("ix_labels_created_at", "labels", ["created_at"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("ix_labels_created_at", "labels")
    op.drop_table("challenges")
