"""Checkpoints and plans on disk."""

import json

import keras
import numpy as np
import pytest

from visionlab_training.training import checkpoint
from visionlab_training.training.budget import StepBudget


def test_a_checkpoint_of_another_network_or_a_damaged_one_is_refused(tmp_path):
    left, right = keras.layers.Dense(3), keras.layers.Dense(4)
    left.build((None, 2))
    right.build((None, 2))
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"net": left.variables}, 17)
    assert checkpoint.load(path, {"net": left.variables}) == 17
    with pytest.raises(checkpoint.CheckpointError, match="another network"):
        checkpoint.load(path, {"net": right.variables})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        checkpoint.load(path, {"net": left.variables})
    with pytest.raises(checkpoint.CheckpointError, match="no checkpoint"):
        checkpoint.load(tmp_path / "none.npz", {"net": left.variables})


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"net": layer.variables}, 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, {"net": layer.variables}, 2)
    assert checkpoint.load(path, {"net": layer.variables}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_weights_that_are_no_numbers_never_replace_a_checkpoint(tmp_path):
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"net": layer.variables}, 1)
    layer.kernel.assign(np.full((2, 3), np.nan))
    with pytest.raises(checkpoint.TrainingDiverged, match="net"):
        checkpoint.save(path, {"net": layer.variables}, 2)
    assert checkpoint.load(path, {"net": layer.variables}) == 1


class Clock:
    """A second for each look."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def test_a_budget_gives_as_many_steps_as_fit(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("visionlab_training.training.budget.time", clock)
    budget = StepBudget(tmp_path, 1000, 100.0)
    for step in range(1, 20):
        clock.now += 10.0 if step <= 3 else 0.5  # the first steps compile
        steps = budget.after(step)
    # 38 seconds are gone after 19 steps; 62 hold 124 more.
    assert steps == budget.steps == 19 + 124
    assert json.loads((tmp_path / "plan.json").read_text())["steps"] == 143
    assert StepBudget(tmp_path, 1000, 9999.0).steps == 143
    assert StepBudget(tmp_path, 50, 9999.0).steps == 50


def test_no_budget_gives_all_steps(tmp_path):
    budget = StepBudget(tmp_path, 7, None)
    assert budget.after(1) == budget.steps == 7
    assert not list(tmp_path.iterdir())
