"""Servers of a pool come, go, change their releases and end, and callers get the answers of the version that they asked for."""

from __future__ import annotations

import asyncio
import socket

import grpc
import numpy as np
import pytest
from support.image_files import picture
from support.lanes import ONE_LANE
from support.tiny_models import DETECTOR, detector_card, detector_onnx

from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import BackendUnavailable, ModelNotServed, ModelVersion
from visionlab_inference.oip import open_inference_pb2 as messages
from visionlab_inference.oip.connection import SERVICE
from visionlab_inference.releases import Release, assemble
from visionlab_inference.triton import replicas as module
from visionlab_inference.triton.backend import TritonBackend
from visionlab_inference.triton.replicas import Replicas

IMAGE = {"image": picture()[None]}
OLD, NEW = ModelVersion(DETECTOR, 1), ModelVersion(DETECTOR, 2)


class Server:
    """A server of the protocol at an address of this machine; each answer has its mark as first probability."""

    def __init__(self, address: str, port: int, release: Release, mark: float) -> None:
        self.address, self._port, self.release, self.mark = address, port, release, mark
        self.ready = True
        self.answered: list[str] = []

    async def start(self) -> Server:
        self._server = grpc.aio.server()
        methods = {
            "ServerMetadata": (self._metadata, messages.ServerMetadataRequest),
            "ServerReady": (self._ready, messages.ServerReadyRequest),
            "ModelInfer": (self._infer, messages.ModelInferRequest),
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                method, request_deserializer=request.FromString, response_serializer=lambda answer: answer.SerializeToString()
            )
            for name, (method, request) in methods.items()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self._server.add_insecure_port(f"{self.address}:{self._port}")
        await self._server.start()
        return self

    async def stop(self) -> None:
        await self._server.stop(None)

    async def _metadata(self, request, context):
        return messages.ServerMetadataResponse(name=self.release.digest)

    async def _ready(self, request, context):
        return messages.ServerReadyResponse(ready=self.ready)

    async def _infer(self, request, context):
        if not self.ready:
            await context.abort(grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'model' has no available versions")
        self.answered.append(request.model_name)
        answer = messages.ModelInferResponse(model_name=request.model_name)
        for name, value in (
            ("probabilities", np.array([[self.mark, 0, 0, 0]], np.float32)),
            ("activation_map", np.zeros((1, 7, 7, 4), np.float32)),
        ):
            answer.outputs.add(name=name, datatype="FP32", shape=value.shape)
            answer.raw_output_contents.append(value.tobytes())
        return answer


class Pool:
    def __init__(self, store) -> None:
        for version in (1, 2):
            store.put(model_key(DETECTOR, version, "model.onnx"), detector_onnx(version))
        cards = [detector_card(detector_onnx(version), DETECTOR, "model", version) for version in (1, 2)]
        self.old, self.new = assemble(store, "detectors", cards[:1]), assemble(store, "detectors", cards)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.backend = TritonBackend(ONE_LANE)
        self.replicas = Replicas(self.backend, "detectors", "nowhere", self._port)
        self.addresses: set[str] | None = set()
        self.servers: list[Server] = []

    async def server(self, number: int, release: Release, mark: float) -> Server:
        started = await Server(f"127.0.0.{number}", self._port, release, mark).start()
        self.servers.append(started)
        return started

    async def look(self, *servers: Server, current: Release) -> None:
        self.addresses = {server.address for server in servers}
        await self.replicas.look()
        self.replicas.route(current, [self.old, self.new])

    async def marks(self, model: ModelVersion, count: int = 6) -> set[float]:
        """Which servers answer for a model."""
        results = [await self.backend.infer(model, IMAGE) for _ in range(count)]
        return {round(float(result.outputs["probabilities"][0, 0]), 3) for result in results}


@pytest.fixture
async def pool(tmp_path, monkeypatch):
    pool = Pool(FolderObjectStore(tmp_path / "store"))

    async def resolve():
        return pool.addresses

    monkeypatch.setattr(pool.replicas, "_resolve", resolve)
    yield pool
    for server in pool.servers:
        await server.stop()
    await pool.replicas.close()


async def test_servers_are_called_in_turn_and_new_ones_are_found(pool):
    one = await pool.server(1, pool.old, 0.1)
    await pool.look(one, current=pool.old)
    assert await pool.marks(OLD) == {0.1}
    two = await pool.server(2, pool.old, 0.2)
    await pool.look(one, two, current=pool.old)
    assert await pool.marks(OLD) == {0.1, 0.2}


async def test_while_releases_change_each_version_is_asked_where_it_is_and_by_its_name_there(pool):
    one, two = await pool.server(1, pool.old, 0.1), await pool.server(2, pool.new, 0.2)
    await pool.look(one, two, current=pool.old)
    # Version 1 is "model" on one server and "model.1" on the other, where "model" is version 2.
    assert await pool.marks(OLD) == {0.1, 0.2}
    assert set(one.answered) == {"model"}
    assert set(two.answered) == {"model.1"}
    with pytest.raises(ModelNotServed):
        await pool.backend.infer(NEW, IMAGE)  # it has not arrived
    await pool.look(two, current=pool.new)
    assert await pool.marks(NEW) == {0.2}
    assert await pool.marks(OLD) == {0.2}


async def test_a_server_that_dies_or_stops_costs_no_request(pool):
    one, two = await pool.server(1, pool.old, 0.1), await pool.server(2, pool.old, 0.2)
    await pool.look(one, two, current=pool.old)
    await one.stop()
    assert await pool.marks(OLD) == {0.2}
    one = await pool.server(1, pool.old, 0.3)
    await pool.look(one, two, current=pool.old)
    two.ready = False
    assert await pool.marks(OLD) == {0.3}


async def test_where_no_server_is_left_callers_are_told_to_come_back(pool):
    one = await pool.server(1, pool.old, 0.1)
    await pool.look(one, current=pool.old)
    await one.stop()
    await pool.look(current=pool.old)
    assert pool.backend.models()[OLD].state == "loading"
    with pytest.raises(BackendUnavailable, match="No server of its pool answers"):
        await pool.backend.infer(OLD, IMAGE)


async def test_a_server_that_leaves_serves_until_another_is_there(pool):
    one = await pool.server(1, pool.old, 0.1)
    await pool.look(one, current=pool.old)
    await pool.look(current=pool.old)
    assert await pool.marks(OLD) == {0.1}
    two = await pool.server(2, pool.old, 0.2)
    await pool.look(two, current=pool.old)
    assert await pool.marks(OLD) == {0.2}


async def test_a_name_service_that_is_away_changes_nothing(pool):
    one = await pool.server(1, pool.old, 0.1)
    await pool.look(one, current=pool.old)
    pool.addresses = None
    await pool.replicas.look()
    pool.replicas.route(pool.old, [pool.old])
    assert await pool.marks(OLD) == {0.1}


async def test_a_model_that_is_left_out_takes_calls_of_those_who_chose_it_before(pool, monkeypatch):
    both = await pool.server(1, pool.new, 0.1)
    await pool.look(both, current=pool.new)
    await pool.look(both, current=pool.old)
    assert pool.backend.models()[NEW].state == "loading", "nobody chooses it any more"
    assert await pool.marks(NEW) == {0.1}
    monkeypatch.setattr(module, "SECONDS_TO_LINGER", 0.0)
    for routed in pool.replicas._known.routed.values():
        routed.until = routed.until and 0.0
    await pool.look(both, current=pool.old)
    assert list(pool.backend.models()) == [OLD]
    await asyncio.gather(*(pool.backend.infer(OLD, IMAGE) for _ in range(10)))
