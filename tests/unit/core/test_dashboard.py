"""The Grafana dashboard asks only for metrics and labels that there are, and shows all metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path

from visionlab_core.telemetry import Metrics

DASHBOARD = Path(__file__).parents[3] / "charts" / "visionlab" / "dashboards" / "visionlab.json"
SUFFIX = re.compile(r"_(bucket|sum|count|total)$")


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def known() -> dict[str, set[str]]:
    """Labels of our metrics by name, without the suffixes that Prometheus' text form adds."""
    return {family._name: set(family._labelnames) for family in vars(Metrics()).values() if hasattr(family, "_labelnames")}


def test_every_metric_is_shown_and_none_is_made_up():
    shown = {SUFFIX.sub("", name) for each in expressions() for name in re.findall(r"visionlab_\w+", each)}
    assert shown == set(known())


def test_labels_are_those_of_the_metrics():
    for expression in expressions():
        [name, *others] = {SUFFIX.sub("", name) for name in re.findall(r"visionlab_\w+", expression)} or {""}
        if not name or others:
            continue
        grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
        matched = set(re.findall(r"[{,](\w+)=", expression))
        assert (grouped | matched) - {"le", "job"} <= known()[name], expression
