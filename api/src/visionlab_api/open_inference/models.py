"""What the protocol says of models and of the server, whether over HTTP or gRPC."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version

import numpy as np

from visionlab_api.problems import ProblemError
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.services.classifying import INTERACTIVE_IMAGES
from visionlab_api.state import State
from visionlab_core.model_card import TensorSpec
from visionlab_inference.backend import InferenceResult, Priority, Tensors
from visionlab_inference.oip import DTYPES

SERVER_NAME = "visionlab"
SERVER_VERSION = version("visionlab-api")
EXTENSIONS = ("binary_tensor_data",)
PLATFORM = "onnxruntime_onnx"

_DATATYPES = {dtype.name: name for name, dtype in DTYPES.items()}


def enabled_model(serving: ServingLoop, name: str, version: str = "") -> KnownModel:
    """An enabled model by its name; without a version the newest one.

    Raises:
        ProblemError: 404, there is none.
    """
    named = [each for each in serving.enabled() if each.card.name == name]
    found = [each for each in named if version in ("", str(each.card.version))]
    if not found:
        what = f"{name!r} has no version {version[:20]!r}" if named else f"There is no model {name[:80]!r}"
        enabled = sorted({each.card.name for each in serving.enabled()})
        detail = f"{what} in service. In service are: {', '.join(enabled) or 'none'}."
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", "Not found", detail)
    return max(found, key=lambda each: each.card.version)


def versions(serving: ServingLoop, model: KnownModel) -> list[str]:
    """The enabled versions of a model, as the protocol writes them."""
    return [str(each.card.version) for each in serving.enabled() if each.card.name == model.card.name]


def described(specs: Iterable[TensorSpec]) -> list[tuple[str, str, list[int]]]:
    """Name, datatype and shape of tensors; the batch dimension, which is open, is -1."""
    return [(spec.name, _DATATYPES[np.dtype(spec.dtype).name], [-1, *spec.shape]) for spec in specs]


async def ready(state: State) -> bool:
    """True while the backend answers and each enabled model is ready."""
    states = [state.serving.state(each)[0] for each in state.serving.enabled()]
    return all(each == "ready" for each in states) and await state.backend.ready()


async def run(state: State, model: KnownModel, inputs: Tensors, caller: str | None) -> InferenceResult:
    """Run a model on a client's tensors. Large batches let people go first. Each row counts as an image of the caller.

    Raises:
        InferenceError: as `InferenceBackend.infer`.
        ProblemError: 400, the inputs are not the model's; 429, there were too many.
    """
    rows = max((len(value) for value in inputs.values() if value.ndim), default=0)
    state.limits.charge_images(caller, max(1, rows))
    priority = Priority.BULK if rows > INTERACTIVE_IMAGES else Priority.INTERACTIVE
    try:
        return await state.backend.infer(model.version, inputs, priority=priority)
    except ValueError as error:
        raise bad_request(str(error)) from error


def bad_request(detail: str) -> ProblemError:
    """400: the request is not one that the protocol, or the model, knows."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "invalid-request", "Invalid request", detail)
