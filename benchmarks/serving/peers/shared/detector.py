"""What every peer does with an image, so that only the serving differs: the decoding of VisionLab, and the same run of the model.

It does a little less than VisionLab does: no turning upright, and no checks of hostile files.
"""

from __future__ import annotations

import argparse
import io
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

SIDE = 224

# Each image is resized by the thread that decodes it; more threads would take the CPUs from the model.
cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the comparison asks of every peer.

    `cpus`: CPUs of the server, which is workers times threads of ONNX Runtime. `max_batch`: images in one run. `batch_seconds`:
    how long an image may wait for others.
    """

    model: Path
    port: int
    cpus: int
    max_batch: int
    batch_seconds: float


def settings() -> Settings:
    """From the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--max-batch", type=int, required=True)
    parser.add_argument("--batch-seconds", type=float, required=True)
    return Settings(**vars(parser.parse_args()))


def settings_in_environment(given: Settings) -> dict[str, str]:
    """For processes that a framework starts, which do not see the command line: `settings_from_environment` reads it."""
    return {
        "PEER_MODEL": str(given.model),
        "PEER_PORT": str(given.port),
        "PEER_CPUS": str(given.cpus),
        "PEER_MAX_BATCH": str(given.max_batch),
        "PEER_BATCH_SECONDS": str(given.batch_seconds),
    }


def settings_from_environment() -> Settings:
    """The inverse of `settings_in_environment`."""
    read = os.environ
    return Settings(
        Path(read["PEER_MODEL"]),
        int(read["PEER_PORT"]),
        int(read["PEER_CPUS"]),
        int(read["PEER_MAX_BATCH"]),
        float(read["PEER_BATCH_SECONDS"]),
    )


def pixels_of(jpeg: bytes) -> NDArray[np.uint8]:
    """The central square of a JPEG file, uint8 [224, 224, 3]."""
    return pixels_of_image(Image.open(io.BytesIO(jpeg)))


def pixels_of_image(image: Image.Image) -> NDArray[np.uint8]:
    """The same, of an image that was opened and not read yet."""
    image.draft("RGB", (SIDE, SIDE))
    decoded = np.asarray(image.convert("RGB"))
    height, width = decoded.shape[:2]
    crop = min(width, height)
    left, top = (width - crop) // 2, round((height - crop) * 0.4)
    square = decoded[top : top + crop, left : left + crop]
    if crop != SIDE:
        square = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if crop > 2 * SIDE else cv2.INTER_LINEAR)
    return np.asarray(square, np.uint8)


class Detector:
    """The ONNX file in ONNX Runtime, on `threads` threads."""

    def __init__(self, model: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels uint8 [N, 224, 224, 3] to probabilities float32 [N, 4]."""
        answer: NDArray[np.float32] = self._session.run(["probabilities"], {"image": pixels})[0]
        return answer
