"""The embedded backend with real ONNX models: what is damaged is refused, the others serve, nothing is lost."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from onnx import TensorProto, helper
from support.image_files import picture
from support.lanes import ONE_LANE
from support.tiny_models import (
    DETECTOR,
    SECOND_DETECTOR,
    detector_card,
    detector_onnx,
    generator_card,
    generator_onnx,
)

from visionlab_core.object_store import StoreUnavailable
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import BackendBusy, ModelFailed, ModelNotServed, ModelVersion, ServingState
from visionlab_inference.embedded import EmbeddedBackend
from visionlab_inference.generation import generate
from visionlab_inference.seeds import Latent

READY = ServingState("ready")
MODEL = ModelVersion(DETECTOR, 1)
OTHER = ModelVersion(SECOND_DETECTOR, 1)


@pytest.fixture
async def backend():
    backend = EmbeddedBackend(ONE_LANE, max_queue=64)
    yield backend
    await backend.close()


def images(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    return {"image": np.stack([picture(seed=seed + i) for i in range(count)])}


def reader(onnx: bytes):
    return lambda name: onnx


async def load_detector(backend, uuid=DETECTOR, name="tiny-detector", seed=1, version=1) -> ServingState:
    onnx = detector_onnx(seed)
    return await backend.load(detector_card(onnx, uuid, name, version), reader(onnx))


async def test_loaded_model_answers(backend):
    assert await load_detector(backend) == READY
    result = await backend.infer(MODEL, images(3))
    assert result.outputs["probabilities"].shape == (3, 4)
    assert result.outputs["probabilities"].sum(axis=1) == pytest.approx(1)
    assert result.outputs["activation_map"].shape == (3, 7, 7, 4)
    assert result.seconds > 0
    assert backend.models() == {MODEL: READY}
    assert backend.card(MODEL).name == "tiny-detector"
    assert await backend.ready()


async def test_unknown_model_is_not_served(backend):
    with pytest.raises(ModelNotServed):
        await backend.infer(MODEL, images(1))
    with pytest.raises(ModelNotServed):
        backend.card(MODEL)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [flipped, lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
async def test_damaged_file_is_refused_by_its_sha256_and_others_serve(backend, damage):
    onnx = detector_onnx(1)
    state = await backend.load(detector_card(onnx), reader(damage(onnx)))
    assert state.state == "failed"
    assert "sha256" in state.reason
    assert await load_detector(backend, SECOND_DETECTOR, "other") == READY
    assert (await backend.infer(OTHER, images(1))).outputs["probabilities"].shape == (1, 4)
    with pytest.raises(ModelNotServed, match="sha256"):
        await backend.infer(MODEL, images(1))


async def test_file_that_is_no_onnx_is_refused(backend):
    state = await backend.load(detector_card(b"not a model"), reader(b"not a model"))
    assert state.state == "failed"
    assert "ONNX Runtime cannot load" in state.reason


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the disk is away"), KeyError("model.onnx"), PermissionError("no"), RuntimeError()]
)
async def test_model_whose_file_cannot_be_read_is_failed_and_not_loading_for_ever(backend, error):
    def read(name: str) -> bytes:
        raise error

    state = await backend.load(detector_card(detector_onnx()), read)
    assert state.state == "failed"
    assert state.reason
    assert backend.models() == {MODEL: state}


async def test_failed_model_that_is_loaded_again_serves(backend):
    onnx = detector_onnx(1)
    await backend.load(detector_card(onnx), reader(b""))
    assert await load_detector(backend) == READY
    assert (await backend.infer(MODEL, images(1))).outputs["probabilities"].shape == (1, 4)


async def test_tensors_that_are_not_the_cards_are_refused(backend):
    onnx = generator_onnx()
    state = await backend.load(detector_card(onnx), reader(onnx))
    assert state.state == "failed"
    assert "'image'" in state.reason
    assert "the graph has none" in state.reason

    card = detector_card(detector_onnx())
    wrong = card.inputs[0].model_copy(update={"shape": (128, 128, 3)})
    state = await backend.load(card.model_copy(update={"inputs": (wrong,)}), reader(detector_onnx()))
    assert "128" in state.reason


async def test_graph_with_a_fixed_batch_size_is_refused(backend):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["same"])],
        "fixed",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 224, 224, 3])],
        [helper.make_tensor_value_info("same", TensorProto.UINT8, [1, 224, 224, 3])],
    )
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    card = detector_card(onnx)
    card = card.model_copy(update={"outputs": (card.inputs[0].model_copy(update={"name": "same"}),)})
    state = await backend.load(card, reader(onnx))
    assert state.state == "failed"
    assert "batch" in state.reason


async def test_answers_that_are_no_numbers_fail_the_call_alone(backend):
    onnx = detector_onnx(1, bias=float("nan"))
    assert await backend.load(detector_card(onnx), reader(onnx)) == READY
    await load_detector(backend, SECOND_DETECTOR, "other")
    with pytest.raises(ModelFailed, match="no numbers"):
        await backend.infer(MODEL, images(1))
    assert (await backend.infer(OTHER, images(1))).outputs["probabilities"].shape == (1, 4)


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
async def test_inputs_that_are_not_the_cards_are_refused(backend, inputs):
    await load_detector(backend)
    with pytest.raises(ValueError, match="tiny-detector"):
        await backend.infer(MODEL, inputs)


async def test_inputs_of_unequal_length_are_refused(backend):
    onnx = generator_onnx()
    card = generator_card(onnx)
    await backend.load(card, reader(onnx))
    with pytest.raises(ValueError, match="first dimension"):
        await backend.infer(
            ModelVersion(card.uuid, 1), {"latent": np.zeros((2, 100), np.float32), "truncation": np.ones((3, 1), np.float32)}
        )


async def test_large_call_is_answered_in_order(backend):
    await load_detector(backend)
    inputs = images(21)
    whole = (await backend.infer(MODEL, inputs)).outputs["probabilities"]
    assert whole.shape == (21, 4)
    for i in (0, 7, 8, 20):
        one = (await backend.infer(MODEL, {"image": inputs["image"][i : i + 1]})).outputs["probabilities"]
        assert one[0] == pytest.approx(whole[i], abs=1e-6)


async def test_call_larger_than_the_queue_is_refused(backend):
    await load_detector(backend)
    with pytest.raises(BackendBusy):
        await backend.infer(MODEL, {"image": np.zeros((65, 224, 224, 3), np.uint8)})


async def test_same_seed_makes_the_same_face_alone_and_in_company(backend):
    onnx = generator_onnx()
    card = generator_card(onnx)
    await backend.load(card, reader(onnx))
    model = ModelVersion(card.uuid, 1)
    alone = (await generate(backend, model, [Latent(42)])).pixels[0]
    together = (await generate(backend, model, [Latent(1), Latent(42), Latent(3)])).pixels
    many = await asyncio.gather(*(generate(backend, model, [Latent(seed)]) for seed in range(30, 60)))
    large = (await generate(backend, model, [Latent(seed) for seed in range(30, 60)])).pixels
    assert np.array_equal(alone, together[1])
    assert np.array_equal(alone, many[12].pixels[0])
    assert np.array_equal(alone, large[12])
    assert not np.array_equal(alone, together[0])


async def test_versions_of_a_model_serve_side_by_side(backend):
    await load_detector(backend, seed=1, version=1)
    await load_detector(backend, seed=2, version=2)
    first, second = [
        (await backend.infer(ModelVersion(DETECTOR, version), images(1))).outputs["probabilities"] for version in (1, 2)
    ]
    assert not np.allclose(first, second)


async def test_calls_accepted_before_a_drop_are_answered(backend):
    await load_detector(backend)
    calls = [asyncio.create_task(backend.infer(MODEL, images(1, seed=i))) for i in range(20)]
    await asyncio.sleep(0)
    await backend.drop(MODEL)
    results = await asyncio.gather(*calls)
    assert len(results) == 20
    assert backend.models() == {}
    with pytest.raises(ModelNotServed):
        await backend.infer(MODEL, images(1))


async def test_loading_and_dropping_under_load_loses_no_call_to_another_model(backend):
    await load_detector(backend, SECOND_DETECTOR, "other")
    stop = asyncio.Event()
    answered = 0

    async def client() -> None:
        nonlocal answered
        while not stop.is_set():
            assert (await backend.infer(OTHER, images(1))).outputs["probabilities"].shape == (1, 4)
            answered += 1

    clients = [asyncio.create_task(client()) for _ in range(4)]
    for _ in range(10):
        assert await load_detector(backend) == READY
        assert (await backend.infer(MODEL, images(1))).outputs["probabilities"].shape == (1, 4)
        await backend.drop(MODEL)
    stop.set()
    await asyncio.gather(*clients)
    assert answered > 10


async def test_slow_load_holds_nobody_up(backend):
    await load_detector(backend, SECOND_DETECTOR, "other")
    gate, reading = threading.Event(), threading.Event()
    onnx = detector_onnx(1)

    def read(name: str) -> bytes:
        reading.set()
        assert gate.wait(30)
        return onnx

    loading = asyncio.create_task(backend.load(detector_card(onnx), read))
    try:
        assert await asyncio.to_thread(reading.wait, 30)
        assert backend.models()[MODEL] == ServingState("loading")
        with pytest.raises(ModelNotServed, match="loading"):
            await backend.infer(MODEL, images(1))
        assert (await backend.infer(OTHER, images(1))).outputs["probabilities"].shape == (1, 4)
    finally:
        gate.set()
    assert await loading == READY


async def test_close_answers_those_who_wait():
    backend = EmbeddedBackend(ONE_LANE)
    await load_detector(backend)
    calls = [asyncio.create_task(backend.infer(MODEL, images(1))) for _ in range(20)]
    await asyncio.sleep(0)
    await backend.close()
    assert len(await asyncio.gather(*calls)) == 20


async def test_metrics_tell_of_batches():
    metrics = Metrics()
    backend = EmbeddedBackend(ONE_LANE, metrics=metrics)
    await load_detector(backend)
    await asyncio.gather(*(backend.infer(MODEL, images(1)) for _ in range(9)))
    await backend.close()
    text = metrics.render().decode()
    assert 'visionlab_inference_batch_size_sum{model="tiny-detector",version="1"} 9.0' in text
    assert 'visionlab_inference_seconds_count{model="tiny-detector",version="1"} 2.0' in text
