"""Triton Inference Server: model repositories from version folders, and a server of this machine's own that loads them."""

from visionlab_inference.triton.assemble import RepositoryError, assemble
from visionlab_inference.triton.client import TritonClient
from visionlab_inference.triton.installation import (
    TritonInstallation,
    TritonNotInstalled,
    TritonUnsupported,
    find_installation,
)
from visionlab_inference.triton.server import LocalTriton, TritonFailed

__all__ = [
    "LocalTriton",
    "RepositoryError",
    "TritonClient",
    "TritonFailed",
    "TritonInstallation",
    "TritonNotInstalled",
    "TritonUnsupported",
    "assemble",
    "find_installation",
]
