"""The layout that Triton Inference Server loads models from: `<model>/config.pbtxt` beside `<model>/<version>/model.onnx`.

`model_config_pb2` and `onnx_graph_pb2` are generated from the `.proto` beside them, whose header says where it comes from and how
to make it again.
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
from visionlab_inference.repository.ensemble_config import ensemble_config, head_config
from visionlab_inference.repository.head_graph import OUTPUT, head_graph, head_input
from visionlab_inference.repository.model_config import (
    DEFAULT_BATCHING,
    DEFAULT_INSTANCES,
    MODEL_FILE,
    USUAL,
    DynamicBatching,
    Instances,
    TensorRt,
    Variant,
    model_config,
)
from visionlab_inference.repository.model_config_pb2 import ModelConfig

__all__ = [
    "CONFIG_FILE",
    "DEFAULT_BATCHING",
    "DEFAULT_INSTANCES",
    "MODEL_FILE",
    "OUTPUT",
    "USUAL",
    "ConfigError",
    "DynamicBatching",
    "Instances",
    "ModelConfig",
    "TensorRt",
    "Variant",
    "config_text",
    "ensemble_config",
    "head_config",
    "head_graph",
    "head_input",
    "model_config",
    "parse_config",
    "read_config",
    "validate",
    "write_config",
]
