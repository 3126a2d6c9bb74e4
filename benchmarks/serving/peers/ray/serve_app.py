"""The deployment as Ray Serve's replicas import it."""

from __future__ import annotations

import asyncio

import numpy as np
from detector import Detector, pixels_of, settings_from_environment
from ray import serve
from starlette.requests import Request

asked = settings_from_environment()


@serve.deployment(num_replicas=asked.cpus, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 1}, health_check_period_s=60)
class ImageDetector:
    """Answers image files."""

    def __init__(self) -> None:
        self._detector = Detector(asked.model, threads=1)

    async def __call__(self, request: Request) -> dict[str, list[float]]:
        """The body to a JSON object."""
        return {"probabilities": await self.classify(await request.body())}

    @serve.batch(max_batch_size=asked.max_batch, batch_wait_timeout_s=asked.batch_seconds)
    async def classify(self, files: list[bytes]) -> list[list[float]]:
        """One run for all images, off the event loop."""
        return await asyncio.to_thread(self._classify, files)

    def _classify(self, files: list[bytes]) -> list[list[float]]:
        return self._detector.probabilities(np.stack([pixels_of(file) for file in files])).tolist()


app = ImageDetector.bind()
