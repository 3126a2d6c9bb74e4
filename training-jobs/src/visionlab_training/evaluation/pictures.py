"""What a card says of a detector, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics


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
    """Write a PNG with a bar for each source of each split: the share that got its own class."""
    rows = [(split, name, source) for split, judged in metrics.items() for name, source in judged.sources.items()]
    figure, axis = plt.subplots(figsize=(8, 0.19 * len(rows) + 1), layout="constrained")
    colours = {split: colour for split, colour in zip(metrics, ("#3a6ea5", "#c96f3b", "#6a994e"), strict=False)}
    axis.barh(range(len(rows)), [source.accuracy for _, _, source in rows], color=[colours[split] for split, _, _ in rows])
    axis.set_yticks(range(len(rows)), [f"{name} ({source.support})" for _, name, source in rows], fontsize=7)
    axis.invert_yaxis()
    axis.margins(y=0.01)
    axis.set_xlim(0, 1)
    axis.set_xlabel("share right; " + ", ".join(f"{'blue' if i == 0 else 'orange'}: {split}" for i, split in enumerate(metrics)))
    axis.axvline(0.5, color="grey", linewidth=0.5)
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
