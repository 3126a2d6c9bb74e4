"""Triton's statistics become the metrics of the embedded backend: counts and sums exactly, each thing once."""

from __future__ import annotations

import pytest
from support.tiny_models import detector_card

from visionlab_core.telemetry import Metrics
from visionlab_inference.triton.statistics import Durations, ModelStatistics, ServerStatistics, read_statistics

NAMES = {
    "queue": "visionlab_inference_queue_seconds",
    "run": "visionlab_inference_seconds",
    "size": "visionlab_inference_batch_size",
}


def answer(queue: tuple[int, int], **batches: tuple[int, int]) -> dict:
    def durations(count: int, ns: int) -> dict:
        return {"count": count, "ns": ns}

    return {
        "model_stats": [
            {
                "name": "model",
                "inference_stats": {"queue": durations(*queue)},
                "batch_stats": [
                    {"batch_size": int(size[1:]), "compute_infer": durations(*value)} for size, value in batches.items()
                ],
            },
            {"name": "ensemble", "inference_stats": {"queue": {}}},
            {
                "name": "another",
                "inference_stats": {"queue": {}},
                "batch_stats": [{"batch_size": 1, "compute_infer": {"count": 3}}],
            },
        ]
    }


def test_what_was_done_between_two_looks_is_told_once():
    metrics = Metrics()
    statistics = ServerStatistics(metrics, {"model": detector_card(b"", version=3)})

    def seen(name: str, suffix: str) -> float | None:
        return metrics.registry.get_sample_value(NAMES[name] + suffix, {"model": "tiny-detector", "version": "3"})

    statistics.look(read_statistics(answer((3, 6_000_000), b1=(1, 5_000_000), b2=(1, 9_000_000))))
    statistics.look(read_statistics(answer((3, 6_000_000), b1=(1, 5_000_000), b2=(1, 9_000_000))))
    assert (seen("queue", "_count"), seen("queue", "_sum")) == (3, pytest.approx(0.006))
    assert (seen("run", "_count"), seen("run", "_sum")) == (2, pytest.approx(0.014))
    assert (seen("size", "_count"), seen("size", "_sum")) == (2, 3)
    statistics.look(read_statistics(answer((11, 8_000_000), b1=(1, 5_000_000), b2=(1, 9_000_000), b8=(1, 40_000_000))))
    assert (seen("queue", "_count"), seen("queue", "_sum")) == (11, pytest.approx(0.008))
    assert (seen("run", "_count"), seen("run", "_sum")) == (3, pytest.approx(0.054))
    assert (seen("size", "_count"), seen("size", "_sum")) == (3, 11)
    assert metrics.registry.get_sample_value(NAMES["run"] + "_count", {"model": "another", "version": "1"}) is None


def test_ensembles_run_nothing_themselves_and_zeros_may_be_left_out():
    assert read_statistics(answer((0, 0))) == {"another": ModelStatistics(Durations(), {1: Durations(3, 0)})}


@pytest.mark.parametrize("wrong", [{}, {"model_stats": [{"batch_stats": [1]}]}, {"model_stats": 7}, []])
def test_other_answers_are_refused(wrong):
    with pytest.raises(ValueError, match="statistics"):
        read_statistics(wrong)
