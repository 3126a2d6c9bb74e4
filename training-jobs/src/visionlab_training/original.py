"""The figures of the original VisionLab's detectors, and ours beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import DetectorMetrics, ModelCard


@dataclass(frozen=True, slots=True)
class OriginalFigures:
    """Accuracy in per cent and F1 of the classes human and human_gen, its hardest ones, as the original published them."""

    accuracy: float
    f1: tuple[float, float] | None


ORIGINAL = {
    "VGG16": OriginalFigures(90.93, (0.844, 0.799)),
    "VGG19": OriginalFigures(86.65, (0.686, 0.780)),
    "ResNet50V2": OriginalFigures(96.24, (0.926, 0.934)),
    "ResNet101V2": OriginalFigures(96.81, (0.938, 0.939)),
    "ResNet152V2": OriginalFigures(95.29, (0.907, 0.913)),
    "DenseNet121": OriginalFigures(94.77, (0.895, 0.898)),
    "DenseNet169": OriginalFigures(95.62, (0.917, 0.915)),
    "DenseNet201": OriginalFigures(94.74, (0.899, 0.894)),
    "InceptionResNetV2": OriginalFigures(97.88, (0.960, 0.958)),
    "Xception": OriginalFigures(98.06, (0.962, 0.964)),
    "MobileNetV2": OriginalFigures(95.76, (0.926, 0.921)),
    "NASNetMobile": OriginalFigures(94.67, (0.906, 0.905)),
    "stacking ensemble": OriginalFigures(99.15, None),
}
_ORIGINAL_NAME = {"Stacking": "stacking ensemble"}


def beside_the_original(cards: Sequence[ModelCard]) -> str:
    """Markdown: a line for each architecture of the original, with our figures where one of the detectors has it."""
    lines = [
        "## Beside the original",
        "",
        "The original judged on a random fifth of its own collection, 4,014 images: from the sources of its training, as our",
        "`test` is from those of ours. The images differ, so read across with care. F1: human / human_gen, the hardest classes.",
        "",
        "| architecture | original | its F1 | ours, `test` | F1 | ours, `unseen` | F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, original in ORIGINAL.items():
        ours: list[ModelCard | None] = [
            card for card in cards if _ORIGINAL_NAME.get(card.architecture, card.architecture) == name
        ]
        f1 = "–" if original.f1 is None else "{:.3f} / {:.3f}".format(*original.f1)
        for card in ours or [None]:
            figures = " | ".join(_figures(card, split) for split in ("test", "unseen"))
            lines.append(f"| {name} | {original.accuracy:.2f}% | {f1} | {figures} |")
    return "\n".join([*lines, ""])


def _figures(card: ModelCard | None, split: str) -> str:
    metrics = card.metrics.get(split) if card else None
    if not isinstance(metrics, DetectorMetrics):
        return "– | –"
    human, human_gen = (metrics.classes[face_class].f1 for face_class in (FaceClass.HUMAN, FaceClass.HUMAN_GEN))
    return f"{metrics.accuracy:.2%} | {human:.3f} / {human_gen:.3f}"
