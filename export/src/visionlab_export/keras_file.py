"""Keras models from files, which are data and must not be code."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras

from visionlab_export.errors import ExportError


def load_keras(path: Path) -> Any:
    """Load a `.keras` file without its optimizer, in Keras' safe mode: nothing in the file is run.

    Raises:
        ExportError: the file is missing, damaged or of another format, or holds a Lambda layer or a class that Keras does not
        know.
    """
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ExportError(f"{path} is not in the .keras format. Save the model with model.save('NAME.keras').")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever the damaged part of the file happens to trip over.
        raise ExportError(
            f"Keras cannot load {path} safely: it is damaged, or holds a Lambda layer or a layer of its own. Keras says: "
            f"{str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
        ) from error
