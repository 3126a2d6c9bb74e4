"""The model as MLServer runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from detector import Detector, pixels_of
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class ImageDetector(MLModel):
    """Takes base64 image files, one or a batch, in the tensor `image`."""

    async def load(self) -> bool:
        """In each worker."""
        self._detector = Detector(Path(self.settings.parameters.uri), threads=1)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One run for all images."""
        files = Base64Codec.decode_input(payload.inputs[0])
        probabilities = self._detector.probabilities(np.stack([pixels_of(file) for file in files]))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", probabilities)])
