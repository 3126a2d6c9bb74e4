"""Judging a detector through the graph that is served and the decoding that the facade does: what a user would get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ClassMetrics, CorruptionMetrics, DetectorMetrics, ReliabilityBins, Robustness, SourceMetrics
from visionlab_inference.generation import generator_inputs
from visionlab_inference.images import BrokenImage, ImageTooLarge, ImageTooSmall, NotAnImage, prepare
from visionlab_inference.seeds import Latent, Style
from visionlab_training.data.batches import read_image
from visionlab_training.data.index import DataError, ImageRow, digest
from visionlab_training.evaluation.calibration import reliability, with_temperature
from visionlab_training.evaluation.detection import judge
from visionlab_training.evaluation.progress import progress_bar
from visionlab_training.evaluation.robustness import CORRUPTIONS, balanced_subset, corrupted
from visionlab_training.evaluation.roc import auroc, generated_score

ROBUSTNESS_IMAGES = 600
"""Images of a split that are judged after each corruption, unless the caller says otherwise: half of them real faces."""

_BATCH = 16


class UnusableModel(ValueError):
    """A served graph that cannot be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class SplitEvaluation:
    """A detector on one split: probabilities float32 [N, 4] of the N rows, and a line for each file that could not be decoded."""

    metrics: DetectorMetrics
    rows: tuple[ImageRow, ...]
    probabilities: NDArray[np.float32]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetectorEvaluation:
    """A detector on some splits. `temperature` is the one inside the graph that gave the probabilities."""

    splits: dict[str, SplitEvaluation]
    temperature: float

    @property
    def metrics(self) -> dict[str, DetectorMetrics]:
        """What the model card keeps, by split."""
        return {split: evaluated.metrics for split, evaluated in self.splits.items()}


def evaluate_detector(
    onnx: Path,
    rows: Sequence[ImageRow],
    *,
    splits: Sequence[str] = ("test", "unseen"),
    robustness: int = ROBUSTNESS_IMAGES,
    temperature: float = 1.0,
) -> DetectorEvaluation:
    """Judge a detector's `model.onnx` on the rows of some splits, with a progress bar on stderr.

    A file that cannot be decoded is left out and named in the result, so that one damaged file does not cost an hour's work; the
    digest of the data covers what was judged.

    Args:
        onnx: the served graph, `image` uint8 [N, 224, 224, 3] -> `probabilities` float32 [N, 4].
        rows: a data set.
        splits: which of its splits.
        robustness: at most so many images of each split are judged after each corruption; 0 leaves that out.
        temperature: the one inside the graph, so that the calibration without it can be told.

    Raises:
        DataError: a split has no row, or none that can be decoded.
        UnusableModel: the graph cannot be loaded, or its answers are no finite numbers.
    """
    session = served_session(onnx)
    chosen = {split: [row for row in rows if row.split == split] for split in splits}
    if missing := [split for split, members in chosen.items() if not members]:
        there = sorted({row.split for row in rows})
        raise DataError(f"The data has no image of the split {', '.join(missing)}; it has {', '.join(there) or 'none at all'}.")
    return DetectorEvaluation(
        {split: _evaluated(session, split, members, robustness, temperature) for split, members in chosen.items()}, temperature
    )


def served_session(onnx: Path) -> ort.InferenceSession:
    """A served graph, ready to run.

    Raises:
        UnusableModel: it cannot be loaded.
    """
    try:
        return ort.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an exception class for each of its status codes, and no common one
        raise UnusableModel(f"{onnx} cannot be loaded: {error}") from error


def probabilities_of(session: ort.InferenceSession, files: Iterable[bytes]) -> NDArray[np.float32]:
    """What a detector says of image files, float32 [N, 4].

    Raises:
        NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall: as `prepare`.
        UnusableModel: an answer is no finite number.
    """
    return _run(session, (prepare(data).pixels for data in files))


def split_metrics(probabilities: NDArray[np.float32], rows: Sequence[ImageRow], *, temperature: float = 1.0) -> DetectorMetrics:
    """The figures of probabilities [N, 4] of N rows as a card keeps them, rounded to what the number of images supports."""
    judgement = judge(probabilities, rows)
    labels = np.array([row.face_class.position for row in rows])
    generated = np.array([row.face_class.is_generated for row in rows])
    area = auroc(generated_score(probabilities), generated)
    before = with_temperature(probabilities, 1 / temperature)
    bins = reliability(probabilities, labels)
    return DetectorMetrics(
        images=len(rows),
        data_digest=digest(rows),
        accuracy=round(judgement.accuracy, 4),
        source_mean=round(judgement.source_mean, 4),
        real_or_generated_accuracy=round(judgement.real_or_generated_accuracy, 4),
        classes={
            FaceClass(name): ClassMetrics(
                precision=round(c.precision, 4), recall=round(c.recall, 4), f1=round(c.f1, 4), support=c.support
            )
            for name, c in judgement.classes.items()
        },
        sources={
            name: SourceMetrics(face_class=FaceClass(s.face_class), accuracy=round(s.accuracy, 4), support=s.support)
            for name, s in judgement.sources.items()
        },
        confusion=judgement.confusion,
        auroc=None if area is None else round(area, 4),
        ece=round(bins.expected_calibration_error, 4),
        ece_uncalibrated=round(reliability(before, labels).expected_calibration_error, 4),
        reliability=ReliabilityBins(
            confidence=bins.confidence.round(4).tolist(), accuracy=bins.accuracy.round(4).tolist(), count=bins.count.tolist()
        ),
    )


def generated_pictures(onnx: Path, count: int, *, truncation: float = 1.0, first_seed: int = 0) -> NDArray[np.uint8]:
    """Pictures uint8 [count, H, W, 3] of a generator's `model.onnx`, for the seeds from `first_seed` on."""
    session = served_session(onnx)
    pictures = []
    for begin in range(first_seed, first_seed + count, _BATCH):
        latents = [Latent(seed) for seed in range(begin, min(begin + _BATCH, first_seed + count))]
        pictures.append(_pictures(session, latents, truncation, None))
    return np.concatenate(pictures)


def mixed_pictures(onnx: Path, rows: int, columns: int) -> NDArray[np.uint8] | None:
    """Pictures that mix styles (Karras et al., 2019, arXiv:1812.04948, figure 3), uint8 [rows + 1, columns + 1, H, W, 3].

    Top row and left column are pictures of their own; each other one has the coarse half of its styles (pose, shape) from the one
    above and the fine half (colours, texture) from the one on the left. Top left is black. None: the generator cannot mix.
    """
    session = served_session(onnx)
    if not any(tensor.name == "style" for tensor in session.get_inputs()):
        return None
    left, top = [Latent(seed) for seed in range(rows)], [Latent(rows + seed) for seed in range(columns)]
    own = _pictures(session, [*left, *top], 1.0, None)
    lines = [np.concatenate([np.zeros_like(own[:1]), own[rows:]])]
    for beside, latent in zip(own, left, strict=False):
        lines.append(np.concatenate([beside[None], _pictures(session, top, 1.0, Style(latent, 0.5))]))
    return np.stack(lines)


def _pictures(session: ort.InferenceSession, latents: list[Latent], truncation: float, style: Style | None) -> NDArray[np.uint8]:
    sizes = {tensor.name: tensor.shape[1] for tensor in session.get_inputs()}
    [images] = session.run(["image"], generator_inputs(latents, sizes["latent"], truncation, style, mixing="style" in sizes))
    return np.asarray(images, np.uint8)


def _evaluated(
    session: ort.InferenceSession, split: str, rows: list[ImageRow], robustness: int, temperature: float
) -> SplitEvaluation:
    judged: list[ImageRow] = []
    unreadable: list[str] = []

    def images() -> Iterator[NDArray[np.uint8]]:
        for row in rows:
            bar.update(1)
            try:
                pixels = prepare(row.path.read_bytes()).pixels
            except (OSError, NotAnImage, BrokenImage, ImageTooLarge, ImageTooSmall) as error:
                reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)
                unreadable.append(f"{row.path.name}: {reason}")
                continue
            judged.append(row)
            yield pixels

    with progress_bar(len(rows), f"judging {split}") as bar:
        probabilities = _run(session, images())
    if not judged:
        raise DataError(f"No image of the split {split} can be decoded; the first is {unreadable[0]}")
    metrics = split_metrics(probabilities, judged, temperature=temperature)
    if robustness:
        metrics = metrics.model_copy(update={"robustness": _robustness(session, split, judged, robustness)})
    return SplitEvaluation(metrics, tuple(judged), probabilities, tuple(unreadable))


def _robustness(session: ort.InferenceSession, split: str, rows: list[ImageRow], limit: int) -> Robustness:
    subset = balanced_subset(rows, limit)
    corruptions = {}
    with progress_bar(len(subset) * len(CORRUPTIONS), f"changed {split}") as bar:
        for name in CORRUPTIONS:
            figures = split_metrics(probabilities_of(session, _corrupted_files(subset, name, bar)), subset)
            accused = figures.false_accusation_rate
            corruptions[name] = CorruptionMetrics(
                accuracy=figures.accuracy,
                source_mean=figures.source_mean,
                false_accusation_rate=None if accused is None else round(accused, 4),
            )
    real = sum(not row.face_class.is_generated for row in subset)
    return Robustness(images=len(subset), real_images=real, corruptions=corruptions)


def _corrupted_files(rows: Sequence[ImageRow], name: str, bar: Any) -> Iterator[bytes]:
    for row in rows:
        bar.update(1)
        yield corrupted(read_image(row.path), name)


def _run(session: ort.InferenceSession, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    parts: list[NDArray[np.float32]] = []
    batch: list[NDArray[np.uint8]] = []

    def finish() -> None:
        [answer] = session.run(["probabilities"], {"image": np.stack(batch)})
        if not np.isfinite(answer).all():
            raise UnusableModel("The detector's answers are not finite numbers.")
        parts.append(np.asarray(answer, np.float32))
        batch.clear()

    for image in images:
        batch.append(image)
        if len(batch) == _BATCH:
            finish()
    if batch:
        finish()
    return np.concatenate(parts) if parts else np.empty((0, 4), np.float32)
