"""From a finished training to a version folder: the best weights, exported, judged, with a card."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import keras
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics, GeneratorMetrics, Metrics, Provenance
from visionlab_core.training_spec import DetectorTraining, GeneratorTraining
from visionlab_export.card_draft import CardDraft
from visionlab_export.export import Export, export_model
from visionlab_inference.images import prepare
from visionlab_training import zoo
from visionlab_training.data.batches import centre_crop, fit, read_image
from visionlab_training.data.index import ImageRow, digest
from visionlab_training.evaluation.generation import FEATURE_NETWORK, features, kernel_distance
from visionlab_training.evaluation.pictures import confusion_matrices, source_bars
from visionlab_training.evaluation.served import detector_metrics, generated_pictures
from visionlab_training.spec_file import SpecError
from visionlab_training.training import checkpoint
from visionlab_training.training.detector import rows_of
from visionlab_training.training.gan import GanTraining, paths_of, save_grid

JUDGED_SPLITS = ("test", "unseen")
KID_PICTURES = 1000


class Publication(BaseModel):
    """What a person has to say of a model before it can be published; the rest of its card is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uuid: UUID
    name: str
    label: str
    version: int
    description: str
    licence: str
    limitations: tuple[str, ...] = ()
    started_from: str = "random"
    data: str
    feature_weights: Path | None = None


def read_publication(path: Path) -> Publication:
    """Read a publication from YAML.

    Raises:
        SpecError: the file cannot be read or a field is at fault.
    """
    try:
        return Publication.model_validate(yaml.safe_load(os.path.expandvars(path.read_text(encoding="utf-8"))))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SpecError(f"{path} cannot be used: {error}") from error


def publish(spec: DetectorTraining | GeneratorTraining, run: Path, about: Publication, out: Path) -> Export:
    """Export the model of a training folder to `out/UUID/VERSION`, with the metrics of every judged split in its card.

    Raises:
        ExportError, ParityError: as `export_model`.
        CheckpointError: the folder holds no finished weights.
    """
    if isinstance(spec, DetectorTraining):
        return _publish_detector(spec, run, about, out)
    return _publish_generator(spec, run, about, out)


def _publish_detector(spec: DetectorTraining, run: Path, about: Publication, out: Path) -> Export:
    model = zoo.detector(spec.architecture).build(spec.resolution, len(FACE_CLASSES))
    step = checkpoint.load(run / "best.npz", {"model": model.variables})
    rows = rows_of(spec)

    def measure(onnx: Path) -> Mapping[str, Metrics]:
        metrics: dict[str, DetectorMetrics] = {split: detector_metrics(onnx, rows, split) for split in JUDGED_SPLITS}
        confusion_matrices(onnx.parent / "confusion.png", metrics)
        source_bars(onnx.parent / "sources.png", metrics)
        return dict(metrics)

    images = np.stack([prepare(row.path.read_bytes()).pixels for row in _examples(rows)])
    draft = _draft(spec, about, run, kind="detector", steps=step, architecture=spec.architecture)
    return export_model(model, draft, out, images=images, measure=measure, keep_saved_model=False, progress=print)


def load_generator(spec: GeneratorTraining, run: Path) -> tuple[GanTraining, int]:
    """A generator in training, its averaged weights ready to be used, and the number of finished steps.

    Raises:
        CheckpointError: the folder holds no checkpoint, or one of another network.
    """
    training = GanTraining(spec)
    step = checkpoint.load(run / "checkpoint.npz", training.groups)
    refresh_batch_norm(training.average, seed=spec.seed)
    return training, step


def _publish_generator(spec: GeneratorTraining, run: Path, about: Publication, out: Path) -> Export:
    training, step = load_generator(spec, run)
    model = training.average

    def measure(onnx: Path) -> Mapping[str, Metrics]:
        save_grid(onnx.parent / "samples.jpg", generated_pictures(onnx, 64))
        if about.feature_weights is None:
            return {}
        return {"held-out": _generator_metrics(spec, onnx, about.feature_weights)}

    draft = _draft(spec, about, run, kind="generator", steps=step, architecture=spec.architecture)
    return export_model(model, draft, out, measure=measure, keep_saved_model=False, progress=print)


def _generator_metrics(spec: GeneratorTraining, onnx: Path, feature_weights: Path) -> GeneratorMetrics:
    held_out = paths_of(spec, "val") + paths_of(spec, "test")
    trained_on = paths_of(spec, "train")
    chosen = np.random.default_rng(0).permutation(len(trained_on))[:KID_PICTURES]
    real = features(_pictures(held_out, spec), feature_weights)
    known = features(_pictures([trained_on[i] for i in chosen], spec), feature_weights)
    made = features(generated_pictures(onnx, KID_PICTURES), feature_weights)
    distance, best = kernel_distance(made, real), kernel_distance(known, real)
    rows = [ImageRow(path, spec.face_class, "held-out", "test") for path in held_out]
    return GeneratorMetrics(
        images=len(held_out),
        generated=KID_PICTURES,
        data_digest=digest(rows),
        kid=round(distance.mean, 5),
        kid_std=round(distance.std, 5),
        kid_of_real=round(best.mean, 5),
        feature_network=FEATURE_NETWORK,
    )


def _pictures(paths: list[Path], spec: GeneratorTraining) -> NDArray[np.uint8]:
    return np.stack([fit(centre_crop(read_image(path), spec.data.crop), spec.resolution) for path in paths])


def refresh_batch_norm(model: Any, *, seed: int, batches: int = 40, batch_size: int = 64) -> None:
    """Measure the moving statistics of a generator's BatchNormalization layers anew.

    Averaged weights are no weights that any training step had, so the statistics that the steps left do not fit them.
    """
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in layers]
    rng = np.random.default_rng(seed)
    size = model.inputs[0].shape[1]
    for number in range(batches):
        for layer in layers:
            layer.momentum = number / (number + 1)  # a running mean over all batches
        model(rng.uniform(-1, 1, (batch_size, size)).astype(np.float32), training=True)
    for layer, momentum in zip(layers, before, strict=True):
        layer.momentum = momentum


def _examples(rows: list[ImageRow]) -> list[ImageRow]:
    """Twelve images of the validation split, three of each class where it has them."""
    validation = [row for row in rows if row.split == "val"]
    return [row for c in FACE_CLASSES for row in [r for r in validation if r.face_class == c][:3]]


def _draft(
    spec: DetectorTraining | GeneratorTraining, about: Publication, run: Path, *, kind: Any, steps: int, architecture: str
) -> CardDraft:
    times = [json.loads(line)["time"] for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return CardDraft(
        **about.model_dump(exclude={"started_from", "data", "feature_weights"}),
        kind=kind,
        architecture=architecture,
        face_class=spec.face_class.generated if isinstance(spec, GeneratorTraining) else None,
        provenance=Provenance(
            spec=_portable(spec.model_dump(mode="json")),
            seed=spec.seed,
            steps=steps,
            images_seen=steps * spec.batch_size,
            training_seconds=round(_seconds_at_work(times)),
            device=f"{platform.machine()} CPU",
            code_version=_code_version(),
            started_from=about.started_from,
            data=about.data,
            trained_at=datetime.fromtimestamp(times[-1], UTC),
        ),
    )


def _seconds_at_work(times: Sequence[float]) -> float:
    """Time between reports, without the pauses of a training that was stopped and went on later."""
    gaps = [after - before for before, after in pairwise(times)]
    usual = float(np.median(gaps)) if gaps else 0.0
    return sum(gap for gap in gaps if gap < 10 * usual)


def _portable(value: Any) -> Any:
    """A spec without the paths of the machine that it ran on: absolute paths keep their last two parts."""
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if isinstance(value, str) and value.startswith("/"):
        return "/".join(Path(value).parts[-2:])
    return value


def _code_version() -> str:
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("visionlab-training")
    return f"{version('visionlab-training')}+{commit}"


def save_pictures(folder: Path, pictures: NDArray[np.uint8]) -> None:
    """Write pictures one by one as JPEG, to join a detector's training data."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
