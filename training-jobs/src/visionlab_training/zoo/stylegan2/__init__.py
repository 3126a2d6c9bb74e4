"""StyleGAN2 (Karras et al., 2020, arXiv:1912.04958): skip generator, residual discriminator (configuration F of the paper)."""

from __future__ import annotations

from visionlab_training.zoo.stylegan2.discriminator import discriminator
from visionlab_training.zoo.stylegan2.generator import generator
from visionlab_training.zoo.stylegan2.mapping import Mapping, NormalLatent, Truncation
from visionlab_training.zoo.stylegan2.synthesis import Synthesis

__all__ = ["Mapping", "NormalLatent", "Synthesis", "Truncation", "discriminator", "generator"]
