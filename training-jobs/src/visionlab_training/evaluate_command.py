"""The command `visionlab-evaluate`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import GeneratorMetrics, ModelCard
from visionlab_training.backend import choose_backend
from visionlab_training.cli import fail
from visionlab_training.data.index import SPLITS, DataError, ImageRow, read_manifest
from visionlab_training.evaluation.report import write_pictures, write_report
from visionlab_training.evaluation.served import ROBUSTNESS_IMAGES, DetectorEvaluation, UnusableModel, evaluate_detector
from visionlab_training.evaluation.served_generator import GeneratorEvaluation, RealFaces, evaluate_generator
from visionlab_training.exit_codes import ExitCode
from visionlab_training.spec_file import SpecError


class UnusableVersion(ValueError):
    """A version folder that cannot be evaluated; the message says why."""


def main() -> None:
    """Judge an exported model, and write evaluation.json, pictures and report.html. The version folder is not changed.

    A detector is judged on splits of the manifest; an image that cannot be decoded is left out, counted and named. A generator is
    judged against the manifest's real faces of its kind, and by the detectors that --detectors names.

    Exit codes: 0 done, 2 the version, the data or the weights cannot be used, 1 anything else.
    """
    parser = argparse.ArgumentParser(
        prog="visionlab-evaluate", description=main.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", type=Path, help="folder of a version, with card.json and model.onnx")
    parser.add_argument("--manifest", type=Path, required=True, help="CSV with the columns path, class, source, split")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=["test", "unseen"], help="default: test unseen")
    parser.add_argument("--out", type=Path, help="folder for the results (default: evaluations/NAME-VERSION)")
    parser.add_argument(
        "--detectors", type=Path, nargs="+", default=[], help="version folders of detectors, to judge a generator"
    )
    parser.add_argument("--feature-weights", type=Path, help="ImageNet weights of MobileNetV2 (.npz), for FID and KID")
    parser.add_argument(
        "--robustness",
        type=int,
        metavar="N",
        default=ROBUSTNESS_IMAGES,
        help=f"images of a split to judge after JPEG, resizing and blur (default: {ROBUSTNESS_IMAGES}; 0: none)",
    )
    parser.add_argument("--history", type=Path, help="metrics.jsonl of the training, for its curves")
    arguments = parser.parse_args()
    if arguments.robustness < 0:
        parser.error("--robustness is 0 or more")
    try:
        _evaluate(arguments)
    except (UnusableVersion, UnusableModel, DataError, SpecError) as error:
        fail(ExitCode.INVALID_INPUT, error)
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        fail(ExitCode.INVALID_INPUT, UnusableVersion(f"A file cannot be read or written: {error}"))


def _evaluate(arguments: argparse.Namespace) -> None:
    card = _checked_card(arguments.version)
    detectors = {f"{each.name}/{each.version}": folder for folder in arguments.detectors for each in [_detector_card(folder)]}
    out = arguments.out or Path("evaluations") / f"{card.name}-{card.version}"
    if out.resolve().is_relative_to(arguments.version.resolve()):
        raise UnusableVersion(f"{out} is in the version folder, which is not changed; choose another --out.")
    rows = read_manifest(arguments.manifest)
    onnx = arguments.version / "model.onnx"
    evaluation: DetectorEvaluation | GeneratorEvaluation
    if card.kind == "detector":
        evaluation = evaluate_detector(
            onnx, rows, splits=arguments.splits, robustness=arguments.robustness, temperature=card.temperature
        )
        measured = _detector_document(evaluation)
    else:
        choose_backend()
        evaluation = evaluate_generator(
            onnx,
            _real_faces(card, rows),
            feature_weights=arguments.feature_weights,
            detectors={name: folder / "model.onnx" for name, folder in detectors.items()},
        )
        measured = _generator_document(evaluation)
    out.mkdir(parents=True, exist_ok=True)
    model = {"uuid": str(card.uuid), "name": card.name, "version": card.version, "sha256": card.files["model.onnx"].sha256}
    (out / "evaluation.json").write_text(json.dumps({"model": model, **measured}, indent=1) + "\n", encoding="utf-8")
    write_pictures(out, evaluation)
    report = write_report(out, card, evaluation, history=arguments.history)
    print(_detector_table(evaluation) if isinstance(evaluation, DetectorEvaluation) else _generator_table(evaluation))
    print(f"Report: {report}")


def _checked_card(folder: Path) -> ModelCard:
    path = folder / "card.json"
    if not path.is_file():
        raise UnusableVersion(f"{folder} has no card.json; give the folder of one version, UUID/VERSION.")
    try:
        card = ModelCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise UnusableVersion(f"{path} is no model card: {place + ': ' if place else ''}{fault['msg']}.") from error
    onnx = folder / "model.onnx"
    if not onnx.is_file():
        raise UnusableVersion(f"{folder} has no model.onnx.")
    with onnx.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != card.files["model.onnx"].sha256:
            raise UnusableVersion(f"{onnx} is not the file that its card describes (sha256): it is damaged or was replaced.")
    return card


def _detector_card(folder: Path) -> ModelCard:
    card = _checked_card(folder)
    if card.kind != "detector":
        raise UnusableVersion(f"{folder} is not a detector but a {card.kind}.")
    return card


def _real_faces(card: ModelCard, rows: Sequence[ImageRow]) -> RealFaces:
    """The manifest's real faces of a generator's kind, of the sources that its training names, where it names some."""
    trained_on = card.provenance.spec.get("data", {})
    sources = set(trained_on.get("sources", ()))
    imitated = FaceClass.HUMAN if card.face_class is FaceClass.HUMAN_GEN else FaceClass.ANIME
    chosen = [row for row in rows if row.face_class is imitated and (not sources or row.source in sources)]
    return RealFaces(
        training=[row for row in chosen if row.split == "train"],
        held_out=[row for row in chosen if row.split in ("val", "test")],
        crop=float(trained_on.get("crop", 1.0)),
    )


def _detector_document(evaluation: DetectorEvaluation) -> dict[str, Any]:
    return {
        "metrics": {
            split: metrics.model_dump(mode="json")
            | {"false_accusation_rate": metrics.false_accusation_rate, "missed_rate": metrics.missed_rate}
            for split, metrics in evaluation.metrics.items()
        },
        "unreadable": {split: list(evaluated.unreadable) for split, evaluated in evaluation.splits.items()},
    }


def _generator_document(evaluation: GeneratorEvaluation) -> dict[str, Any]:
    metrics: GeneratorMetrics | None = evaluation.metrics
    return {
        "metrics": {} if metrics is None else {"held-out": metrics.model_dump(mode="json")},
        "recognised": evaluation.recognised,
        "incomplete": evaluation.incomplete,
    }


def _detector_table(evaluation: DetectorEvaluation) -> str:
    lines = [f"{'split':8} {'images':>6} {'accuracy':>9} {'sources':>8} {'accused':>8} {'AUROC':>6} {'ECE':>6}"]
    for split, metrics in evaluation.metrics.items():
        accused = metrics.false_accusation_rate
        lines.append(
            f"{split:8} {metrics.images:6} {metrics.accuracy:9.1%} {metrics.source_mean:8.1%} "
            f"{'–' if accused is None else f'{accused:.1%}':>8} "
            f"{'–' if metrics.auroc is None else f'{metrics.auroc:.3f}':>6} {metrics.ece or 0:6.1%}"
        )
    lines.append("sources: mean accuracy over sources; accused: real faces called generated")
    for split, evaluated in evaluation.splits.items():
        if evaluated.unreadable:
            lines.append(f"{split}: {len(evaluated.unreadable)} images left out, the first: {evaluated.unreadable[0]}")
    return "\n".join(lines)


def _generator_table(evaluation: GeneratorEvaluation) -> str:
    metrics = evaluation.metrics
    if metrics is None:
        lines = [str(evaluation.incomplete)]
    else:
        lines = [
            f"KID {metrics.kid:.4f} ± {metrics.kid_std:.4f} (real faces {metrics.kid_of_real:.4f})",
            f"FID {metrics.fid:.1f} (real faces {metrics.fid_of_real:.1f})",
            f"Distance to the nearest training image, over that of held-out faces: {metrics.nearest_training}",
        ]
    return "\n".join([*lines, *(f"{name} calls {share:.1%} generated" for name, share in evaluation.recognised.items())])
