"""Every architecture that VisionLab trains. A new detector is one file in `detectors/`."""

from visionlab_training.zoo.registry import UnknownArchitecture, architectures, detector

__all__ = ["UnknownArchitecture", "architectures", "detector"]
