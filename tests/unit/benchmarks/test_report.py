"""The figures and tables of the serving comparison."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from serving_comparison.contenders import BASELINE, contenders
from serving_comparison.cpus import pinned, plan_cpus
from serving_comparison.loads import Load, Measurement
from serving_comparison.report import as_json, figures, tables
from serving_comparison.rounds import Results
from serving_load.figures import Observation

LOAD = Load(clients=8)


def measurement(answered: int, seconds: float = 2.0, latency: float = 0.01, **errors: int) -> Measurement:
    seen = Observation(seconds, answered + sum(errors.values()), answered, [latency] * answered, Counter(errors))
    return Measurement(seen, cpu_seconds=answered * 0.005, peak_bytes=100 * 2**20)


def results(**measured: list[Measurement]) -> dict[str, Results]:
    found = {each.name: Results(each) for each in contenders() if each.name in measured}
    for name, rounds in measured.items():
        if rounds:
            found[name].measurements[LOAD] = rounds
            found[name].seconds_to_ready.append(1.5)
        else:
            found[name].missing = "it could not be installed"
    return found


def test_figures_are_of_all_rounds():
    found = figures([measurement(100), measurement(300, latency=0.03), measurement(200, timeout=4)])
    assert found.images_per_second == 100
    assert found.spread == (50, 150)
    assert (found.p50, found.p99) == (pytest.approx(10.0), pytest.approx(30.0))
    assert found.errors == {"timeout": 4}
    assert found.sent == 604
    assert found.cpu_seconds_per_1000 == pytest.approx(5.0)
    assert found.peak_mib == 100


def test_tables_compare_with_visionlab_and_leave_nobody_out():
    text = tables(results(visionlab=[measurement(200)], bentoml=[measurement(100, latency=0.04)], ray=[]), [LOAD])
    [row] = [line for line in text.splitlines() if line.startswith("| BentoML") and "4.00" in line]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[2:8] == ["50.0", "50 to 50", "0.50", "40.0", "40.0", "4.00"]
    assert "Not measured: Ray Serve: it could not be installed" in text


def test_a_server_that_answers_nothing_is_in_the_table_and_in_the_json():
    found = results(visionlab=[measurement(200)], kserve=[measurement(0, refused=7)])
    assert "7 of 7 (refused: 7)" in tables(found, [LOAD])
    [_, kserve] = json.loads(json.dumps(as_json(found, [LOAD]), allow_nan=False))
    assert (kserve["loads"][0]["images_per_second"], kserve["loads"][0]["p99"]) == (0, None)


def test_everyone_is_named_once_and_visionlab_first():
    names = [each.name for each in contenders()]
    assert names[0] == BASELINE
    assert len(names) == len(set(names)) == 10


def test_servers_and_load_are_apart_where_there_are_cpus():
    usable = os.sched_getaffinity(0)
    plan = plan_cpus()
    assert plan.apart == (len(usable) > 1)
    assert plan.server | plan.load == usable
    assert plan_cpus(frozenset({3}), frozenset({3})).apart is False
    with pinned(plan.load):
        assert os.sched_getaffinity(0) == plan.load
    assert os.sched_getaffinity(0) == usable
