"""Which objects rows refer to, and what lies with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from visionlab_api.backup.catalogue import Wanted
from visionlab_api.services.fates import Fate
from visionlab_core.face_class import FaceClass
from visionlab_core.store_layout import (
    dataset_image_key,
    dataset_manifest_key,
    dataset_prefix,
    model_key,
    model_prefix,
    upload_key,
)


class References:
    """Reads the rows of one snapshot, table by table: `datasets` before what refers to it.

    `prefixes` are those below which everything belongs to a row and never changes. `going_on` are those of the trainings whose
    files still change.
    """

    def __init__(self) -> None:
        self.prefixes: list[str] = []
        self.trainings: list[UUID] = []
        self.going_on: set[UUID] = set()
        self._datasets: dict[int, UUID] = {}

    def of(self, table: str, row: Mapping[str, Any]) -> Iterator[Wanted]:
        """The objects of a row, as the backup has it."""
        match table:
            case "images" if row.get("deleted_at") is None:
                yield Wanted(row["store_key"], row["sha256"])
            case "uploads" if row["status"] == "done":
                expired = row["claimed_by"] is None and datetime.fromisoformat(row["expires_at"]) <= datetime.now(UTC)
                yield Wanted(upload_key(UUID(row["uuid"])), required=not expired)
            case "models":
                uuid, version = UUID(row["uuid"]), row["version"]
                self.prefixes.append(model_prefix(uuid, version))
                for name, digest in row["card"].get("files", {}).items():
                    yield Wanted(model_key(uuid, version, name), digest["sha256"])
            case "datasets" if row["state"] != "deleting":
                self._datasets[row["id"]] = uuid = UUID(row["uuid"])
                self.prefixes.append(dataset_prefix(uuid))
                if row["digest"] is not None:
                    yield Wanted(dataset_manifest_key(uuid, row["digest"]))
            case "dataset_files" if row["fate"] == Fate.KEPT and row["dataset_id"] in self._datasets:
                uuid, face_class = self._datasets[row["dataset_id"]], FaceClass(row["face_class"])
                yield Wanted(dataset_image_key(uuid, face_class, row["sha256"], row["suffix"]), row["sha256"])
            case "dataset_uses" if row["dataset_id"] in self._datasets:
                yield Wanted(dataset_manifest_key(self._datasets[row["dataset_id"]], row["digest"]))
            case "trainings" if row["wish"] != "removed":
                self.trainings.append(UUID(row["uuid"]))
                if row["status"] != "done":
                    self.going_on.add(UUID(row["uuid"]))
