"""leaders, and where trainings run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_leaders"
down_revision = "0006_trainings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "leaders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaders")),
        sa.UniqueConstraint("name", name=op.f("uq_leaders_name")),
    )
    op.add_column("trainings", sa.Column("place", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("trainings", schema=None) as batch_op:
        batch_op.drop_column("place")
    op.drop_table("leaders")
