"""datasets."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0003_datasets"
down_revision = "0002_uploads"
branch_labels = None
depends_on = None

# The same everywhere, so that a training that names one is understood everywhere.
VIRTUAL = [
    ("5f0c2a80-0000-4000-8000-000000000001", "detector", "labelled", "Labelled by people"),
    ("5f0c2a80-0000-4000-8000-000000000002", "detector", "generated", "Made by generators"),
    ("5f0c2a80-0000-4000-8000-000000000003", "generator", "labelled", "Labelled by people"),
    ("5f0c2a80-0000-4000-8000-000000000004", "generator", "generated", "Made by generators"),
]


def upgrade() -> None:
    """To this revision."""
    datasets = op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("face_class", sa.String(length=16), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("uploads", sa.JSON(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("image_bytes", sa.BigInteger(), nullable=False),
        sa.Column("fates", sa.JSON(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("sizes", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("type IN ('detector', 'generator')", name=op.f("ck_datasets_type")),
        sa.CheckConstraint("origin IN ('uploaded', 'labelled', 'generated')", name=op.f("ck_datasets_origin")),
        sa.CheckConstraint("status IN ('enabled', 'disabled')", name=op.f("ck_datasets_status")),
        sa.CheckConstraint("state IN ('pending', 'reading', 'ready', 'failed', 'deleting')", name=op.f("ck_datasets_state")),
        sa.CheckConstraint("state <> 'ready' OR origin <> 'uploaded' OR digest IS NOT NULL", name=op.f("ck_datasets_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("uuid", name=op.f("uq_datasets_uuid")),
        sa.UniqueConstraint("name", name=op.f("uq_datasets_name")),
    )
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.create_index("ix_datasets_type_id", ["type", "id"], unique=False)
        batch_op.create_index("ix_datasets_type_name", ["type", "name", "id"], unique=False)
        batch_op.create_index("ix_datasets_state", ["state"], unique=False)
    now = datetime.now(UTC)
    op.bulk_insert(
        datasets,
        [
            {
                "uuid": UUID(uuid),
                "type": kind,
                "name": f"{origin}-for-{kind}s",
                "label": label,
                "origin": origin,
                "status": "enabled",
                "state": "ready",
                "uploads": [],
                "progress": 1.0,
                "attempts": 0,
                "files": 0,
                "images": 0,
                "image_bytes": 0,
                "fates": {},
                "classes": {},
                "sizes": {},
                "created_at": now,
            }
            for uuid, kind, origin, label in VIRTUAL
        ],
    )

    op.create_table(
        "dataset_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("fate", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=1200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("face_class", sa.String(length=16), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("perceptual_hash", sa.String(length=160), nullable=True),
        sa.Column("suffix", sa.String(length=8), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_files_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_files")),
        sa.UniqueConstraint("dataset_id", "position", name=op.f("uq_dataset_files_dataset_id_position")),
    )
    with op.batch_alter_table("dataset_files", schema=None) as batch_op:
        batch_op.create_index("ix_dataset_files_fate", ["dataset_id", "fate", "position"], unique=False)

    op.create_table(
        "dataset_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("training", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_uses_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_uses")),
        sa.UniqueConstraint("dataset_id", "training", name=op.f("uq_dataset_uses_dataset_id_training")),
    )
    with op.batch_alter_table("dataset_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_uses_training"), ["training"], unique=False)
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.create_index("ix_images_class", ["image_type", "class_label"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.drop_index("ix_images_class")
    op.drop_table("dataset_uses")
    op.drop_table("dataset_files")
    op.drop_table("datasets")
