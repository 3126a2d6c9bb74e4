"""Tensors in the Open Inference Protocol's messages."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from visionlab_inference.oip import decode_outputs, encode_request
from visionlab_inference.oip.open_inference_pb2 import ModelInferRequest, ModelInferResponse


def test_request_is_what_the_protocol_says():
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)[:, ::-1]
    request = ModelInferRequest.FromString(
        encode_request("model", {"image": image, "truncation": np.array([[0.5]], np.float32)}).SerializeToString()
    )
    assert request.model_name == "model"
    assert [(each.name, each.datatype, list(each.shape)) for each in request.inputs] == [
        ("image", "UINT8", [2, 3, 4]), ("truncation", "FP32", [1, 1]),
    ]  # fmt: skip
    assert request.raw_input_contents[0] == bytes(image.ravel().tolist())
    assert request.raw_input_contents[1] == b"\x00\x00\x00\x3f"


def test_tensor_that_no_model_takes_is_refused():
    with pytest.raises(ValueError, match="'image' is float64"):
        encode_request("model", {"image": np.zeros(1)})


def response(datatype="FP32", shape=(2, 1), raw=(b"\0\0\x80\x3f\0\0\0\x40",)) -> ModelInferResponse:
    answer = ModelInferResponse(raw_output_contents=raw)
    answer.outputs.add(name="value", datatype=datatype, shape=shape)
    return answer


def test_outputs_are_read():
    [(name, value)] = decode_outputs(response()).items()
    assert name == "value"
    assert value.dtype == np.float32
    assert value.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(raw=()), "1 outputs and 0 raw"),
        (response(datatype="BYTES"), "BYTES"),
        (response(shape=(3, 1)), "reshape"),
        (response(raw=(b"123",)), "multiple of element size"),
    ],
)
def test_answer_that_contradicts_itself_is_refused(answer, says):
    with pytest.raises(ValueError, match=says):
        decode_outputs(answer)


def test_messages_leave_room_for_other_users_of_the_protocols_name():
    """Triton's client and the KServe SDK register messages of the package "inference" in the same process."""
    code = (
        "import sys; from visionlab_inference.oip.open_inference_pb2 import ModelInferRequest;"
        "assert ModelInferRequest.DESCRIPTOR.full_name == 'visionlab.oip.ModelInferRequest';"
        "import visionlab_inference.releases; assert 'grpc' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
