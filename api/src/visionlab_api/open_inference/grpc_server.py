"""The protocol over gRPC, on a port of its own."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

import grpc
import numpy as np
from numpy.typing import NDArray

from visionlab_api.accounts.gate import admit
from visionlab_api.accounts.principal import ANONYMOUS
from visionlab_api.accounts.rate_limits import caller_of, network_of
from visionlab_api.accounts.rules import RULES, Rule
from visionlab_api.open_inference import models
from visionlab_api.problems import ProblemError, as_problem, unforeseen
from visionlab_api.state import State
from visionlab_inference.oip import DTYPES
from visionlab_inference.oip import open_inference_pb2 as messages
from visionlab_inference.oip.connection import MAX_MESSAGE_BYTES, SERVICE
from visionlab_inference.oip.tensors import datatype

log = logging.getLogger(__name__)

_CODES: Final[Mapping[int, grpc.StatusCode]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
        HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
        HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
        HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
        HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
        HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    }
)
_OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Clients whose network is gone are noticed; their calls end.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


class PortTaken(RuntimeError):
    """The address cannot be listened at."""


class OpenInferenceServer:
    """Serves until it is stopped. A client that cancels its call, or goes, cancels the work for it."""

    def __init__(self, state: State, host: str, port: int) -> None:
        self._state = state
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))

    async def start(self) -> int:
        """Listen; gives the port.

        Raises:
            PortTaken: the address is in use, or not one of this machine.
        """
        try:
            port: int = self._server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise PortTaken(f"Cannot listen for gRPC at {self._address}; choose another VISIONLAB_GRPC_PORT.") from error
        await self._server.start()
        return port

    async def stop(self, seconds: float) -> None:
        """Take no more calls, and give those under way some time to end."""
        await self._server.stop(seconds)

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        answers: dict[str, tuple[Callable[[Any, str | None], Awaitable[Any]], Any]] = {
            "ServerLive": (self._server_live, messages.ServerLiveRequest),
            "ServerReady": (self._server_ready, messages.ServerReadyRequest),
            "ServerMetadata": (self._server_metadata, messages.ServerMetadataRequest),
            "ModelReady": (self._model_ready, messages.ModelReadyRequest),
            "ModelMetadata": (self._model_metadata, messages.ModelMetadataRequest),
            "ModelInfer": (self._model_infer, messages.ModelInferRequest),
        }
        return {
            name: grpc.unary_unary_rpc_method_handler(
                self._foreseen(name, answer), request_deserializer=request.FromString, response_serializer=_serialized
            )
            for name, (answer, request) in answers.items()
        }

    def _foreseen(self, name: str, answer: Callable[[Any, str | None], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        rule = RULES["gRPC", name]

        async def handle(request: Any, context: Any) -> Any:
            try:
                return await answer(request, await self._caller(context, rule))
            except Exception as error:
                problem = as_problem(error)
                if problem is None:
                    log.exception("unforeseen error")
                    problem = unforeseen()
                await context.abort(_CODES.get(problem.status, grpc.StatusCode.INTERNAL), str(problem))

        return handle

    async def _caller(self, context: Any, rule: Rule) -> str | None:
        """Who is counted for a call, once they were let in."""
        principal, address = ANONYMOUS, _address(context.peer())
        for name, value in context.invocation_metadata():
            if name == "authorization" and isinstance(value, str):
                try:
                    principal, _ = await self._state.accounts.identify([(b"authorization", value.encode("latin-1"))])
                except ProblemError:
                    self._state.limits.charge_sign_in(address)
                    raise
        admit(principal, rule)
        caller = caller_of(principal, address)
        if rule.limited:
            self._state.limits.charge_request(caller)
        return caller

    async def _server_live(self, _: Any, caller: str | None) -> Any:
        return messages.ServerLiveResponse(live=True)

    async def _server_ready(self, _: Any, caller: str | None) -> Any:
        return messages.ServerReadyResponse(ready=await models.ready(self._state))

    async def _server_metadata(self, _: Any, caller: str | None) -> Any:
        return messages.ServerMetadataResponse(
            name=models.SERVER_NAME, version=models.SERVER_VERSION, extensions=models.EXTENSIONS
        )

    async def _model_ready(self, request: Any, caller: str | None) -> Any:
        model = models.enabled_model(self._state.serving, request.name, request.version)
        return messages.ModelReadyResponse(ready=self._state.serving.state(model)[0] == "ready")

    async def _model_metadata(self, request: Any, caller: str | None) -> Any:
        model = models.enabled_model(self._state.serving, request.name, request.version)

        def tensors(specs: Any) -> list[Any]:
            tensor = messages.ModelMetadataResponse.TensorMetadata
            return [tensor(name=name, datatype=kind, shape=shape) for name, kind, shape in models.described(specs)]

        return messages.ModelMetadataResponse(
            name=model.card.name,
            versions=models.versions(self._state.serving, model),
            platform=models.PLATFORM,
            inputs=tensors(model.card.inputs),
            outputs=tensors(model.card.outputs),
        )

    async def _model_infer(self, request: Any, caller: str | None) -> Any:
        model = models.enabled_model(self._state.serving, request.model_name, request.model_version)
        result = await models.run(self._state, model, _inputs(request), caller)
        wanted = [output.name for output in request.outputs] or list(result.outputs)
        response = messages.ModelInferResponse(model_name=model.card.name, model_version=str(model.card.version), id=request.id)
        for name in wanted:
            if name not in result.outputs:
                raise models.bad_request(f"The model has no output {name[:80]!r}; it has {', '.join(result.outputs)}.")
            value = result.outputs[name]
            response.outputs.add(name=name, datatype=datatype(name, value), shape=value.shape)
            response.raw_output_contents.append(np.ascontiguousarray(value).tobytes())
        return response


def _inputs(request: Any) -> dict[str, NDArray[Any]]:
    """The inputs of a request, from raw contents or, where there are none, from the typed ones.

    Raises:
        ProblemError: 400 with what is wrong.
    """
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise models.bad_request(f"There are {len(request.inputs)} inputs and {len(raw)} raw_input_contents.")
    inputs: dict[str, NDArray[Any]] = {}
    for place, given in enumerate(request.inputs):
        dtype = DTYPES.get(given.datatype)
        if dtype is None or any(size < 0 for size in given.shape):
            raise models.bad_request(f"Input {given.name[:80]!r} is {given.datatype[:20]!r} of shape {list(given.shape)[:8]}.")
        count = math.prod(given.shape)
        values = np.frombuffer(raw[place], dtype) if raw and len(raw[place]) % dtype.itemsize == 0 else _typed(given, dtype)
        if len(values) != count:
            raise models.bad_request(
                f"Input {given.name[:80]!r} of shape {list(given.shape)} has {count} values; its contents have {len(values)}."
            )
        inputs[given.name] = values.reshape(tuple(given.shape))
    return inputs


def _typed(given: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    contents = given.contents
    values = {"UINT8": contents.uint_contents, "INT64": contents.int64_contents, "FP32": contents.fp32_contents}[given.datatype]
    try:
        return np.array(values, dtype)
    except OverflowError as error:
        raise models.bad_request(f"Input {given.name[:80]!r} takes {given.datatype} values.") from error


def _serialized(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _address(peer: str) -> str:
    # As gRPC writes it: ipv4:127.0.0.1:5, ipv6:%5B::1%5D:5.
    return network_of(unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]"))
