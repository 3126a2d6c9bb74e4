"""Specs of generators."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from visionlab_core.face_class import FaceClass
from visionlab_core.training_spec.common import Strict, Training

Augmentation = Literal["none", "diffaugment", "ada"]


class GeneratorData(Strict):
    """The images a generator learns to imitate: folders, and rows of a manifest by source.

    `crop` is the central part of the side that is kept.
    """

    folders: tuple[Path, ...] = ()
    manifest: Path | None = None
    sources: tuple[str, ...] = ()
    crop: float = Field(1.0, gt=0, le=1)


class AdaptiveAugmentation(Strict):
    """How the probability of augmentations follows the discriminator's overfitting (Karras et al., 2020, arXiv:2006.06676)."""

    target: float = Field(0.6, ge=-1, le=1, description="of the mean sign of the discriminator's answers to real images")
    kimg: float = Field(500, gt=0, description="thousands of images in which the probability can go from 0 to 1")
    every: int = Field(4, ge=1, description="steps between two adjustments")


class StyleGAN2(Strict):
    """Settings of StyleGAN2; the defaults are those of the papers for pictures of up to 256 px.

    Karras et al., 2020, arXiv:1912.04958; adaptive augmentation: arXiv:2006.06676.
    """

    latent_size: int = Field(512, ge=2, le=1024, multiple_of=2, description="of z and of w")
    mapping_layers: int = Field(8, ge=1, le=16)
    mapping_learning_rate: float = Field(0.01, gt=0, le=1, description="of the mapping network, as a part of the others'")
    channel_base: int = Field(16384, ge=64, description="a layer at side S has channel_base / S channels")
    channel_max: int = Field(512, ge=4, le=1024, description="and never more than this")
    r1_gamma: float | None = Field(
        None, ge=0, description="weight of R1; left out: 0.0002 * pixels of a picture / batch_size, the rule of the second paper"
    )
    r1_every: int = Field(16, ge=1, description="steps")
    path_length_weight: float = Field(2.0, ge=0)
    path_length_every: int = Field(8, ge=1, description="steps")
    path_length_batch_shrink: int = Field(2, ge=1, description="path lengths are measured on batch_size / this pictures")
    path_length_decay: float = Field(0.01, gt=0, le=1, description="how quickly the target follows the measured path lengths")
    style_mixing: float = Field(0.9, ge=0, le=1, description="part of the pictures that is made of the styles of two latents")
    average_kimg: float = Field(
        10, gt=0, description="half-life of the averaged weights, in thousands of images; early on it is 5 % of what was seen"
    )
    ada: AdaptiveAugmentation = AdaptiveAugmentation()


class GeneratorTraining(Training):
    """Train a GAN to make faces of one class."""

    kind: Literal["generator"] = "generator"
    architecture: Literal["DCGAN", "StyleGAN2"] = "DCGAN"
    face_class: FaceClass = Field(description="class of the images that it learns to imitate")
    data: GeneratorData
    steps: int = Field(ge=1)
    resolution: Literal[32, 64, 128, 256] = Field(128, description="side of the pictures; DCGAN: 128")
    batch_size: int = Field(64, ge=2, le=4096)
    learning_rate: float | None = Field(None, gt=0, description="left out: 0.0002 for DCGAN, 0.002 for StyleGAN2")
    discriminator_learning_rate: float | None = Field(None, gt=0, description="left out: the generator's")
    augment: Augmentation = Field("diffaugment", description="of what the discriminator sees, real and generated alike")
    width: int = Field(128, ge=4, le=512, description="DCGAN: channels at side 64; each map of half the side has twice as many")
    ema_decay: float = Field(0.999, ge=0, lt=1, description="DCGAN: of the averaged weights, by step")
    stylegan2: StyleGAN2 = StyleGAN2()
    sample_every: int = Field(250, ge=1)

    @property
    def rates(self) -> tuple[float, float]:
        """Learning rates of the generator and of the discriminator."""
        generator = self.learning_rate or (2e-4 if self.architecture == "DCGAN" else 2e-3)
        return generator, self.discriminator_learning_rate or generator

    @model_validator(mode="after")
    def _fits_the_architecture(self) -> Self:
        if self.architecture == "DCGAN":
            if self.resolution != 128:
                raise ValueError("resolution: a DCGAN makes pictures of 128 px; for other sizes take StyleGAN2")
            if self.augment == "ada":
                raise ValueError("augment: adaptive augmentation (ada) belongs to StyleGAN2; a DCGAN takes diffaugment or none")
        elif self.batch_size % 4:
            raise ValueError("batch_size: StyleGAN2's discriminator compares groups of four pictures; give a multiple of 4")
        return self
