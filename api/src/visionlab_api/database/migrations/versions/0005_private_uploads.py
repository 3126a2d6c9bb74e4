"""uploads are private."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_private_uploads"
down_revision = "0004_accounts"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """To this revision."""
    op.add_column("images", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("images", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_images_own", "images", ["visitor", "image_type", "id"])
    op.create_index("ix_images_age", "images", ["image_type", "shared", "created_at"])
    op.create_index("ix_images_deleted", "images", ["deleted_at"], sqlite_where=_DELETED, postgresql_where=_DELETED)


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("ix_images_deleted", "images")
    op.drop_index("ix_images_age", "images")
    op.drop_index("ix_images_own", "images")
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.drop_column("deleted_at")
        batch_op.drop_column("shared")
