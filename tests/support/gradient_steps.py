"""A few optimiser steps without any randomness on the Keras backend in use; as a script, prints what came out as JSON."""

from __future__ import annotations

import json

import keras
import numpy as np
from keras import ops

from visionlab_training.training.gradients import CompiledStep, device_count, gradient, minimise

STEPS = 3


def run() -> dict:
    """Train a small network with BatchNorm on a loss and, in a second function, on a penalty on its gradient."""
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(network.trainable_variables)
    seen = keras.Variable(0.0, trainable=False)
    variables = [*network.variables, *optimizer.variables, seen]
    traces = []

    def fit(x, wanted):
        traces.append("fit")

        def loss():
            seen.assign(seen + ops.cast(ops.shape(x)[0], "float32"))
            given = network(x, training=True)
            return ops.mean(ops.square(given - wanted)), {"mean": ops.mean(given)}

        value, beside = minimise(loss, network.trainable_variables, optimizer)
        return {"loss": value, **beside}

    def smooth(x):
        traces.append("smooth")

        def loss():
            slopes = gradient(lambda at: ops.sum(network(at, training=False)), x)
            return ops.mean(ops.sum(ops.square(slopes), axis=1)), {}

        return {"penalty": minimise(loss, network.trainable_variables, optimizer)[0]}

    compiled = CompiledStep({"fit": fit, "smooth": smooth}, variables)
    rng = np.random.default_rng(0)
    start = [rng.uniform(0.1, 1, variable.shape).astype(np.float32) for variable in network.variables]
    batches = rng.normal(size=(STEPS, 8, 3)).astype(np.float32)

    def train():
        results = []
        for x in batches:
            results.append(compiled.run("fit", x, x[:, :1]))
            results.append(compiled.run("smooth", x))
        compiled.sync()
        return [{name: float(value) for name, value in result.items()} for result in results]

    def values():
        return [np.asarray(variable, np.float64).tolist() for variable in variables]

    def restart():
        for variable in variables:
            variable.assign(np.zeros(variable.shape))
        optimizer.learning_rate.assign(0.05)
        for variable, value in zip(network.variables, start, strict=True):
            variable.assign(value)
        compiled.reload()

    restart()
    first = {"results": train(), "variables": values()}
    restart()
    again = {"results": train(), "variables": values()}
    return {"first": first, "again": again, "traces": traces, "devices": device_count()}


if __name__ == "__main__":
    print(json.dumps(run()))
