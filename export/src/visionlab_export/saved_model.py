"""The served graph as a TensorFlow SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from visionlab_export.serving import Runner, ServedGraph, Tensors

SIGNATURE = "serving_default"


def write_saved_model(graph: ServedGraph, folder: Path) -> None:
    """Write the graph with one signature, `serving_default`, that takes and gives the served tensors by name.

    It holds TensorFlow operations only: whoever loads it needs neither Keras nor the code of the architecture.
    """
    module = tf.Module()
    module.served_variables = list(graph.variables)
    module.serve = graph.function
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: graph.function})


def saved_model_runner(folder: Path) -> Runner:
    """Load a SavedModel from disk, to be called with arrays.

    Raises:
        OSError: there is none.
    """
    loaded = tf.saved_model.load(str(folder))
    signature: Any = loaded.signatures[SIGNATURE]

    def run(tensors: Tensors) -> Tensors:
        # The signature alone does not keep the loaded object, and with it the variables, alive.
        assert loaded is not None
        outputs = signature(**{name: tf.constant(array) for name, array in tensors.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return run
