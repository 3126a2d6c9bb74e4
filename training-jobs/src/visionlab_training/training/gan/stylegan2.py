"""One step of StyleGAN2 (Karras et al., 2020, arXiv:1912.04958) with adaptive augmentation (arXiv:2006.06676)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.training.ada import AdaptiveAugmentation
from visionlab_training.training.diffaugment import diffaugment
from visionlab_training.training.gan.losses import discriminator_loss, generator_loss, path_lengths, r1_penalty
from visionlab_training.training.gan.training import GanTraining, follow
from visionlab_training.training.gradients import CompiledStep, Step, minimise
from visionlab_training.zoo import stylegan2

AVERAGE_RAMP = 0.05
"""The half-life of the averaged weights is at most this part of the images seen so far."""


class StyleGAN2Training(GanTraining):
    """See `GanTraining`.

    The penalties are lazy (section 3.1 of the paper): every so many steps an optimiser takes a second step, on the penalty alone,
    whose weight is that much larger.
    """

    def __init__(self, spec: GeneratorTraining) -> None:
        self._spec = spec
        self._settings = settings = spec.stylegan2
        widths: dict[str, Any] = {"base": settings.channel_base, "most": settings.channel_max}
        latents: dict[str, Any] = {
            "latent_size": settings.latent_size,
            "mapping_layers": settings.mapping_layers,
            "mapping_learning_rate": settings.mapping_learning_rate,
        }
        self.generator = stylegan2.generator(spec.resolution, **latents, **widths, precision=spec.precision)
        self.discriminator = stylegan2.discriminator(spec.resolution, **widths, precision=spec.precision)
        self.average = stylegan2.generator(spec.resolution, **latents, **widths)
        self.average.set_weights(self.generator.get_weights())
        self._mapping, self._truncate, self._synthesis = _parts(self.generator)

        self.gamma = 2e-4 * spec.resolution**2 / spec.batch_size if settings.r1_gamma is None else settings.r1_gamma
        every = (settings.path_length_every, settings.r1_every)
        penalised = (settings.path_length_weight > 0, self.gamma > 0)
        # One step more in every so many: what is learnt in all of them stays the same (appendix B of the paper).
        corrections = [k / (k + 1) if lazy else 1.0 for k, lazy in zip(every, penalised, strict=True)]
        self._rates = [rate * correction for rate, correction in zip(spec.rates, corrections, strict=True)]
        self._optimizers = [
            keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99**correction, epsilon=1e-8)
            for rate, correction in zip(self._rates, corrections, strict=True)
        ]
        for optimizer, network in zip(self._optimizers, (self.generator, self.discriminator), strict=True):
            optimizer.build(network.trainable_variables)
        self._penalised = penalised
        self._seeds = keras.random.SeedGenerator(spec.seed)
        self._path_mean = keras.Variable(0.0, trainable=False, name="path_length_mean")
        self._ada = AdaptiveAugmentation(settings.ada, spec.batch_size, self._seeds)
        self._latest: dict[str, Any] = {}
        self.groups = {
            "generator": self.generator.variables,
            "discriminator": self.discriminator.variables,
            "average": self.average.variables,
            "generator_optimizer": self._optimizers[0].variables,
            "discriminator_optimizer": self._optimizers[1].variables,
            "path_length": [self._path_mean],
            "ada": self._ada.variables,
            "seeds": [self._seeds.state],
        }
        steps: dict[str, Step] = {"main": self._main, "path_length": self._path_length, "r1": self._r1, "adapt": self._ada.adapt}
        self._compiled = CompiledStep(steps, [variable for group in self.groups.values() for variable in group])

    def step(self, images: NDArray[np.uint8], step: int) -> dict[str, Any]:
        """See `GanTraining`; gives the losses, the newest penalties and, with adaptive augmentation, its probability."""
        settings = self._settings
        seen = step * self._spec.batch_size
        half_life = min(settings.average_kimg * 1000, seen * AVERAGE_RAMP)
        decay = 0.5 ** (self._spec.batch_size / half_life)
        self._latest |= self._compiled.run("main", images, np.float32(decay))
        # The first step takes all penalties, so that everything is compiled and timed from the start.
        if self._penalised[0] and (step - 1) % settings.path_length_every == 0:
            self._latest |= self._compiled.run("path_length")
        if self._penalised[1] and (step - 1) % settings.r1_every == 0:
            self._latest |= self._compiled.run("r1", images)
        if self._spec.augment == "ada" and step % settings.ada.every == 0:
            self._latest |= self._compiled.run("adapt")
        return dict(self._latest)

    def _inputs(self, latent: NDArray[np.float32], truncation: float) -> Any:
        column = np.ones((len(latent), 1), np.float32)
        return [latent, column * np.float32(truncation), latent, column]

    def _main(self, images: Any, decay: Any) -> dict[str, Any]:
        real = _pixels(images)
        count = self._spec.batch_size

        def of_generator() -> tuple[Any, dict[str, Any]]:
            styles = self._styles(count, track=True)
            return generator_loss(self.discriminator(self._seen(self._pictures(styles)))), {}

        generator_value, _ = minimise(of_generator, self.generator.trainable_variables, self._optimizers[0])
        fake = ops.stop_gradient(self._pictures(self._styles(count)))

        def of_discriminator() -> tuple[Any, dict[str, Any]]:
            real_logits = self.discriminator(self._seen(real))
            return discriminator_loss(real_logits, self.discriminator(self._seen(fake))), {"logits": real_logits}

        value, beside = minimise(of_discriminator, self.discriminator.trainable_variables, self._optimizers[1])
        self._ada.observe(beside["logits"])
        follow(self.average.trainable_variables, self.generator.trainable_variables, decay)
        follow(self.average.non_trainable_variables, self.generator.non_trainable_variables, 0.0)
        return {"generator": generator_value, "discriminator": value}

    def _r1(self, images: Any) -> dict[str, Any]:
        weight = self.gamma / 2 * self._settings.r1_every
        seen = self._seen(_pixels(images))

        def loss() -> tuple[Any, dict[str, Any]]:
            penalty = r1_penalty(self.discriminator, seen)
            return penalty * weight, {"r1": penalty}

        return minimise(loss, self.discriminator.trainable_variables, self._optimizers[1])[1]

    def _path_length(self) -> dict[str, Any]:
        settings, side = self._settings, self._spec.resolution
        count = max(1, self._spec.batch_size // settings.path_length_batch_shrink)
        weight = settings.path_length_weight * settings.path_length_every
        directions = keras.random.normal((count, side, side, 3), seed=self._seeds) / side
        noise = self._synthesis.random_noise(count, self._seeds)

        def loss() -> tuple[Any, dict[str, Any]]:
            styles = self._styles(count)
            lengths = path_lengths(lambda at: self._synthesis(at, noise), styles, directions)
            mean = self._path_mean + settings.path_length_decay * (ops.mean(lengths) - self._path_mean)
            self._path_mean.assign(ops.stop_gradient(mean))
            return ops.mean(ops.square(lengths - mean)) * weight, {"path_length": ops.mean(lengths)}

        return minimise(loss, self.generator.trainable_variables, self._optimizers[0])[1]

    def _styles(self, count: int, *, track: bool = False) -> Any:
        """Styles float32 [count, layers, L] of new latents; some change to those of a second latent from a random layer on."""
        w = self._mapping(self._latents(count))
        if track:
            self._truncate.follow(w)
        layers = self._synthesis.styles
        if self._settings.style_mixing == 0:
            return ops.repeat(w[:, None], layers, axis=1)
        other = self._mapping(self._latents(count))
        mixed = keras.random.uniform((count, 1, 1), seed=self._seeds) < self._settings.style_mixing
        crossover = ops.where(mixed, keras.random.randint((count, 1, 1), 1, layers, seed=self._seeds), layers)
        return ops.where(ops.arange(layers)[None, :, None] < crossover, w[:, None], other[:, None])

    def _latents(self, count: int) -> Any:
        return keras.random.normal((count, self._settings.latent_size), seed=self._seeds)

    def _pictures(self, styles: Any) -> Any:
        return self._synthesis(styles, self._synthesis.random_noise(self._spec.batch_size, self._seeds))

    def _seen(self, pictures: Any) -> Any:
        """What the discriminator sees of them."""
        if self._spec.augment == "ada":
            return self._ada(pictures)
        return diffaugment(pictures, self._seeds) if self._spec.augment == "diffaugment" else pictures


def _parts(generator: Any) -> tuple[Any, Any, Any]:
    return tuple(generator.get_layer(name) for name in ("mapping", "truncate", "synthesis"))


def _pixels(images: Any) -> Any:
    return ops.cast(images, "float32") / 127.5 - 1
