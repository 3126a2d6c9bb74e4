"""One page of HTML with all that was measured of a model; its pictures are in it, and it asks for nothing from anywhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics, ModelCard, Robustness
from visionlab_training.evaluation.calibration import reliability, with_temperature
from visionlab_training.evaluation.charts import FEW, Line, history_chart, line_chart, reliability_chart
from visionlab_training.evaluation.pictures import confusion_matrices, grid_jpeg, source_bars
from visionlab_training.evaluation.robustness import UNCHANGED
from visionlab_training.evaluation.roc import RocCurve, generated_score, roc_curve
from visionlab_training.evaluation.served import DetectorEvaluation, SplitEvaluation
from visionlab_training.evaluation.served_generator import TRUNCATIONS, GeneratorEvaluation

REPORT_FILE = "report.html"
_FULL_HARM = 0.2
_ACCEPTED = (0.01, 0.05, 0.1)
_STYLES = ("first", "second", "third", "fourth")
_NOT_MEASURES = frozenset({"step", "steps", "time", "steps_per_second", "seconds_left"})


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a list: a share, and the number of images that it is a share of, where that is known."""

    name: str
    share: float
    generated: bool
    support: int | None = None


def write_report(
    folder: Path, card: ModelCard, evaluation: DetectorEvaluation | GeneratorEvaluation, *, history: Path | None = None
) -> Path:
    """Write `folder/report.html`, and give its path.

    Args:
        folder: made where it is missing.
        card: the model's card; its own metrics are not read, `evaluation` counts.
        evaluation: what was measured.
        history: the training's `metrics.jsonl`, for its curves.

    Raises:
        OSError, ValueError: the history cannot be read.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["with_code"] = _with_code
    content = _detector(card, evaluation) if isinstance(evaluation, DetectorEvaluation) else _generator(evaluation)
    page = environment.get_template(f"{card.kind}.html").render(
        card=card,
        evaluation=evaluation,
        history=[] if history is None else _history(history),
        spec=json.dumps(card.provenance.spec, indent=1),
        **content,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT_FILE
    path.write_text(page, encoding="utf-8")
    return path


def write_pictures(folder: Path, evaluation: DetectorEvaluation | GeneratorEvaluation) -> None:
    """Write a detector's `confusion.png` and `sources.png`, or a generator's `samples.jpg`."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(evaluation, DetectorEvaluation):
        confusion_matrices(folder / "confusion.png", evaluation.metrics)
        source_bars(folder / "sources.png", evaluation.metrics)
    else:
        (folder / "samples.jpg").write_bytes(grid_jpeg(evaluation.samples))


def _detector(card: ModelCard, evaluation: DetectorEvaluation) -> dict[str, Any]:
    curves = {split: _curve(evaluated) for split, evaluated in evaluation.splits.items()}
    styles = dict(zip(curves, _STYLES, strict=False))
    lines = [
        Line(split, styles[split], curve.false_accusations, curve.found) for split, curve in curves.items() if curve is not None
    ]
    splits = [
        {
            "name": split,
            "metrics": evaluated.metrics,
            "real_images": sum(c.support for name, c in evaluated.metrics.classes.items() if not name.is_generated),
            "confusion": _confusion(evaluated.metrics),
            "sources": _sources(evaluated.metrics),
            "style": styles[split],
            "found": None if (curve := curves[split]) is None else [curve.found_at(limit) for limit in _ACCEPTED],
            "robustness": {} if evaluated.metrics.robustness is None else _robustness(evaluated.metrics.robustness),
            "reliability": _reliability(split, evaluated, evaluation.temperature),
            "unreadable": evaluated.unreadable,
        }
        for split, evaluated in evaluation.splits.items()
    ]
    last = list(evaluation.metrics.values())[-1]
    robust = [metrics.robustness for metrics in evaluation.metrics.values() if metrics.robustness is not None]
    return {
        "classes": FACE_CLASSES,
        "splits": splits,
        "verdict": _verdict(evaluation.metrics),
        "weakest": [bar for bar in _sources(last) if bar.support is not None and bar.support >= FEW][:6],
        "least_support": FEW,
        "accepted": _ACCEPTED,
        "roc": line_chart(
            lines,
            title="ROC curves of generated against real faces",
            x_label="real faces accused",
            y_label="generated faces found",
            diagonal=True,
        )
        if lines
        else None,
        "corruptions": list(robust[0].corruptions) if robust else [],
    }


def _generator(evaluation: GeneratorEvaluation) -> dict[str, Any]:
    return {
        "metrics": evaluation.metrics,
        "samples": _data_url(grid_jpeg(evaluation.samples)),
        "sweep": _data_url(_sheet(evaluation.sweep)),
        "mixed": None if evaluation.mixed is None else _data_url(_sheet(evaluation.mixed)),
        "truncations": TRUNCATIONS,
        "recognised": _sorted(Bar(name, share, generated=True) for name, share in evaluation.recognised.items()),
    }


def _verdict(metrics: dict[str, DetectorMetrics]) -> str | None:
    rate = metrics["unseen"].false_accusation_rate if "unseen" in metrics else None
    if rate is None:
        return None
    return f"Of 100 real faces from collections that it never saw, it calls {rate * 100:.0f} generated."


def _curve(evaluated: SplitEvaluation) -> RocCurve | None:
    generated = np.array([row.face_class.is_generated for row in evaluated.rows])
    return roc_curve(generated_score(evaluated.probabilities), generated)


def _reliability(split: str, evaluated: SplitEvaluation, temperature: float) -> str:
    labels = np.array([row.face_class.position for row in evaluated.rows])
    before = None
    if temperature != 1:
        before = reliability(with_temperature(evaluated.probabilities, 1 / temperature), labels)
    return reliability_chart(reliability(evaluated.probabilities, labels), before, title=f"Reliability diagram, {split}")


def _confusion(metrics: DetectorMetrics) -> list[dict[str, Any]]:
    rows = []
    for truth, counts in zip(FACE_CLASSES, metrics.confusion, strict=True):
        cells = [
            {"count": count, "share": count / max(1, sum(counts)), "harm": called.is_generated and not truth.is_generated}
            for called, count in zip(FACE_CLASSES, counts, strict=True)
        ]
        rows.append({"name": truth, "cells": cells})
    return rows


def _robustness(robustness: Robustness) -> dict[str, list[dict[str, float | None]]]:
    """For each corruption its three figures, and how much worse than on unchanged images each is: 1 for 20 points or more."""
    unchanged = robustness.corruptions[UNCHANGED]
    table = {}
    for name, figures in robustness.corruptions.items():
        losses = [
            (figures.accuracy, unchanged.accuracy - figures.accuracy),
            (figures.source_mean, unchanged.source_mean - figures.source_mean),
            (figures.false_accusation_rate, (figures.false_accusation_rate or 0) - (unchanged.false_accusation_rate or 0)),
        ]
        table[name] = [{"value": value, "harm": min(1.0, max(0.0, loss / _FULL_HARM))} for value, loss in losses]
    return table


def _sources(metrics: DetectorMetrics) -> list[Bar]:
    return _sorted(
        Bar(name, source.accuracy, source.face_class.is_generated, source.support) for name, source in metrics.sources.items()
    )


def _sorted(bars: Iterable[Bar]) -> list[Bar]:
    return sorted(bars, key=lambda bar: (bar.share, bar.name))


def _history(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    names = [name for name in (lines[-1] if lines else {}) if name not in _NOT_MEASURES]
    charts = []
    for name in names:
        points = np.array([(line["step"], line[name]) for line in lines if name in line], np.float64)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) > 1:
            charts.append(history_chart(Line(name, "second", points[:, 0], points[:, 1]), title=f"{name} by step"))
    return charts


def _with_code(text: str) -> str:
    """HTML of a sentence of a card, in which `backticks` mark names."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _sheet(pictures: NDArray[np.uint8]) -> bytes:
    rows, columns, *shape = pictures.shape
    return grid_jpeg(pictures.reshape(rows * columns, *shape), columns)


def _data_url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
