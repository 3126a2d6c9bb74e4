"""The Triton backend: models on servers of the Open Inference Protocol over gRPC, one shared connection to each."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import ModelCard
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import (
    BackendBusy,
    BackendUnavailable,
    InferenceResult,
    MakeTensors,
    ModelFailed,
    ModelNotServed,
    ModelVersion,
    Priority,
    ServingState,
    Tensors,
)
from visionlab_inference.lanes import CpuLanes
from visionlab_inference.oip import decode_outputs, encode_request
from visionlab_inference.oip.connection import ConnectionClosed, OipConnection
from visionlab_inference.tensor_check import check_inputs, check_outputs, output_names
from visionlab_inference.triton.grpc_errors import RETRY_AFTER_SECONDS, as_inference_error, worth_another_try

PART: Final = 8
"""Images in one call to the server. Larger requests are split, so that Triton can run others' in between."""

HEALTH_SECONDS: Final = 2.0
"""How long a question after health may take."""

_PAUSES: Final = (0.1, 0.4)
"""Seconds before the second and the third try."""

READY: Final = ServingState("ready")
_LINGERING: Final = ServingState("loading")
"""Of a model that is left out: should it be wanted again, it is loaded anew."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model on a server: its name there, and the most images that the server takes in one call."""

    name: str
    card: ModelCard
    max_batch: int


@dataclass(frozen=True, slots=True)
class Place:
    """A server that has a model, and what the model is there."""

    connection: OipConnection
    served: ServedModel


@dataclass(slots=True)
class _Route:
    """The servers that have a model; they are called in turn. None has it where the state is not ready."""

    card: ModelCard
    places: tuple[Place, ...]
    state: ServingState = READY
    turn: int = 0
    lingers: bool = False

    @property
    def max_batch(self) -> int:
        return min((place.served.max_batch for place in self.places), default=1)

    def untried(self, tried: Collection[OipConnection]) -> bool:
        return any(place.connection not in tried for place in self.places)

    def next(self, tried: Collection[OipConnection]) -> Place:
        """The next server in turn, of those that were not tried yet where there are such."""
        places = [place for place in self.places if place.connection not in tried] or self.places
        self.turn += 1
        return places[self.turn % len(places)]


class TritonBackend:
    """Calls the server that each model is on. A `Deployer` says which that is; this neither starts nor stops servers.

    Args:
        metrics: told of each call.
        max_queue: images of one model that may be under way or wait; a call that does not fit is refused at once.
        deadline: seconds for an answer, all tries together.
    """

    def __init__(self, lanes: CpuLanes, *, metrics: Metrics | None = None, max_queue: int = 256, deadline: float = 30.0) -> None:
        self._lanes = lanes
        self._metrics = metrics
        self._max_queue = max_queue
        self._deadline = deadline
        self._routes: dict[ModelVersion, _Route] = {}
        self._images: defaultdict[ModelVersion, int] = defaultdict(int)
        self._seconds_per_image: dict[ModelVersion, float] = {}

    def serve(self, connection: OipConnection, models: Mapping[ModelVersion, ServedModel]) -> None:
        """Call this server for these models from now on. Calls that are under way end where they began."""
        for model, served in models.items():
            self._routes[model] = _Route(served.card, (Place(connection, served),))

    def spread(self, card: ModelCard, places: Sequence[Place], without: str, *, lingers: bool = False) -> None:
        """Call these servers in turn for a model from now on. Calls that are under way end where they began.

        Args:
            card: of the model.
            places: the servers.
            without: what callers are told where there are none.
            lingers: nobody is to choose it any more; who has chosen it is answered.
        """
        state = READY if places else ServingState("loading", without)
        model = ModelVersion(card.uuid, card.version)
        turn = self._routes[model].turn if model in self._routes else 0
        self._routes[model] = _Route(card, tuple(places), state, turn, lingers)

    def drop(self, model: ModelVersion) -> None:
        """Take no new calls for a model, wherever it is."""
        self._routes.pop(model, None)

    def withdraw(self, models: Iterable[ModelVersion], connection: OipConnection) -> None:
        """Take no new calls for those of these models that are on this server still."""
        for model in models:
            if model in self._routes and any(place.connection is connection for place in self._routes[model].places):
                del self._routes[model]

    def mark(self, models: Iterable[ModelVersion], state: ServingState) -> None:
        """Say how models fare; those that are not ready take no calls."""
        for model in models:
            if model in self._routes:
                self._routes[model].state = state

    async def infer(
        self,
        model: ModelVersion,
        inputs: Tensors | MakeTensors,
        *,
        outputs: frozenset[str] | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> InferenceResult:
        """See InferenceBackend. `seconds` are those from the request to the answer: Triton does not say more.

        Triton takes all calls in their order, whatever their priority: what bounds bulk work is the facade's window.
        """
        route = self._ready_route(model)
        names = output_names(route.card, outputs)
        size = 1 if callable(inputs) else check_inputs(route.card, inputs)
        waiting = self._images[model]
        if waiting + size > self._max_queue:
            wait = waiting * self._seconds_per_image.get(model, 0.0)
            raise BackendBusy(f"{waiting} images are waiting for this model; try again later.", max(1.0, wait))
        self._images[model] += size
        try:
            if callable(inputs):
                inputs = await self._lanes.run(inputs, priority)
                check_inputs(route.card, inputs)
            started = time.perf_counter()
            answer = await self._infer_in_parts(model, inputs, names, size, min(PART, route.max_batch))
        finally:
            self._images[model] -= size
        seconds = time.perf_counter() - started
        self._observe(model, route.card, seconds, seconds / (waiting + size))
        return InferenceResult(answer, seconds)

    def models(self) -> Mapping[ModelVersion, ServingState]:
        """See InferenceBackend."""
        return {model: _LINGERING if route.lingers else route.state for model, route in self._routes.items()}

    def card(self, model: ModelVersion) -> ModelCard:
        """See InferenceBackend."""
        return self._ready_route(model).card

    async def ready(self) -> bool:
        """See InferenceBackend: true where at least one server answers."""
        connections = {place.connection for route in self._routes.values() for place in route.places}
        return any(await asyncio.gather(*(_answers(connection) for connection in connections)))

    async def check_health(self) -> None:
        """Ask how each model fares the one server that has it. One that is merely slow to say so keeps its models' states."""
        await asyncio.gather(*(_check(route) for route in list(self._routes.values())))

    async def _infer_in_parts(
        self, model: ModelVersion, inputs: Tensors, names: list[str], size: int, part: int
    ) -> dict[str, NDArray[Any]]:
        if size <= part:
            return await self._infer_part(model, inputs, names, size)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        self._infer_part(
                            model,
                            {name: value[begin : begin + part] for name, value in inputs.items()},
                            names,
                            min(part, size - begin),
                        )
                    )
                    for begin in range(0, size, part)
                ]
        except BaseExceptionGroup as errors:
            # The first says why; the other parts were cancelled for it, or failed alike.
            raise errors.exceptions[0] from None
        results = [task.result() for task in tasks]
        return {name: np.concatenate([outputs[name] for outputs in results]) for name in results[0]}

    async def _infer_part(self, model: ModelVersion, inputs: Tensors, names: list[str], size: int) -> dict[str, NDArray[Any]]:
        request = encode_request("", inputs, names)
        deadline = time.monotonic() + self._deadline
        tried: set[OipConnection] = set()
        for pause in (*_PAUSES, None):
            # Looked up for each try: the model may have moved to another server meanwhile.
            route = self._ready_route(model)
            place = route.next(tried)
            request.model_name = place.served.name
            try:
                response = await place.connection.infer(request, seconds=max(0.0, deadline - time.monotonic()))
            except (grpc.aio.AioRpcError, ConnectionClosed) as error:
                if pause is None or not worth_another_try(error):
                    raise as_inference_error(route.card.name, error) from error
                tried.add(place.connection)
                # Another server is asked at once; the same one may need a moment.
                if not route.untried(tried):
                    await asyncio.sleep(pause)
                continue
            try:
                outputs = decode_outputs(response)
            except ValueError as error:
                raise ModelFailed(f"{route.card.name}: {error}") from error
            return check_outputs(route.card, names, outputs, size)
        raise AssertionError("the last try answers or raises")

    def _ready_route(self, model: ModelVersion) -> _Route:
        route = self._routes.get(model)
        if route is None:
            raise ModelNotServed(f"Model {model} is not ready.")
        if route.state.state == "loading":
            raise BackendUnavailable(
                f"Model {model} is not ready: {route.state.reason or 'it is still loading'}", RETRY_AFTER_SECONDS
            )
        if route.state.state == "failed":
            raise ModelNotServed(f"Model {model} is not ready ({route.state.reason or 'it failed'}).")
        return route

    def _observe(self, model: ModelVersion, card: ModelCard, seconds: float, per_image: float) -> None:
        before = self._seconds_per_image.get(model, per_image)
        self._seconds_per_image[model] = 0.8 * before + 0.2 * per_image
        if self._metrics is not None:
            self._metrics.triton_call_seconds.labels(card.name, str(card.version)).observe(seconds)


async def _answers(connection: OipConnection) -> bool:
    try:
        return await connection.server_ready(seconds=HEALTH_SECONDS)
    except (grpc.aio.AioRpcError, ConnectionClosed):
        return False


async def _check(route: _Route) -> None:
    [place] = route.places
    try:
        ready = await place.connection.model_ready(place.served.name, seconds=HEALTH_SECONDS)
    except grpc.aio.AioRpcError as error:
        # Who has marked it already knows more.
        if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED and route.state == READY:
            route.state = ServingState("loading", "Triton does not answer.")
    except ConnectionClosed:
        return
    else:
        route.state = READY if ready else ServingState("loading", "Triton says that the model is not ready.")
