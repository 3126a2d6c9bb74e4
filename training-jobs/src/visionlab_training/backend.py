"""Which Keras backend a process runs on. It is read once, when Keras is imported, so it is chosen before that."""

from __future__ import annotations

import os
from importlib.util import find_spec

BACKENDS = ("tensorflow", "jax")


def choose_backend(wanted: str | None = None) -> str:
    """Set KERAS_BACKEND: to `wanted`, to what it is already, to JAX where it has a GPU, or to TensorFlow; gives the choice.

    JAX trains faster on GPUs, TensorFlow on CPUs: see docs/decisions.
    """
    backend = wanted or os.environ.get("KERAS_BACKEND") or ("jax" if _jax_has_an_accelerator() else "tensorflow")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return backend


def limit_threads(threads: int) -> None:
    """Let TensorFlow compute in so many threads; 0: in as many as there are CPUs. Only before it has computed anything."""
    if threads and os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _jax_has_an_accelerator() -> bool:
    if find_spec("jax") is None:
        return False
    import jax

    return bool(jax.default_backend() != "cpu") or find_spec("tensorflow") is None
