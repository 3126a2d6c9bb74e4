"""What a training is asked to do: one document that the page, the queue and the job all read.

A spec is complete: with the data it names and the seed it carries, a training can be run again.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionlab_core.training_spec.common import Precision, Training
from visionlab_core.training_spec.detector import (
    PRESETS,
    DataSource,
    DetectorData,
    DetectorLearning,
    DetectorTraining,
    EnsembleTraining,
)
from visionlab_core.training_spec.generator import GeneratorData, GeneratorTraining
from visionlab_core.training_spec.network import GENERATORS, Network, own_settings

TrainingSpec = Annotated[DetectorTraining | EnsembleTraining | GeneratorTraining, Field(discriminator="kind")]

__all__ = [
    "GENERATORS",
    "PRESETS",
    "DataSource",
    "DetectorData",
    "DetectorLearning",
    "DetectorTraining",
    "EnsembleTraining",
    "GeneratorData",
    "GeneratorTraining",
    "Network",
    "Precision",
    "Training",
    "TrainingSpec",
    "own_settings",
]
