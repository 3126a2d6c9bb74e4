"""Ensembles beside their bases, on every way of serving: the answers of the whole graph, and nothing held or run twice."""

from __future__ import annotations

import re

import httpx
import numpy as np
import onnxruntime as ort
import pytest
import pytest_asyncio
from support.image_files import picture
from support.processes import session
from support.serving import KINDS, open_serving
from support.tiny_ensembles import STACK, base, stack
from support.waiting import until

from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases import Rollout, RolloutFailed, assemble
from visionlab_inference.triton import TritonClient

pytestmark = pytest.mark.asyncio(loop_scope="module")

POOL = "detectors"
ENSEMBLE = ModelVersion(STACK, 1)
IMAGES = {"image": np.stack([picture(seed=seed) for seed in range(11)])}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=KINDS)
async def serving(request, tmp_path_factory):
    async with open_serving(request.param, tmp_path_factory.mktemp(request.param)) as serving:
        bases = [base(0), base(1)]
        for card, onnx in bases:
            serving.cards[card.name] = serving.add(card, onnx)
        card, onnx, weights = stack(bases)
        serving.cards["stack"] = serving.add(card, onnx)
        serving.store.put(model_key(STACK, 1, "weights.npz"), weights)
        yield serving


@pytest.fixture(scope="module")
def right() -> np.ndarray:
    """What the whole graph answers."""
    _, onnx, _ = stack([base(0), base(1)])
    return ort.InferenceSession(onnx, providers=["CPUExecutionProvider"]).run(["probabilities"], IMAGES)[0]


async def answer(serving) -> np.ndarray:
    return (await serving.backend.infer(ENSEMBLE, IMAGES)).outputs["probabilities"]


async def test_answers_are_the_whole_graphs_with_and_without_its_bases(serving, right):
    cards = serving.cards
    await serving.serve(*cards.values())
    np.testing.assert_allclose(await answer(serving), right, atol=1e-6)
    assert serving.deployer.observe(POOL)[ENSEMBLE] == Rollout("ready")
    await serving.serve(cards["stack"], cards["base-0"])
    np.testing.assert_allclose(await answer(serving), right, atol=1e-6)
    await serving.serve(cards["stack"])
    np.testing.assert_allclose(await answer(serving), right, atol=1e-6)
    await serving.serve(cards["stack"], cards["base-1"], cards["base-0"])
    np.testing.assert_allclose(await answer(serving), right, atol=1e-6)


async def test_head_that_is_damaged_is_the_ensembles_fault(serving):
    bases = [serving.cards["base-0"], serving.cards["base-1"]]
    await serving.serve(*bases)
    await until(lambda: ENSEMBLE not in serving.backend.models())
    release = serving.release([serving.cards["stack"], *bases])
    for folder in ("stack", "stack.head"):
        serving.store.put(release.key(f"{folder}/1/model.onnx"), b"rot")
    with pytest.raises(RolloutFailed) as failure:
        await serving.deployer.apply(release)
    assert set(failure.value.models) == {ENSEMBLE}
    assert set(serving.backend.models()) == {ModelVersion(card.uuid, 1) for card in bases}
    assemble(serving.store, POOL, [serving.cards["stack"], *bases], repair=True)


@pytest.mark.parametrize("serving", ["triton"], indirect=True)
async def test_triton_runs_each_base_once_for_whoever_asks(serving, right):
    await serving.serve(*serving.cards.values())
    port = http_port(serving)
    before = images_run(port)
    outputs = TritonClient(port).infer("stack", IMAGES)
    np.testing.assert_allclose(outputs["probabilities"], right, atol=1e-6)
    after = images_run(port)
    count = len(IMAGES["image"])
    assert {name: after[name] - before[name] for name in after} == dict.fromkeys(
        ("base-0", "base-1", "stack.head", "stack"), count
    )


def http_port(serving) -> int:
    for command in session(serving.deployer.processes()[POOL]).values():
        if found := re.search(r"tritonserver .*--http-port=(\d+)", command):
            return int(found[1])
    raise AssertionError("there is no server")


def images_run(port: int) -> dict[str, int]:
    answer = httpx.get(f"http://127.0.0.1:{port}/v2/models/stats").raise_for_status()
    return {each["name"]: each["inference_count"] for each in answer.json()["model_stats"]}
