"""One step means the same on TensorFlow, on JAX, and on JAX over two devices."""

import keras
import numpy as np
import pytest
from support import gradient_steps, jax_process

from visionlab_training.training import gradients

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def on_tensorflow():
    return gradient_steps.run()


@pytest.fixture(scope="module", params=[1, 2], ids=["one device", "two devices"])
def on_jax(request):
    found = jax_process.on_jax("gradient_steps", devices=request.param)
    assert found["devices"] == request.param
    return found


def same(left, right):
    for a, b in zip(left["results"], right["results"], strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)
    for a, b in zip(left["variables"], right["variables"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_jax_trains_as_tensorflow_does_on_any_number_of_devices(on_tensorflow, on_jax):
    same(on_jax["first"], on_tensorflow["first"])


def test_steps_change_all_variables_and_go_on_from_what_is_reloaded(on_tensorflow, on_jax):
    for found in (on_tensorflow, on_jax):
        same(found["first"], found["again"])
        losses = [result["loss"] for result in found["first"]["results"] if "loss" in result]
        assert losses[-1] < losses[0]
        assert found["first"]["variables"][-1] == 8 * gradient_steps.STEPS, "what a loss assigns lasts"


def test_each_function_is_compiled_once(on_tensorflow, on_jax):
    for found in (on_tensorflow, on_jax):
        assert sorted(set(found["traces"])) == ["fit", "smooth"]
    assert len(on_tensorflow["traces"]) == 2


def test_another_backend_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(gradients.BackendError, match=r"TensorFlow or JAX.*torch"):
        gradients.CompiledStep(lambda: {}, [])
