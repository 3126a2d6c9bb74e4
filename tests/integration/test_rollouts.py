"""Releases come and go while requests flow, on every way of serving: none fails, and a bad release changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import numpy as np
import pytest
from support.image_files import picture
from support.serving import KINDS, open_serving
from support.tiny_models import (
    DAMAGED,
    DETECTOR,
    SECOND_DETECTOR,
    detector_card,
    detector_onnx,
    generator_card,
    generator_onnx,
)
from support.waiting import until

from visionlab_core.object_store import StoreUnavailable
from visionlab_inference.backend import ModelNotServed, ModelVersion
from visionlab_inference.releases import Rollout, RolloutFailed
from visionlab_inference.releases.deployer import Deployer

POOL = "detectors"
READY = Rollout("ready")
CLIENTS = 4

every_kind = pytest.mark.parametrize("kind", KINDS)


def add(serving, uuid, name, version=1, seed=1):
    onnx = detector_onnx(seed)
    return serving.add(detector_card(onnx, uuid, name, version), onnx)


def version(card):
    return ModelVersion(card.uuid, card.version)


@asynccontextmanager
async def load(serving, chosen):
    """Clients that ask models without a pause, each of those that `chosen` says; gives the number of answers so far by model."""
    answered, stop = Counter(), asyncio.Event()
    image = {"image": picture()[None]}

    async def client() -> None:
        while not stop.is_set():
            models = list(chosen())
            # What a request does between its choice and its call, such as decoding: the world goes on meanwhile.
            await asyncio.to_thread(np.sort, np.zeros(1000))
            for model in models:
                result = await serving.backend.infer(model, image)
                assert result.outputs["probabilities"].shape == (1, 4)
                answered[model] += 1

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(client())
        yield answered
        stop.set()


async def more_answers(answered, model, count=20) -> None:
    goal = answered[model] + count
    await until(lambda: answered[model] >= goal)


@every_kind
async def test_enabling_disabling_and_rolling_back_under_load_fails_no_request(kind, tmp_path):
    async with open_serving(kind, tmp_path, seconds_to_linger=1.0) as serving:
        stays, comes = add(serving, DETECTOR, "stays"), add(serving, SECOND_DETECTOR, "comes", seed=2)
        newer = add(serving, SECOND_DETECTOR, "comes", 2, seed=3)
        deployer: Deployer = serving.deployer
        await deployer.apply(serving.release([stays]))
        chosen = {version(stays)}
        async with load(serving, lambda: chosen) as answered:
            await more_answers(answered, version(stays))
            for cards in ([stays, comes], [stays, newer], [stays, comes], [stays], [stays, newer], [stays, comes]):
                # As the facade does: what is disabled is no longer chosen, what is enabled is chosen once it is ready.
                chosen = chosen & {version(card) for card in cards}
                await deployer.apply(serving.release(cards))
                chosen = {version(card) for card in cards}
                for model in chosen:
                    assert deployer.observe(POOL)[model] == READY
                    await more_answers(answered, model)
        assert set(answered) == {version(stays), version(comes), version(newer)}
        await until(lambda: version(newer) not in serving.backend.models())


@every_kind
async def test_rollback_serves_the_previous_bytes(kind, tmp_path):
    async with open_serving(kind, tmp_path) as serving:
        old, new = add(serving, DETECTOR, "model"), add(serving, DETECTOR, "model", 2, seed=2)
        first, second = serving.release([old]), serving.release([new])
        await serving.deployer.apply(first)
        before = (await serving.backend.infer(version(old), {"image": picture()[None]})).outputs["probabilities"]
        await serving.deployer.apply(second)
        await until(lambda: list(serving.backend.models()) == [version(new)])
        await serving.deployer.apply(first)
        after = (await serving.backend.infer(version(old), {"image": picture()[None]})).outputs["probabilities"]
        np.testing.assert_array_equal(before, after)


@every_kind
@pytest.mark.parametrize("damage", ["file", "no model"])
async def test_damaged_model_is_named_and_the_old_release_goes_on(kind, damage, tmp_path):
    async with open_serving(kind, tmp_path) as serving:
        good, also_good = add(serving, DETECTOR, "good"), add(serving, SECOND_DETECTOR, "also-good", seed=2)
        await serving.deployer.apply(serving.release([good]))
        if damage == "file":
            bad = add(serving, DAMAGED, "bad", seed=3)
            release = serving.release([good, also_good, bad])
            serving.store.put(release.key("bad/1/model.onnx"), b"rot")
        else:
            bad = serving.add(detector_card(b"not a model", DAMAGED, "bad"), b"not a model")
            release = serving.release([good, also_good, bad])
        async with load(serving, lambda: [version(good)]) as answered:
            with pytest.raises(RolloutFailed) as failure:
                await serving.deployer.apply(release)
            assert set(failure.value.models) == {version(bad)}
            observed = serving.deployer.observe(POOL)
            assert observed[version(good)] == READY
            assert observed[version(bad)].state == "failed"
            assert ("sha256" if damage == "file" else "ONNX Runtime cannot load") in observed[version(bad)].reason
            with pytest.raises(ModelNotServed):
                await serving.backend.infer(version(also_good), {"image": picture()[None]})
            await serving.deployer.apply(serving.release([good, also_good]))
            await serving.backend.infer(version(also_good), {"image": picture()[None]})
            await more_answers(answered, version(good))
        assert serving.deployer.observe(POOL) == {version(good): READY, version(also_good): READY}


@every_kind
async def test_store_that_is_away_is_no_models_fault_or_says_whose(kind, tmp_path, monkeypatch):
    async with open_serving(kind, tmp_path) as serving:
        good, late = add(serving, DETECTOR, "good"), add(serving, SECOND_DETECTOR, "late", seed=2)
        await serving.deployer.apply(serving.release([good]))
        release = serving.release([good, late])

        def away(key):
            raise StoreUnavailable("the disk is away")

        with monkeypatch.context() as patch:
            patch.setattr(serving.store, "get", away)
            patch.setattr(serving.store, "local_path", away)
            with pytest.raises(RolloutFailed, match="the disk is away"):
                await serving.deployer.apply(release)
        assert list(serving.backend.models()) == [version(good)]
        await serving.deployer.apply(release)
        assert set(serving.backend.models()) == {version(good), version(late)}


@every_kind
async def test_pools_are_independent_and_an_empty_release_ends_service(kind, tmp_path):
    async with open_serving(kind, tmp_path) as serving:
        onnx = generator_onnx()
        generator, detector = serving.add(generator_card(onnx), onnx), add(serving, DETECTOR, "detector")
        await serving.serve(generator, detector)
        assert set(serving.backend.models()) == {version(generator), version(detector)}
        await serving.serve(generator)
        await until(lambda: list(serving.backend.models()) == [version(generator)])
        assert serving.deployer.observe(POOL) == {}
        await serving.serve()
        await until(lambda: serving.backend.models() == {})


async def test_embedded_models_that_did_not_change_are_not_loaded_again(tmp_path):
    async with open_serving("embedded", tmp_path) as serving:
        stays, comes = add(serving, DETECTOR, "stays"), add(serving, SECOND_DETECTOR, "comes", seed=2)
        await serving.deployer.apply(serving.release([stays]))
        release = serving.release([stays, comes])
        serving.store.put(release.key("stays/1/model.onnx"), b"nobody reads this")
        await serving.deployer.apply(release)
        assert serving.deployer.observe(POOL) == {version(stays): READY, version(comes): READY}


async def test_embedded_model_that_comes_back_while_it_lingers_stays(tmp_path):
    async with open_serving("embedded", tmp_path, seconds_to_linger=3600) as serving:
        model = add(serving, DETECTOR, "model")
        release = serving.release([model])
        await serving.deployer.apply(release)
        await serving.deployer.apply(serving.release([]))
        assert list(serving.backend.models()) == [version(model)], "requests that chose it are still answered"
        serving.store.put(release.key("model/1/model.onnx"), b"nobody reads this")
        await serving.deployer.apply(release)
        await serving.backend.infer(version(model), {"image": picture()[None]})
