"""`config.pbtxt`: written, read and checked as protobuf's text format of Triton's own ModelConfig message."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from google.protobuf import text_format

from visionlab_inference.repository.model_config_pb2 import TYPE_INVALID, ModelConfig, ModelInput, ModelOutput

CONFIG_FILE: Final = "config.pbtxt"

ENSEMBLE_PLATFORM: Final = "ensemble"


class ConfigError(ValueError):
    """A configuration that Triton would refuse, or that does not say what is served."""


def config_text(config: ModelConfig) -> str:
    """The configuration as text; equal configurations give equal text.

    Raises:
        ConfigError: the configuration is not valid.
    """
    validate(config)
    text: str = text_format.MessageToString(config)
    return text


def parse_config(text: str) -> ModelConfig:
    """A configuration from text.

    Raises:
        ConfigError: not text format, a field that ModelConfig does not have, or not valid. The message names line and column, or
            the field.
    """
    config = ModelConfig()
    try:
        text_format.Parse(text, config)
    except text_format.ParseError as error:
        raise ConfigError(f"Not a Triton model configuration: {error}") from error
    validate(config)
    return config


def write_config(path: Path, config: ModelConfig) -> None:
    """Write the configuration to a file.

    Raises:
        ConfigError: the configuration is not valid.
    """
    path.write_text(config_text(config), encoding="utf-8")


def read_config(path: Path) -> ModelConfig:
    """Read a configuration from a file.

    Raises:
        OSError: the file cannot be read.
        ConfigError: its content is not a valid configuration; the message begins with the path.
    """
    try:
        return parse_config(path.read_text(encoding="utf-8"))
    except (ConfigError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def validate(config: ModelConfig) -> None:
    """Refuse what Triton refuses at load, before it is deployed.

    Raises:
        ConfigError: naming the field at fault.
    """
    if not config.name:
        raise ConfigError("name is missing.")
    if not (config.backend or config.platform):
        raise ConfigError(f"{config.name}: backend is missing.")
    if config.max_batch_size < 0:
        raise ConfigError(f"{config.name}: max_batch_size is {config.max_batch_size}, below 0.")
    _check_tensors(config.name, "input", list(config.input))
    _check_tensors(config.name, "output", list(config.output))
    if config.HasField("dynamic_batching"):
        _check_batching(config)
    if config.platform == ENSEMBLE_PLATFORM or config.HasField("ensemble_scheduling"):
        _check_steps(config)
    for warm_up in config.model_warmup:
        if not 1 <= warm_up.batch_size <= max(1, config.max_batch_size):
            raise ConfigError(
                f"{config.name}: model_warmup has a batch of {warm_up.batch_size}, not within 1 and "
                f"max_batch_size {config.max_batch_size}."
            )
    for group in config.instance_group:
        if group.count < 0:
            raise ConfigError(f"{config.name}: instance_group.count is {group.count}, below 0.")


def _check_tensors(model: str, field: str, tensors: list[ModelInput] | list[ModelOutput]) -> None:
    if not tensors:
        raise ConfigError(f"{model}: {field} is missing.")
    for name, times in Counter(tensor.name for tensor in tensors).items():
        if not name:
            raise ConfigError(f"{model}: an {field} has no name.")
        if times > 1:
            raise ConfigError(f"{model}: {field} {name!r} is there {times} times.")
    for tensor in tensors:
        if tensor.data_type == TYPE_INVALID:
            raise ConfigError(f"{model}: {field} {tensor.name!r} has no data_type.")
        if not tensor.dims or any(size == 0 or size < -1 for size in tensor.dims):
            raise ConfigError(f"{model}: {field} {tensor.name!r} has dims {list(tensor.dims)}; each must be above 0, or -1.")


def _check_batching(config: ModelConfig) -> None:
    if config.max_batch_size == 0:
        raise ConfigError(f"{config.name}: dynamic_batching needs a max_batch_size above 0.")
    for size in config.dynamic_batching.preferred_batch_size:
        if not 1 <= size <= config.max_batch_size:
            raise ConfigError(
                f"{config.name}: preferred_batch_size {size} is not within 1 and max_batch_size {config.max_batch_size}."
            )


def _check_steps(config: ModelConfig) -> None:
    if config.platform != ENSEMBLE_PLATFORM or config.backend:
        raise ConfigError(f"{config.name}: ensemble_scheduling goes with platform {ENSEMBLE_PLATFORM!r} and no backend.")
    if config.HasField("dynamic_batching") or config.instance_group:
        raise ConfigError(f"{config.name}: an ensemble has neither dynamic_batching nor instances; its models have.")
    if not config.ensemble_scheduling.step:
        raise ConfigError(f"{config.name}: ensemble_scheduling has no step.")
    made = Counter(tensor.name for tensor in config.input)
    for step in config.ensemble_scheduling.step:
        if not step.model_name or not step.input_map or not step.output_map:
            raise ConfigError(f"{config.name}: a step of {step.model_name!r} lacks its model, input_map or output_map.")
        made.update(step.output_map.values())
    for name, times in made.items():
        if times > 1:
            raise ConfigError(f"{config.name}: the tensor {name!r} is made {times} times.")
    wanted = {name for step in config.ensemble_scheduling.step for name in step.input_map.values()}
    for name in sorted(wanted | {tensor.name for tensor in config.output}):
        if name not in made:
            raise ConfigError(f"{config.name}: nothing makes the tensor {name!r}.")
