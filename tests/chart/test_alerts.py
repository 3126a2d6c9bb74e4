"""Alerts fire when they should, and not while all is well; they ask for metrics that there are, and say what to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml
from support.chart import NAMESPACE, ROOT, find, rendered

from visionlab_core.telemetry import Metrics

SCENARIOS = yaml.safe_load((Path(__file__).parent / "alert_scenarios.yaml").read_text(encoding="utf-8"))
GUIDE = ROOT / "docs" / "operators.md"
OF_OTHERS = {
    "up",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_infer_duration_us",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
}
"""Of Prometheus, Triton, kube-state-metrics and the kubelet."""
SUFFIX = re.compile(r"_(bucket|sum|count|total)$")
OPERATORS_LABELS = {"namespace", "pod", "job", "instance"}


def groups() -> list[dict]:
    return find(rendered("monitoring"), "PrometheusRule", "lab-visionlab")["spec"]["groups"]


ALERTS = {rule["alert"]: rule for group in groups() for rule in group["rules"]}


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """All that an expression asks for."""
    found = []

    def look(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            look(node.vector_selector)
        for name in ("expr", "lhs", "rhs"):
            if (child := getattr(node, name, None)) is not None:
                look(child)
        for child in getattr(node, "args", []) or []:
            look(child)

    look(promql_parser.parse(expression))
    assert found
    return found


@pytest.mark.parametrize("alert", ALERTS)
def test_it_asks_for_metrics_and_labels_that_there_are(alert):
    ours = {family._name: set(family._labelnames) for family in vars(Metrics()).values() if hasattr(family, "_labelnames")}
    for selector in selectors(ALERTS[alert]["expr"]):
        if selector.name in OF_OTHERS:
            continue
        labels = ours[SUFFIX.sub("", selector.name)]
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= labels | OPERATORS_LABELS, selector.name


@pytest.mark.parametrize("alert", ALERTS)
def test_it_is_about_this_installation_alone(alert):
    for selector in selectors(ALERTS[alert]["expr"]):
        if selector.name in ("visionlab_leads",) or selector.name.endswith("_spec_max_replicas"):
            continue  # joined with what names the installation
        if selector.name.endswith("_spec_min_replicas"):
            continue
        matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
        assert matchers["namespace"] == NAMESPACE, selector.name
        assert any("lab-visionlab-" in value for value in matchers.values()), selector.name


@pytest.mark.parametrize("alert", ALERTS)
def test_it_says_what_is_wrong_and_where_to_read_what_to_do(alert):
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"].endswith(".")
    page, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert page == "https://docs.example.org/visionlab/operators.md"
    assert section == alert.lower()
    assert f"\n### {alert}\n" in GUIDE.read_text(encoding="utf-8")


def test_every_section_of_the_guide_is_of_an_alert_and_each_has_a_scenario():
    told = re.findall(r"^### (VisionLab\w+)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert told == list(ALERTS)
    assert set(SCENARIOS["alerts"]) == set(ALERTS)


def promtool() -> str:
    tools = ROOT / ".tools" / "bin"
    if (program := shutil.which("promtool", path=os.pathsep.join([os.environ["PATH"], str(tools)]))) is None:
        why = tools / "promtool.unsupported"
        assert why.is_file(), "promtool is missing: `make check` installs it"
        pytest.skip(why.read_text(encoding="utf-8"))
    return program


def run(folder: Path, tests: list[dict]) -> subprocess.CompletedProcess[str]:
    (folder / "rules.yaml").write_text(json.dumps({"groups": groups()}), encoding="utf-8")
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(json.dumps(document), encoding="utf-8")
    words = [promtool(), "test", "rules", str(folder / "tests.yaml")]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def scenario(changes: dict[str, str], looks: list[tuple[str, str, bool]]) -> dict:
    series = {**SCENARIOS["well"], **changes}
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"alertname": alert, "eval_time": at, "exp_alerts": ANY if fires else []} for alert, at, fires in looks
        ],
    }


ANY: list[dict] = [{"exp_labels": {"any": "thing"}}]
"""promtool wants all labels and texts of an alert that fires; its answer says whether there was one."""


def fired(folder: Path, changes: dict[str, str], at: str) -> set[str]:
    """Which alerts have fired by then."""
    answer = run(folder, [scenario(changes, [(alert, at, True) for alert in ALERTS])])
    assert answer.returncode != 0
    text = answer.stdout + answer.stderr
    found = set(re.findall(r"alertname: ?(\w+), time", text)) or set(re.findall(r"alertname:\s*(\w+)", text))
    assert found == set(ALERTS), text
    parts = re.split(r"alertname:\s*", text)[1:]
    return {part.split(",")[0].strip() for part in parts if not re.search(r"got:\s*\[\s*\]|got:nil|got:\[\]", part)}


def test_while_all_is_well_none_fires(tmp_path):
    silent = run(tmp_path, [scenario({}, [(alert, at, False) for alert in ALERTS for at in ("5m", "30m", "59m")])])
    assert silent.returncode == 0, silent.stdout + silent.stderr


@pytest.mark.parametrize("alert", SCENARIOS["alerts"])
def test_it_fires_when_something_is_wrong_and_not_before(alert, tmp_path):
    case = SCENARIOS["alerts"][alert]
    assert alert not in fired(tmp_path, case["change"], case["silent"])
    assert alert in fired(tmp_path, case["change"], case["fires"])
