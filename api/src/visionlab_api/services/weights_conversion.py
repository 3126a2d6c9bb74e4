"""Models that come as the weights of an architecture of ours: made by what trains, where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from visionlab_api import schemas
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.problems import ProblemError
from visionlab_api.services.training_orders import known_architecture
from visionlab_core.face_class import FaceClass
from visionlab_core.model_card import ModelCard, ModelKind
from visionlab_core.training_spec import GENERATORS, Network, own_settings
from visionlab_core.training_spec.architectures import LEAST_SIDES
from visionlab_training.runners import ConversionLimits, RunnerUnavailable, UnusableWeights, convert_weights, training_program

WEIGHTS_FILE: Final = "weights.npz"


def weights_ending(filename: str) -> str | None:
    """How the name of a file of weights ends, as what reads it wants it; None: it is something else."""
    lower = filename.lower()
    return ".weights.h5" if lower.endswith(".h5") else ".npz" if lower.endswith(".npz") else None


@dataclass(frozen=True, slots=True)
class Converted:
    """A version's folder that was made of weights, and the network that they are of."""

    folder: Path
    network: Network

    def describe(self, card: ModelCard) -> ModelCard:
        """The card of the model, with what the conversion knows: others can build on its weights then."""
        made = ModelCard.model_validate_json((self.folder / "card.json").read_bytes())
        spec = {**card.provenance.spec, **self.network.model_dump(mode="json"), "resolution": self.network.side}
        return card.model_copy(
            update={
                "parameters": made.parameters,
                "temperature": self.network.temperature,
                "provenance": card.provenance.model_copy(update={"spec": spec}),
            }
        )


class WeightsConversion:
    """Has weights made into models."""

    def __init__(self, configuration: ApiConfiguration) -> None:
        # In a cluster the command is one of the trainings' image.
        self._command = configuration.train_command if configuration.trainings == "local" else None
        self._extra_architectures = configuration.extra_architectures
        self._limits = ConversionLimits(
            memory=configuration.model_convert_memory_bytes,
            seconds=configuration.model_convert_seconds,
            largest_file=configuration.max_model_bytes,
            nice=configuration.training_nice,
        )

    def options(self, kind: ModelKind) -> list[schemas.WeightsOption]:
        """The architectures of this kind, with what has to be said of their weights."""
        sides = GENERATORS if kind == "generator" else {**dict.fromkeys(self._extra_architectures, 32), **LEAST_SIDES}
        return [schemas.WeightsOption(name=name, least_side=sides[name], network=_defaults(name)) for name in sorted(sides)]

    def why_unavailable(self) -> str | None:
        """Why no weights can be made into a model here, and what to do; None: they can."""
        try:
            training_program(self._command)
        except RunnerUnavailable as error:
            return (
                f"Weights are made into a model by what trains. {error} Or convert them where it is, such as in the image of the "
                "trainings, with `visionlab-train convert`, and upload the model.onnx that it writes."
            )
        return None

    async def convert(self, request: schemas.ModelRequest, weights: Path, classes: Sequence[FaceClass]) -> Converted:
        """The model in a folder beside the weights.

        Raises:
            ProblemError: 422 the network is none of ours, or the weights are not those of it; or there is nothing here that
                converts weights.
        """
        network = self._network(request)
        if reason := self.why_unavailable():
            raise unusable(reason)
        program = training_program(self._command)
        folder = weights.parent / "converted"
        try:
            await convert_weights(program, weights, network, folder, limits=self._limits, classes=classes)
        except UnusableWeights as error:
            raise unusable(str(error)) from error
        return Converted(folder, network)

    def _network(self, request: schemas.ModelRequest) -> Network:
        detectors = (*LEAST_SIDES, *self._extra_architectures)
        name = None if request.architecture == "unknown" else request.architecture
        architecture = known_architecture(name, tuple(GENERATORS) if request.type == "generator" else detectors)
        given = {} if request.network is None else request.network.model_dump(exclude_none=True)
        try:
            network = Network.model_validate({**given, "architecture": architecture})
        except ValidationError as error:
            first = error.errors()[0]
            said = first["msg"].removeprefix("Value error, ").rstrip(".")
            raise _invalid(".".join(map(str, ("network", *first["loc"]))), f"{said}.") from error
        if network.side < (least := LEAST_SIDES.get(architecture, 32)):
            raise _invalid("network.resolution", f"{architecture} needs a resolution of {least} pixels or more.")
        return network


def _defaults(architecture: str) -> dict[str, int | float]:
    network = Network(architecture=architecture)
    return {name: network.side if name == "resolution" else getattr(network, name) for name in own_settings(architecture)}


def unusable(detail: str) -> ProblemError:
    """422: the upload is no model that can be served."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable-model", "Model cannot be used", detail, field="upload")


def _invalid(field: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)
