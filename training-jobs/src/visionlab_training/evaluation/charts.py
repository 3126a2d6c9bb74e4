"""Line charts as inline SVG: they follow the page's colours, light or dark, and need nothing from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from visionlab_training.evaluation.calibration import BINS, Reliability

_WIDTH, _HEIGHT = 360, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 42
_MOST_POINTS = 240

FEW = 10
"""A bin with fewer images is drawn pale: its share says little."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points float64 [K], drawn in the page's style of that name."""

    name: str
    style: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def line_chart(lines: Sequence[Line], *, title: str, x_label: str, y_label: str, diagonal: bool = False) -> str:
    """A chart of shares, both axes 0 to 100 %; `diagonal` draws the line of chance."""
    axes = _Axes((0, 1), (0, 1), percent_x=True)
    parts = [axes.frame(x_label, y_label)]
    if diagonal:
        parts.append(axes.path("guide", [0, 1], [0, 1]))
    parts += [axes.path(line.style, *_thinned(line.x, line.y)) for line in lines]
    return _svg(title, parts)


def reliability_chart(served: Reliability, before: Reliability | None, *, title: str) -> str:
    """A reliability diagram: a bar for each bin's accuracy, the diagonal that it should reach, and dots for temperature 1."""
    axes = _Axes((0, 1), (0, 1), percent_x=True)
    parts = [axes.frame("probability of the answer", "share right")]
    for i in np.flatnonzero(served.count):
        left, right = axes.x(i / BINS) + 1, axes.x((i + 1) / BINS) - 1
        top, bottom = axes.y(served.accuracy[i]), axes.y(0)
        style = "bar few" if served.count[i] < FEW else "bar"
        parts.append(
            f'<rect class="{style}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}">'
            f"<title>{served.count[i]} images: {served.accuracy[i]:.0%} right at a mean probability of "
            f"{served.confidence[i]:.0%}</title></rect>"
        )
    parts.append(axes.path("guide", [0, 1], [0, 1]))
    if before is not None:
        parts += [
            f'<circle class="dot" r="4" cx="{axes.x(before.confidence[i]):.1f}" cy="{axes.y(before.accuracy[i]):.1f}"/>'
            for i in np.flatnonzero(before.count)
        ]
    return _svg(title, parts)


def history_chart(line: Line, *, title: str) -> str:
    """A measure over the steps of a training."""
    low, high = float(min(line.y.min(), 0)), float(line.y.max())
    axes = _Axes((float(line.x.min()), float(max(line.x.max(), line.x.min() + 1))), (low, high if high > low else low + 1))
    return _svg(title, [axes.frame("step", line.name), axes.path(line.style, *_thinned(line.x, line.y))])


class _Axes:
    def __init__(self, across: tuple[float, float], up: tuple[float, float], *, percent_x: bool = False) -> None:
        self._across, self._up, self._percent = across, up, percent_x

    def x(self, value: float) -> float:
        low, high = self._across
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._up
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def path(self, style: str, x: Sequence[float] | NDArray[np.float64], y: Sequence[float] | NDArray[np.float64]) -> str:
        points = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(x, y, strict=True))
        return f'<polyline class="{escape(style)}" points="{points}"/>'

    def frame(self, x_label: str, y_label: str) -> str:
        parts = []
        for value in _ticks(*self._up):
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{self._label(value)}</text>')
        for value in _ticks(*self._across):
            anchor = "end" if self.x(value) > _WIDTH - 30 else "middle"
            parts.append(
                f'<text class="{anchor}" x="{self.x(value):.1f}" y="{_HEIGHT - _BOTTOM + 16}">{self._label(value)}</text>'
            )
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(f'<text class="middle label" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}">{escape(x_label)}</text>')
        parts.append(
            f'<text class="middle label" transform="translate(14 {middle}) rotate(-90)" x="0" y="0">{escape(y_label)}</text>'
        )
        return "".join(parts)

    def _label(self, value: float) -> str:
        return f"{value:.0%}" if self._percent else f"{value:,.10g}"


def _ticks(low: float, high: float) -> list[float]:
    """Four to six round numbers in the range."""
    rough = (high - low) / 5
    unit = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(round(number * step, 10)) for number in range(first, last + 1)]


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).round().astype(int))
    return x[kept], y[kept]


def _svg(title: str, parts: Sequence[str]) -> str:
    return f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
