"""`visionlab-export`: a Keras file, a draft of its card and a folder of images in; a version folder out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from visionlab_export.card_draft import CardDraft
from visionlab_export.errors import ExportError, ParityError

DONE = 0
PARITY_FAILED = 1
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _export(options.model, _read_draft(options.card), options.images, options.out)
    except ExportError as error:
        return _fail(str(error), BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="visionlab-export",
        description="Export a Keras model as SavedModel, ONNX and a Triton configuration, if all runtimes agree on it.",
        epilog="Exit codes: 0 exported; 1 the runtimes disagree; 2 something given is wrong. After 1 or 2 nothing was written.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL.keras", help="the model, saved by Keras 3")
    parser.add_argument("--card", type=Path, required=True, metavar="DRAFT.yaml", help="what only you know of the model")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="detectors: 8 or more real images for the comparison")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where <uuid>/<version>/ is written")
    return parser


def _read_draft(path: Path) -> CardDraft:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"The card {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExportError(f"The card {path} is not YAML: {error}") from error
    try:
        return CardDraft.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in error.errors())
        raise ExportError(f"The card {path} is not complete:\n{problems}") from error


def _export(model: Path, draft: CardDraft, images: Path | None, out: Path) -> int:
    # Both are read once, at the import of Keras and TensorFlow.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _say("Loading TensorFlow")
    # Imported here, so that --help and a mistake in the card take no seconds.
    from visionlab_export.export import export_model
    from visionlab_export.gate_images import read_images
    from visionlab_export.keras_file import load_keras

    examples = read_images(images) if images else None
    _say(f"Loading {model}")
    loaded = load_keras(model)
    try:
        export = export_model(loaded, draft, out, images=examples, progress=_say)
    except ParityError as error:
        return _fail(str(error), PARITY_FAILED)
    for output in export.card.outputs:
        _say(f"Largest difference: {export.parity.worst(output.name)}")
    print(export.folder)
    return DONE


def _say(sentence: str) -> None:
    print(f"{sentence} ...", file=sys.stderr, flush=True)


def _fail(message: str, code: int) -> int:
    print(f"visionlab-export: {message}", file=sys.stderr)
    return code
