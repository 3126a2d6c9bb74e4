"""What can happen to a server that others run: it dies, hangs, is full; callers get an answer or are told when to come back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import httpx
import pytest
from support.image_files import picture
from support.processes import session
from support.serving import open_serving
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_card, detector_onnx
from support.waiting import SECONDS, until

from visionlab_core.object_store import StoreUnavailable
from visionlab_inference.backend import BackendBusy, BackendUnavailable, InferenceError, ModelVersion
from visionlab_inference.releases import Rollout
from visionlab_inference.repository import DynamicBatching, config_text, model_config

POOL = "detectors"
SLOW = ModelVersion(SECOND_DETECTOR, 1)
QUICK = ModelVersion(DETECTOR, 1)
IMAGE = {"image": picture()[None]}


@pytest.fixture
def rounds():
    return 25


async def serve(serving, rounds, batching=None):
    onnx, quick = detector_onnx(2, rounds=rounds), detector_onnx(1)
    card = detector_card(onnx, SECOND_DETECTOR, "slow")
    config = config_text(model_config(card, batching=batching)) if batching else None
    await serving.serve(serving.add(card, onnx, config), serving.add(detector_card(quick), quick))


def server_process(serving, program: str) -> tuple[int, str]:
    """Number and command line of the server itself, or of the process of a model, among what the deployer started."""
    return next(
        (process, command)
        for process, command in session(serving.deployer.processes()[POOL]).items()
        if Path(command.split()[0]).name == program
    )


async def outcome(call):
    try:
        return (await call).outputs["probabilities"].shape
    except InferenceError as error:
        return error


async def test_server_killed_in_the_middle_of_a_batch(tmp_path, rounds):
    async with open_serving("triton", tmp_path) as serving:
        await serve(serving, rounds)
        for _ in range(2):
            calls = [asyncio.create_task(outcome(serving.backend.infer(SLOW, IMAGE))) for _ in range(64)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            os.kill(server_process(serving, "tritonserver")[0], signal.SIGKILL)
            async with asyncio.timeout(SECONDS):
                outcomes = await asyncio.gather(*calls)
            errors = [each for each in outcomes if each != (1, 4)]
            assert errors, "it was killed before it had answered all"
            for error in errors:
                assert isinstance(error, BackendUnavailable)
                assert error.retry_after >= 1
            await until(lambda: serving.deployer.observe(POOL)[SLOW].state == "ready")
            assert (await serving.backend.infer(SLOW, IMAGE)).outputs["probabilities"].shape == (1, 4)


async def test_release_that_comes_while_the_server_is_dead_is_served(tmp_path, rounds):
    async with open_serving("triton", tmp_path) as serving:
        await serve(serving, rounds)
        os.kill(server_process(serving, "tritonserver")[0], signal.SIGKILL)
        await until(lambda: serving.deployer.observe(POOL)[SLOW] != Rollout("ready"))
        onnx = detector_onnx(3)
        await serving.serve(serving.add(detector_card(onnx, DETECTOR, "new", 2), onnx))
        assert (await serving.backend.infer(ModelVersion(DETECTOR, 2), IMAGE)).outputs["probabilities"].shape == (1, 4)
        await until(lambda: list(serving.backend.models()) == [ModelVersion(DETECTOR, 2)])


async def test_process_of_one_model_killed_comes_back_while_the_other_model_answers(tmp_path, rounds):
    async with open_serving("triton", tmp_path) as serving:
        await serve(serving, rounds)
        stub, command = server_process(serving, "triton_python_backend_stub")
        victim = SLOW if "/slow/" in command else QUICK
        os.kill(stub, signal.SIGKILL)
        async with asyncio.timeout(SECONDS):
            while (result := await outcome(serving.backend.infer(victim, IMAGE))) != (1, 4):
                assert isinstance(result, BackendUnavailable)
                assert await outcome(serving.backend.infer(SLOW if victim == QUICK else QUICK, IMAGE)) == (1, 4)


async def test_full_queue_of_the_server_is_busy(tmp_path, rounds):
    async with open_serving("triton", tmp_path) as serving:
        await serve(
            serving, rounds, DynamicBatching(max_batch_size=2, preferred_sizes=(2,), max_queue_delay_us=0, max_queue_size=2)
        )
        calls = [asyncio.create_task(outcome(serving.backend.infer(SLOW, IMAGE))) for _ in range(30)]
        outcomes = await asyncio.gather(*calls)
        busy = [each for each in outcomes if each != (1, 4)]
        assert 0 < len(busy) < 30
        for error in busy:
            assert isinstance(error, BackendBusy)
            assert error.retry_after >= 1


async def test_server_that_hangs_is_a_clean_error_after_the_deadline(tmp_path, rounds):
    async with open_serving("triton", tmp_path, deadline=0.5) as serving:
        await serve(serving, rounds)
        process, _ = server_process(serving, "tritonserver")
        os.kill(process, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                with pytest.raises(BackendUnavailable, match="in time"):
                    await serving.backend.infer(QUICK, IMAGE)
                # Its places in the queue are free again.
                with pytest.raises(BackendUnavailable):
                    await serving.backend.infer(QUICK, {"image": picture()[None].repeat(64, axis=0)})
        finally:
            os.kill(process, signal.SIGCONT)
        await until(lambda: serving.backend.models()[QUICK].state == "ready")
        async with asyncio.timeout(SECONDS):
            while await outcome(serving.backend.infer(QUICK, IMAGE)) != (1, 4):
                pass


MANY = 512


def executed_images(serving) -> int:
    """Images that the server has run the slow model on."""
    _, command = server_process(serving, "tritonserver")
    [port] = re.findall(r"--http-port=(\d+)", command)
    [stats] = httpx.get(f"http://127.0.0.1:{port}/v2/models/slow/stats").json()["model_stats"]
    return stats["inference_count"]


async def test_cancelled_call_is_cancelled_on_the_server(tmp_path, rounds):
    # So many that the server is at work for long after the quick model has answered.
    async with open_serving("triton", tmp_path, max_queue=MANY) as serving:
        await serve(serving, rounds)
        await serving.backend.infer(SLOW, IMAGE)
        before = await asyncio.to_thread(executed_images, serving)
        call = asyncio.create_task(serving.backend.infer(SLOW, {"image": picture()[None].repeat(MANY, axis=0)}))
        first = asyncio.create_task(serving.backend.infer(QUICK, IMAGE))
        await first
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        # Answered after all that the server had taken before it.
        await serving.backend.infer(SLOW, IMAGE)
        assert await asyncio.to_thread(executed_images, serving) - before < MANY


async def test_server_that_does_not_start_again_is_tried_until_it_does(tmp_path, rounds, monkeypatch):
    async with open_serving("triton", tmp_path) as serving:
        await serve(serving, rounds)

        def away(key):
            raise StoreUnavailable("the disk is away")

        with monkeypatch.context() as patch:
            patch.setattr(serving.store, "local_path", away)
            os.kill(server_process(serving, "tritonserver")[0], signal.SIGKILL)
            await until(lambda: "the disk is away" in (serving.deployer.observe(POOL)[QUICK].reason or ""))
            with pytest.raises(BackendUnavailable, match="the disk is away"):
                await serving.backend.infer(QUICK, IMAGE)
        await until(lambda: serving.deployer.observe(POOL) == {SLOW: Rollout("ready"), QUICK: Rollout("ready")})
        assert await outcome(serving.backend.infer(QUICK, IMAGE)) == (1, 4)
