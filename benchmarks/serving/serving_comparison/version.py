"""The model that is served."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from visionlab_core.model_card import ModelCard


@dataclass(frozen=True, slots=True)
class Version:
    """A version folder and its card."""

    folder: Path
    card: ModelCard

    @property
    def onnx(self) -> Path:
        """The file that every server runs."""
        return self.folder / "model.onnx"

    def alone(self, models: Path) -> Path:
        """A models folder that holds nothing but this version, enabled: `<models>/<uuid>/<version>`."""
        target = models / str(self.card.uuid) / str(self.card.version)
        shutil.copytree(self.folder, target)
        card = self.card.model_copy(update={"enabled_by_default": True})
        (target / "card.json").write_text(card.model_dump_json())
        return models


def find_version(wanted: str, models: Path) -> Version:
    """By a version folder, or by the name that a card in `models` has.

    Raises:
        SystemExit: there is no such detector.
    """
    folder = Path(wanted)
    if (folder / "card.json").is_file():
        found = [Version(folder.absolute(), _card(folder))]
    else:
        versions = [Version(path.parent.absolute(), _card(path.parent)) for path in sorted(models.glob("*/*/card.json"))]
        found = [version for version in versions if version.card.name == wanted]
    if not found or found[-1].card.kind != "detector":
        raise SystemExit(f"--model: {wanted} is neither a version folder nor the name of a detector in {models}")
    return found[-1]


def _card(folder: Path) -> ModelCard:
    try:
        return ModelCard.model_validate_json((folder / "card.json").read_bytes())
    except ValidationError as error:
        raise SystemExit(f"{folder / 'card.json'}: {error}") from error
