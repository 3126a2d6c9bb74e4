"""ONNX Runtime in this process."""

from visionlab_inference.embedded.backend import EmbeddedBackend
from visionlab_inference.embedded.lanes import CpuLanes
from visionlab_inference.embedded.session import DamagedModel, load_session

__all__ = ["CpuLanes", "DamagedModel", "EmbeddedBackend", "load_session"]
