"""What every backend holds alike: one suite, run on ONNX Runtime in this process and on a real Triton server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from support.image_files import picture
from support.serving import KINDS, Serving, open_serving
from support.tiny_models import (
    DETECTOR,
    NOT_A_NUMBER,
    SECOND_DETECTOR,
    detector_card,
    detector_onnx,
    generator_card,
    generator_onnx,
)
from support.waiting import until

from visionlab_core.model_card import ModelCard
from visionlab_inference.backend import BackendBusy, ModelFailed, ModelNotServed, ModelVersion, ServingState
from visionlab_inference.embedded import load_session
from visionlab_inference.generation import generate
from visionlab_inference.seeds import Latent

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW_ROUNDS = 25
MODELS = Path(__file__).parents[2] / "models"
SHIPPED = {
    card.name: path.parent
    for path in sorted(MODELS.glob("*/*/card.json"))
    for card in [ModelCard.model_validate_json(path.read_bytes())]
    if card.name in ("mobilenetv2", "dcgan-human")
}


def version(card: ModelCard) -> ModelVersion:
    return ModelVersion(card.uuid, card.version)


def images(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    return {"image": np.stack([picture(seed=seed + i) for i in range(count)])}


def latents(count: int) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(count).standard_normal((count, 100), np.float32)
    return {"latent": noise, "truncation": np.full((count, 1), 0.7, np.float32)}


def tiny_models() -> list[tuple[ModelCard, bytes]]:
    detector, second, later = detector_onnx(1), detector_onnx(2, rounds=SLOW_ROUNDS), detector_onnx(3)
    nan, generator = detector_onnx(4, bias=float("nan")), generator_onnx()
    return [
        (detector_card(detector), detector),
        (detector_card(later, version=2), later),
        (detector_card(second, SECOND_DETECTOR, "slow"), second),
        (detector_card(nan, NOT_A_NUMBER, "not-a-number"), nan),
        (generator_card(generator), generator),
    ]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=KINDS)
async def serving(request, tmp_path_factory):
    async with open_serving(request.param, tmp_path_factory.mktemp(request.param), max_queue=32) as serving:
        cards = [serving.add(card, onnx) for card, onnx in tiny_models()]
        for folder in SHIPPED.values():
            card = ModelCard.model_validate_json((folder / "card.json").read_bytes())
            cards.append(serving.add(card, (folder / "model.onnx").read_bytes(), (folder / "config.pbtxt").read_text()))
        await serving.serve(*cards)
        serving.cards = {f"{card.name}-{card.version}": card for card in cards}
        yield serving


@pytest.fixture
def detector(serving: Serving) -> ModelVersion:
    return version(serving.cards["tiny-detector-1"])


@pytest.fixture
def slow(serving: Serving) -> ModelVersion:
    return version(serving.cards["slow-1"])


async def test_everything_that_is_served_is_ready_and_described(serving):
    assert serving.backend.models() == {version(card): ServingState("ready") for card in serving.cards.values()}
    for card in serving.cards.values():
        assert serving.backend.card(version(card)) == card
    assert await serving.backend.ready()


@pytest.mark.parametrize("name", ["tiny-detector-1", "tiny-detector-2", "tiny-generator-1", "mobilenetv2-2", "dcgan-human-1"])
@pytest.mark.parametrize("count", [1, 3, 8])
async def test_answers_are_those_of_the_model_bit_for_bit(serving, name, count):
    card = serving.cards[name]
    release = serving.release(
        [each for each in serving.cards.values() if each.kind == card.kind], card.kind
    )  # the very bytes that are served
    session = load_session(card, lambda file: serving.store.get(release.key(f"{release.versions[version(card)]}/1/{file}")))
    inputs = images(count) if card.kind == "detector" else latents(count)
    result = await serving.backend.infer(version(card), inputs)
    expected = session.run(inputs)
    assert list(result.outputs) == list(expected)
    for output, values in expected.items():
        assert result.outputs[output].dtype == values.dtype
        np.testing.assert_array_equal(result.outputs[output], values)
    assert result.seconds > 0


@pytest.mark.parametrize("count", [1, 20])
async def test_outputs_that_are_wanted_are_given_alone(serving, count):
    detector = version(serving.cards["tiny-detector-1"])
    every = (await serving.backend.infer(detector, images(count))).outputs
    some = (await serving.backend.infer(detector, images(count), outputs=frozenset({"probabilities"}))).outputs
    assert set(every) == {"probabilities", "activation_map"}
    assert set(some) == {"probabilities"}
    assert some["probabilities"] == pytest.approx(every["probabilities"], abs=1e-6)
    with pytest.raises(ValueError, match="gives the outputs"):
        await serving.backend.infer(detector, images(1), outputs=frozenset({"opinion"}))


async def test_inputs_may_be_made_where_the_model_runs(serving):
    detector = version(serving.cards["tiny-detector-1"])
    expected = (await serving.backend.infer(detector, images(1))).outputs["probabilities"]
    made = (await serving.backend.infer(detector, lambda: images(1))).outputs["probabilities"]
    assert made == pytest.approx(expected, abs=1e-6)

    def broken():
        raise RuntimeError("no image")

    with pytest.raises(RuntimeError, match="no image"):
        await serving.backend.infer(detector, broken)


async def test_large_call_is_answered_in_order(serving, detector):
    inputs = images(21)
    whole = (await serving.backend.infer(detector, inputs)).outputs["probabilities"]
    assert whole.shape == (21, 4)
    for i in (0, 7, 8, 20):
        one = (await serving.backend.infer(detector, {"image": inputs["image"][i : i + 1]})).outputs["probabilities"]
        np.testing.assert_allclose(one[0], whole[i], atol=1e-6)


async def test_same_seed_makes_the_same_face_alone_and_in_company(serving):
    model = version(serving.cards["tiny-generator-1"])
    alone = (await generate(serving.backend, model, [Latent(42)])).pixels[0]
    many = await asyncio.gather(*(generate(serving.backend, model, [Latent(seed)]) for seed in range(35, 50)))
    large = (await generate(serving.backend, model, [Latent(seed) for seed in range(35, 50)])).pixels
    assert np.array_equal(alone, many[7].pixels[0])
    assert np.array_equal(alone, large[7])


async def test_versions_of_a_model_serve_side_by_side(serving):
    first, second = [
        (await serving.backend.infer(ModelVersion(DETECTOR, number), images(1))).outputs["probabilities"] for number in (1, 2)
    ]
    assert not np.allclose(first, second)


async def test_unknown_model_is_not_served(serving):
    with pytest.raises(ModelNotServed):
        await serving.backend.infer(ModelVersion(DETECTOR, 99), images(1))
    with pytest.raises(ModelNotServed):
        serving.backend.card(ModelVersion(DETECTOR, 99))


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"photo": picture()[None]},
        {"image": picture()[None], "more": picture()[None]},
        {"image": picture()[None].astype(np.float32)},
        {"image": picture()},
        {"image": picture(128, 128)[None]},
        {"image": np.empty((0, 224, 224, 3), np.uint8)},
        {"image": np.array(7, np.uint8)},
    ],
    ids=["none", "unknown", "one too many", "type", "no batch", "size", "no rows", "scalar"],
)
async def test_inputs_that_are_not_the_cards_are_refused(serving, detector, inputs):
    with pytest.raises(ValueError, match="tiny-detector"):
        await serving.backend.infer(detector, inputs)


async def test_answers_that_are_no_numbers_fail_the_call_alone(serving, detector):
    broken = serving.backend.infer(version(serving.cards["not-a-number-1"]), images(1))
    with pytest.raises(ModelFailed, match="no numbers"):
        await broken
    assert (await serving.backend.infer(detector, images(1))).outputs["probabilities"].shape == (1, 4)


async def test_full_queue_refuses_at_once_and_answers_what_it_took(serving, slow):
    calls = [asyncio.create_task(serving.backend.infer(slow, images(8))) for _ in range(10)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert refused
    for error in refused:
        assert isinstance(error, BackendBusy)
        assert error.retry_after >= 1
    answered = [result for result in results if not isinstance(result, BaseException)]
    assert len(answered) >= 4
    for result in answered:
        assert result.outputs["probabilities"].shape == (8, 4)
    assert (await serving.backend.infer(slow, images(8))).outputs["probabilities"].shape == (8, 4)


async def test_call_larger_than_the_queue_is_refused(serving, detector):
    with pytest.raises(BackendBusy):
        await serving.backend.infer(detector, {"image": np.zeros((33, 224, 224, 3), np.uint8)})


async def test_cancelled_calls_cost_their_neighbours_nothing(serving, slow):
    inputs = [images(1, seed=i) for i in range(6)]
    expected = [(await serving.backend.infer(slow, each)).outputs["probabilities"] for each in inputs]
    calls = [asyncio.create_task(serving.backend.infer(slow, each)) for each in inputs]
    await asyncio.sleep(0)
    for call in calls[1::2]:
        call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [False, True] * 3
    for result, right in list(zip(results, expected, strict=True))[::2]:
        np.testing.assert_allclose(result.outputs["probabilities"], right, atol=1e-6)
    # The whole queue is free again.
    assert (await serving.backend.infer(slow, images(32))).outputs["probabilities"].shape == (32, 4)


async def test_cancelled_large_call_gives_its_places_back(serving, slow):
    call = asyncio.create_task(serving.backend.infer(slow, images(32)))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # What was running is finished before the next runs; none of the rest is.
    assert (await serving.backend.infer(slow, images(1))).outputs["probabilities"].shape == (1, 4)
    assert (await serving.backend.infer(slow, images(32))).outputs["probabilities"].shape == (32, 4)


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_that_wait_when_their_model_is_dropped_are_answered(kind, tmp_path):
    async with open_serving(kind, tmp_path) as serving:
        onnx, other = detector_onnx(2, rounds=SLOW_ROUNDS), detector_onnx(1)
        slow = serving.add(detector_card(onnx, SECOND_DETECTOR, "slow"), onnx)
        stays = serving.add(detector_card(other), other)
        await serving.serve(slow, stays)
        calls = [asyncio.create_task(serving.backend.infer(version(slow), images(1, seed=i))) for i in range(12)]
        await asyncio.sleep(0)
        await serving.serve(stays)
        for result in await asyncio.gather(*calls):
            assert result.outputs["probabilities"].shape == (1, 4)
        await until(lambda: version(slow) not in serving.backend.models())
        with pytest.raises(ModelNotServed):
            await serving.backend.infer(version(slow), images(1))
        assert (await serving.backend.infer(version(stays), images(1))).outputs["probabilities"].shape == (1, 4)
