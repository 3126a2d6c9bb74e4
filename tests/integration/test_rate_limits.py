"""Limits of rate, as callers of the real server feel them. Each test is a caller of its own, by what a proxy says of it."""

from __future__ import annotations

import json
import re
from itertools import count

import grpc
import httpx
import pytest
from support.image_files import jpeg, png
from support.problem_details import problem_of
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import GENERATOR

from visionlab_inference.oip import open_inference_pb2 as messages

ADDRESSES = (f"192.0.2.{number}" for number in count(1))
CLASSIFY = "/backend/image/classify"


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_models):
    server = Server(
        tmp_path_factory.mktemp("limits"),
        tiny_models,
        VISIONLAB_GRPC_PORT="0",
        VISIONLAB_REQUESTS_PER_MINUTE="20",
        VISIONLAB_IMAGES_PER_MINUTE="40",
        VISIONLAB_SIGN_INS_PER_MINUTE="3",
    ).start()
    yield server
    server.close()


@pytest.fixture
def caller(server):
    with httpx.Client(base_url=server.url, timeout=60, headers={"X-Forwarded-For": next(ADDRESSES)}) as client:
        yield client


def test_requests_are_counted_and_refused_with_the_time_to_wait(caller):
    for left in range(19, -1, -1):
        answer = caller.get("/backend/model/detector")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"requests";q=20;w=60'
        assert left <= int(re.search(r"r=(\d+)", answer.headers["ratelimit"])[1]) <= left + 5
    while (answer := caller.get("/backend/model/detector")).status_code == 200:
        pass
    problem_of(answer, 429, "too-many")
    assert 1 <= int(answer.headers["retry-after"]) <= 3
    assert answer.headers["ratelimit"].startswith('"requests";r=0')
    assert caller.get("/backend/status").status_code == 200
    with httpx.Client(base_url=caller.base_url, headers={"X-Forwarded-For": next(ADDRESSES)}) as other:
        assert other.get("/backend/model/detector").status_code == 200


@pytest.mark.parametrize(
    "ask",
    [
        lambda caller: caller.post(CLASSIFY, files=[("images", ("a.png", png()))] * 30),
        lambda caller: caller.post("/backend/image/generate", json={"models": [str(GENERATOR)], "count": 30}),
        lambda caller: caller.post(
            "/v2/models/tiny-detector/infer",
            json={"inputs": [{"name": "image", "shape": [30, 1, 1, 3], "datatype": "UINT8", "data": [0] * 90}]},
        ),
    ],
    ids=["classify", "generate", "tensors"],
)
def test_images_are_counted(caller, ask):
    assert ask(caller).status_code != 429
    refused = ask(caller)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "images a minute" in refused.text


def test_single_images_and_uploads_count_together(caller):
    assert caller.post(CLASSIFY, files=[("images", ("a.png", png()))] * 30).status_code == 200
    for _ in range(5):
        answer = caller.post(CLASSIFY, content=jpeg(), headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 200, answer.text
        assert caller.post("/backend/image", files={"file": ("a.png", png())}).status_code == 201
    refused = caller.post("/backend/image", files={"file": ("a.png", png())})
    while refused.status_code == 201:
        refused = caller.post("/backend/image", files={"file": ("a.png", png())})
    problem_of(refused, 429, "too-many")


def test_a_stream_is_slowed_down_and_not_refused(caller):
    files = [("images", (f"{number}.png", png())) for number in range(41)]
    lines = caller.post(CLASSIFY, files=files, headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [bool(json.loads(line)["verdict"]) for line in lines] == [True] * 41


def test_keys_with_the_scope_have_no_limits(server, caller):
    key = server.admin.post("/backend/key", json={"name": "bulk", "scopes": ["inference"]}).json()["key"]
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"Bearer {ADMIN_TOKEN}"}):
        for _ in range(30):
            answer = caller.get("/backend/model/detector", headers=headers)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


def test_guessing_is_slowed_down(caller):
    statuses = [caller.post("/backend/session", json={"token": "vl_guess"}).status_code for _ in range(5)]
    assert statuses == [401] * 3 + [429] * 2
    caller.headers["X-Forwarded-For"] = next(ADDRESSES)
    keys = [caller.get("/backend/status", headers={"Authorization": f"Bearer vl_{n}"}).status_code for n in range(5)]
    assert keys == [401] * 3 + [429] * 2


def test_grpc_counts_too(server):
    [line] = [line for line in server.log if "over gRPC at" in line]
    with grpc.insecure_channel(re.search(r"127\.0\.0\.1:\d+", line)[0]) as channel:
        metadata = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelMetadata",
            request_serializer=messages.ModelMetadataRequest.SerializeToString,
            response_deserializer=messages.ModelMetadataResponse.FromString,
        )
        calls = [metadata.future(messages.ModelMetadataRequest(name="tiny-detector"), timeout=30) for _ in range(40)]
        codes = [call.code() for call in calls]
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
