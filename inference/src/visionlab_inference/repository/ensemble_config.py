"""An ensemble as Triton schedules it: its bases, which serve on their own too, and then its head.

https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/ensemble_models.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ModelCard
from visionlab_inference.repository.config_file import ENSEMBLE_PLATFORM, validate
from visionlab_inference.repository.head_graph import OUTPUT, head_input
from visionlab_inference.repository.model_config import BACKEND, MODEL_FILE, ONE_VERSION, tensors_of
from visionlab_inference.repository.model_config_pb2 import (
    TYPE_FP32,
    ModelConfig,
    ModelEnsembling,
    ModelInput,
    ModelInstanceGroup,
    ModelOutput,
)

IMAGE: Final = "image"
"""What all detectors take."""

NEWEST: Final = -1
"""In a step: the version that is served under the name, of which there is one."""


def ensemble_config(card: ModelCard, *, name: str, bases: Sequence[str], head: str, max_batch_size: int) -> ModelConfig:
    """The configuration of an ensemble that Triton schedules.

    Args:
        card: of the ensemble, whose one output is the probabilities.
        name: that the ensemble serves under.
        bases: the names of its bases in the repository, in the head's order.
        head: the name of its head in the repository; see `head_config`.
        max_batch_size: images in a request: no more than each base takes.

    Raises:
        ConfigError: a setting is out of range.
    """
    inputs, outputs = tensors_of(card)
    steps = [
        ModelEnsembling.Step(
            model_name=base, model_version=NEWEST, input_map={IMAGE: IMAGE}, output_map={OUTPUT: head_input(number)}
        )
        for number, base in enumerate(bases)
    ]
    answers = {head_input(number): head_input(number) for number in range(len(bases))}
    steps.append(ModelEnsembling.Step(model_name=head, model_version=NEWEST, input_map=answers, output_map={OUTPUT: OUTPUT}))
    config = ModelConfig(
        name=name,
        platform=ENSEMBLE_PLATFORM,
        max_batch_size=max_batch_size,
        version_policy=ONE_VERSION,
        input=inputs,
        output=outputs,
        ensemble_scheduling=ModelEnsembling(step=steps),
    )
    validate(config)
    return config


def head_config(*, name: str, bases: int, max_batch_size: int) -> ModelConfig:
    """The configuration of a head on so many bases: on CPUs, as it is a few hundred multiplications; its bases' batches are its.

    Raises:
        ConfigError: a setting is out of range.
    """
    dims = [len(FACE_CLASSES)]
    config = ModelConfig(
        name=name,
        backend=BACKEND,
        max_batch_size=max_batch_size,
        default_model_filename=MODEL_FILE,
        version_policy=ONE_VERSION,
        input=[ModelInput(name=head_input(number), data_type=TYPE_FP32, dims=dims) for number in range(bases)],
        output=[ModelOutput(name=OUTPUT, data_type=TYPE_FP32, dims=dims)],
        instance_group=[ModelInstanceGroup(count=1, kind=ModelInstanceGroup.KIND_CPU)],
    )
    validate(config)
    return config
