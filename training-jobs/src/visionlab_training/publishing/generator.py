"""Publishing generators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from visionlab_core.model_card import Metrics, ModelCard
from visionlab_core.training_spec import GeneratorTraining
from visionlab_export.export import Export, export_model
from visionlab_training.data.index import ImageRow, Split
from visionlab_training.evaluation.report import write_pictures, write_report
from visionlab_training.evaluation.served_generator import RealFaces, evaluate_generator
from visionlab_training.publication import Publication
from visionlab_training.publishing.provenance import METRICS_FILE, card_draft
from visionlab_training.spec_file import SpecError
from visionlab_training.training.gan import load_generator, paths_of


def publish_generator(spec: GeneratorTraining, run: Path, about: Publication, out: Path) -> Export:
    """Export the averaged generator of a training, judged against real faces that it has not seen.

    Raises:
        ExportError, ParityError: as `export_model`.
        CheckpointError: the folder holds no checkpoint of this network.
        SpecError: a detector that is to judge its faces is not there.
    """
    training, step = load_generator(spec, run)
    training_images, held_out = _real(spec, "train"), [*_real(spec, "val"), *_real(spec, "test")]
    detectors = dict(map(_detector, about.detectors))
    history = run / METRICS_FILE

    def measure(onnx: Path, card: ModelCard) -> Mapping[str, Metrics]:
        evaluation = evaluate_generator(
            onnx,
            RealFaces(training_images, held_out, spec.data.crop),
            feature_weights=about.feature_weights,
            detectors=detectors,
        )
        write_pictures(onnx.parent, evaluation)
        write_report(onnx.parent, card, evaluation, history=history if history.exists() else None)
        return {} if evaluation.metrics is None else {"held-out": evaluation.metrics}

    draft = card_draft(spec, about, run, kind="generator", architecture=spec.architecture, steps=step)
    return export_model(training.average, draft, out, measure=measure, keep_saved_model=False, progress=print)


def _real(spec: GeneratorTraining, split: Split) -> list[ImageRow]:
    return [ImageRow(path, spec.face_class, spec.name, split) for path in paths_of(spec, split)]


def _detector(folder: Path) -> tuple[str, Path]:
    try:
        card = ModelCard.model_validate_json((folder / "card.json").read_bytes())
    except (OSError, ValueError) as error:
        raise SpecError(f"detectors: {folder} is not the folder of an exported model.") from error
    return f"{card.name}/{card.version}", folder / "model.onnx"
