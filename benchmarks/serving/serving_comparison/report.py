"""The tables, and the same as JSON."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serving_comparison.contenders import BASELINE
from serving_comparison.loads import Load, Measurement
from serving_comparison.rounds import Results
from serving_load.figures import percentile

TOLERANCE: Final = 1e-4
"""How far a server's probabilities may be from those of ONNX Runtime itself."""

BUSY: Final = 0.85
"""Above this share of a CPU, the load may have been the limit."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A contender under one load, of all rounds together; times in milliseconds.

    `images_per_second` is the median of the rounds and `spread` their least and most. NaN where nothing was answered.
    """

    images_per_second: float
    spread: tuple[float, float]
    p50: float
    p99: float
    errors: dict[str, int]
    sent: int
    cpu_seconds_per_1000: float
    peak_mib: float
    load_busy: float
    load_late_p99: float


def figures(measurements: Sequence[Measurement]) -> Figures:
    """Of the rounds of one load."""
    speeds = [each.seen.throughput for each in measurements]
    latencies = [seconds * 1000 for each in measurements for seconds in each.seen.latencies]
    late = [seconds * 1000 for each in measurements for seconds in each.seen.late]
    answered = sum(each.seen.answered_inside for each in measurements)
    cpu = sum(each.cpu_seconds for each in measurements)
    return Figures(
        images_per_second=statistics.median(speeds),
        spread=(min(speeds), max(speeds)),
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        errors=dict(sum((each.seen.errors for each in measurements), Counter())),
        sent=sum(each.seen.sent for each in measurements),
        cpu_seconds_per_1000=cpu / answered * 1000 if answered else math.nan,
        peak_mib=max(each.peak_bytes for each in measurements) / 2**20,
        load_busy=max(each.seen.busy for each in measurements),
        load_late_p99=percentile(late, 99) if late else 0.0,
    )


def tables(results: Mapping[str, Results], loads: Sequence[Load]) -> str:
    """Markdown: a table a load, and one of what does not depend on it."""
    return "\n\n".join([*(_load_table(results, load) for load in loads), _server_table(results), *_missing(results)])


def as_json(results: Mapping[str, Results], loads: Sequence[Load]) -> list[dict[str, Any]]:
    """One element a contender."""
    return [
        {
            "name": name,
            "title": result.contender.title,
            "missing": result.missing,
            "seconds_to_ready": result.seconds_to_ready,
            "largest_difference": result.difference,
            "loads": [
                {
                    "title": load.title,
                    "clients": load.clients or None,
                    "rate": load.rate or None,
                    "images_per_second_by_round": [each.seen.throughput for each in result.measurements[load]],
                    **_plain(figures(result.measurements[load])),
                }
                for load in loads
                if load in result.measurements
            ],
        }
        for name, result in results.items()
    ]


def _plain(found: Figures) -> dict[str, Any]:
    # JSON has no NaN.
    values = {name: getattr(found, name) for name in found.__slots__}
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}


def _load_table(results: Mapping[str, Results], load: Load) -> str:
    base = results[BASELINE].measurements.get(load)
    reference = figures(base) if base else None
    speed, wait = (reference.images_per_second, reference.p99) if reference else (None, None)
    rows, notes = [], []
    for result in results.values():
        if load not in result.measurements:
            continue
        found = figures(result.measurements[load])
        rows.append(
            [
                result.contender.title,
                f"{found.images_per_second:.1f}",
                f"{found.spread[0]:.0f} to {found.spread[1]:.0f}",
                _ratio(found.images_per_second, speed),
                f"{found.p50:.1f}",
                f"{found.p99:.1f}",
                _ratio(found.p99, wait),
                _errors(found),
                f"{found.cpu_seconds_per_1000:.2f}",
                f"{found.peak_mib:.0f}",
            ]
        )
        if found.load_busy > BUSY and load.clients != 0 and result.contender.launch is not None:
            notes.append(f"{result.contender.title}: the load used {found.load_busy:.0%} of its CPU and may have been the limit.")
    head = (
        *("", "images/s", "in rounds", "x VisionLab", "p50 ms", "p99 ms", "p99 x VisionLab"),
        *("errors", "CPU s / 1,000 images", "peak MiB"),
    )
    return "\n\n".join([f"### {load.title[0].upper()}{load.title[1:]}", _markdown(head, rows), *notes])


def _server_table(results: Mapping[str, Results]) -> str:
    rows = []
    for result in results.values():
        if not result.seconds_to_ready:
            continue
        same = "yes" if result.difference <= TOLERANCE else "NO"
        start = f"{statistics.median(result.seconds_to_ready):.1f}"
        rows.append([result.contender.title, start, f"{same} ({result.difference:.1e})"])
    head = ("", "seconds from start to first answer", f"same probabilities (within {TOLERANCE:g})")
    return "### Start, and answers\n\n" + _markdown(head, rows)


def _missing(results: Mapping[str, Results]) -> list[str]:
    return [f"Not measured: {each.contender.title}: {each.missing}" for each in results.values() if each.missing]


def _ratio(value: float, reference: float | None) -> str:
    return f"{value / reference:.2f}" if reference else "-"


def _errors(found: Figures) -> str:
    if not found.errors:
        return "0"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(found.errors.items()))
    return f"{sum(found.errors.values())} of {found.sent} ({reasons})"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = (
        "|"
        + "|".join(
            "-" * (width + 2 if column == 0 else width + 1) + ("" if column == 0 else ":") for column, width in enumerate(widths)
        )
        + "|"
    )
    return "\n".join([line(head), rule, *map(line, rows)])
