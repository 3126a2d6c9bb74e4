"""indexes of long lists, and how popular generators are without counting their images."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_list_indexes"
down_revision = "0008_challenges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "popularity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_uuid", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("model_label", sa.String(length=80), nullable=False),
        sa.Column("face_class", sa.String(length=16), nullable=True),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_popularity")),
        sa.UniqueConstraint("model_uuid", "model_version", name=op.f("uq_popularity_model_uuid_model_version")),
    )
    op.execute(
        "INSERT INTO popularity"
        " (model_uuid, model_version, model_name, model_label, face_class, images, likes, downloads)"
        " SELECT model_uuid, model_version, max(model_name), max(coalesce(model_label, model_name)), max(class_label),"
        " count(*), sum(likes), sum(downloads)"
        " FROM images WHERE image_type = 'generated' AND deleted_at IS NULL GROUP BY model_uuid, model_version"
    )
    op.drop_index("ix_images_model", "images")
    op.drop_index("ix_images_class", "images")
    op.create_index("ix_images_model", "images", ["model_uuid", "id"])
    op.create_index("ix_images_shared", "images", ["image_type", "shared", "id"])
    op.create_index("ix_images_labelled", "images", ["image_type", "shared", "class_label", "deleted_at"])
    op.create_index("ix_models_status", "models", ["status", "id"])
    for column in ("actor_id", "action"):
        op.drop_index(f"ix_audit_{column}", "audit")
        op.create_index(f"ix_audit_{column}", "audit", [column, "id"])


def downgrade() -> None:
    """Back to the one before."""
    for column in ("actor_id", "action"):
        op.drop_index(f"ix_audit_{column}", "audit")
        op.create_index(f"ix_audit_{column}", "audit", [column])
    op.drop_index("ix_models_status", "models")
    op.drop_index("ix_images_labelled", "images")
    op.drop_index("ix_images_shared", "images")
    op.drop_index("ix_images_model", "images")
    op.create_index("ix_images_class", "images", ["image_type", "class_label"])
    op.create_index("ix_images_model", "images", ["model_uuid", "model_version"])
    op.drop_table("popularity")
