"""The training loop of a GAN: non-saturating loss, DiffAugment, and an exponential moving average of the generator."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.data.batches import GeneratorBatches, prefetch
from visionlab_training.data.index import folder_images, read_manifest
from visionlab_training.training import checkpoint
from visionlab_training.training.detector import TrainingDiverged
from visionlab_training.training.diffaugment import diffaugment
from visionlab_training.training.gradients import compiled, minimise
from visionlab_training.training.progress import Progress, StopRequest
from visionlab_training.zoo import dcgan

log = logging.getLogger(__name__)


def paths_of(spec: GeneratorTraining, split: str = "train") -> list[Path]:
    """The images of a spec in `split`: its manifest's rows of the class and the named sources; folders join `train`."""
    paths = [path for folder in spec.data.folders for path in folder_images(folder)] if split == "train" else []
    if spec.data.manifest:
        paths += [
            row.path
            for row in read_manifest(spec.data.manifest)
            if row.face_class == spec.face_class and row.split == split and row.source in spec.data.sources
        ]
    return paths


def train_generator(spec: GeneratorTraining, folder: Path) -> bool:
    """Train, or go on with a training, in `folder`; the averaged generator is in `folder/checkpoint.npz`, group `average`.

    Returns False where a signal stopped it (a checkpoint is written).

    Raises:
        TrainingDiverged: a loss became NaN or infinite.
        DataError: the data cannot be used.
    """
    keras.utils.set_random_seed(spec.seed)
    training = GanTraining(spec)
    batches = GeneratorBatches(
        paths_of(spec), batch_size=spec.batch_size, side=spec.resolution, crop=spec.data.crop, seed=spec.seed
    )
    latest = folder / "checkpoint.npz"
    start = checkpoint.load(latest, training.groups) if latest.exists() else 0
    progress = Progress(folder, name=spec.name, steps=spec.steps, start=start)
    stop = StopRequest()
    average: dict[str, float] = {}
    step = start
    try:
        for step, images in enumerate(prefetch(batches.batch, start, spec.steps), start=start + 1):
            losses = training.step(images, step)
            if not np.isfinite(list(losses.values())).all():
                raise TrainingDiverged(
                    f"A loss is no number at step {step} ({losses}); lower the learning rate, resume from {latest}."
                )
            for key, value in losses.items():
                average[key] = 0.95 * average.get(key, value) + 0.05 * value
            progress.step(step, average, record=step % 10 == 0 or step == spec.steps)
            if step % spec.sample_every == 0 or step == spec.steps:
                save_grid(folder / "samples" / f"{step:06d}.jpg", training.sample(64, seed=1))
            if stop.requested or step % spec.checkpoint_every == 0 or step == spec.steps:
                checkpoint.save(latest, training.groups, step)
            if stop.requested:
                return False
    finally:
        progress.close()
    return step >= spec.steps


class GanTraining:
    """The networks, their optimisers and one step of both."""

    def __init__(self, spec: GeneratorTraining) -> None:
        self._spec = spec
        self.generator = dcgan.generator(spec.width)
        self.discriminator = dcgan.discriminator(spec.width)
        self.average = dcgan.generator(spec.width)
        self.average.set_weights(self.generator.get_weights())
        self._seeds = keras.random.SeedGenerator(spec.seed)
        self._generator_optimizer = keras.optimizers.Adam(spec.learning_rate, beta_1=0.5, beta_2=0.99)
        self._discriminator_optimizer = keras.optimizers.Adam(
            spec.discriminator_learning_rate or spec.learning_rate, beta_1=0.5, beta_2=0.99
        )
        self._generator_optimizer.build(self.generator.trainable_variables)
        self._discriminator_optimizer.build(self.discriminator.trainable_variables)
        self._compiled = compiled(self._step)
        self.groups: dict[str, list[Any]] = {
            "generator": self.generator.variables,
            "discriminator": self.discriminator.variables,
            "average": self.average.variables,
            "generator_optimizer": self._generator_optimizer.variables,
            "discriminator_optimizer": self._discriminator_optimizer.variables,
            "seeds": [self._seeds.state],
        }

    def step(self, images: NDArray[np.uint8], step: int) -> dict[str, float]:
        """One step of both networks on uint8 [N, S, S, 3]; gives the two losses. `step` counts from 1."""
        decay = min(self._spec.ema_decay, (1 + step) / (10 + step))
        losses = self._compiled(ops.convert_to_tensor(images), ops.convert_to_tensor(decay, dtype="float32"))
        return {name: float(value) for name, value in losses.items()}

    def sample(self, count: int, seed: int, truncation: float = 1.0) -> NDArray[np.uint8]:
        """`count` pictures of the averaged generator as uint8 [count, S, S, 3]; the noise is scaled by `truncation`."""
        noise = np.random.default_rng(seed).uniform(-1, 1, (count, dcgan.LATENT_SIZE)).astype(np.float32) * np.float32(truncation)
        parts = [np.asarray(self.average(noise[i : i + 64], training=False)) for i in range(0, count, 64)]
        return to_uint8(np.concatenate(parts))

    def _step(self, images: Any, decay: Any) -> dict[str, Any]:
        spec = self._spec
        real = ops.cast(images, "float32") / 127.5 - 1
        count = spec.batch_size

        def noise() -> Any:
            return keras.random.uniform((count, dcgan.LATENT_SIZE), -1, 1, seed=self._seeds)

        def seen(pictures: Any) -> Any:
            return diffaugment(pictures, self._seeds) if spec.augment else pictures

        fake = ops.stop_gradient(self.generator(noise(), training=True))

        def discriminator_loss() -> Any:
            real_logits = self.discriminator(seen(real), training=True)
            fake_logits = self.discriminator(seen(fake), training=True)
            return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))

        def generator_loss() -> Any:
            return ops.mean(ops.softplus(-self.discriminator(seen(self.generator(noise(), training=True)), training=True)))

        losses = {
            "discriminator": minimise(discriminator_loss, self.discriminator.trainable_variables, self._discriminator_optimizer),
            "generator": minimise(generator_loss, self.generator.trainable_variables, self._generator_optimizer),
        }
        for target, source in zip(self.average.variables, self.generator.variables, strict=True):
            target.assign(target * decay + source * (1 - decay))
        return losses


def to_uint8(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pictures in -1 ... 1 to bytes, rounded to nearest."""
    return np.asarray(np.clip(np.rint((pictures + 1) * 127.5), 0, 255), np.uint8)


def grid(pictures: NDArray[np.uint8], columns: int = 8) -> NDArray[np.uint8]:
    """Lay out [N, S, S, 3] as rows of `columns` pictures; the last row is filled with black."""
    count, side = pictures.shape[:2]
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, side, side, 3), np.uint8)
    sheet[:count] = pictures
    return sheet.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)


def save_grid(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Write a sample grid as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(grid(pictures), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
