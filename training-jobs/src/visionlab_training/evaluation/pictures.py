"""What an evaluation shows, as picture files for pages that cannot hold a whole report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Patch

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics

REAL_COLOUR, GENERATED_COLOUR = "#0f766e", "#c2560c"


def confusion_matrices(path: Path, metrics: Mapping[str, DetectorMetrics]) -> None:
    """Write a PNG with the confusion matrix of each split side by side: rows are what the images are, shares of each row."""
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.6 * len(metrics), 4.4), squeeze=False, layout="constrained")
    for axis, (split, judged) in zip(axes[0], metrics.items(), strict=True):
        counts = np.array(judged.confusion)
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            colour = "white" if share > 0.5 else "black"
            axis.text(column, row, f"{share:.0%}\n{counts[row, column]}", ha="center", va="center", fontsize=9, color=colour)
        axis.set_xticks(range(4), [c.value for c in FACE_CLASSES], rotation=20)
        axis.set_yticks(range(4), [c.value for c in FACE_CLASSES])
        axis.set_xlabel("called")
        axis.set_ylabel("is")
        axis.set_title(f"{split}: {judged.accuracy:.1%} right, mean over sources {judged.source_mean:.1%}", fontsize=10)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def source_bars(path: Path, metrics: Mapping[str, DetectorMetrics]) -> None:
    """Write a PNG with a column for each split: its sources, worst first, by the share of images that got their own class."""
    most = max(len(judged.sources) for judged in metrics.values())
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(5 * len(metrics), 0.2 * most + 1.1), squeeze=False, layout="constrained"
    )
    for axis, (split, judged) in zip(axes[0], metrics.items(), strict=True):
        sources = sorted(judged.sources.items(), key=lambda each: each[1].accuracy)
        axis.barh(
            range(len(sources)),
            [source.accuracy for _, source in sources],
            color=[GENERATED_COLOUR if source.face_class.is_generated else REAL_COLOUR for _, source in sources],
        )
        axis.set_yticks(range(len(sources)), [f"{name} ({source.support})" for name, source in sources], fontsize=7)
        axis.set_ylim(most - 0.5, -0.5)
        axis.set_xlim(0, 1)
        axis.axvline(0.5, color="grey", linewidth=0.5)
        axis.set_title(f"{split}: share right (images)", fontsize=10)
    legend = [Patch(color=REAL_COLOUR, label="real faces"), Patch(color=GENERATED_COLOUR, label="generated faces")]
    axes[0][-1].legend(handles=legend, loc="lower right", fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)


def grid_jpeg(pictures: NDArray[np.uint8], columns: int = 8) -> bytes:
    """Pictures uint8 [N, H, W, 3] as one JPEG file, row by row; a last row that is not full is left out."""
    rows, columns = max(1, len(pictures) // columns), min(columns, len(pictures))
    height, width = pictures.shape[1:3]
    tiles = pictures[: rows * columns].reshape(rows, columns, height, width, 3)
    grid = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(grid, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes()
