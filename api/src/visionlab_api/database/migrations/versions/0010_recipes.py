"""what neighbours and mixtures of generated images are made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_recipes"
down_revision = "0009_list_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.add_column("images", sa.Column("recipe", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("images", "recipe")
