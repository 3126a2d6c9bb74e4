"""What the Triton server's environment pins."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[4] / "inference" / "triton-server" / "requirements.txt"


def test_onnxruntime_is_the_one_of_the_embedded_backend():
    assert f"onnxruntime=={version('onnxruntime')}" in REQUIREMENTS.read_text().splitlines()
