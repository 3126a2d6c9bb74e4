"""The Open Inference Protocol: NVIDIA's clients work as they are, and what is no request is refused in the protocol's words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import numpy as np
import pytest
from support.image_files import encoded, picture
from support.server import Server
from support.tiny_models import DETECTOR

from visionlab_inference.oip import decode_outputs, encode_request
from visionlab_inference.oip import open_inference_pb2 as messages
from visionlab_inference.oip.connection import OipConnection

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / ".tools" / "oip-clients" / "bin" / "python"
INFER = "/v2/models/tiny-detector/infer"
IMAGES = np.stack([picture(seed=seed) for seed in range(3)])


@pytest.fixture(scope="module")
def oip_server(tmp_path_factory, tiny_models):
    server = Server(tmp_path_factory.mktemp("oip"), tiny_models, VISIONLAB_GRPC_PORT="0").start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def grpc_address(oip_server) -> str:
    [line] = [json.loads(line) for line in oip_server.log if "over gRPC at" in line]
    return line["message"].rsplit(" ", 1)[-1]


@pytest.fixture
async def connection(grpc_address):
    connection = OipConnection(grpc_address)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def right(oip_server) -> list[list[float]]:
    """What the REST surface says of the images."""
    answers = []
    for image in IMAGES:
        url = f"/backend/image/classify?models={DETECTOR}"
        answer = oip_server.client.post(url, content=encoded(image), headers={"Content-Type": "image/png"})
        answers.append(list(answer.json()["results"][0]["verdict"]["probabilities"].values()))
    return answers


def as_json(images=IMAGES, **changes) -> dict:
    tensor = {"name": "image", "shape": list(images.shape), "datatype": "UINT8", "data": images.ravel().tolist()}
    return {"inputs": [tensor | changes]}


def refusal(answer, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    return answer.json()["error"]


def test_clients_of_triton_work_as_they_are(oip_server, grpc_address, right, tmp_path):
    assert CLIENTS.exists(), "`make test` installs it"
    np.save(tmp_path / "images.npy", IMAGES)
    script = ROOT / "tests" / "support" / "oip_client.py"
    http = urlsplit(oip_server.url).netloc
    command = [CLIENTS, script, http, grpc_address, tmp_path / "images.npy", tmp_path / "answers.npz"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = np.load(tmp_path / "answers.npz")
    assert answers["http"] == pytest.approx(np.array(right), abs=1e-6)
    assert np.array_equal(answers["http"], answers["grpc"])


def test_server_and_models_describe_themselves(oip_server):
    get = oip_server.client.get
    assert get("/v2").json()["name"] == "visionlab"
    assert get("/v2/health/live").json() == {"live": True}
    assert get("/v2/health/ready").json() == {"ready": True}
    model = get("/v2/models/tiny-detector").json()
    assert model["platform"] == "onnxruntime_onnx"
    assert model["versions"] == ["1"]
    assert model["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 224, 224, 3]}]
    assert {"name": "probabilities", "datatype": "FP32", "shape": [-1, 4]} in model["outputs"]
    assert get("/v2/models/tiny-detector/versions/1/ready").json() == {"name": "tiny-detector", "ready": True}


def test_tensors_as_json_are_answered_as_json(oip_server, right):
    answer = oip_server.client.post(INFER, json=as_json() | {"id": "a"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["model_name"], body["model_version"], body["id"]) == ("tiny-detector", "1", "a")
    outputs = {each["name"]: each for each in body["outputs"]}
    assert outputs["activation_map"]["shape"] == [3, 7, 7, 4]
    assert np.reshape(outputs["probabilities"]["data"], (3, 4)) == pytest.approx(np.array(right), abs=1e-6)
    nested = oip_server.client.post(INFER, json=as_json(data=IMAGES.tolist()))
    assert nested.json()["outputs"] == body["outputs"]


def test_generators_answer_too(oip_server):
    def tensor(name, *shape):
        return {"name": name, "shape": shape, "datatype": "FP32", "data": [0.5] * int(np.prod(shape))}

    asked = {"inputs": [tensor("latent", 2, 100), tensor("truncation", 2, 1)], "parameters": {"binary_data_output": True}}
    answer = oip_server.client.post("/v2/models/tiny-generator/infer", json=asked)
    header = int(answer.headers["Inference-Header-Content-Length"])
    [image] = json.loads(answer.content[:header])["outputs"]
    assert image["shape"] == [2, 16, 16, 3]
    assert len(answer.content) - header == image["parameters"]["binary_data_size"] == 2 * 16 * 16 * 3


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"{}", "inputs"),
        ({"inputs": []}, "takes the inputs image"),
        (as_json(name="picture"), "takes the inputs image"),
        (as_json(datatype="FP32"), "float32"),
        (as_json(datatype="BYTES"), "models take"),
        (as_json(shape=[3, 224, 224]), "values"),
        (as_json(shape=[-1, 224, 224, 3]), "negative"),
        (as_json(shape=[0, 224, 224, 3], data=[]), "1 or more"),
        (as_json(data=[300] * IMAGES.size), "0 to 255"),
        (as_json(data=[0.5] * IMAGES.size), "whole numbers"),
        (as_json(data=["a"] * IMAGES.size), "no number"),
        (as_json(data=[[1], [1, 2]]), "one length"),
        (as_json(data=None), "either"),
        ({"inputs": as_json()["inputs"] * 2}, "twice"),
        (as_json(data=None, parameters={"binary_data_size": 10}), "binary_data_size"),
        (as_json() | {"outputs": [{"name": "nothing"}]}, "no output"),
    ],
)
def test_request_that_is_wrong_is_refused_with_the_reason(oip_server, body, says):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert says in refusal(oip_server.client.post(INFER, content=content), 400)


def test_binary_body_that_is_cut_off_or_too_long_is_refused(oip_server):
    header = json.dumps(as_json(data=None, parameters={"binary_data_size": IMAGES.nbytes})).encode()
    fields = {"Inference-Header-Content-Length": str(len(header))}
    for data in (IMAGES.tobytes()[:-1], IMAGES.tobytes() + b"1"):
        refusal(oip_server.client.post(INFER, content=header + data, headers=fields), 400)
    for length in ("-1", "x", str(10**9)):
        answer = oip_server.client.post(INFER, content=header, headers={"Inference-Header-Content-Length": length})
        assert "Inference-Header-Content-Length" in refusal(answer, 400)


def test_unknown_model_version_or_coding_is_refused(oip_server):
    assert "tiny-detector" in refusal(oip_server.client.get("/v2/models/nothing"), 404)
    assert "no version '9'" in refusal(oip_server.client.get("/v2/models/tiny-detector/versions/9"), 404)
    answer = oip_server.client.post(INFER, content=b"x", headers={"Content-Encoding": "gzip"})
    assert "plain" in refusal(answer, 415)


async def test_typed_contents_are_read_as_raw_ones_are(connection):
    raw = encode_request("tiny-detector", {"image": IMAGES[:1]})
    typed = messages.ModelInferRequest(model_name="tiny-detector")
    tensor = typed.inputs.add(name="image", datatype="UINT8", shape=[1, 224, 224, 3])
    tensor.contents.uint_contents.extend(IMAGES[0].ravel().tolist())
    answers = [decode_outputs(await connection.infer(request, seconds=30)) for request in (raw, typed)]
    assert np.array_equal(answers[0]["probabilities"], answers[1]["probabilities"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda request: setattr(request, "model_name", "nothing"), grpc.StatusCode.NOT_FOUND),
        (lambda request: setattr(request, "model_version", "9"), grpc.StatusCode.NOT_FOUND),
        (lambda request: request.raw_input_contents.append(b"1"), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.inputs[0].shape.append(2), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: setattr(request.inputs[0], "datatype", "FP64"), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: setattr(request.inputs[0], "name", "picture"), grpc.StatusCode.INVALID_ARGUMENT),
        (lambda request: request.outputs.add(name="nothing"), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_wrong_call_has_the_protocols_status(connection, change, code):
    request = encode_request("tiny-detector", {"image": IMAGES})
    change(request)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await connection.infer(request, seconds=30)
    assert refused.value.code() == code
    assert refused.value.details()
