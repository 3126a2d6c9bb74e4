"""What has to be known of a network to build it anew, beside its weights."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, model_validator

from visionlab_core.training_spec.common import Strict
from visionlab_core.training_spec.generator import StyleGAN2

GENERATORS: Final = {"DCGAN": 128, "StyleGAN2": 32}
"""The generators of the zoo by name, with the smallest resolution in pixels; every other architecture is a detector's."""

_STYLEGAN2: Final = StyleGAN2()


class Network(Strict):
    """A network of the zoo without its weights: its architecture, and what else its shapes depend on.

    The fields have the names, and the defaults, that they have in the specs of trainings.
    """

    architecture: str
    resolution: int | None = Field(None, ge=32, le=1024, description="side in pixels; left out: 224, of generators 128")
    temperature: float = Field(1.0, ge=0.05, le=100, description="detectors: the logits are divided by it, see their card")
    width: int = Field(128, ge=4, le=512, description="DCGAN: channels at side 64")
    latent_size: int = Field(_STYLEGAN2.latent_size, ge=2, le=1024, multiple_of=2, description="StyleGAN2")
    mapping_layers: int = Field(_STYLEGAN2.mapping_layers, ge=1, le=16, description="StyleGAN2")
    mapping_learning_rate: float = Field(_STYLEGAN2.mapping_learning_rate, gt=0, le=1, description="StyleGAN2")
    channel_base: int = Field(_STYLEGAN2.channel_base, ge=64, le=65536, description="StyleGAN2")
    channel_max: int = Field(_STYLEGAN2.channel_max, ge=4, le=1024, description="StyleGAN2")

    @property
    def is_generator(self) -> bool:
        """Whether it makes pictures."""
        return self.architecture in GENERATORS

    @property
    def side(self) -> int:
        """Side in pixels at which it works."""
        return self.resolution or (128 if self.is_generator else 224)

    @model_validator(mode="after")
    def _fits_the_architecture(self) -> Self:
        if self.architecture == "DCGAN" and self.side != 128:
            raise ValueError("resolution: a DCGAN makes pictures of 128 px")
        if self.architecture == "StyleGAN2" and self.side not in (32, 64, 128, 256):
            raise ValueError("resolution: a StyleGAN2 makes pictures of 32, 64, 128 or 256 px")
        if self.is_generator and self.temperature != 1.0:
            raise ValueError("temperature: a generator has none")
        if strangers := sorted((self.model_fields_set & ({"width"} | _OF_STYLEGAN2)) - set(own_settings(self.architecture))):
            raise ValueError(f"{strangers[0]}: {self.architecture} has no such setting")
        return self


_OF_STYLEGAN2 = {"latent_size", "mapping_layers", "mapping_learning_rate", "channel_base", "channel_max"}


def own_settings(architecture: str) -> list[str]:
    """The fields of a `Network` in which two networks of this architecture can differ, in the order of the fields."""
    own = {"DCGAN": {"width"}, "StyleGAN2": {"resolution", *_OF_STYLEGAN2}}.get(architecture, {"resolution", "temperature"})
    return [name for name in Network.model_fields if name in own]
