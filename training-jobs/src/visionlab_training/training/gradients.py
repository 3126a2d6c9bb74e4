"""One optimiser step of a Keras model, on the Keras backend in use: the only place in the loops that knows which that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def compiled(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a step function of tensors for the backend in use.

    Raises:
        NotImplementedError: the backend is not TensorFlow.
    """
    _require_tensorflow()
    import tensorflow as tf

    return tf.function(step, reduce_retracing=True)  # type: ignore[no-any-return]


def minimise(loss: Callable[[], Any], variables: list[Any], optimizer: Any) -> Any:
    """Evaluate `loss()` (a scalar tensor), apply its gradient by `variables` through `optimizer`, and return the loss."""
    _require_tensorflow()
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [variable.value for variable in variables])
    optimizer.apply(gradients, variables)
    return value


def _require_tensorflow() -> None:
    if keras.backend.backend() != "tensorflow":
        raise NotImplementedError("GANs train on the TensorFlow backend; set KERAS_BACKEND=tensorflow.")
