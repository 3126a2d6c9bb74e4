"""ONNX Runtime in this process."""

from visionlab_inference.embedded.backend import EmbeddedBackend
from visionlab_inference.embedded.session import DamagedModel, load_session

__all__ = ["DamagedModel", "EmbeddedBackend", "load_session"]
