"""One optimiser step on the Keras backend in use: the only place in the loops that knows which that is.

TensorFlow compiles a step with `tf.function` and changes the variables in place. JAX compiles a pure function with `jax.jit`: the
variables travel through it as a list of arrays, spread over all devices of the machine (data parallel: the batch is split, the
variables are on every device, XLA adds the sums over devices where a mean or a gradient needs them).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

Step = Callable[..., dict[str, Any]]
"""Takes tensors, changes variables, and gives a dictionary of tensors."""

Loss = Callable[[], tuple[Any, dict[str, Any]]]
"""Gives a scalar tensor to minimise, and tensors to be passed on beside it."""


class BackendError(RuntimeError):
    """Keras runs on a backend that VisionLab does not train on."""


class CompiledStep:
    """A function of tensors that changes Keras variables, or several functions that share them, compiled for the backend in use.

    Under JAX the variables themselves are out of date between two steps: call `sync` before anything reads them, and `reload`
    after anything else has changed them. Under TensorFlow both do nothing.
    """

    def __init__(self, step: Step | Mapping[str, Step], variables: Sequence[Any]) -> None:
        """`step` is one function, or functions by name; `variables` are all Keras variables that any of them reads or changes.

        Raises:
            BackendError: the backend is neither TensorFlow nor JAX.
        """
        steps = step if isinstance(step, Mapping) else {"step": step}
        self._implementation = _backend("CompiledStep")(steps, list({id(v): v for v in variables}.values()))

    def __call__(self, *arrays: Any) -> dict[str, Any]:
        """Run the one function; see `run`."""
        return self.run("step", *arrays)

    def run(self, name: str, *arrays: Any) -> dict[str, Any]:
        """Run a function by its name.

        Arrays with a first dimension that the devices divide are split over them, all others are copied to each. The result may
        still be on its way; reading a value waits for it.
        """
        return self._implementation.run(name, *arrays)  # type: ignore[no-any-return]

    def sync(self) -> None:
        """Bring the variables up to date."""
        self._implementation.sync()

    def reload(self) -> None:
        """Take over what the variables hold now."""
        self._implementation.reload()


def minimise(loss: Loss, variables: list[Any], optimizer: Any) -> tuple[Any, dict[str, Any]]:
    """Evaluate `loss()`, apply its gradient by `variables` through `optimizer`, and return what `loss` gave.

    Only inside a `CompiledStep`, among whose variables `variables` and those of `optimizer` have to be.
    """
    return _backend("minimise")(loss, variables, optimizer)  # type: ignore[no-any-return]


def gradient(function: Callable[[Any], Any], at: Any) -> Any:
    """The gradient of a scalar function of one tensor, itself differentiable: for penalties on gradients."""
    return _backend("gradient")(function, at)


def device_count() -> int:
    """Over how many devices a step is spread."""
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return int(jax.local_device_count())


def device_name() -> str:
    """What trains, in words: the devices and the backend."""
    if keras.backend.backend() != "jax":
        return f"{platform.machine()} CPU ({keras.backend.backend()})"
    import jax

    [first, *_] = devices = jax.local_devices()
    kind = f"{platform.machine()} CPU" if first.platform == "cpu" else first.device_kind
    return f"{kind if len(devices) == 1 else f'{len(devices)} x {kind}'} (jax)"


def _backend(name: str) -> Any:
    backend = keras.backend.backend()
    if backend not in _IMPLEMENTATIONS:
        raise BackendError(f"Training runs on TensorFlow or JAX; set KERAS_BACKEND to one of them (it is {backend}).")
    return _IMPLEMENTATIONS[backend][name]


class _TensorFlowStep:
    def __init__(self, steps: Mapping[str, Step], variables: list[Any]) -> None:
        import tensorflow as tf

        self._compiled = {name: tf.function(step, reduce_retracing=True) for name, step in steps.items()}

    def run(self, name: str, *arrays: Any) -> dict[str, Any]:
        return self._compiled[name](*(keras.ops.convert_to_tensor(array) for array in arrays))  # type: ignore[no-any-return]

    def sync(self) -> None:
        pass

    def reload(self) -> None:
        pass


def _tensorflow_minimise(loss: Loss, variables: list[Any], optimizer: Any) -> tuple[Any, dict[str, Any]]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value, beside = loss()
    # A penalty on gradients does not depend on every variable: a zero where JAX gives a zero.
    unconnected = tf.UnconnectedGradients.ZERO
    optimizer.apply(
        tape.gradient(value, [variable.value for variable in variables], unconnected_gradients=unconnected), variables
    )
    return value, beside


def _tensorflow_gradient(function: Callable[[Any], Any], at: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        value = function(at)
    return tape.gradient(value, at)


_traced: list[list[Any]] = []
"""The variables of the step that JAX is tracing, innermost last."""


class _JaxStep:
    def __init__(self, steps: Mapping[str, Step], variables: list[Any]) -> None:
        import jax
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        mesh = Mesh(np.array(jax.local_devices()), ("batch",))
        self._everywhere = NamedSharding(mesh, PartitionSpec())
        self._split = NamedSharding(mesh, PartitionSpec("batch"))
        self._variables = variables
        self._state: list[Any] | None = None

        def compiled(step: Step) -> Any:
            def pure(state: list[Any], arrays: tuple[Any, ...]) -> tuple[dict[str, Any], list[Any]]:
                _traced.append(variables)
                try:
                    with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
                        given = step(*arrays)
                        return given, [_current(scope, variable) for variable in variables]
                finally:
                    _traced.pop()

            return jax.jit(pure, donate_argnums=0, out_shardings=(self._everywhere, self._everywhere))

        self._compiled = {name: compiled(step) for name, step in steps.items()}

    def run(self, name: str, *arrays: Any) -> dict[str, Any]:
        import jax

        if self._state is None:
            # Copies: the compiled step reuses the memory of what it is given.
            self._state = [jax.device_put(np.array(variable), self._everywhere) for variable in self._variables]
        placed = tuple(jax.device_put(array, self._place(array)) for array in arrays)
        given, self._state = self._compiled[name](self._state, placed)
        return given  # type: ignore[no-any-return]

    def sync(self) -> None:
        import jax

        if self._state is not None:
            first = jax.local_devices()[0]
            for variable, value in zip(self._variables, self._state, strict=True):
                variable.assign(jax.device_put(np.asarray(value), first))

    def reload(self) -> None:
        self._state = None

    def _place(self, array: Any) -> Any:
        shape = np.shape(array)
        return self._split if shape and shape[0] % self._split.mesh.size == 0 else self._everywhere


def _jax_minimise(loss: Loss, variables: list[Any], optimizer: Any) -> tuple[Any, dict[str, Any]]:
    import jax

    trained = {id(variable) for variable in variables}
    others = [variable for variable in _traced[-1] if id(variable) not in trained]
    held = [variable.value for variable in others]

    def pure(values: list[Any]) -> tuple[Any, tuple[dict[str, Any], list[Any]]]:
        mapping = [*zip(others, held, strict=True), *zip(variables, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            value, beside = loss()
            return value, (beside, [_current(scope, variable) for variable in others])

    (value, (beside, changed)), gradients = jax.value_and_grad(pure, has_aux=True)([variable.value for variable in variables])
    for variable, before, after in zip(others, held, changed, strict=True):
        if after is not before:  # such as moving averages and the states of seeds
            variable.assign(after)
    optimizer.apply(gradients, variables)
    return value, beside


def _jax_gradient(function: Callable[[Any], Any], at: Any) -> Any:
    import jax

    return jax.grad(function)(at)


def _current(scope: Any, variable: Any) -> Any:
    value = scope.get_current_value(variable)
    return variable.value if value is None else value


_IMPLEMENTATIONS: dict[str, dict[str, Any]] = {
    "tensorflow": {"CompiledStep": _TensorFlowStep, "minimise": _tensorflow_minimise, "gradient": _tensorflow_gradient},
    "jax": {"CompiledStep": _JaxStep, "minimise": _jax_minimise, "gradient": _jax_gradient},
}
