"""The layout that Triton Inference Server loads models from: `<model>/config.pbtxt` beside `<model>/<version>/model.onnx`.

`model_config_pb2` is generated from `model_config.proto`, whose header says where it comes from and how to make it again.
"""

from visionlab_inference.repository.config_file import (
    CONFIG_FILE,
    ConfigError,
    config_text,
    parse_config,
    read_config,
    validate,
    write_config,
)
from visionlab_inference.repository.model_config import (
    DEFAULT_BATCHING,
    DEFAULT_INSTANCES,
    MODEL_FILE,
    DynamicBatching,
    Instances,
    TensorRt,
    model_config,
)
from visionlab_inference.repository.model_config_pb2 import ModelConfig

__all__ = [
    "CONFIG_FILE",
    "DEFAULT_BATCHING",
    "DEFAULT_INSTANCES",
    "MODEL_FILE",
    "ConfigError",
    "DynamicBatching",
    "Instances",
    "ModelConfig",
    "TensorRt",
    "config_text",
    "model_config",
    "parse_config",
    "read_config",
    "validate",
    "write_config",
]
