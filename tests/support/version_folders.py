"""Version folders as the export writes them, of real and small models."""

from __future__ import annotations

from pathlib import Path

from support.tiny_models import write_version

from visionlab_core.model_card import ModelCard
from visionlab_inference.repository import model_config, write_config


def write_exported(folder: Path, card: ModelCard, onnx: bytes) -> Path:
    """Write `folder/UUID/VERSION/{card.json, config.pbtxt, model.onnx}`."""
    version = write_version(folder, card, onnx)
    write_config(version / "config.pbtxt", model_config(card))
    return version
