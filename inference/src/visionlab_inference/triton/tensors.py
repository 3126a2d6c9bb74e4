"""Tensors in bodies of the v2 inference protocol over HTTP, with Triton's binary tensor data extension.

https://github.com/kserve/open-inference-protocol and
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md: a JSON header, then each
tensor's bytes, row-major and little-endian. A header field of HTTP says where the JSON ends.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_inference.backend import Tensors
from visionlab_inference.oip.tensors import DTYPES, datatype

HEADER_LENGTH: Final = "Inference-Header-Content-Length"


def encode_request(inputs: Tensors) -> tuple[bytes, dict[str, str]]:
    """The body and the header fields of a request for all outputs, in binary.

    Args:
        inputs: by name; uint8, int64 or float32.

    Raises:
        ValueError: an input has another dtype.
    """
    described: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, value in inputs.items():
        parts.append(value.tobytes())
        described.append(
            {
                "name": name,
                "shape": value.shape,
                "datatype": datatype(name, value),
                "parameters": {"binary_data_size": len(parts[-1])},
            }
        )
    header = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    fields = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(header))}
    return b"".join((header, *parts)), fields


def decode_response(body: bytes, header_length: int) -> dict[str, NDArray[Any]]:
    """The outputs by name. They share the memory of `body` and cannot be written.

    Raises:
        ValueError: not a response of the protocol with binary outputs.
    """
    outputs: dict[str, NDArray[Any]] = {}
    offset = header_length
    try:
        for output in json.loads(body[:header_length])["outputs"]:
            dtype, size = DTYPES[output["datatype"]], output["parameters"]["binary_data_size"]
            values = np.frombuffer(body, dtype, size // dtype.itemsize, offset)
            outputs[output["name"]] = values.reshape(output["shape"])
            offset += size
    except (KeyError, TypeError) as error:
        raise ValueError(f"The response has no or other fields than the protocol: {error}") from error
    return outputs
