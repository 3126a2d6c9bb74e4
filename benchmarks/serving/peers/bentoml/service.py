"""The service as BentoML's workers import it."""

from __future__ import annotations

import bentoml
import numpy as np
from detector import Detector, pixels_of_image, settings_from_environment
from PIL.Image import Image

asked = settings_from_environment()


@bentoml.service(workers=asked.cpus, traffic={"timeout": 60}, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class ImageDetector:
    """Answers image files."""

    def __init__(self) -> None:
        self._detector = Detector(asked.model, threads=1)

    @bentoml.api(batchable=True, max_batch_size=asked.max_batch)
    def classify(self, images: list[Image]) -> list[list[float]]:
        """One run for all images."""
        return self._detector.probabilities(np.stack([pixels_of_image(image) for image in images])).tolist()
