"""A client's connection to a server of the protocol: one channel for all calls, on the event loop."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc

from visionlab_core.telemetry import trace_headers
from visionlab_inference.oip.open_inference_pb2 import (
    ModelInferRequest,
    ModelInferResponse,
    ModelReadyRequest,
    ModelReadyResponse,
    ServerMetadataRequest,
    ServerMetadataResponse,
    ServerReadyRequest,
    ServerReadyResponse,
)

SERVICE: Final = "inference.GRPCInferenceService"
"""The service's name on the wire, whatever package our messages are in."""

MAX_MESSAGE_BYTES: Final = 64 * 2**20
"""Of a request or an answer. gRPC's own default, 4 MiB, is less than a batch of large pictures."""

_OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Callers decide what is tried again: gRPC cannot know that a model's answer has no side effects.
    ("grpc.enable_retries", 0),
    # A server that was away is looked for again soon; gRPC would wait for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Connections to a server that was stopped and to its successor on the same port have nothing to do with each other.
    ("grpc.use_local_subchannel_pool", 1),
    # A proxy of the environment is for the web, not for a server beside us.
    ("grpc.enable_http_proxy", 0),
)


class ConnectionClosed(ConnectionError):
    """The connection was closed on this side while a call was under way."""


class OipConnection:
    """Calls one server; open it on the event loop that uses it.

    Args:
        address: `host:port`.

    Raises:
        grpc.aio.AioRpcError: from every call, with the server's status; UNAVAILABLE where there is no server, or
            DEADLINE_EXCEEDED after `seconds`. A caller that is cancelled cancels its call on the server.
        ConnectionClosed: from every call, where `close` came first.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._infer = self._method("ModelInfer", ModelInferRequest, ModelInferResponse)
        self._model_ready = self._method("ModelReady", ModelReadyRequest, ModelReadyResponse)
        self._server_ready = self._method("ServerReady", ServerReadyRequest, ServerReadyResponse)
        self._server_metadata = self._method("ServerMetadata", ServerMetadataRequest, ServerMetadataResponse)
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def infer(self, request: ModelInferRequest, *, seconds: float) -> ModelInferResponse:
        """Run a model."""
        self._calls += 1
        self._idle.clear()
        try:
            response: ModelInferResponse = await _call(self._infer, request, seconds)
            return response
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def model_ready(self, name: str, *, seconds: float) -> bool:
        """Whether a model answers; False too where the server does not know it."""
        try:
            return bool((await _call(self._model_ready, ModelReadyRequest(name=name), seconds)).ready)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return False
            raise

    async def server_ready(self, *, seconds: float) -> bool:
        """Whether the server and its models answer."""
        return bool((await _call(self._server_ready, ServerReadyRequest(), seconds)).ready)

    async def server_id(self, *, seconds: float) -> str:
        """What the server calls itself: Triton what it was told to, by `--id`."""
        return str((await _call(self._server_metadata, ServerMetadataRequest(), seconds)).name)

    async def drained(self) -> None:
        """Wait until no inference is under way."""
        await self._idle.wait()

    async def close(self) -> None:
        """Cancel what is under way and close."""
        await self._channel.close()

    def _method(self, name: str, request: Any, response: Any) -> Any:
        return self._channel.unary_unary(
            f"/{SERVICE}/{name}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )


async def _call(method: Any, request: Any, seconds: float) -> Any:
    try:
        return await method(request, timeout=seconds, metadata=tuple(trace_headers().items()))
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # gRPC tells callers of a channel that is closed that they were cancelled, which they would hand on as if they were.
        raise ConnectionClosed("The connection was closed before the answer came.") from error
    except grpc.aio.UsageError as error:
        raise ConnectionClosed("The connection is closed.") from error
