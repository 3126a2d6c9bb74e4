"""Whole HTTP requests, ready to be written to a socket: each has an image that no other request has.

A photo is told apart from its repetitions by a comment segment with a number in it: decoders skip it, so the work stays the same,
but an answer that was kept for the photo's bytes would not be found.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Shape = Literal["jpeg", "form", "json", "v2-base64", "v2-tensor"]

_BOUNDARY: Final = b"serving-comparison-boundary"


@dataclass(frozen=True, slots=True)
class RequestShape:
    """How a server takes an image.

    `jpeg`: the file as the body. `form`: a file in the multipart field `field`. `json`: base64 in the member `field`.
    `v2-base64`: base64 in a BYTES tensor named `field` of the Open Inference Protocol. `v2-tensor`: the pixels, uint8
    [1, 224, 224, 3], in binary, in its tensor `field`; the answer's only output is `probabilities`.
    """

    shape: Shape
    path: str
    field: str = "image"


def request_maker(wanted: RequestShape, host: str, jpegs: Sequence[bytes], pixels: NDArray[np.uint8]) -> Callable[[int], bytes]:
    """A function from a request's number to its bytes.

    Args:
        wanted: how the server takes an image.
        host: for the Host header.
        jpegs: the photos, used in turn.
        pixels: uint8 [N, 224, 224, 3], what detectors make of the photos.
    """
    if wanted.shape == "v2-tensor":
        ready = [_request(wanted.path, host, *_tensor_body(wanted.field, image)) for image in pixels]
        return lambda number: ready[number % len(ready)]

    def make(number: int) -> bytes:
        jpeg = numbered(jpegs[number % len(jpegs)], number)
        return _request(wanted.path, host, *_image_body(wanted, jpeg))

    return make


def numbered(jpeg: bytes, number: int) -> bytes:
    """The same picture in other bytes: with a comment segment (COM, ITU-T T.81, B.2.4.5) that says `number`."""
    comment = b"%016d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _image_body(wanted: RequestShape, jpeg: bytes) -> tuple[bytes, str]:
    match wanted.shape:
        case "form":
            head = b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
            body = b"".join((head % (_BOUNDARY, wanted.field.encode()), jpeg, b"\r\n--%b--\r\n" % _BOUNDARY))
            return body, f"multipart/form-data; boundary={_BOUNDARY.decode()}"
        case "json":
            return b'{"%b": "%b"}' % (wanted.field.encode(), base64.b64encode(jpeg)), "application/json"
        case "v2-base64":
            kind = b'"datatype": "BYTES", "parameters": {"content_type": "base64"}'
            head = b'{"inputs": [{"name": "%b", "shape": [1], ' + kind + b', "data": ["'
            return b"".join((head % wanted.field.encode(), base64.b64encode(jpeg), b'"]}]}')), "application/json"
        case _:
            return jpeg, "image/jpeg"


def _tensor_body(field: str, image: NDArray[np.uint8]) -> tuple[bytes, str, str]:
    """https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md."""
    tensor = {
        "name": field,
        "shape": [1, *image.shape],
        "datatype": "UINT8",
        "parameters": {"binary_data_size": image.nbytes},
    }
    header = json.dumps({"inputs": [tensor], "outputs": [{"name": "probabilities"}]}).encode()
    return header + image.tobytes(), "application/octet-stream", f"Inference-Header-Content-Length: {len(header)}\r\n"


def _request(path: str, host: str, body: bytes, content_type: str, further: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n{further}\r\n"
    )
    return head.encode() + body
