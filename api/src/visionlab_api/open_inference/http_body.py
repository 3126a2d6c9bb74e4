"""Bodies of the protocol over HTTP: JSON, and Triton's binary tensor data extension.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md and
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from visionlab_api.open_inference.models import bad_request
from visionlab_inference.backend import Tensors
from visionlab_inference.oip import DTYPES
from visionlab_inference.oip.tensors import datatype


class _Parameters(BaseModel):
    binary_data_size: int | None = Field(None, ge=0)
    binary_data: bool | None = None
    binary_data_output: bool = False


class _Input(BaseModel):
    name: str
    shape: list[int] = Field(max_length=8)
    datatype: str
    parameters: _Parameters = _Parameters()
    data: list[Any] | None = None


class _Output(BaseModel):
    name: str
    parameters: _Parameters = _Parameters()


class _Request(BaseModel):
    id: str | None = None
    parameters: _Parameters = _Parameters()
    inputs: list[_Input] = Field(max_length=64)
    outputs: list[_Output] | None = Field(None, max_length=64)


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A request: its inputs by name, and of each output that is wanted whether in binary; no outputs: all of them."""

    id: str | None
    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, bool] | None
    binary: bool

    def wanted(self, outputs: Tensors) -> dict[str, bool]:
        """Names of the outputs to send, and whether in binary.

        Raises:
            ProblemError: 400, the model has no such output.
        """
        if self.outputs is None:
            return dict.fromkeys(outputs, self.binary)
        for name in self.outputs:
            if name not in outputs:
                raise bad_request(f"The model has no output {name[:80]!r}; it has {', '.join(outputs)}.")
        return self.outputs


def parse_request(body: bytes, header_length: str | None) -> InferRequest:
    """Read a request. `header_length` is the header field Inference-Header-Content-Length: where the JSON ends.

    Raises:
        ProblemError: 400 with what is wrong.
    """
    end = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or int(header_length) > len(body):
            raise bad_request(f"Inference-Header-Content-Length is {header_length[:20]!r}; the body has {len(body)} bytes.")
        end = int(header_length)
    try:
        request = _Request.model_validate_json(body[:end])
    except ValidationError as error:
        first = error.errors()[0]
        raise bad_request(f"{'.'.join(map(str, first['loc'])) or 'The body'}: {first['msg']}.") from error
    inputs: dict[str, NDArray[Any]] = {}
    for each in request.inputs:
        if each.name in inputs:
            raise bad_request(f"The input {each.name[:80]!r} is there twice.")
        inputs[each.name], end = _tensor(each, body, end)
    if end != len(body):
        raise bad_request(f"The body has {len(body) - end} bytes more than its inputs need.")
    outputs = None
    if request.outputs is not None:
        binary = request.parameters.binary_data_output
        outputs = {
            each.name: binary if each.parameters.binary_data is None else each.parameters.binary_data for each in request.outputs
        }
    return InferRequest(request.id, inputs, outputs, request.parameters.binary_data_output)


def render_response(
    model_name: str, model_version: int, request: InferRequest, outputs: Mapping[str, NDArray[Any]]
) -> tuple[bytes, dict[str, str]]:
    """The body of the answer and its header fields.

    Raises:
        ProblemError: 400, an output is asked for that the model has not.
    """
    described, parts = [], []
    for name, binary in request.wanted(outputs).items():
        value = outputs[name]
        entry: dict[str, Any] = {"name": name, "datatype": datatype(name, value), "shape": list(value.shape)}
        if binary:
            parts.append(np.ascontiguousarray(value).tobytes())
            entry["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            entry["data"] = value.ravel().tolist()
        described.append(entry)
    answer: dict[str, Any] = {"model_name": model_name, "model_version": str(model_version), "outputs": described}
    if request.id is not None:
        answer["id"] = request.id
    header = json.dumps(answer).encode()
    if not parts:
        return header, {"Content-Type": "application/json"}
    fields = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    return b"".join((header, *parts)), fields


def _tensor(given: _Input, body: bytes, begin: int) -> tuple[NDArray[Any], int]:
    """A tensor, and where in the body the next one's bytes begin."""
    name = given.name[:80]
    dtype = DTYPES.get(given.datatype)
    if dtype is None:
        raise bad_request(f"Input {name!r} is {given.datatype[:20]!r}; models take {', '.join(DTYPES)}.")
    if any(size < 0 for size in given.shape):
        raise bad_request(f"Input {name!r}: a shape has no negative sizes.")
    count = math.prod(given.shape)
    size = given.parameters.binary_data_size
    if (size is None) == (given.data is None):
        raise bad_request(f"Input {name!r} needs either 'data' or the parameter 'binary_data_size'.")
    if size is not None:
        if size != count * dtype.itemsize or begin + size > len(body):
            raise bad_request(
                f"Input {name!r} of shape {given.shape} is {count * dtype.itemsize} bytes; binary_data_size says {size}, "
                f"and {len(body) - begin} are left in the body."
            )
        return np.frombuffer(body, dtype, count, begin).reshape(given.shape), begin + size
    values = _numbers(given.data, dtype, name)
    if values.size != count:
        raise bad_request(f"Input {name!r} of shape {given.shape} has {count} values; 'data' has {values.size}.")
    return values.reshape(given.shape), begin


def _numbers(data: list[Any] | None, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    try:
        values = np.asarray(data)
    except ValueError as error:
        raise bad_request(f"Input {name!r}: the lists in 'data' are not of one length.") from error
    if values.dtype.kind not in "iuf" and values.size:
        raise bad_request(f"Input {name!r}: 'data' holds something that is no number, or is too large for one.")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if values.dtype.kind == "f" and values.size:
            raise bad_request(f"Input {name!r} takes whole numbers.")
        if values.size and (values.min() < limits.min or values.max() > limits.max):
            raise bad_request(f"Input {name!r} takes {limits.min} to {limits.max}.")
    return values.astype(dtype)
