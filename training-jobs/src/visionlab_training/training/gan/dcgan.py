"""One step of a DCGAN: non-saturating loss, and an exponential moving average of the generator."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.training.diffaugment import diffaugment
from visionlab_training.training.gan.losses import discriminator_loss, generator_loss
from visionlab_training.training.gan.training import GanTraining, follow
from visionlab_training.training.gradients import CompiledStep, minimise
from visionlab_training.zoo import dcgan


class DcganTraining(GanTraining):
    """See `GanTraining`."""

    def __init__(self, spec: GeneratorTraining) -> None:
        self._spec = spec
        self.generator = dcgan.generator(spec.width, spec.precision)
        self.discriminator = dcgan.discriminator(spec.width, spec.precision)
        self.average = dcgan.generator(spec.width)
        self.average.set_weights(self.generator.get_weights())
        self._seeds = keras.random.SeedGenerator(spec.seed)
        self._optimizers = [keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99) for rate in spec.rates]
        self._rates = list(spec.rates)
        for optimizer, network in zip(self._optimizers, (self.generator, self.discriminator), strict=True):
            optimizer.build(network.trainable_variables)
        self.groups = {
            "generator": self.generator.variables,
            "discriminator": self.discriminator.variables,
            "average": self.average.variables,
            "generator_optimizer": self._optimizers[0].variables,
            "discriminator_optimizer": self._optimizers[1].variables,
            "seeds": [self._seeds.state],
        }
        self._compiled = CompiledStep(self._step, [variable for group in self.groups.values() for variable in group])

    def step(self, images: NDArray[np.uint8], step: int) -> dict[str, Any]:
        """See `GanTraining`; gives the two losses."""
        decay = min(self._spec.ema_decay, (1 + step) / (10 + step))
        return self._compiled(images, np.float32(decay))

    def _inputs(self, latent: NDArray[np.float32], truncation: float) -> Any:
        return latent * np.float32(truncation)

    def _step(self, images: Any, decay: Any) -> dict[str, Any]:
        real = ops.cast(images, "float32") / 127.5 - 1
        count = self._spec.batch_size
        generator_optimizer, discriminator_optimizer = self._optimizers

        def made() -> Any:
            latent = keras.random.uniform((count, dcgan.LATENT_SIZE), -1, 1, seed=self._seeds)
            return self.generator(latent, training=True)

        def judged(pictures: Any) -> Any:
            seen = diffaugment(pictures, self._seeds) if self._spec.augment == "diffaugment" else pictures
            return self.discriminator(seen, training=True)

        fake = ops.stop_gradient(made())

        def of_discriminator() -> tuple[Any, dict[str, Any]]:
            return discriminator_loss(judged(real), judged(fake)), {}

        def of_generator() -> tuple[Any, dict[str, Any]]:
            return generator_loss(judged(made())), {}

        losses = {
            "discriminator": minimise(of_discriminator, self.discriminator.trainable_variables, discriminator_optimizer)[0],
            "generator": minimise(of_generator, self.generator.trainable_variables, generator_optimizer)[0],
        }
        follow(self.average.variables, self.generator.variables, decay)
        return losses
