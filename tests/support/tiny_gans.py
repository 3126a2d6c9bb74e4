"""Specs of GANs that are small enough for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from visionlab_core.face_class import FaceClass
from visionlab_core.training_spec import GeneratorData, GeneratorTraining
from visionlab_core.training_spec.generator import StyleGAN2

SETTINGS = StyleGAN2(
    latent_size=8,
    mapping_layers=2,
    channel_base=64,
    channel_max=8,
    r1_gamma=1.0,
    r1_every=3,
    path_length_every=2,
    average_kimg=0.05,
)


def dcgan_spec(folder: Path, **changes: Any) -> GeneratorTraining:
    """Four channels at side 64."""
    return GeneratorTraining(**{**_common(folder), "width": 4, **changes})


def stylegan2_spec(folder: Path, **changes: Any) -> GeneratorTraining:
    """Pictures of 8 px, which a spec that came from outside may not ask for: what is tested holds at any size."""
    spec = GeneratorTraining(
        **{**_common(folder), "architecture": "StyleGAN2", "resolution": 32, "augment": "ada", "stylegan2": SETTINGS, **changes}
    )
    return spec.model_copy(update={"resolution": 8})


def _common(folder: Path) -> dict[str, Any]:
    return {
        "name": "tiny",
        "face_class": FaceClass.HUMAN,
        "data": GeneratorData(folders=(folder,)),
        "batch_size": 4,
        "steps": 4,
        "checkpoint_every": 2,
        "sample_every": 4,
        "seed": 3,
    }
