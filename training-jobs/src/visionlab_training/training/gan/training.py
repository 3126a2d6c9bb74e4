"""What the loop asks of a GAN, whatever its architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionlab_training.training.gan.pictures import to_uint8
from visionlab_training.training.gradients import CompiledStep

SAMPLE_BATCH = 64


class GanTraining(ABC):
    """The networks, their optimisers and one step of both.

    Attributes:
        average: the averaged generator, a float32 Keras model as `visionlab_export.serving.served_generator` takes it.
        groups: every variable that a checkpoint has to hold, by the name of its group.
    """

    average: Any
    groups: dict[str, list[Any]]
    _compiled: CompiledStep
    _optimizers: list[Any]
    _rates: list[float]

    @abstractmethod
    def step(self, images: NDArray[np.uint8], step: int) -> dict[str, Any]:
        """One step of both networks on uint8 [N, S, S, 3]; `step` counts from 1. Gives scalar tensors, which may not be ready."""

    @abstractmethod
    def _inputs(self, latent: NDArray[np.float32], truncation: float) -> Any:
        """What `average` takes."""

    @property
    def latent_size(self) -> int:
        """Noise values that a picture is made from."""
        return int(self.average.inputs[0].shape[1])

    def sync(self) -> None:
        """Bring the variables up to date, before anything but `step` and `sample` reads them."""
        self._compiled.sync()

    def reload(self) -> None:
        """Take over what the variables hold, after a checkpoint was loaded. The learning rates stay those of the spec."""
        for optimizer, rate in zip(self._optimizers, self._rates, strict=True):
            optimizer.learning_rate.assign(rate)
        self._compiled.reload()

    def sample(self, count: int, seed: int, truncation: float = 1.0) -> NDArray[np.uint8]:
        """`count` pictures of the averaged generator as uint8 [count, S, S, 3].

        `truncation`: 1 for all variety, 0 for the mean alone.
        """
        self.sync()
        latent = np.random.default_rng(seed).uniform(-1, 1, (count, self.latent_size)).astype(np.float32)
        parts = [
            self.average.predict_on_batch(self._inputs(latent[i : i + SAMPLE_BATCH], truncation))
            for i in range(0, count, SAMPLE_BATCH)
        ]
        return to_uint8(np.concatenate(parts))


def follow(averages: list[Any], variables: list[Any], decay: Any) -> None:
    """Move each average towards its variable: decay * average + (1 - decay) * variable."""
    for average, variable in zip(averages, variables, strict=True):
        average.assign(average * decay + variable * (1 - decay))
