"""Detectors' answers, brought together."""

from __future__ import annotations

import numpy as np
import pytest
from support.image_files import picture
from support.lanes import ONE_LANE
from support.tiny_models import DETECTOR, GENERATOR, NOT_A_NUMBER, SECOND_DETECTOR, detector_card, detector_onnx

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_inference.backend import ModelFailed, ModelNotServed, ModelVersion
from visionlab_inference.detection import Vote, detect, vote
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.ensemble_head import EnsembleHead

MODELS = [ModelVersion(DETECTOR, 1), ModelVersion(SECOND_DETECTOR, 1)]


@pytest.fixture
async def backend():
    backend = EmbeddedBackend(ONE_LANE)
    for seed, model in enumerate(MODELS):
        onnx = detector_onnx(seed)
        await backend.load(detector_card(onnx, model.uuid, f"model-{seed}"), lambda name, onnx=onnx: onnx)
    yield backend
    await backend.close()


PIXELS = np.stack([picture(seed=seed) for seed in range(5)])


async def test_vote_is_the_mean_of_the_models(backend):
    found = await detect(backend, MODELS, PIXELS)
    assert set(found.models) == set(MODELS)
    for i in range(len(PIXELS)):
        together = vote([found.models[model][i] for model in MODELS])
        mean = np.mean([found.models[model][i].probabilities for model in MODELS], axis=0)
        assert together.probabilities == pytest.approx(mean, abs=1e-6)
        assert together.called == FACE_CLASSES[int(mean.argmax())]
    assert found.seconds > 0


async def test_answers_stay_with_their_images(backend):
    together = await detect(backend, MODELS, PIXELS)
    for i in range(len(PIXELS)):
        alone = await detect(backend, MODELS, PIXELS[i : i + 1])
        for model in MODELS:
            assert alone.models[model][0].probabilities == pytest.approx(together.models[model][i].probabilities, abs=1e-6)


async def test_one_model_votes_for_itself(backend):
    found = await detect(backend, MODELS[:1], PIXELS)
    assert np.array_equal(vote(found.models[MODELS[0]][:1]).probabilities, found.models[MODELS[0]][0].probabilities)


async def test_ensemble_is_not_run_where_its_bases_are(backend):
    stack = ModelVersion(GENERATOR, 1)  # that the backend does not know
    head = EnsembleHead(tuple(MODELS), None)
    found = await detect(backend, [stack, *MODELS], PIXELS, heads={stack: head})
    for i in range(len(PIXELS)):
        mean = np.mean([found.models[model][i].probabilities for model in MODELS], axis=0)
        assert found.models[stack][i].probabilities == pytest.approx(mean, abs=1e-6)
    of_both = ModelVersion(NOT_A_NUMBER, 1)  # an ensemble of an ensemble: its base is not run either, so it has to be
    with pytest.raises(ModelNotServed, match=str(NOT_A_NUMBER)):
        await detect(backend, [of_both, stack, *MODELS], PIXELS, heads={stack: head, of_both: EnsembleHead((stack,), None)})


async def test_ensemble_is_run_where_one_of_its_bases_is_not_asked(backend):
    stack = ModelVersion(GENERATOR, 1)
    with pytest.raises(ModelNotServed):
        await detect(backend, [stack, MODELS[0]], PIXELS, heads={stack: EnsembleHead(tuple(MODELS), None)})


async def test_activation_map_is_of_the_called_class_and_between_0_and_1(backend):
    assert (await detect(backend, MODELS, PIXELS)).models[MODELS[0]][0].activation_map is None
    raw = (await backend.infer(MODELS[0], {"image": PIXELS})).outputs["activation_map"]
    found = (await detect(backend, MODELS, PIXELS, explain=True)).models[MODELS[0]]
    for i, detection in enumerate(found):
        heat = detection.activation_map
        assert heat.shape == (7, 7)
        assert heat.min() >= 0
        positive = np.maximum(raw[i, :, :, FACE_CLASSES.index(detection.called)], 0)
        assert heat.max() == (1 if positive.any() else 0)
        assert heat * positive.max() == pytest.approx(positive, abs=1e-4)


async def test_model_that_fails_fails_the_call(backend):
    onnx = detector_onnx(1, bias=float("nan"))
    broken = ModelVersion(DETECTOR, 9)
    await backend.load(detector_card(onnx, version=9, name="broken"), lambda name: onnx)
    with pytest.raises(ModelFailed):
        await detect(backend, [*MODELS, broken], PIXELS)
    assert len((await detect(backend, MODELS, PIXELS)).models[MODELS[1]]) == 5


@pytest.mark.parametrize(
    ("probabilities", "called", "generated", "confidence"),
    [
        ([0.7, 0.1, 0.1, 0.1], FaceClass.HUMAN, 0.2, 0.8),
        ([0.1, 0.7, 0.1, 0.1], FaceClass.HUMAN_GEN, 0.8, 0.8),
        ([0.0, 0.0, 1.0, 0.0], FaceClass.ANIME, 0.0, 1.0),
        ([0.2, 0.25, 0.25, 0.3], FaceClass.ANIME_GEN, 0.55, 0.55),
        # The most probable class is real, and still generated is likelier: the confidence says how weak that is.
        ([0.4, 0.3, 0.0, 0.3], FaceClass.HUMAN, 0.6, 0.4),
    ],
)
def test_vote_says_class_and_side(probabilities, called, generated, confidence):
    vote = Vote(np.array(probabilities, np.float32))
    assert vote.called == called
    assert vote.generated == pytest.approx(generated)
    assert vote.confidence == pytest.approx(confidence)
