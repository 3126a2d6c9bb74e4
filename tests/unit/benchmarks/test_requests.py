"""What the load generator sends and reads."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image
from support.small_http_server import answer

from serving_load.connection import Answer, parse_answer
from serving_load.requests import RequestShape, numbered, request_maker
from visionlab_inference.images import prepare


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def body_of(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    return body


def made(shape: RequestShape, jpeg: bytes, number: int = 7) -> bytes:
    return request_maker(shape, "host:1", [jpeg], np.zeros((1, 224, 224, 3), np.uint8))(number)


def test_numbered_files_are_the_same_picture_in_other_bytes(jpeg):
    files = {numbered(jpeg, number) for number in range(5)}
    assert len(files) == 5
    for file in files:
        assert np.array_equal(prepare(file).pixels, prepare(jpeg).pixels)


def test_each_shape_holds_the_file(jpeg):
    sent = numbered(jpeg, 7)
    encoded = base64.b64encode(sent).decode()
    assert body_of(made(RequestShape("jpeg", "/"), jpeg)) == sent
    assert json.loads(body_of(made(RequestShape("json", "/", "picture"), jpeg))) == {"picture": encoded}
    [tensor] = json.loads(body_of(made(RequestShape("v2-base64", "/"), jpeg)))["inputs"]
    assert (tensor["datatype"], tensor["shape"], tensor["data"]) == ("BYTES", [1], [encoded])
    form = body_of(made(RequestShape("form", "/", "picture"), jpeg))
    assert b'name="picture"' in form
    assert sent in form


def test_tensors_follow_their_header(jpeg):
    request = made(RequestShape("v2-tensor", "/v2/models/x/infer"), jpeg)
    length = int(request.partition(b"Inference-Header-Content-Length: ")[2].partition(b"\r\n")[0])
    body = body_of(request)
    [tensor] = json.loads(body[:length])["inputs"]
    assert len(body) - length == tensor["parameters"]["binary_data_size"] == 224 * 224 * 3


@pytest.mark.parametrize("cut", [10, 40, -1])
def test_an_answer_is_read_when_it_is_whole(cut):
    whole = answer(200, b"x" * 30)
    assert parse_answer(bytearray(whole[:cut])) is None
    assert parse_answer(bytearray(whole)) == (Answer(200, b"x" * 30), False)


def test_chunked_answers_and_those_that_end_the_connection():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert parse_answer(bytearray(chunked)) == (Answer(200, b"abcde"), False)
    assert parse_answer(bytearray(chunked[:-8])) is None
    closing = b"HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert parse_answer(bytearray(closing)) == (Answer(500, b""), True)
    assert parse_answer(bytearray(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx")) == (Answer(200, b"x"), True)
