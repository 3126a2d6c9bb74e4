"""From a model card to the configuration that Triton serves the model with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from visionlab_core.model_card import ModelCard, TensorType
from visionlab_inference.repository.config_file import ConfigError, validate
from visionlab_inference.repository.model_config_pb2 import (
    TYPE_FP32,
    TYPE_INT64,
    TYPE_UINT8,
    DataType,
    ModelConfig,
    ModelDynamicBatching,
    ModelInput,
    ModelInstanceGroup,
    ModelOptimizationPolicy,
    ModelOutput,
    ModelQueuePolicy,
    ModelVersionPolicy,
    ModelWarmup,
)

MODEL_FILE: Final = "model.onnx"
"""Name of the served file in a version's folder."""

BACKEND: Final = "onnxruntime"

ONE_VERSION: Final = ModelVersionPolicy(latest=ModelVersionPolicy.Latest(num_versions=1))

_DATA_TYPES: Final[dict[TensorType, DataType]] = {"uint8": TYPE_UINT8, "int64": TYPE_INT64, "float32": TYPE_FP32}


@dataclass(frozen=True, slots=True)
class DynamicBatching:
    """How Triton gathers single requests into batches.

    `max_batch_size` 1 switches it off. A request waits at most `max_queue_delay_us` microseconds for others to join it; what
    comes while the model runs makes the next batch in any case. When `max_queue_size` requests wait, the next is refused at once;
    None: no limit of Triton's own, as the facade has one.

    A limit costs more than it gives: with any queue policy, or with priority levels, single requests stall for half a second now
    and then (Triton 2.51, one instance; figures in docs/benchmarks.md).
    """

    max_batch_size: int = 32
    preferred_sizes: tuple[int, ...] = ()
    max_queue_delay_us: int = 0
    max_queue_size: int | None = None


@dataclass(frozen=True, slots=True)
class Instances:
    """Copies of the model on each device. "auto" is a GPU where the server has one and a CPU elsewhere."""

    count: int = 1
    kind: Literal["auto", "cpu", "gpu"] = "auto"


@dataclass(frozen=True, slots=True)
class TensorRt:
    """ONNX Runtime's TensorRT execution provider, in Triton's C++ backend.

    FP16 is faster and gives other answers: measure them before a card's figures are said of it. Building an engine takes minutes;
    `engine_cache`, a folder of the server, keeps it for the next start.

    https://github.com/triton-inference-server/onnxruntime_backend#onnx-runtime-with-tensorrt-optimization
    """

    precision: Literal["FP32", "FP16"] = "FP32"
    max_workspace_bytes: int = 1 << 30
    engine_cache: str | None = None


DEFAULT_BATCHING: Final = DynamicBatching()
DEFAULT_INSTANCES: Final = Instances()


@dataclass(frozen=True, slots=True)
class Variant:
    """How an operator has those models served that have no configuration of their own; see `model_config`."""

    instances: Instances = DEFAULT_INSTANCES
    tensorrt: TensorRt | None = None
    response_cache: bool = False


USUAL: Final = Variant()


def model_config(
    card: ModelCard,
    *,
    batching: DynamicBatching = DEFAULT_BATCHING,
    instances: Instances = DEFAULT_INSTANCES,
    tensorrt: TensorRt | None = None,
    warm_up: Sequence[int] = (),
    response_cache: bool = False,
) -> ModelConfig:
    """The configuration of a card's model: the ONNX Runtime backend, the card's tensors, the newest version.

    The shapes leave out the batch dimension, as Triton's do where `max_batch_size` is above 0. Preferred sizes above
    `max_batch_size` are left out.

    Args:
        card: of the model.
        batching: how requests are gathered.
        instances: copies of the model, and on what.
        tensorrt: accelerate instances on GPUs.
        warm_up: sizes of batches of zeros that each instance runs before the model is ready, so that nobody waits for what ONNX
            Runtime or TensorRT does at a first run of a size.
        response_cache: answer equal requests from the server's response cache, where it was started with one.

    Raises:
        ConfigError: a setting is out of range, or they contradict each other.
    """
    if tensorrt is not None and instances.kind != "gpu":
        raise ConfigError(f"{card.name}: TensorRT needs instances of kind 'gpu', not {instances.kind!r}.")
    inputs, outputs = tensors_of(card)
    config = ModelConfig(
        name=card.name,
        backend=BACKEND,
        max_batch_size=batching.max_batch_size,
        default_model_filename=MODEL_FILE,
        version_policy=ONE_VERSION,
        input=inputs,
        output=outputs,
        instance_group=[ModelInstanceGroup(count=instances.count, kind=f"KIND_{instances.kind.upper()}")],
    )
    if batching.max_batch_size > 1:
        preferred = [size for size in batching.preferred_sizes if size <= batching.max_batch_size]
        config.dynamic_batching.CopyFrom(
            ModelDynamicBatching(preferred_batch_size=preferred, max_queue_delay_microseconds=batching.max_queue_delay_us)
        )
        if batching.max_queue_size is not None:
            config.dynamic_batching.default_queue_policy.CopyFrom(ModelQueuePolicy(max_queue_size=batching.max_queue_size))
    for size in warm_up:
        config.model_warmup.append(_warm_up(card, size))
    if tensorrt is not None:
        config.optimization.execution_accelerators.gpu_execution_accelerator.append(_accelerator(tensorrt))
    if response_cache:
        config.response_cache.enable = True
    validate(config)
    return config


def tensors_of(card: ModelCard) -> tuple[list[ModelInput], list[ModelOutput]]:
    """The card's inputs and outputs as a configuration has them: without the batch dimension."""
    return (
        [ModelInput(name=t.name, data_type=_DATA_TYPES[t.dtype], dims=t.shape) for t in card.inputs],
        [ModelOutput(name=t.name, data_type=_DATA_TYPES[t.dtype], dims=t.shape) for t in card.outputs],
    )


def _warm_up(card: ModelCard, size: int) -> ModelWarmup:
    warm_up = ModelWarmup(name=f"batch of {size}", batch_size=size)
    for tensor in card.inputs:
        warm_up.inputs[tensor.name].CopyFrom(
            ModelWarmup.Input(data_type=_DATA_TYPES[tensor.dtype], dims=tensor.shape, zero_data=True)
        )
    return warm_up


def _accelerator(tensorrt: TensorRt) -> ModelOptimizationPolicy.ExecutionAccelerators.Accelerator:
    parameters = {"precision_mode": tensorrt.precision, "max_workspace_size_bytes": str(tensorrt.max_workspace_bytes)}
    if tensorrt.engine_cache is not None:
        parameters |= {"trt_engine_cache_enable": "true", "trt_engine_cache_path": tensorrt.engine_cache}
    return ModelOptimizationPolicy.ExecutionAccelerators.Accelerator(name="tensorrt", parameters=parameters)
