"""The picture for the documentation: throughput and waiting time of each server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from serving_comparison.contenders import BASELINE
from serving_comparison.loads import Load
from serving_comparison.report import figures
from serving_comparison.rounds import Results


def write_chart(path: Path, results: Mapping[str, Results], loads: Sequence[Load], caption: str) -> None:
    """Images a second of the closed loop with most clients as bars; p99 of the open loop with the lowest rate as dots.

    Raises:
        SystemExit: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise SystemExit("--chart needs matplotlib: uv sync --all-packages, or pip install matplotlib") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    closed = max((load for load in loads if load.clients), key=lambda load: load.clients, default=None)
    open_ = min((load for load in loads if load.rate), key=lambda load: load.rate, default=None)
    panels = [(load, speed) for load, speed in ((closed, True), (open_, False)) if load is not None]
    shown = [result for result in results.values() if any(load in result.measurements for load, _ in panels)]
    figure, axes = pyplot.subplots(1, len(panels), figsize=(6 * len(panels), 0.8 + 0.42 * len(shown)), sharey=True, squeeze=False)
    for axis, (load, speed) in zip(axes[0], panels, strict=True):
        values = [_value(result, load, speed=speed) for result in shown]
        colours = ["#2563eb" if result.contender.name.startswith(BASELINE) else "#9ca3af" for result in shown]
        if speed:
            bars = axis.barh(range(len(shown)), values, color=colours)
            axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=8)
        else:  # from tens to tens of thousands, where length would say nothing
            axis.set_xscale("log")
            axis.scatter(values, range(len(shown)), color=colours, s=30, zorder=2)
            axis.grid(axis="x", color="#e5e7eb", zorder=0)
            for place, value in enumerate(values):
                axis.annotate(f"{value:,.0f}", (value, place), (6, 0), textcoords="offset points", va="center", fontsize=8)
        axis.set_title(f"{'images/s' if speed else 'p99 in ms'}: {load.title}", fontsize=9)
        axis.set_yticks(range(len(shown)), [result.contender.title for result in shown], fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.15)
    # Shared: once for both.
    axes[0][0].invert_yaxis()
    figure.text(0.01, 0.01, caption, fontsize=6, color="#6b7280")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(path, dpi=150)


def _value(result: Results, load: Load, *, speed: bool) -> float:
    if load not in result.measurements:
        return 0.0
    found = figures(result.measurements[load])
    return found.images_per_second if speed else found.p99
