"""Runners of trainings: whatever does them, whoever wants them only starts, suspends, resumes, stops and observes.

Nothing here imports a machine learning library: the controller uses it.
"""

from visionlab_training.runners.contract import Observation, RunnerUnavailable, TrainingRunner
from visionlab_training.runners.local import LocalRunner

__all__ = ["LocalRunner", "Observation", "RunnerUnavailable", "TrainingRunner"]
