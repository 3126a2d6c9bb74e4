"""What a server's gRPC status means to a caller."""

from __future__ import annotations

from typing import Final

import grpc

from visionlab_inference.backend import BackendBusy, BackendUnavailable, InferenceError, ModelFailed, ModelNotServed
from visionlab_inference.oip.connection import ConnectionClosed

RETRY_AFTER_SECONDS: Final = 2.0
"""A server that ended is back by then, where nothing is wrong with it."""

_QUEUE_IS_FULL: Final = "maximum queue size"
_IS_STOPPING: Final = "has no available versions"
"""A server that ends lets go of its models first. What it never had it calls unknown in other words."""
_STUB_ENDED: Final = "stub process"


def as_inference_error(model: str, error: grpc.aio.AioRpcError | ConnectionClosed) -> InferenceError:
    """The error of a call to a model, by the server's status and, where Triton's statuses do not tell, by its words."""
    if isinstance(error, ConnectionClosed):
        return BackendUnavailable(f"{model}: {error}", RETRY_AFTER_SECONDS)
    code, words = error.code(), error.details() or ""
    match code:
        # The server was ended by someone, or cancels what it has not begun as it stops.
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            if _QUEUE_IS_FULL in words.lower():
                return BackendBusy(f"Triton's queue for {model} is full; try again later.", 1.0)
            return BackendUnavailable(f"Triton, which runs {model}, is away for a moment: {words}", RETRY_AFTER_SECONDS)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return BackendUnavailable(f"Triton did not answer for {model} in time.", RETRY_AFTER_SECONDS)
        case grpc.StatusCode.NOT_FOUND if _IS_STOPPING in words.lower():
            return BackendUnavailable(f"Triton, which runs {model}, is stopping.", RETRY_AFTER_SECONDS)
        case grpc.StatusCode.NOT_FOUND:
            return ModelNotServed(f"Triton does not serve {model}: {words}")
        case grpc.StatusCode.INTERNAL if _STUB_ENDED in words.lower():
            return BackendUnavailable(f"The process of {model} ended; it is started again.", RETRY_AFTER_SECONDS)
    return ModelFailed(f"{model} failed in Triton ({code.name}): {words}")


def worth_another_try(error: grpc.aio.AioRpcError | ConnectionClosed) -> bool:
    """Whether the same call may be answered at once by the server's successor. Safe, as a model's answer changes nothing."""
    if isinstance(error, ConnectionClosed):
        return True
    return error.code() != grpc.StatusCode.DEADLINE_EXCEEDED and isinstance(
        as_inference_error("the model", error), BackendUnavailable
    )
