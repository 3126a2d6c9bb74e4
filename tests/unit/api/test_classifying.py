"""Large requests have a bound on what waits: beyond it a request is refused whole, and those taken are answered whole."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest
from support.image_files import png
from support.lanes import ONE_LANE
from support.tiny_models import detector_card, detector_onnx
from support.waiting import until

from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.services.classifying import Asked, Classifier
from visionlab_api.services.decoding import Decoder
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import BackendBusy
from visionlab_inference.embedded import EmbeddedBackend

ONNX = detector_onnx()
MODELS = [KnownModel(detector_card(ONNX), enabled=True)]


@pytest.fixture
async def classifier():
    metrics = Metrics()
    backend = EmbeddedBackend(ONE_LANE)
    await backend.load(MODELS[0].card, lambda _: ONNX)
    decoder = Decoder(ONE_LANE, 100)
    yield Classifier(backend, SimpleNamespace(heads={}), decoder, max_queue=4, cached_images=0, metrics=metrics)
    await backend.close()


async def test_busy_classifier_refuses_a_request_whole_instead_of_some_of_its_images(classifier):
    files_may_be_read = threading.Event()

    def read() -> bytes:
        assert files_may_be_read.wait(60)
        return png(seed=1)

    images = [Asked(read, filename=f"{n}.png") for n in range(20)]
    try:
        first = asyncio.create_task(classifier.classify(images, MODELS))
        await until(lambda: classifier.window.waiting == 16)
        with pytest.raises(BackendBusy, match="16 images of other large requests are waiting") as refusal:
            await classifier.classify(images, MODELS)
        assert refusal.value.retry_after > 0
    finally:
        files_may_be_read.set()
    answer = await first
    assert [(result.filename, bool(result.verdict)) for result in answer.results] == [(f"{n}.png", True) for n in range(20)]
    assert len((await classifier.classify(images, MODELS)).results) == 20
