"""Runners of trainings: whatever does them, whoever wants them only starts, suspends, resumes, stops and observes.

Nothing here imports a machine learning library: the controller uses it.
"""

from visionlab_training.runners.cluster import Cluster
from visionlab_training.runners.contract import Observation, RunnerUnavailable, TrainingRunner
from visionlab_training.runners.conversion import ConversionLimits, UnusableWeights, convert_weights
from visionlab_training.runners.kubernetes import KubernetesRunner
from visionlab_training.runners.local import LocalRunner
from visionlab_training.runners.program import training_program

__all__ = [
    "Cluster",
    "ConversionLimits",
    "KubernetesRunner",
    "LocalRunner",
    "Observation",
    "RunnerUnavailable",
    "TrainingRunner",
    "UnusableWeights",
    "convert_weights",
    "training_program",
]
